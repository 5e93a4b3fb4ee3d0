"""The own date of a step that what it waits for has pushed."""

from alembic import op

revision = "pushed_0351"
down_revision = "schedules_0360"


def upgrade() -> None:
    for table in ("tasks", "requests"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN pushed_from date")
