"""Pictures of the firm's own: its logo, on pages, mails and invoices."""

from alembic import op

from chassis.migrate import append_only, protect

revision = "pictures"
down_revision = "generated_kinds"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE pictures (
            firm_id uuid NOT NULL, id uuid NOT NULL, key text NOT NULL, store_version text, size bigint NOT NULL, sha256 text NOT NULL,
            media_type text NOT NULL CONSTRAINT ck_pictures_media_type CHECK (media_type IN ('image/png', 'image/jpeg')),
            created_at timestamptz NOT NULL,
            CONSTRAINT pk_pictures PRIMARY KEY (firm_id, id),
            CONSTRAINT uq_pictures_sha256 UNIQUE (firm_id, sha256))"""
    )
    protect(op, "pictures")
    append_only(op, "pictures")


def downgrade() -> None:
    raise NotImplementedError("files are never migrated backwards: restore a backup")
