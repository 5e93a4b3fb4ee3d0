"""What state the things stand in that other services keep for a client: the timeline tells when it changes."""

from alembic import op

revision = "timeline_0005"
down_revision = "merging_0002"


def upgrade() -> None:
    op.execute("ALTER TABLE client_uses ADD COLUMN state text")
    op.execute("ALTER TABLE client_uses DROP CONSTRAINT ck_client_uses_kind")
    op.execute(
        "ALTER TABLE client_uses ADD CONSTRAINT ck_client_uses_kind "
        "CHECK (kind IN ('job', 'request', 'invoice', 'document', 'payment')) NOT VALID"
    )
    op.execute("ALTER TABLE client_uses VALIDATE CONSTRAINT ck_client_uses_kind")
