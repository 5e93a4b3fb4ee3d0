"""Feeds of due dates for calendar programs, and groups of clients."""

from alembic import op

from chassis.migrate import protect

revision = "feeds_0370"
down_revision = "pushed_0351"

TABLES = (
    """CREATE TABLE feeds (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        staff_id uuid NOT NULL,
        kind text NOT NULL CONSTRAINT ck_feeds_kind CHECK (kind IN ('person', 'client', 'group')),
        client_id uuid, group_id uuid,
        secret_hash bytea NOT NULL,
        created_at timestamptz NOT NULL, read_at timestamptz, revoked_at timestamptz,
        version bigint NOT NULL,
        CONSTRAINT pk_feeds PRIMARY KEY (firm_id, id),
        CONSTRAINT uq_feeds_firm_id UNIQUE (firm_id, secret_hash),
        CONSTRAINT ck_feeds_whose CHECK ((kind = 'client') = (client_id IS NOT NULL) AND (kind = 'group') = (group_id IS NOT NULL)))""",
    "CREATE INDEX ix_feeds_staff ON feeds (firm_id, staff_id, created_at, id) WHERE revoked_at IS NULL",
    """CREATE TABLE group_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        name text NOT NULL, client_ids uuid[] NOT NULL, dissolved boolean NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_group_copy PRIMARY KEY (firm_id, id))""",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    protect(op, "feeds", "group_copy")
