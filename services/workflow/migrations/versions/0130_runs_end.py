"""What a run could not do for one of its items is told apart from what was refused."""

from alembic import op

revision = "runs_0130"
down_revision = "board_0352"


def upgrade() -> None:
    op.execute("ALTER TABLE run_items DROP CONSTRAINT ck_run_items_status")
    op.execute(
        "ALTER TABLE run_items ADD CONSTRAINT ck_run_items_status CHECK (status IN ('waiting', 'done', 'refused', 'failed'))"
    )
