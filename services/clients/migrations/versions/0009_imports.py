"""Spreadsheets brought in: the file in parts, its rows, what became of them. A client's date of birth."""

from alembic import op
from sqlalchemy import text

from chassis.migrate import protect

revision = "imports_0009"
down_revision = "late_events_0008"


def upgrade() -> None:
    op.execute("ALTER TABLE clients ADD COLUMN born_on date")
    op.execute("""
        CREATE TABLE imports (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            file_name text NOT NULL, size bigint NOT NULL, encoding text,
            state text NOT NULL CONSTRAINT ck_imports_state CHECK (state IN
                ('uploading', 'reading', 'read', 'checking', 'checked', 'running', 'done', 'undoing', 'undone', 'refused')),
            tables jsonb NOT NULL,
            rows_total bigint NOT NULL, rows_done bigint NOT NULL, counts jsonb NOT NULL,
            position bigint NOT NULL,
            problem jsonb,
            by_kind text NOT NULL, by_id text NOT NULL, by_name text NOT NULL,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_imports PRIMARY KEY (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_imports_newest ON imports (firm_id, created_at, id)")
    op.execute("""
        CREATE TABLE import_parts (
            firm_id uuid NOT NULL, id uuid NOT NULL, import_id uuid NOT NULL, number bigint NOT NULL, sealed bytea NOT NULL,
            CONSTRAINT pk_import_parts PRIMARY KEY (firm_id, id),
            CONSTRAINT uq_import_parts_number UNIQUE (firm_id, import_id, number),
            CONSTRAINT fk_import_parts_import FOREIGN KEY (firm_id, import_id) REFERENCES imports (firm_id, id)
        )""")
    op.execute("ALTER TABLE import_parts ALTER COLUMN sealed SET STORAGE EXTERNAL")
    # `place` counts the rows in the order they are brought in: fields and groups before clients, clients before contacts.
    op.execute("""
        CREATE TABLE import_rows (
            firm_id uuid NOT NULL, import_id uuid NOT NULL, place bigint NOT NULL,
            table_no int NOT NULL, row_no bigint NOT NULL,
            sealed bytea NOT NULL,
            outcome text CONSTRAINT ck_import_rows_outcome CHECK (outcome IN ('new', 'changed', 'same', 'bad', 'undone', 'kept')),
            problems jsonb,
            subject_id uuid, before jsonb, subject_version bigint,
            CONSTRAINT pk_import_rows PRIMARY KEY (firm_id, import_id, place),
            CONSTRAINT fk_import_rows_import FOREIGN KEY (firm_id, import_id) REFERENCES imports (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_import_rows_outcome ON import_rows (firm_id, import_id, outcome, place)")
    op.execute("CREATE INDEX ix_import_rows_subject ON import_rows (firm_id, import_id, subject_id)")
    op.execute("""
        CREATE TABLE import_keys (
            firm_id uuid NOT NULL, import_id uuid NOT NULL, key text NOT NULL, place bigint NOT NULL,
            CONSTRAINT pk_import_keys PRIMARY KEY (firm_id, import_id, key),
            CONSTRAINT fk_import_keys_import FOREIGN KEY (firm_id, import_id) REFERENCES imports (firm_id, id)
        )""")
    protect(op, "imports", "import_parts", "import_rows", "import_keys")
    # Whoever brought a file in sees it, and nobody else: it may hold private clients.
    app = op.get_bind().execute(text("SELECT replace(current_user, '_owner', '_app')")).scalar_one()
    viewer = "(SELECT nullif(current_setting('app.viewer', true), ''))"
    op.execute(f"CREATE POLICY own ON imports AS RESTRICTIVE TO {app} USING ({viewer} IS NULL OR by_id = {viewer})")
