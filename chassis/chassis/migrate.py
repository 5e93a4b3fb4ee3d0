"""Migrations: running them, and the words they are written in."""

from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

LOCK = 7_237_001  # advisory: only one migration at a time per database


def upgrade(root: Path, owner_url: str) -> None:
    """Brings the database of the service at `root` to its newest migration, one migrator at a time."""
    engine = create_engine(
        owner_url,
        connect_args={
            "options": "-c lock_timeout=5s -c statement_timeout=10min -c timezone=UTC",
            "application_name": "migrate",
        },
    )
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        try:
            config = _config(root)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
            connection.commit()
    engine.dispose()


def at_head(root: Path, engine: Engine) -> bool:
    """Whether the database is at the migration this release was made for."""
    head = ScriptDirectory.from_config(_config(root)).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def _config(root: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(root / "migrations"))
    return config


def run() -> None:
    """The body of every service's migrations/env.py."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


_FIRM = "(SELECT nullif(current_setting('app.firm_id', true), '')::uuid)"
_VIEWER = "(SELECT nullif(current_setting('app.viewer', true), '')::uuid)"


def protect(op: Any, *tables: str, visible_to: bool = False) -> None:
    """Row-level security for firm-owned tables: no firm in the transaction, no row.

    With `visible_to`, a private client's row is hidden from staff and partner systems not named in that column.
    """
    private = f" AND (visible_to IS NULL OR {_VIEWER} IS NULL OR {_VIEWER} = ANY (visible_to))" if visible_to else ""
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY firm ON {table} USING (firm_id = {_FIRM}{private}) WITH CHECK (firm_id = {_FIRM})")


def append_only(op: Any, *tables: str) -> None:
    """Takes UPDATE and DELETE from the application's login: what these tables say stays said."""
    for table in tables:
        op.execute(
            f"DO $$ BEGIN EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM %I', "
            f"replace(current_user, '_owner', '_app')); END $$"
        )


def search_role(op: Any) -> str:
    """The NOLOGIN role that owns this database's search functions (`<service>_search`)."""
    return str(op.get_bind().execute(text("SELECT replace(current_user, '_owner', '_search')")).scalar_one())


def searchable(op: Any, table: str) -> None:
    """Lets the search role read a protected table: its functions filter by the firm themselves."""
    role = search_role(op)
    op.execute(f"GRANT SELECT ON {table} TO {role}")
    op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO {role} USING (true)")


def search_function(op: Any, signature: str, body: str) -> None:
    """A SECURITY DEFINER function, owned by the search role, that answers ids to the application's login.

    Operators such as `%` and `ILIKE` are not leakproof: behind row-level security their indexes are not used. Inside
    this function they are; it must filter by `current_setting('app.firm_id')`, and its ids are joined to the policed table.
    """
    role = search_role(op)
    op.execute(
        f"CREATE FUNCTION {signature} LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $f$ {body} $f$"
    )
    name = signature.split(" RETURNS ")[0]
    arguments = name[name.index("(") :]
    types = ", ".join(a.strip().split()[-1] for a in arguments.strip("()").split(",") if a.strip())
    target = f"{name[: name.index('(')]}({types})"
    op.execute(f"ALTER FUNCTION {target} OWNER TO {role}")
    op.execute(f"REVOKE ALL ON FUNCTION {target} FROM PUBLIC")
    op.execute(
        f"DO $$ BEGIN EXECUTE format('GRANT EXECUTE ON FUNCTION {target} TO %I', replace(current_user, '_owner', '_app')); END $$"
    )


def plumbing(op: Any) -> None:
    """The tables every service has beside its own."""
    for statement in _PLUMBING:
        op.execute(statement)
    protect(op, "audit")
    # The sealing worker adds place and hash; what was recorded stays.
    op.execute(
        "DO $$ BEGIN EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM %1$I; "
        "GRANT UPDATE (position, hash) ON audit TO %1$I', replace(current_user, '_owner', '_app')); END $$"
    )


_PLUMBING = (
    """CREATE TABLE outbox (
        seq bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT pk_outbox PRIMARY KEY,
        event_id uuid NOT NULL, firm_id uuid NOT NULL, type text NOT NULL, subject text NOT NULL, body bytea NOT NULL,
        at timestamptz NOT NULL, published_at timestamptz)""",
    "CREATE INDEX ix_outbox_pending ON outbox (seq) WHERE published_at IS NULL",
    "CREATE INDEX ix_outbox_published_at ON outbox (published_at) WHERE published_at IS NOT NULL",
    "CREATE TABLE inbox (event_id uuid CONSTRAINT pk_inbox PRIMARY KEY, at timestamptz NOT NULL)",
    "CREATE INDEX ix_inbox_at ON inbox (at)",
    """CREATE TABLE retry (
        event_id uuid CONSTRAINT pk_retry PRIMARY KEY, type text NOT NULL, body bytea NOT NULL, attempts int NOT NULL,
        next_at timestamptz NOT NULL, error text NOT NULL, at timestamptz NOT NULL)""",
    "CREATE INDEX ix_retry_next_at ON retry (next_at)",
    """CREATE TABLE dead_letter (
        id uuid CONSTRAINT pk_dead_letter PRIMARY KEY, source text NOT NULL, type text NOT NULL, body bytea NOT NULL,
        error text NOT NULL, at timestamptz NOT NULL, replayed_at timestamptz)""",
    """CREATE TABLE idempotency (
        firm_id uuid, caller text, key text, fingerprint bytea NOT NULL, status int NOT NULL, headers jsonb NOT NULL,
        body bytea NOT NULL, at timestamptz NOT NULL, CONSTRAINT pk_idempotency PRIMARY KEY (firm_id, caller, key))""",
    "CREATE INDEX ix_idempotency_at ON idempotency (at)",
    """CREATE TABLE due (
        id uuid CONSTRAINT pk_due PRIMARY KEY, firm_id uuid NOT NULL, kind text NOT NULL, key text NOT NULL,
        run_at timestamptz NOT NULL, payload jsonb NOT NULL, attempts int NOT NULL, done_at timestamptz, error text,
        CONSTRAINT uq_due_firm_id_kind_key UNIQUE (firm_id, kind, key))""",
    "CREATE INDEX ix_due_pending ON due (run_at) WHERE done_at IS NULL",
    """CREATE TABLE audit (
        id uuid CONSTRAINT pk_audit PRIMARY KEY, firm_id uuid NOT NULL, at timestamptz NOT NULL, actor text NOT NULL,
        actor_name text NOT NULL, source text NOT NULL, action text NOT NULL, subject_type text NOT NULL,
        subject_id text NOT NULL, before jsonb, after jsonb, reason text, trace_id text, position bigint, hash bytea)""",
    "CREATE INDEX ix_audit_subject ON audit (firm_id, subject_type, subject_id, at)",
    "CREATE INDEX ix_audit_unsealed ON audit (firm_id, id) WHERE position IS NULL",
    "CREATE UNIQUE INDEX ix_audit_position ON audit (firm_id, position) WHERE position IS NOT NULL",
    "CREATE TABLE tenant (firm_id uuid CONSTRAINT pk_tenant PRIMARY KEY, suspended boolean NOT NULL)",
)
