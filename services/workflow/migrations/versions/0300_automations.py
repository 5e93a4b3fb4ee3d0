"""Automations: what happens to jobs, what looks out for it, and the log of every run. Jobs carry tags."""

from alembic import op

from chassis.migrate import append_only, protect

revision = "automations_0300"
down_revision = "requests_0202"

TABLES = (
    "ALTER TABLE jobs ADD COLUMN tags text[] NOT NULL DEFAULT '{}'",
    """CREATE TABLE happenings (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        kind text NOT NULL, job_id uuid NOT NULL, client_id uuid NOT NULL, subject_type text NOT NULL, subject_id uuid NOT NULL,
        facts jsonb NOT NULL, chain text[] NOT NULL, occasion text, at timestamptz NOT NULL,
        CONSTRAINT pk_happenings PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_happenings_kind ON happenings (firm_id, kind, at, id)",
    # A happening of the calendar is looked for every day and found once.
    "CREATE UNIQUE INDEX uq_happenings_occasion ON happenings (firm_id, subject_id, kind, occasion) WHERE occasion IS NOT NULL",
    """CREATE TABLE automations (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        name text NOT NULL, enabled boolean NOT NULL, archived boolean NOT NULL, trigger text NOT NULL, current_number bigint NOT NULL,
        version bigint NOT NULL,
        CONSTRAINT pk_automations PRIMARY KEY (firm_id, id),
        CONSTRAINT ck_automations_archived CHECK (NOT (archived AND enabled)))""",
    "CREATE INDEX ix_automations_name ON automations (firm_id, archived, name, id)",
    "CREATE INDEX ix_automations_trigger ON automations (firm_id, trigger) WHERE enabled",
    """CREATE TABLE automation_versions (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        automation_id uuid NOT NULL, number bigint NOT NULL, content jsonb NOT NULL, made_at timestamptz NOT NULL, made_by text NOT NULL,
        CONSTRAINT pk_automation_versions PRIMARY KEY (firm_id, id),
        CONSTRAINT uq_automation_versions_firm_id UNIQUE (firm_id, automation_id, number),
        CONSTRAINT fk_automation_versions_firm_id FOREIGN KEY (firm_id, automation_id) REFERENCES automations (firm_id, id))""",
    """CREATE TABLE automation_runs (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        ref text NOT NULL, automation_id uuid, name text NOT NULL, number bigint NOT NULL,
        happening_id uuid NOT NULL, kind text NOT NULL, job_id uuid NOT NULL, client_id uuid NOT NULL,
        subject_type text NOT NULL, subject_id uuid NOT NULL,
        outcome text NOT NULL CONSTRAINT ck_automation_runs_outcome CHECK (outcome IN ('done', 'not_met', 'stopped', 'failed')),
        says text NOT NULL, acts jsonb NOT NULL, at timestamptz NOT NULL,
        CONSTRAINT pk_automation_runs PRIMARY KEY (firm_id, id),
        CONSTRAINT uq_automation_runs_firm_id UNIQUE (firm_id, happening_id, ref))""",
    "CREATE INDEX ix_automation_runs_automation ON automation_runs (firm_id, automation_id, id)",
    "CREATE INDEX ix_automation_runs_job ON automation_runs (firm_id, job_id, id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    protect(op, "happenings", "automations", "automation_versions", "automation_runs")
    append_only(op, "happenings", "automation_versions", "automation_runs")
