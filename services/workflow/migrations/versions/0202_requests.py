"""Requests that go out on a day, expire, and are escalated; a job's time with the client."""

from alembic import op

revision = "requests_0202"
down_revision = "forecast_0201"

STATEMENTS = (
    """ALTER TABLE requests ADD COLUMN send_on date, ADD COLUMN expires_on date, ADD COLUMN escalated_at timestamptz""",
    """ALTER TABLE jobs ADD COLUMN client_since timestamptz, ADD COLUMN client_seconds bigint NOT NULL DEFAULT 0""",
    # What was counted per request so far: of several at once the longest is the least that can be said of the job.
    """UPDATE jobs j SET client_since = r.since, client_seconds = r.seconds FROM (
        SELECT firm_id, job_id, min(waiting_since) AS since, max(waited_seconds) AS seconds FROM requests GROUP BY firm_id, job_id) r
        WHERE r.firm_id = j.firm_id AND r.job_id = j.id""",
    "CREATE INDEX ix_requests_escalated ON requests (firm_id, due_sort, id) WHERE escalated_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
