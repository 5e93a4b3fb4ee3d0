"""Search in two steps: who has words that begin like what was typed; only if there is nobody, who is alike in spite of typos.

Forgiving everybody at every keystroke reads a third of a large firm for three letters; names typed right are found by a few rows.
"""

from alembic import op

from chassis.migrate import search_function

revision = "search_0006"
down_revision = "timeline_0005"


def upgrade() -> None:
    op.execute("DROP FUNCTION search_clients(text, int)")
    op.execute("DROP FUNCTION search_contacts(text, int)")
    # One wrong letter in a name of five leaves a third of its trigrams. The number of ROWS told to the planner keeps it from
    # reading a whole firm to meet a few hits.
    forgiving = "ROWS 50 SET pg_trgm.word_similarity_threshold = 0.33"
    found = "RETURNS TABLE (id uuid, score real)"
    search_function(op, f"search_clients(said text, most int) {found} {forgiving}", alone(CLIENTS))
    search_function(op, f"search_contacts(said text, most int) {found} {forgiving}", alone(CONTACTS))
    search_function(
        op,
        f"search_everybody(said text, most int) RETURNS TABLE (type text, id uuid, score real) {forgiving}",
        f"""
        WITH {ASKED},
        clients_meant AS MATERIALIZED ({CLIENTS.meant}),
        contacts_meant AS MATERIALIZED ({CONTACTS.meant}),
        clients_alike AS MATERIALIZED ({CLIENTS.alike} AND {NOBODY}),
        contacts_alike AS MATERIALIZED ({CONTACTS.alike} AND {NOBODY}),
        hits AS (
            SELECT 'client' AS type, id, score FROM clients_meant
            UNION ALL SELECT 'contact', id, score FROM contacts_meant
            UNION ALL SELECT 'client', id, score FROM ({CLIENTS.best("clients_alike")}) c
            UNION ALL SELECT 'contact', id, score FROM ({CONTACTS.best("contacts_alike")}) k
        )
        SELECT type, id, score FROM hits ORDER BY score DESC, id LIMIT most
        """,
    )


FIRM = "(SELECT nullif(current_setting('app.firm_id', true), '')::uuid)"
VIEWER = "(SELECT nullif(current_setting('app.viewer', true), '')::uuid)"
# What was typed, its words, and the longest of them if it has trigrams.
ASKED = """asked AS MATERIALIZED (
            SELECT q, words, CASE WHEN length(words[1]) >= 3 THEN '%' || words[1] || '%' END AS longest FROM (
                SELECT fold(said) AS q, (
                    SELECT array_agg(w ORDER BY length(w) DESC)
                    FROM regexp_split_to_table(fold(said) COLLATE "pg_c_utf8", '[^[:alnum:]]+') w WHERE w <> '') AS words) split
        )"""
Q = "(SELECT q FROM asked)"
NOBODY = "NOT EXISTS (SELECT FROM clients_meant) AND NOT EXISTS (SELECT FROM contacts_meant)"


def begins(column: str) -> str:
    """A prefix as a range, which a plain index answers."""
    return f"{column} >= {Q} AND {column} < {Q} || chr(1114111)"


class Searched:
    """How one kind of party is searched.

    `shown` says which rows the asker may see. It is asked of one row after another, best first, until there are enough: hidden
    rows would use up the places of visible ones otherwise, and asking it of all costs more than the search.
    """

    def __init__(self, table: str, bonus: str, shown: str, short: str) -> None:
        rank = f"(likeness + {bonus})::real"
        every_word = (
            "(SELECT words FROM asked) IS NOT NULL AND NOT EXISTS (SELECT FROM unnest((SELECT words FROM asked)) w "
            "WHERE NOT t.search_text COLLATE \"pg_c_utf8\" ~ ('\\m' || w{end}))"
        )
        begin, whole = every_word.format(end=""), every_word.format(end=" || '\\M'")
        # Words that begin like those typed: as alike as can be when they are whole.
        self.meant = f"""
            (SELECT t.id, t.score FROM (
                SELECT t.*, {rank} AS score
                FROM (SELECT t.*, CASE WHEN {whole} THEN 1.0 ELSE 0.75 END AS likeness FROM {table} t
                      WHERE length(said) >= 3 AND t.firm_id = {FIRM} AND t.search_text LIKE (SELECT longest FROM asked) AND {begin}) t
                ORDER BY score DESC, sort_name, id OFFSET 0) t
             WHERE {shown} LIMIT most)
            UNION ALL {short}"""
        self.alike = f"""
            SELECT t.id, t.likeness, t.score FROM (
                SELECT t.*, {rank} AS score
                FROM (SELECT t.*, word_similarity({Q}, t.search_text) AS likeness FROM {table} t
                      WHERE length(said) >= 3 AND t.firm_id = {FIRM} AND {Q} <% t.search_text) t
                ORDER BY score DESC, sort_name, id OFFSET 0) t
             WHERE {shown}"""

    @staticmethod
    def best(alike: str) -> str:
        """Forgiving only as far as needed: where somebody fits well, those who fit half as well are noise."""
        return f"SELECT id, score FROM {alike} WHERE likeness >= 0.6 * (SELECT max(likeness) FROM {alike}) LIMIT most"


def alone(searched: Searched) -> str:
    """One kind of party by itself."""
    return f"""
        WITH {ASKED},
        meant AS MATERIALIZED ({searched.meant}),
        alike AS MATERIALIZED ({searched.alike} AND NOT EXISTS (SELECT FROM meant) LIMIT most)
        SELECT id, score FROM meant UNION ALL ({searched.best("alike")})"""


SEEN = f"({{0}}.visible_to IS NULL OR {VIEWER} IS NULL OR {VIEWER} = ANY ({{0}}.visible_to))"
NUMBER = '(lower(t.number) COLLATE "C")'
CLIENTS = Searched(
    "clients",
    f"CASE WHEN lower(t.number) = {Q} THEN 2 WHEN starts_with(t.sort_name, {Q}) THEN 1 ELSE 0 END",
    SEEN.format("t"),
    f"""(SELECT t.id, 2 FROM clients t
         WHERE length(said) < 3 AND t.firm_id = {FIRM} AND {begins(NUMBER)} AND {SEEN.format("t")} ORDER BY {NUMBER} LIMIT most)
        UNION ALL
        (SELECT t.id, 1 FROM clients t
         WHERE length(said) < 3 AND t.firm_id = {FIRM} AND {begins("t.sort_name")} AND NOT ({begins(NUMBER)}) AND {SEEN.format("t")}
         ORDER BY t.sort_name, t.id LIMIT most)""",
)
# A contact who acts for nobody is seen by all; any other by those who see one of the clients.
ACTS_FOR_ONE_SEEN = f"""({VIEWER} IS NULL OR EXISTS (
    SELECT FROM (SELECT 1) one
    LEFT JOIN contact_roles r ON r.firm_id = t.firm_id AND r.contact_id = t.id
    LEFT JOIN clients c ON c.firm_id = r.firm_id AND c.id = r.client_id
    WHERE c.id IS NULL OR {SEEN.format("c")}))"""
CONTACTS = Searched(
    "contacts",
    f"CASE WHEN lower(t.email) = lower(said) THEN 2 WHEN starts_with(t.sort_name, {Q}) THEN 1 ELSE 0 END",
    ACTS_FOR_ONE_SEEN,
    f"""(SELECT t.id, 1 FROM contacts t
         WHERE length(said) < 3 AND t.firm_id = {FIRM} AND {begins("t.sort_name")} AND {ACTS_FOR_ONE_SEEN}
         ORDER BY t.sort_name, t.id LIMIT most)""",
)
