"""What lies with clients is listed by how long it has lain there."""

from alembic import op

revision = "waiting_0381"
down_revision = "reminders_0380"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_requests_waiting ON requests (firm_id, waiting_since, id) WHERE waiting_since IS NOT NULL"
    )
