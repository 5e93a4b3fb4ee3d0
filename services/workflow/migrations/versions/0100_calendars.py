"""Closures of the firm, working weeks and leave of its staff."""

from alembic import op

from chassis.migrate import protect

revision = "calendars_0100"
down_revision = "0001"

TABLES = (
    """CREATE TABLE closures (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        first_day date NOT NULL, last_day date NOT NULL, name text NOT NULL,
        removed_at timestamptz, version bigint NOT NULL,
        CONSTRAINT pk_closures PRIMARY KEY (firm_id, id),
        CONSTRAINT ck_closures_range CHECK (first_day <= last_day))""",
    """CREATE TABLE working_weeks (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        staff_id uuid NOT NULL, from_on date NOT NULL,
        minutes bigint[] NOT NULL CONSTRAINT ck_working_weeks_minutes CHECK (
            cardinality(minutes) = 7 AND 0 <= ALL (minutes) AND 1440 >= ALL (minutes)),
        removed_at timestamptz, version bigint NOT NULL,
        CONSTRAINT pk_working_weeks PRIMARY KEY (firm_id, id))""",
    "CREATE UNIQUE INDEX uq_working_weeks ON working_weeks (firm_id, staff_id, from_on) WHERE removed_at IS NULL",
    """CREATE TABLE leave (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        staff_id uuid NOT NULL, first_day date NOT NULL, last_day date NOT NULL,
        minutes bigint CONSTRAINT ck_leave_minutes CHECK (minutes BETWEEN 1 AND 1440),
        kind text NOT NULL CONSTRAINT ck_leave_kind
            CHECK (kind IN ('holiday', 'sick', 'training', 'parental', 'unpaid', 'other')),
        note text NOT NULL,
        removed_at timestamptz, version bigint NOT NULL,
        CONSTRAINT pk_leave PRIMARY KEY (firm_id, id),
        CONSTRAINT ck_leave_range CHECK (first_day <= last_day))""",
    "CREATE INDEX ix_leave_days ON leave (firm_id, first_day, id) WHERE removed_at IS NULL",
    "CREATE INDEX ix_leave_staff ON leave (firm_id, staff_id, first_day) WHERE removed_at IS NULL",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    protect(op, "closures", "working_weeks", "leave")
