"""What the firm remembers of a client: notes, the timeline, conflict checks."""

from alembic import op
from sqlalchemy import text

from chassis.migrate import protect, search_function, searchable

revision = "memory_0003"
down_revision = "parties_0002"


def upgrade() -> None:
    notes()
    timeline()
    conflicts()


def notes() -> None:
    op.execute("""
        CREATE TABLE client_notes (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            client_id uuid NOT NULL,
            said text NOT NULL,
            pinned boolean NOT NULL,
            mentions uuid[] NOT NULL,
            author text NOT NULL, author_name text NOT NULL,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_client_notes PRIMARY KEY (firm_id, id),
            CONSTRAINT fk_client_notes_firm_id_client_id FOREIGN KEY (firm_id, client_id) REFERENCES clients (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_client_notes_client ON client_notes (firm_id, client_id, id)")
    protect(op, "client_notes")
    with_client("client_notes")


def timeline() -> None:
    op.execute("""
        CREATE TABLE timeline (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            client_id uuid NOT NULL,
            at timestamptz NOT NULL,
            kind text NOT NULL, what text NOT NULL,
            subject_id uuid NOT NULL,
            title text NOT NULL,
            details jsonb NOT NULL,
            actor text NOT NULL, actor_name text NOT NULL,
            CONSTRAINT pk_timeline PRIMARY KEY (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_timeline_client ON timeline (firm_id, client_id, at, id)")
    protect(op, "timeline")
    with_client("timeline")


def conflicts() -> None:
    op.execute("""
        CREATE TABLE conflict_checks (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            names text[] NOT NULL,
            client_id uuid,
            at timestamptz NOT NULL,
            by_actor text NOT NULL, by_name text NOT NULL,
            found integer NOT NULL,
            decision text CONSTRAINT ck_conflict_checks_decision CHECK (decision IN ('clear', 'conflict', 'waived')),
            reason text,
            decided_at timestamptz, decided_by text,
            version bigint NOT NULL,
            CONSTRAINT pk_conflict_checks PRIMARY KEY (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_conflict_checks_client ON conflict_checks (firm_id, client_id, id)")
    op.execute("""
        CREATE TABLE conflict_matches (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            check_id uuid NOT NULL,
            kind text NOT NULL,
            client_id uuid, contact_id uuid,
            name text NOT NULL,
            likeness real NOT NULL,
            status text,
            CONSTRAINT pk_conflict_matches PRIMARY KEY (firm_id, id),
            CONSTRAINT ck_conflict_matches_party CHECK (client_id IS NOT NULL OR contact_id IS NOT NULL),
            CONSTRAINT fk_conflict_matches_firm_id_check_id FOREIGN KEY (firm_id, check_id) REFERENCES conflict_checks (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_conflict_matches_check ON conflict_matches (firm_id, check_id)")
    protect(op, "conflict_checks", "conflict_matches")
    # A check made for a private client is hidden with it; so is what it found of other private clients: the check's own
    # count of what it found tells that there is something, and nothing more.
    op.execute(f"""
        CREATE POLICY private ON conflict_checks AS RESTRICTIVE TO {app_login()} USING (
            client_id IS NULL OR EXISTS (
                SELECT FROM clients c WHERE c.firm_id = conflict_checks.firm_id AND c.id = conflict_checks.client_id))""")
    op.execute(f"""
        CREATE POLICY private ON conflict_matches AS RESTRICTIVE TO {app_login()} USING (
            (client_id IS NULL OR EXISTS (
                SELECT FROM clients c WHERE c.firm_id = conflict_matches.firm_id AND c.id = conflict_matches.client_id))
            AND (contact_id IS NULL OR EXISTS (
                SELECT FROM contacts k WHERE k.firm_id = conflict_matches.firm_id AND k.id = conflict_matches.contact_id)))
        WITH CHECK (true)""")
    searchable(op, "relationships")
    # `words` find who could be meant, by index and in spite of typos; `core`, the name without its legal form, decides.
    # Everybody ever recorded counts, whoever asks: what the asker may not see is hidden when the matches are read.
    likeness = "greatest(word_similarity(core, fold({0})), word_similarity(fold({0}), core))"
    search_function(
        op,
        "parties_like(core text, words text[], enough real, most int) "
        "RETURNS TABLE (kind text, client_id uuid, contact_id uuid, name text, likeness real, status text) "
        "ROWS 50 SET pg_trgm.word_similarity_threshold = 0.5",
        f"""
        SELECT * FROM (
            SELECT n.kind, c.id, NULL::uuid, n.name, {likeness.format("n.name")} AS likeness, c.status
            FROM (SELECT DISTINCT c.* FROM unnest(words) w JOIN clients c ON c.firm_id = {FIRM} AND w <% c.search_text) c
            CROSS JOIN LATERAL (
                SELECT 'client' AS kind, c.name UNION ALL SELECT 'former_name', unnest(c.former_names)
                UNION ALL SELECT 'other_name', unnest(c.other_names)) n
            UNION ALL
            SELECT n.kind, NULL, k.id, n.name, {likeness.format("n.name")}, CASE WHEN k.active THEN 'active' ELSE 'former' END
            FROM (SELECT DISTINCT k.* FROM unnest(words) w JOIN contacts k ON k.firm_id = {FIRM} AND w <% k.search_text) k
            CROSS JOIN LATERAL (
                SELECT 'contact' AS kind, k.name UNION ALL SELECT 'contact_former_name', unnest(k.former_names)) n
            UNION ALL
            SELECT 'related_party', r.client_id, NULL, r.other_name, {likeness.format("r.other_name")}, NULL
            FROM (SELECT DISTINCT r.* FROM unnest(words) w JOIN relationships r ON r.firm_id = {FIRM} AND w <% r.search_text) r
        ) found WHERE likeness >= enough ORDER BY likeness DESC, name LIMIT most
        """,
    )


def with_client(table: str) -> None:
    """Rows of a client one may not see don't exist either."""
    op.execute(f"""
        CREATE POLICY private ON {table} AS RESTRICTIVE TO {app_login()} USING (
            EXISTS (SELECT FROM clients c WHERE c.firm_id = {table}.firm_id AND c.id = {table}.client_id))""")


def app_login() -> str:
    """The application's login, whom the private policies are for; not the search role, whose indexes they would turn off."""
    return str(op.get_bind().execute(text("SELECT replace(current_user, '_owner', '_app')")).scalar_one())


FIRM = "(SELECT nullif(current_setting('app.firm_id', true), '')::uuid)"
