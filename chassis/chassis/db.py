"""Tables: what every firm-owned mapping has in common, the plumbing tables, and the engine."""

from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from uuid6 import uuid7

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# How Python types of mappings become columns: `class Base(DeclarativeBase): type_annotation_map = TYPES`.
TYPES: dict[Any, Any] = {
    str: Text(),
    datetime: DateTime(timezone=True),
    Decimal: Numeric(),
    int: BigInteger(),
    bytes: LargeBinary(),
    list[str]: ARRAY(Text()),
    list[UUID]: ARRAY(Uuid()),
    dict[str, Any]: JSONB(),
    list[dict[str, Any]]: JSONB(),
}

current_firm: ContextVar[UUID | None] = ContextVar("current_firm", default=None)


def new_id() -> UUID:
    """A UUIDv7: unique, and sorted by the time it was made."""
    return UUID(int=uuid7().int)


def _firm_of_the_unit_of_work() -> UUID:
    firm = current_firm.get()
    if firm is None:
        raise RuntimeError("no firm: a firm-owned row can only be made inside a unit of work")
    return firm


class FirmOwned:
    """A row of one firm: `firm_id` leads the key and fills in by itself."""

    @declared_attr
    def firm_id(cls) -> Mapped[UUID]:  # noqa: N805
        return mapped_column(Uuid, primary_key=True, default=_firm_of_the_unit_of_work, sort_order=-20)

    @declared_attr
    def id(cls) -> Mapped[UUID]:  # noqa: N805
        return mapped_column(Uuid, primary_key=True, default=new_id, sort_order=-10)


class Versioned:
    """A row whose changes are counted: `version` is its ETag and the version of its state events."""

    @declared_attr
    def version(cls) -> Mapped[int]:  # noqa: N805
        return mapped_column(BigInteger, nullable=False, sort_order=90)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        return {"version_id_col": cls.version}


def _at() -> Column[datetime]:
    return Column("at", DateTime(timezone=True), nullable=False)


plumbing = MetaData(naming_convention=NAMING)

outbox = Table(
    "outbox",
    plumbing,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("firm_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _at(),
    Column("published_at", DateTime(timezone=True)),
)
inbox = Table(
    "inbox",
    plumbing,
    Column("event_id", Uuid, primary_key=True),
    _at(),
)
retry = Table(
    "retry",
    plumbing,
    Column("event_id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("error", Text, nullable=False),
    _at(),
)
dead_letter = Table(
    "dead_letter",
    plumbing,
    Column("id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),  # event, due
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("error", Text, nullable=False),
    _at(),
    Column("replayed_at", DateTime(timezone=True)),
)
idempotency = Table(
    "idempotency",
    plumbing,
    Column("firm_id", Uuid, primary_key=True),
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _at(),
)
due = Table(
    "due",
    plumbing,
    Column("id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("run_at", DateTime(timezone=True), nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("error", Text),
)
audit = Table(
    "audit",
    plumbing,
    Column("id", Uuid, primary_key=True),
    Column("firm_id", Uuid, nullable=False),
    _at(),
    Column("actor", Text, nullable=False),  # "staff:<id>", "partner:<id>", "contact:<id>", "service:<name>"
    Column("actor_name", Text, nullable=False),
    Column("source", Text, nullable=False),  # address or process the act came from
    Column("action", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("reason", Text),
    Column("trace_id", Text),
    Column("position", BigInteger),  # place in the firm's chain, once sealed
    Column("hash", LargeBinary),
)
tenant = Table(
    "tenant",
    plumbing,
    Column("firm_id", Uuid, primary_key=True),
    Column("suspended", Boolean, nullable=False),
)

# Tables that hold the firm as data, without row-level security, and why.
EXEMPT = {
    "outbox": "the relay publishes for all firms",
    "inbox": "event ids only",
    "retry": "the worker finds what is due for all firms",
    "dead_letter": "shown to operators, for all firms",
    "idempotency": "looked up by firm, caller and key together, before the answer is known",
    "due": "the worker finds what is due for all firms",
    "tenant": "tells which firms exist here",
    "alembic_version": "which migration the database is at",
}


def _dumps(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def make_engine(url: str, *, pool: int, name: str, statement_timeout_ms: int = 15_000) -> Engine:
    """An engine whose pool is as large as the process's threads: nobody waits for a connection behind another.

    The driver begins nothing by itself (a unit of work sends BEGIN along with its first statement); whoever begins through the engine gets one.
    """
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=5,
        # A connection is tested when it is taken only after it lay unused; a restarted database heals by that.
        pool_pre_ping=False,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args={
            "autocommit": True,
            "application_name": name,
            "connect_timeout": 5,
            "options": f"-c statement_timeout={statement_timeout_ms} -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
        },
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    raw: Any = connection.connection.dbapi_connection
    if raw.info.transaction_status == TransactionStatus.IDLE:
        raw.execute("BEGIN")
