"""Recurring fees whose bills are issued, and sent, by themselves; how far a paper is that the worker makes."""

from alembic import op

from chassis.migrate import protect

revision = "t5b_automatic_issue"
down_revision = "card_fees"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE arrangements
            ADD COLUMN issue boolean NOT NULL DEFAULT false, ADD COLUMN send boolean NOT NULL DEFAULT false,
            ADD COLUMN problem jsonb, ADD CONSTRAINT ck_arrangements_send CHECK (issue OR NOT send)"""
    )
    # Written while the paper is made, in transactions of their own: no foreign key, which would wait for the row being made.
    op.execute(
        """CREATE TABLE paper_progress (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            stage text NOT NULL CONSTRAINT ck_paper_progress_stage CHECK (stage IN ('composing', 'proving', 'storing', 'failing', 'kept', 'refused')),
            lines int NOT NULL, pages int, tries int NOT NULL, problem jsonb, at timestamptz NOT NULL,
            CONSTRAINT pk_paper_progress PRIMARY KEY (firm_id, id))"""
    )
    protect(op, "paper_progress")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
