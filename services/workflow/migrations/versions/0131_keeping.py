"""What automations saw and did is kept a year: the database lets nothing younger go. Firms that are there are kept house for."""

from alembic import op

revision = "keeping_0131"
down_revision = "runs_0130"


def upgrade() -> None:
    for table in ("happenings", "automation_runs"):
        op.execute(
            f"DO $$ BEGIN EXECUTE format('GRANT DELETE ON {table} TO %I', replace(current_user, '_owner', '_app')); END $$"
        )
        op.execute(f"CREATE POLICY kept ON {table} AS RESTRICTIVE FOR DELETE USING (at < now() - interval '365 days')")
    op.execute("""
        INSERT INTO due (id, firm_id, kind, key, run_at, payload, attempts)
        SELECT gen_random_uuid(), firm_id, 'clear', firm_id::text, now(), jsonb_build_object('day', current_date), 0 FROM tenant
        ON CONFLICT DO NOTHING""")
