"""Entries that are not approved yet, among millions that are: one index for every list of them."""

from alembic import op

revision = "open_entries"
down_revision = "imports"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_time_entries_open ON time_entries (firm_id, status, day, id) WHERE status <> 'approved'"
    )
    op.execute("DROP INDEX ix_time_entries_submitted")
    op.execute("DROP INDEX ix_time_entries_returned")


def downgrade() -> None:
    op.execute("CREATE INDEX ix_time_entries_submitted ON time_entries (firm_id, day, id) WHERE status = 'submitted'")
    op.execute("CREATE INDEX ix_time_entries_returned ON time_entries (firm_id, day, id) WHERE status = 'returned'")
    op.execute("DROP INDEX ix_time_entries_open")
