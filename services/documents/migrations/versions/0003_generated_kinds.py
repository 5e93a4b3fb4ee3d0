"""Further kinds of files that services make: electronic invoices, statements of account."""

from alembic import op

revision = "generated_kinds"
down_revision = "merging_0002"


def upgrade() -> None:
    op.execute("""ALTER TABLE documents DROP CONSTRAINT ck_documents_kind,
        ADD CONSTRAINT ck_documents_kind CHECK (kind IN ('upload', 'invoice', 'e_invoice', 'statement'))""")


def downgrade() -> None:
    raise NotImplementedError("files are never migrated backwards: restore a backup")
