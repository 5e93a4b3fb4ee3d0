"""Files made on request: electronic invoices and statements of account, kept by documents."""

from alembic import op

from chassis.migrate import protect

revision = "made_files"
down_revision = "open_entries"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    protect(op, "made_files")


STATEMENTS = (
    """CREATE TABLE made_files (
        firm_id uuid NOT NULL, id uuid NOT NULL, kind text NOT NULL CONSTRAINT ck_made_files_kind CHECK (kind IN ('cii', 'ubl', 'ledes', 'statement')),
        client_id uuid NOT NULL, invoice_id uuid, first date, last date, currency text NOT NULL, name text NOT NULL,
        state text NOT NULL CONSTRAINT ck_made_files_state CHECK (state IN ('waiting', 'kept', 'refused')), document_id uuid, problem jsonb,
        requested_by text NOT NULL, created_at timestamptz NOT NULL, done_at timestamptz,
        CONSTRAINT pk_made_files PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_made_files_invoice FOREIGN KEY (firm_id, invoice_id) REFERENCES invoices (firm_id, id),
        CONSTRAINT ck_made_files_of CHECK ((kind = 'statement') = (num_nonnulls(first, last) = 2) AND (kind = 'statement') = (invoice_id IS NULL)),
        CONSTRAINT ck_made_files_done CHECK ((state = 'waiting') = (done_at IS NULL) AND (state = 'kept') = (document_id IS NOT NULL)
            AND (state = 'refused') = (problem IS NOT NULL)))""",
    "CREATE INDEX ix_made_files_client ON made_files (firm_id, client_id, id)",
    "CREATE INDEX ix_made_files_invoice ON made_files (firm_id, invoice_id, id) WHERE invoice_id IS NOT NULL",
    "CREATE INDEX ix_made_files_waiting ON made_files (firm_id, id) WHERE state = 'waiting'",
)


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
