"""The journal of a period is read in the order of its days."""

from alembic import op

revision = "ledger_read"
down_revision = "merges_pass"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_ledger_postings_posted_on ON ledger_postings (firm_id, posted_on, id)")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
