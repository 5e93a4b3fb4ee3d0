"""The unit of work: one transaction that holds a change, its audit, its events, its later work and its stored answer."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import orjson
from google.protobuf.message import Message
from psycopg.rows import dict_row, namedtuple_row
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from chassis import db, events, telemetry, wire
from chassis.auth import Principal
from chassis.errors import Conflict, DomainError, Invalid, NotFound, PreconditionFailed, Unavailable

if TYPE_CHECKING:
    from chassis.service import Runtime

T = TypeVar("T")

# serialization_failure, deadlock_detected: the whole unit of work is run again.
_AGAIN = frozenset({"40001", "40P01"})
_ATTEMPTS = 4

_MANY = 100  # events in one unit of work from which on they are copied
_OUTBOX = "COPY outbox (event_id, firm_id, type, subject, body, at) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer, as it is given and kept under its idempotency key."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's key for an act, and what the act was: the same key for another act is refused."""

    key: str
    fingerprint: bytes

    @classmethod
    def of(cls, key: str, *parts: bytes) -> "Idempotency":
        return cls(key, hashlib.sha256(b"\0".join(parts)).digest())


@dataclass
class Uow:
    """One unit of work for one firm. See docs/adding-a-service.md."""

    runtime: "Runtime"
    connection: Connection
    principal: Principal
    firm_id: UUID
    now: datetime
    if_match: int | None = None
    idempotency: Idempotency | None = None
    heard_at: datetime | None = None  # when what the event now being handled tells of happened
    memo: dict[str, Any] = field(default_factory=dict)  # what a service looks up once for this unit of work
    _announced: list[events.Envelope] = field(default_factory=list)
    _audited: list[dict[str, Any]] = field(default_factory=list)
    _due: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)  # the last plan of each (kind, key)
    _stored: Stored | None = None
    _written: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _dirty: bool = False
    _earlier: tuple[Any, ...] | None = None

    @cached_property
    def session(self) -> Session:
        """The mapper's session in this transaction, made when it is first asked for: what reads and writes rows only does without."""
        return Session(self.connection, expire_on_commit=False, autoflush=False)

    @property
    def _mapped(self) -> Session | None:
        return self.__dict__.get("session")

    def rows(self, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of a statement with `:name`d values, straight from the driver: for lists, where the mapper would cost more than the answer."""
        return self._fetched(statement, values, dict_row)

    def row(self, statement: str, values: Mapping[str, Any]) -> Any:
        """The one row of a statement with `:name`d values, its columns by name; None if there is none."""
        found = self._fetched(statement, values, namedtuple_row)
        return found[0] if found else None

    def _fetched(self, statement: str, values: Mapping[str, Any], shape: Any) -> list[Any]:
        with wire.raw_of(self.connection, statement, values) as raw:
            cursor = raw.cursor(row_factory=shape)
            cursor.execute(wire.driver_form(statement), values)
            return cursor.fetchall()  # type: ignore[no-any-return]

    def get(self, model: type[T], id: UUID | str, *, lock: bool = False, version: int | None = None) -> T:
        """The firm's row of that id. Errors: `<name>_not_found` (404); `version_conflict` (412) if it is no longer `version`."""
        row = self.session.get(
            model, (self.firm_id, UUID(str(id))), with_for_update=True if lock else None, populate_existing=lock
        )
        name = getattr(model, "__tablename__", model.__name__.lower())
        singular = getattr(model, "__singular__", None) or _singular(name)
        if row is None:
            raise NotFound(f"{singular}_not_found", f"There is no such {singular.replace('_', ' ')}.")
        if version is not None and getattr(row, "version", version) != version:
            raise lost_update(getattr(row, "version", None))
        return row

    def add(self, row: T) -> T:
        """Adds the row and writes it now, so that what the database refuses is refused here."""
        self.session.add(row)
        self.session.flush()
        return row

    def insert(self, row: T) -> T:
        """Adds a row that travels with the commit, past the mapper: for what is written often and not asked for again here.
        What the database refuses is refused at the commit. Its version is 1."""
        statement, columns = wire.insert_of(type(row))  # type: ignore[arg-type]  # mypy doubts that classes are hashable
        values = {}
        for column in columns:
            if (value := getattr(row, column.key)) is None and (value := column.otherwise()) is not None:
                setattr(row, column.key, value)
            values[column.key] = Jsonb(value, _dumps) if column.json and value is not None else value
        self._written.append((statement, values))
        return row

    def flush(self) -> None:
        """Writes rows now that would travel with the commit: for who is about to ask for them."""
        if self._mapped is not None:
            self._mapped.flush()
        if self._written:
            parts, values = self._rows_written()
            self._written = []
            wire.send(self.connection, _together(parts), values)

    def announce(self, event: Message, *, subject: UUID | str, version: int = 1) -> None:
        """Puts an event into the outbox; it leaves when, and only if, this transaction commits."""
        self._announced.append(
            events.wrap(
                event,
                source=self.runtime.service.name,
                subject=str(subject),
                firm_id=self.firm_id,
                version=version,
                at=self.now,
            )
        )

    def audit(
        self,
        action: str,
        subject_type: str,
        subject_id: UUID | str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        reason: str | None = None,
    ) -> None:
        """Records who did what to what, in this transaction."""
        self._audited.append(
            {
                "action": action,
                "subject_type": subject_type,
                "subject_id": str(subject_id),
                "before": before,
                "after": after,
                "reason": reason,
            }
        )

    def later(self, kind: str, key: UUID | str, at: datetime | None = None, **payload: Any) -> None:
        """Asks the worker for work, once per (kind, key); planned again under the same key, it moves. `at` None: at once."""
        self._due[kind, str(key)] = {"kind": kind, "key": str(key), "run_at": at or self.now, "payload": payload}

    def cancel(self, kind: str, key: UUID | str) -> None:
        """Takes back work that was planned."""
        self._due.pop((kind, str(key)), None)
        self.session.execute(
            text("DELETE FROM due WHERE firm_id = :firm AND kind = :kind AND key = :key AND done_at IS NULL"),
            {"firm": self.firm_id, "kind": kind, "key": str(key)},
        )

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is done inside holds together: an error undoes all of it, what was announced, audited and planned included.
        It goes on to the caller, who may catch it and do something else in this unit of work."""
        announced, audited, written = len(self._announced), len(self._audited), len(self._written)
        due, dirty = dict(self._due), self._dirty
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            del self._announced[announced:], self._audited[audited:], self._written[written:]
            wire.forget_names(self.connection)
            self._due, self._dirty = due, dirty
            raise

    def ask(
        self,
        service: str,
        method: str,
        request: Message | Iterator[Message],
        *,
        timeout: float = 2.0,
        key: str | None = None,
    ) -> Any:
        """Asks another service and waits for its answer. Errors: the `DomainError` it raised, or `<service>_unavailable`."""
        return self.runtime.channels.ask(
            service,
            method,
            request,
            principal=self.principal,
            firm_id=self.firm_id,
            timeout=timeout,
            key=key or (self.idempotency.key if self.idempotency else None),
        )

    def replay(self) -> Stored | None:
        """The answer already given under this idempotency key. Errors: `idempotency_key_reused` (409)."""
        if self.idempotency is None or self._earlier is None:
            return None
        fingerprint, status, headers, body = self._earlier
        if bytes(fingerprint) != self.idempotency.fingerprint:
            raise Conflict(
                "idempotency_key_reused",
                "This Idempotency-Key was used for a different request. Use a new key for a new act.",
            )
        return Stored(status, dict(headers), bytes(body))

    def remember(self, stored: Stored) -> None:
        if self.idempotency is not None:
            self._stored = stored

    def _idempotency_key(self) -> dict[str, Any]:
        assert self.idempotency is not None
        return {"firm": self.firm_id, "caller": self.principal.actor, "key": self.idempotency.key}

    @property
    def wrote(self) -> bool:
        """Whether there is something to commit besides rows already flushed through `keep`."""
        mapped = self._mapped is not None and (self._mapped.new or self._mapped.dirty)
        return bool(self._announced or self._audited or self._due or self._written or self._dirty or mapped)

    def keep(self) -> None:
        """Says that a read has written (a copy it lacked) and its transaction is to be committed."""
        self._dirty = True

    def commit(self) -> None:
        """Writes what was announced, audited, planned and answered, and commits, in one round trip (two if there are many events)."""
        if self._mapped is not None:
            self._mapped.flush()
        if len(self._announced) >= _MANY:
            self._copy_out()
        wire.send(self.connection, *self._epilogue(), end="COMMIT")
        if self._mapped is not None:
            self._mapped.commit()
        if self._announced or self._due:
            self.runtime.waker.call([name for name, work in (("events", self._announced), ("due", self._due)) if work])

    def _copy_out(self) -> None:
        """Many events go out by COPY, in their order: quoting each of thousands would cost more than writing them."""
        with wire.raw_of(self.connection, _OUTBOX) as raw, raw.cursor() as cursor, cursor.copy(_OUTBOX) as copy:
            for e in self._announced:
                copy.write_row((e.id, self.firm_id, e.type, e.subject, e.encode(), self.now))

    def _epilogue(self) -> tuple[str, dict[str, Any]]:
        """One statement for all that goes with the commit, and its values; empty if there is nothing."""
        parts, p = self._rows_written()
        p |= {"firm": self.firm_id, "at": self.now}
        few = self._announced if len(self._announced) < _MANY else []
        if few:
            # One insert: rows of several would be numbered in any order, and so leave in any order.
            rows = [f"(%(e{i})s, %(firm)s, %(t{i})s, %(s{i})s, %(b{i})s, %(at)s)" for i in range(len(few))]
            parts.append(f"INSERT INTO outbox (event_id, firm_id, type, subject, body, at) VALUES {', '.join(rows)}")
        for i, e in enumerate(few):
            p |= {f"e{i}": e.id, f"t{i}": e.type, f"s{i}": e.subject, f"b{i}": e.encode()}
        if self._audited:
            rows = [
                f"(%(ai{i})s, %(firm)s, %(at)s, %(actor)s, %(actor_name)s, %(source)s, %(aa{i})s, %(at{i})s, %(as{i})s, "
                f"%(ab{i})s::jsonb, %(af{i})s::jsonb, %(ar{i})s, %(trace)s)"
                for i in range(len(self._audited))
            ]
            parts.append(
                "INSERT INTO audit (id, firm_id, at, actor, actor_name, source, action, subject_type, subject_id, before, after, reason, trace_id) "
                f"VALUES {', '.join(rows)}"
            )
        for i, a in enumerate(self._audited):
            p |= {
                f"ai{i}": db.new_id(),
                f"aa{i}": a["action"],
                f"at{i}": a["subject_type"],
                f"as{i}": a["subject_id"],
                f"ab{i}": _json(a["before"]),
                f"af{i}": _json(a["after"]),
                f"ar{i}": a["reason"],
            }
        if self._audited:
            who = self.principal
            p |= {
                "actor": who.actor,
                "actor_name": who.name,
                "source": who.source,
                "trace": telemetry.current_trace_id(),
            }
        if self._due:
            rows = [
                f"(%(di{i})s, %(firm)s, %(dk{i})s, %(dy{i})s, %(da{i})s::timestamptz, %(dp{i})s::jsonb, 0)"
                for i in range(len(self._due))
            ]
            parts.append(
                f"INSERT INTO due (id, firm_id, kind, key, run_at, payload, attempts) VALUES {', '.join(rows)} "
                "ON CONFLICT (firm_id, kind, key) DO UPDATE SET run_at = excluded.run_at, payload = excluded.payload, "
                "attempts = 0, done_at = NULL, error = NULL"
            )
        for i, d in enumerate(self._due.values()):
            p |= {
                f"di{i}": db.new_id(),
                f"dk{i}": d["kind"],
                f"dy{i}": d["key"],
                f"da{i}": d["run_at"],
                f"dp{i}": _json(d["payload"]),
            }
        if self._stored is not None and self.idempotency is not None:
            parts.append(
                "INSERT INTO idempotency (firm_id, caller, key, fingerprint, status, headers, body, at) "
                "VALUES (%(firm)s, %(caller)s, %(key)s, %(fingerprint)s, %(status)s, %(headers)s::jsonb, %(body)s, %(at)s)"
            )
            p |= self._idempotency_key() | {
                "fingerprint": self.idempotency.fingerprint,
                "status": self._stored.status,
                "headers": _json(self._stored.headers),
                "body": self._stored.body,
            }
        return _together(parts), p

    def _rows_written(self) -> tuple[list[str], dict[str, Any]]:
        """The statements of `insert`, and their values under names of their own."""
        parts = [statement.replace("%(", f"%(w{i}") for i, (statement, _) in enumerate(self._written)]
        return parts, {f"w{i}{n}": v for i, (_, values) in enumerate(self._written) for n, v in values.items()}


def _together(parts: list[str]) -> str:
    """Several statements that change data as one; empty if there is none."""
    return f"WITH {', '.join(f'w{i} AS ({part})' for i, part in enumerate(parts))} SELECT" if parts else ""


def lost_update(current: int | None) -> PreconditionFailed:
    return PreconditionFailed(
        "version_conflict",
        "Somebody has changed this since you loaded it. Load it again and repeat your change.",
        current_version=current,
    )


def _singular(table: str) -> str:
    if table.endswith("ies"):
        return table[:-3] + "y"
    return table.removesuffix("s")


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, default=str)


def _json(value: Any) -> str | None:
    return None if value is None else _dumps(value).decode()


@contextmanager
def unit_of_work(
    runtime: "Runtime",
    principal: Principal,
    *,
    firm_id: UUID | None = None,
    if_match: int | None = None,
    idempotency: Idempotency | None = None,
) -> Iterator[Uow]:
    """A unit of work that rolls back unless `commit` was called. Errors of the database come out as `DomainError`s."""
    firm = firm_id or principal.firm_id
    if firm is None:
        raise RuntimeError("a unit of work needs a firm")
    known_tenant(runtime, firm)
    reset = db.current_firm.set(firm)
    try:
        with _translated(runtime), runtime.engine.connect() as connection:
            now, earlier = _enter(connection, firm, principal, idempotency)
            uow = Uow(runtime, connection, principal, firm, now, if_match, idempotency, _earlier=earlier)
            try:
                yield uow
            finally:
                wire.leave(connection)
                if uow._mapped is not None:
                    uow._mapped.close()
    finally:
        db.current_firm.reset(reset)


_ENTER = (
    "SELECT set_config('app.firm_id', CAST(%(firm)s AS text), true), set_config('app.viewer', %(viewer)s, true), now(), "
    "i.fingerprint, i.status, i.headers, i.body FROM (VALUES (1)) AS one LEFT JOIN idempotency i "
    "ON i.firm_id = CAST(%(firm)s AS uuid) AND i.caller = %(caller)s AND i.key = %(key)s"
)


def _enter(
    connection: Connection, firm: UUID, principal: Principal, idempotency: Idempotency | None
) -> tuple[datetime, tuple[Any, ...] | None]:
    """Begins the transaction as this firm and viewer; answers its instant and what was stored under the key before."""
    values = {
        "firm": str(firm),
        "viewer": principal.viewer,
        "caller": principal.actor if idempotency else None,
        "key": idempotency.key if idempotency else None,
    }
    try:
        cursor = wire.send(connection, _ENTER, values, begin="BEGIN")
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != "26000":
            raise
        wire.leave(connection)
        wire.forget_names(connection)
        cursor = wire.send(connection, _ENTER, values, begin="BEGIN")
    _, _, now, *earlier = cursor.fetchone() or (None, None, datetime.now(UTC), None)
    return now.astimezone(UTC), tuple(earlier) if earlier[0] is not None else None


_tenants_lock = threading.Lock()


def known_tenant(runtime: "Runtime", firm_id: UUID) -> None:
    """Notes that this firm exists here, once per process: republishing and checks go through all firms."""
    if firm_id in runtime.tenants:
        return
    with _translated(runtime), runtime.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO tenant (firm_id, suspended) VALUES (:firm, false) ON CONFLICT DO NOTHING"),
            {"firm": firm_id},
        )
    with _tenants_lock:
        runtime.tenants.add(firm_id)


@contextmanager
def _translated(runtime: "Runtime") -> Iterator[None]:
    try:
        yield
    except StaleDataError as error:
        raise lost_update(None) from error
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        known = runtime.service.constraints.get(constraint or "")
        if known is None:
            raise
        raise known from error
    except DataError as error:
        if getattr(error.orig, "sqlstate", None) != "22003":
            raise
        raise Invalid("number_out_of_range", "A number is too large to be kept.") from error
    except PoolTimeout as error:
        raise Unavailable("busy", "The service is busy. Try again shortly.", retry_after=1) from error
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) in _AGAIN:
            raise
        if getattr(error.orig, "sqlstate", None) == "57014":  # statement timeout
            raise Unavailable(
                "too_slow", "This took too long and was stopped. Narrow it down and try again.", retry_after=5
            ) from error
        if getattr(error.orig, "sqlstate", None) == "53100":
            raise Unavailable(
                "storage_full", "The storage is full; nothing was changed. Tell your administrator.", retry_after=60
            ) from error
        runtime.engine.dispose()
        raise Unavailable(
            "database_unavailable", "The database does not answer. Try again shortly.", retry_after=2
        ) from error


def perform(
    runtime: "Runtime",
    principal: Principal,
    work: Callable[[Uow], Stored],
    *,
    firm_id: UUID | None = None,
    if_match: int | None = None,
    idempotency: Idempotency | None = None,
) -> Stored:
    """Runs `work` in one transaction and answers what it answered, or what was answered before under the same key.

    Two requests with one key race to store their answer; the loser rolls back and gives the winner's.
    Deadlocks and serialization failures run the whole unit of work again.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with unit_of_work(runtime, principal, firm_id=firm_id, if_match=if_match, idempotency=idempotency) as uow:
                if earlier := uow.replay():
                    return earlier
                answer = work(uow)
                uow.remember(answer)
                uow.commit()
                return answer
        except (DomainError, IntegrityError) as error:
            if idempotency is not None and (earlier := _replayed(runtime, principal, firm_id, idempotency, error)):
                return earlier
            raise
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _AGAIN or attempt + 1 == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _replayed(
    runtime: "Runtime", principal: Principal, firm_id: UUID | None, idempotency: Idempotency, error: Exception
) -> Stored | None:
    """The twin's answer, if the refusal was only because the same act had been done by another request meanwhile."""
    if isinstance(error, Unavailable) or getattr(error, "code", "") == "idempotency_key_reused":
        return None
    with unit_of_work(runtime, principal, firm_id=firm_id, idempotency=idempotency) as uow:
        return uow.replay()
