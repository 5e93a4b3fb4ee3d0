"""Bills of recurring fees that were to go out by themselves and could not are known, and tried again."""

from alembic import op

revision = "bills_tried_again"
down_revision = "ledger_read"


def upgrade() -> None:
    op.execute("ALTER TABLE arrangement_bills ADD COLUMN waits boolean NOT NULL DEFAULT false")
    # What was refused until now is known of the newest bill alone.
    op.execute(
        """UPDATE arrangement_bills b SET waits = true FROM arrangements a
           WHERE a.firm_id = b.firm_id AND a.id = b.arrangement_id AND a.problem->>'invoice_id' = b.invoice_id::text"""
    )
    op.execute("CREATE INDEX ix_arrangements_problem ON arrangements (firm_id, id) WHERE problem IS NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
