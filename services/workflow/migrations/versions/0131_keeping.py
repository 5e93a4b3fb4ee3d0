"""What automations saw and did is kept a year: the database lets nothing younger go. Firms that are there are kept house for. Lists go by indexes."""

from alembic import op

revision = "keeping_0131"
down_revision = "runs_0130"


def upgrade() -> None:
    for table in ("happenings", "automation_runs"):
        op.execute(
            f"DO $$ BEGIN EXECUTE format('GRANT DELETE ON {table} TO %I', replace(current_user, '_owner', '_app')); END $$"
        )
        op.execute(f"CREATE POLICY kept ON {table} AS RESTRICTIVE FOR DELETE USING (at < now() - interval '365 days')")
    # When an automation last did something is found without reading all of its runs.
    op.execute(
        "CREATE INDEX ix_automation_runs_done ON automation_runs (firm_id, automation_id, id) WHERE outcome = 'done'"
    )
    op.execute("CREATE INDEX ix_runs_template ON runs (firm_id, template_id, created_at, id)")
    op.execute("""
        INSERT INTO due (id, firm_id, kind, key, run_at, payload, attempts)
        SELECT gen_random_uuid(), firm_id, 'clear', firm_id::text, now(), jsonb_build_object('day', current_date), 0 FROM tenant
        ON CONFLICT DO NOTHING""")
