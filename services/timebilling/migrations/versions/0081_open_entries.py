"""Entries that are not approved yet, among millions that are; finding jobs by what is typed among a hundred thousand."""

from alembic import op

from chassis.migrate import search_function

revision = "open_entries"
down_revision = "arrangements"

# Open jobs of clients that one word names whose title holds another; then up to `most` for each word alone. A word that is in
# every title costs no more than one that is in few.
SEARCH = """SELECT id FROM (
    (SELECT j.id, 0 AS rank FROM unnest(words) AS w (word)
     JOIN client_copy c ON c.firm_id = current_setting('app.firm_id')::uuid AND c.name ILIKE '%' || w.word || '%'
     JOIN job_copy j ON j.firm_id = c.firm_id AND j.client_id = c.id
     WHERE NOT j.closed AND EXISTS (SELECT FROM unnest(words) AS o (word) WHERE o.word <> w.word AND j.title ILIKE '%' || o.word || '%')
     LIMIT most * 4)
    UNION ALL
    SELECT h.id, 1 FROM unnest(words) AS w (word), LATERAL (
        SELECT j.id FROM job_copy j
        WHERE j.firm_id = current_setting('app.firm_id')::uuid AND NOT j.closed AND j.title ILIKE '%' || w.word || '%' LIMIT most) h
    UNION ALL
    SELECT h.id, 1 FROM unnest(words) AS w (word), LATERAL (
        SELECT j.id FROM client_copy c JOIN job_copy j ON j.firm_id = c.firm_id AND j.client_id = c.id AND NOT j.closed
        WHERE c.firm_id = current_setting('app.firm_id')::uuid AND c.name ILIKE '%' || w.word || '%' LIMIT most) h
) hits GROUP BY id ORDER BY min(rank), count(*) DESC, id DESC LIMIT most * 4"""


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_time_entries_open ON time_entries (firm_id, status, day, id) WHERE status <> 'approved'"
    )
    op.execute("DROP INDEX ix_time_entries_submitted")
    op.execute("DROP INDEX ix_time_entries_returned")
    op.execute("DROP FUNCTION search_jobs(text[], int)")
    search_function(op, "search_jobs(words text[], most int) RETURNS SETOF uuid", SEARCH)


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
