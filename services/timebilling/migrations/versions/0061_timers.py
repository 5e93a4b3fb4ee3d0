"""Timers; entries that know from when to when; rounding policies of clients and jobs."""

from alembic import op

from chassis.migrate import protect

revision = "timers"
down_revision = "reminders"

STATEMENTS = (
    # One row a person, kept when the timer stands still, so that its version goes on counting.
    """CREATE TABLE timers (
        firm_id uuid NOT NULL, id uuid NOT NULL, started_at timestamptz, client_id uuid, job_id uuid, task_id uuid, activity_id uuid,
        billable boolean, narrative text NOT NULL, version bigint NOT NULL, CONSTRAINT pk_timers PRIMARY KEY (firm_id, id),
        CONSTRAINT ck_timers_running CHECK (num_nonnulls(started_at, client_id, job_id) IN (0, 3)))""",
    "ALTER TABLE time_entries ADD COLUMN started_at timestamptz, ADD COLUMN ended_at timestamptz",
    "ALTER TABLE time_entries ADD CONSTRAINT ck_time_entries_span CHECK (num_nonnulls(started_at, ended_at) = 0 OR ended_at > started_at)",
    # Nobody works on two things at once where the clock is known.
    "ALTER TABLE time_entries ADD CONSTRAINT time_overlap EXCLUDE USING gist "
    "(firm_id WITH =, staff_id WITH =, tstzrange(started_at, ended_at) WITH &&) WHERE (started_at IS NOT NULL)",
    "DROP TRIGGER refuse_closed_time ON time_entries",
    """CREATE TRIGGER refuse_closed_time BEFORE INSERT OR DELETE OR UPDATE OF staff_id, client_id, job_id, task_id, activity_id, day, seconds,
        billable, narrative, override_rate, override_currency, override_reason, status, return_reason, approved_at, approved_by,
        billable_seconds, rounding, currency, bill_rate, bill_rule, cost_currency, cost_rate, cost_rule, started_at, ended_at
        ON time_entries FOR EACH ROW EXECUTE FUNCTION refuse_closed_time()""",
    # The id is the client's or the job's: each has one policy.
    """CREATE TABLE rounding_policies (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        scope text NOT NULL CONSTRAINT ck_rounding_policies_scope CHECK (scope IN ('client', 'job')),
        increment int NOT NULL CONSTRAINT ck_rounding_policies_increment CHECK (increment BETWEEN 1 AND 86400),
        direction text NOT NULL CONSTRAINT ck_rounding_policies_direction CHECK (direction IN ('up', 'down', 'nearest')),
        minimum int NOT NULL CONSTRAINT ck_rounding_policies_minimum CHECK (minimum BETWEEN 0 AND 86400),
        version bigint NOT NULL, CONSTRAINT pk_rounding_policies PRIMARY KEY (firm_id, id))""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    protect(op, "timers", "rounding_policies")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
