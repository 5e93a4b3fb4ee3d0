"""Schedules, and what became of each of their periods."""

from alembic import op

from chassis.migrate import protect

revision = "schedules_0360"
down_revision = "views_0350"

TABLES = (
    """CREATE TABLE schedules (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        template_id uuid NOT NULL, template_version bigint, client_id uuid NOT NULL, engagement_id uuid,
        rule jsonb NOT NULL, starts_on date NOT NULL, ends_on date,
        ahead_days bigint NOT NULL,
        ahead_before text NOT NULL CONSTRAINT ck_schedules_ahead_before CHECK (ahead_before IN ('period_start', 'period_end', 'day')),
        owner_id uuid, people jsonb NOT NULL,
        status text NOT NULL CONSTRAINT ck_schedules_status CHECK (status IN ('active', 'paused', 'ended')),
        next_start date, next_on date, created_at timestamptz NOT NULL,
        version bigint NOT NULL,
        CONSTRAINT pk_schedules PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_schedules_firm_id FOREIGN KEY (firm_id, template_id) REFERENCES templates (firm_id, id))""",
    "CREATE INDEX ix_schedules_created ON schedules (firm_id, created_at, id)",
    "CREATE INDEX ix_schedules_client ON schedules (firm_id, client_id)",
    "CREATE INDEX ix_schedules_template ON schedules (firm_id, template_id, client_id)",
    """CREATE TABLE schedule_periods (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        schedule_id uuid NOT NULL, period_start date NOT NULL, period_end date NOT NULL, day date,
        status text NOT NULL CONSTRAINT ck_schedule_periods_status CHECK (status IN ('made', 'skipped', 'refused')),
        job_id uuid, code text, message text, by text NOT NULL, at timestamptz NOT NULL,
        CONSTRAINT pk_schedule_periods PRIMARY KEY (firm_id, id),
        CONSTRAINT uq_schedule_periods_firm_id UNIQUE (firm_id, schedule_id, period_start),
        CONSTRAINT ck_schedule_periods_job CHECK ((status = 'made') = (job_id IS NOT NULL)),
        CONSTRAINT fk_schedule_periods_firm_id FOREIGN KEY (firm_id, schedule_id) REFERENCES schedules (firm_id, id))""",
    "CREATE INDEX ix_schedule_periods_job ON schedule_periods (firm_id, job_id) WHERE job_id IS NOT NULL",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    protect(op, "schedules", "schedule_periods")
