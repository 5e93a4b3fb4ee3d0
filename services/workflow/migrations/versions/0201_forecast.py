"""From which day on a job's deadline can't be kept."""

from alembic import op

revision = "forecast_0201"
down_revision = "around_0200"


def upgrade() -> None:
    # Of jobs that are there it becomes known when something in them next changes.
    op.execute("ALTER TABLE jobs ADD COLUMN late_from date")
