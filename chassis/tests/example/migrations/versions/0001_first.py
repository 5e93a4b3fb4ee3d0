"""The example's tables."""

from alembic import op

from chassis.migrate import plumbing, protect, search_function, searchable

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE notes (firm_id uuid NOT NULL, id uuid NOT NULL, text text NOT NULL, visible_to uuid[], version bigint NOT NULL,
        CONSTRAINT pk_notes PRIMARY KEY (firm_id, id), CONSTRAINT uq_notes_text UNIQUE (firm_id, text))"""
    )
    op.execute(
        """CREATE TABLE firm_copy (firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_firm_copy PRIMARY KEY (firm_id, id))"""
    )
    op.execute("CREATE INDEX ix_notes_trigrams ON notes USING gin (text gin_trgm_ops)")
    protect(op, "notes", visible_to=True)
    protect(op, "firm_copy")
    searchable(op, "notes")
    search_function(
        op,
        "search_notes(q text) RETURNS TABLE (id uuid)",
        "SELECT id FROM notes WHERE firm_id = nullif(current_setting('app.firm_id', true), '')::uuid AND text ILIKE '%' || q || '%'",
    )
    plumbing(op)
