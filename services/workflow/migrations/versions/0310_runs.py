"""Runs: acts on many clients or jobs at once, with what happened to each."""

from alembic import op

from chassis.migrate import protect

revision = "runs_0310"
down_revision = "merging_0002"

TABLES = (
    """CREATE TABLE runs (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        kind text NOT NULL CONSTRAINT ck_runs_kind CHECK (kind IN ('apply', 'roll_out', 'undo')),
        template_id uuid NOT NULL, template_version bigint NOT NULL, parameters jsonb NOT NULL, undoes uuid,
        asked_kind text NOT NULL, asked_by uuid NOT NULL, asked_by_name text NOT NULL,
        created_at timestamptz NOT NULL, finished_at timestamptz,
        CONSTRAINT pk_runs PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_runs_created ON runs (firm_id, created_at, id)",
    "CREATE UNIQUE INDEX uq_runs_undoes ON runs (firm_id, undoes) WHERE undoes IS NOT NULL",
    """CREATE TABLE run_items (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        run_id uuid NOT NULL, position bigint NOT NULL,
        client_id uuid NOT NULL, engagement_id uuid, job_id uuid,
        status text NOT NULL CONSTRAINT ck_run_items_status CHECK (status IN ('waiting', 'done', 'refused')),
        code text, message text, before jsonb,
        CONSTRAINT pk_run_items PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_run_items_firm_id FOREIGN KEY (firm_id, run_id) REFERENCES runs (firm_id, id))""",
    "CREATE UNIQUE INDEX ix_run_items_run ON run_items (firm_id, run_id, position)",
    "CREATE INDEX ix_run_items_waiting ON run_items (firm_id, run_id, position) WHERE status = 'waiting'",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    protect(op, "runs", "run_items")
