"""Documents, their versions, uploads on their way, copies of clients and jobs."""

from alembic import op

from chassis.migrate import append_only, plumbing, protect, search_function, searchable

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE documents (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            client_id uuid NOT NULL, job_id uuid, request_id uuid, reference_id uuid,
            name text NOT NULL, name_folded text NOT NULL,
            kind text NOT NULL CONSTRAINT ck_documents_kind CHECK (kind IN ('upload', 'invoice')),
            visibility text NOT NULL CONSTRAINT ck_documents_visibility CHECK (visibility IN ('firm', 'client_view', 'client_edit')),
            status text NOT NULL CONSTRAINT ck_documents_status CHECK (status IN ('pending', 'stored', 'refused', 'deleted')),
            current_version int NOT NULL, size bigint, sha256 text, media_type text,
            uploaded_by text NOT NULL, uploaded_by_name text NOT NULL,
            created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL, version bigint NOT NULL,
            CONSTRAINT pk_documents PRIMARY KEY (firm_id, id),
            CONSTRAINT ck_documents_proven CHECK ((current_version > 0) = (sha256 IS NOT NULL AND size IS NOT NULL AND media_type IS NOT NULL)),
            CONSTRAINT ck_documents_stored CHECK (status <> 'stored' OR current_version > 0))"""
    )
    op.execute("CREATE INDEX ix_documents_status ON documents (firm_id, status, id)")
    op.execute("CREATE INDEX ix_documents_name ON documents (firm_id, status, name, id)")
    op.execute("CREATE INDEX ix_documents_client ON documents (firm_id, client_id, status, id)")
    op.execute("CREATE INDEX ix_documents_job ON documents (firm_id, job_id, status, id) WHERE job_id IS NOT NULL")
    op.execute(
        "CREATE INDEX ix_documents_request ON documents (firm_id, request_id, status, id) WHERE request_id IS NOT NULL"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_documents_reference ON documents (firm_id, kind, reference_id) WHERE reference_id IS NOT NULL"
    )
    op.execute("CREATE INDEX ix_documents_name_folded ON documents USING gin (name_folded gin_trgm_ops)")
    op.execute(
        """CREATE INDEX ix_documents_name_begins ON documents (firm_id, (name_folded COLLATE "C"), id) WHERE status = 'stored'"""
    )
    op.execute(
        """CREATE TABLE document_versions (
            firm_id uuid NOT NULL, id uuid NOT NULL, document_id uuid NOT NULL, number int NOT NULL,
            key text NOT NULL, store_version text, size bigint NOT NULL, sha256 text NOT NULL, media_type text NOT NULL,
            uploaded_by text NOT NULL, uploaded_by_name text NOT NULL, created_at timestamptz NOT NULL, restored_from int,
            CONSTRAINT pk_document_versions PRIMARY KEY (firm_id, id),
            CONSTRAINT uq_document_versions_number UNIQUE (firm_id, document_id, number),
            CONSTRAINT fk_document_versions_document FOREIGN KEY (firm_id, document_id) REFERENCES documents (firm_id, id))"""
    )
    op.execute("CREATE INDEX ix_document_versions_key ON document_versions (firm_id, key)")
    op.execute(
        """CREATE TABLE uploads (
            firm_id uuid NOT NULL, id uuid NOT NULL, document_id uuid NOT NULL,
            method text NOT NULL CONSTRAINT ck_uploads_method CHECK (method IN ('put', 'multipart', 'form')),
            status text NOT NULL CONSTRAINT ck_uploads_status CHECK (status IN ('started', 'proving', 'stored', 'refused', 'aborted')),
            refusal text, key text NOT NULL, store_upload text, size bigint NOT NULL, sha256 text, part_size bigint, parts int,
            redirect_url text, uploaded_by text NOT NULL, uploaded_by_name text NOT NULL, created_at timestamptz NOT NULL,
            CONSTRAINT pk_uploads PRIMARY KEY (firm_id, id),
            CONSTRAINT uq_uploads_key UNIQUE (firm_id, key),
            CONSTRAINT fk_uploads_document FOREIGN KEY (firm_id, document_id) REFERENCES documents (firm_id, id))"""
    )
    op.execute("CREATE INDEX ix_uploads_document ON uploads (firm_id, document_id)")
    op.execute(
        """CREATE TABLE client_copy (
            firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, visible_to uuid[], version bigint NOT NULL,
            CONSTRAINT pk_client_copy PRIMARY KEY (firm_id, id))"""
    )
    op.execute(
        """CREATE TABLE job_copy (
            firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL, title text NOT NULL, version bigint NOT NULL,
            CONSTRAINT pk_job_copy PRIMARY KEY (firm_id, id))"""
    )
    plumbing(op)
    protect(op, "documents", "document_versions", "uploads", "job_copy")
    protect(op, "client_copy", visible_to=True)
    append_only(op, "document_versions")
    _search()


_FIRM = "(SELECT nullif(current_setting('app.firm_id', true), '')::uuid)"
_VIEWER = "(SELECT nullif(current_setting('app.viewer', true), '')::uuid)"
_SEEN = f"(c.visible_to IS NULL OR {_VIEWER} IS NULL OR {_VIEWER} = ANY (c.visible_to))"
_FROM = "FROM documents d JOIN client_copy c ON c.firm_id = d.firm_id AND c.id = d.client_id"
_MINE = f"d.firm_id = {_FIRM} AND d.status = 'stored' AND {_SEEN}"


def _literally(words: str) -> str:
    """What was typed, with nothing in it meaning more than itself to LIKE."""
    return f"replace(replace(replace({words}, '\\', '\\\\'), '%', '\\%'), '_', '\\_')"


def _search() -> None:
    """Names by words, best first: one or two letters begin a name, from three on trigrams find the middle and forgive typos.

    Private clients are left out here already, so that they don't use up the limit.
    """
    searchable(op, "documents")
    searchable(op, "client_copy")
    search_function(
        op,
        "documents_by_name(words text, most int) RETURNS SETOF uuid ROWS 50 SET pg_trgm.word_similarity_threshold = 0.4",
        f"""
        (WITH alike AS MATERIALIZED (
            SELECT d.id, d.client_id, word_similarity(words, d.name_folded) AS likeness FROM documents d
            WHERE length(words) >= 3 AND d.firm_id = {_FIRM} AND d.status = 'stored' AND words <% d.name_folded
            UNION
            SELECT d.id, d.client_id, 1 FROM documents d
            WHERE length(words) >= 3 AND d.firm_id = {_FIRM} AND d.status = 'stored' AND d.name_folded LIKE '%' || {_literally("words")} || '%')
         SELECT d.id FROM alike d JOIN client_copy c ON c.firm_id = {_FIRM} AND c.id = d.client_id
         WHERE {_SEEN} GROUP BY d.id ORDER BY max(likeness) DESC, d.id DESC LIMIT most)
        UNION ALL
        (SELECT d.id {_FROM}
         WHERE length(words) < 3 AND {_MINE} AND d.name_folded COLLATE "C" >= words AND d.name_folded COLLATE "C" < words || chr(1114111)
         ORDER BY d.name_folded COLLATE "C", d.id LIMIT most)""",
    )
