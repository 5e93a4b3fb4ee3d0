"""The firm's logo, a picture that documents keep."""

from alembic import op

revision = "logo"
down_revision = "merging_0002"


def upgrade() -> None:
    op.execute("ALTER TABLE branding ADD COLUMN logo_id uuid")


def downgrade() -> None:
    op.execute("ALTER TABLE branding DROP COLUMN logo_id")
