"""The firm's logo, as its branding tells."""

from alembic import op

revision = "t5b_logo"
down_revision = "items_at_once"


def upgrade() -> None:
    op.execute("ALTER TABLE branding_copy ADD COLUMN logo_id uuid")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
