"""Statements of account for many clients at once."""

from alembic import op

from chassis.migrate import protect

revision = "t5b_statement_runs"
down_revision = "t5b_automatic_issue"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE statement_runs (
            firm_id uuid NOT NULL, id uuid NOT NULL, first date NOT NULL, last date NOT NULL, send boolean NOT NULL, message text NOT NULL,
            created_at timestamptz NOT NULL, created_by text NOT NULL,
            CONSTRAINT pk_statement_runs PRIMARY KEY (firm_id, id), CONSTRAINT ck_statement_runs_period CHECK (first <= last))"""
    )
    protect(op, "statement_runs")
    op.execute(
        """ALTER TABLE made_files ADD COLUMN run_id uuid, ADD COLUMN sent_at timestamptz,
            ADD CONSTRAINT fk_made_files_run FOREIGN KEY (firm_id, run_id) REFERENCES statement_runs (firm_id, id)"""
    )
    # One statement per client and currency of a run, and the way to those that still wait.
    op.execute(
        "CREATE UNIQUE INDEX uq_made_files_run ON made_files (firm_id, run_id, client_id, currency) WHERE run_id IS NOT NULL"
    )
    op.execute("CREATE INDEX ix_made_files_run ON made_files (firm_id, run_id, state, id) WHERE run_id IS NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
