"""The rows of an import are kept for a while, for undo, and then cleared."""

from alembic import op

revision = "imports_kept_0121"
down_revision = "engagement_uses_0120"


def upgrade() -> None:
    op.execute("ALTER TABLE imports ADD COLUMN kept_until timestamptz NOT NULL DEFAULT now() + interval '90 days'")
    op.execute("ALTER TABLE imports ADD COLUMN cleared_at timestamptz")
