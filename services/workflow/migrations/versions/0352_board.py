"""Cards of the board are counted by an index alone."""

from alembic import op

revision = "board_0352"
down_revision = "feeds_0370"


def upgrade() -> None:
    op.execute("DROP INDEX ix_jobs_board")
    op.execute(
        "CREATE INDEX ix_jobs_board ON jobs (firm_id, stage_id, due_sort, id) INCLUDE (client_id) WHERE on_board"
    )
