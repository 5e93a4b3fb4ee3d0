"""Fee terms that can be billed by: the stages of a milestone fee, the share of a contingent one."""

from alembic import op

revision = "fees_0007"
down_revision = "search_0006"


def upgrade() -> None:
    op.execute("ALTER TABLE engagements ADD COLUMN fee_milestones jsonb")
    op.execute("ALTER TABLE engagements ADD COLUMN fee_percent numeric(5, 2)")
    op.execute(
        "ALTER TABLE engagements ADD CONSTRAINT ck_engagements_fee_percent CHECK (fee_percent > 0 AND fee_percent <= 100) NOT VALID"
    )
    op.execute("ALTER TABLE engagements VALIDATE CONSTRAINT ck_engagements_fee_percent")
