"""Imports of time from other programs; finding jobs by what is typed; lists of millions of entries by rare statuses."""

from alembic import op

from chassis.migrate import protect, search_function, searchable

revision = "imports"
down_revision = "invoicing"

STATEMENTS = (
    """CREATE TABLE time_imports (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        source text NOT NULL CONSTRAINT ck_time_imports_source CHECK (source IN ('toggl', 'harvest', 'kimai')),
        rows int NOT NULL, imported int NOT NULL, duplicates int NOT NULL, refused int NOT NULL, created_at timestamptz NOT NULL,
        created_by text NOT NULL, undone_at timestamptz, CONSTRAINT pk_time_imports PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE imported_entries (
        firm_id uuid NOT NULL, id uuid NOT NULL, import_id uuid NOT NULL, source text NOT NULL, source_key text NOT NULL, line int NOT NULL,
        CONSTRAINT pk_imported_entries PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_imported_entries_import FOREIGN KEY (firm_id, import_id) REFERENCES time_imports (firm_id, id),
        CONSTRAINT uq_imported_entries_key UNIQUE (firm_id, source, source_key))""",
    "CREATE INDEX ix_imported_entries_import ON imported_entries (firm_id, import_id)",
    "CREATE INDEX ix_job_copy_client ON job_copy (firm_id, client_id)",
    "CREATE INDEX ix_job_copy_title ON job_copy USING gin (title gin_trgm_ops)",
    # Few among millions; an entry enters it only when it is returned.
    "CREATE INDEX ix_time_entries_returned ON time_entries (firm_id, day, id) WHERE status = 'returned'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    protect(op, "time_imports", "imported_entries")
    searchable(op, "job_copy")
    # Open jobs whose title, or whose client's name, holds one of the words; those that hold most of them first.
    search_function(
        op,
        "search_jobs(words text[], most int) RETURNS SETOF uuid",
        """SELECT id FROM (
            SELECT j.id, w.word FROM unnest(words) AS w (word)
            JOIN job_copy j ON j.firm_id = current_setting('app.firm_id')::uuid AND j.title ILIKE '%' || w.word || '%' WHERE NOT j.closed
            UNION
            SELECT j.id, w.word FROM unnest(words) AS w (word)
            JOIN client_copy c ON c.firm_id = current_setting('app.firm_id')::uuid AND c.name ILIKE '%' || w.word || '%'
            JOIN job_copy j ON j.firm_id = c.firm_id AND j.client_id = c.id WHERE NOT j.closed
        ) hits GROUP BY id ORDER BY count(*) DESC, id DESC LIMIT most""",
    )


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
