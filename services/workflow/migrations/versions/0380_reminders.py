"""How many reminders had gone out when a request came to lie with the client: with each return the count begins anew."""

from alembic import op

revision = "reminders_0380"
down_revision = "begins_0354"


def upgrade() -> None:
    # The release before this one writes requests without it, and counts on as it did.
    op.execute("ALTER TABLE requests ADD COLUMN reminders_before bigint NOT NULL DEFAULT 0")
