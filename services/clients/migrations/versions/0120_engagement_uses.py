"""Which engagement a job is done under: who closes one is told of the jobs still open. Jobs known before say so when they are sent again."""

from alembic import op

revision = "engagement_uses_0120"
down_revision = "imports_0009"


def upgrade() -> None:
    op.execute("ALTER TABLE client_uses ADD COLUMN engagement_id uuid")
    op.execute(
        "CREATE INDEX ix_client_uses_engagement ON client_uses (firm_id, engagement_id) WHERE engagement_id IS NOT NULL"
    )
