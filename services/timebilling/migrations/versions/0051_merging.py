"""Clients that turn out to be one: whatever names the one given up follows."""

from alembic import op

from chassis.merged import mergeable

revision = "merging_0002"
down_revision = "timers"


def upgrade() -> None:
    mergeable(op, "client_id")
