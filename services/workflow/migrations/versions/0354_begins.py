"""From which day on an open task can be worked on, kept as it is settled: capacity is read from an index instead of being
worked out for every task from what it waits for. Reports by client are read from an index too."""

from alembic import op

revision = "begins_0354"
down_revision = "hidden_0353"

OPEN = "status IN ('not_started', 'in_progress')"
STATEMENTS = (
    # The release before this one writes tasks without it: they can be worked on at once until they are settled again.
    "ALTER TABLE tasks ADD COLUMN begins_on date NOT NULL DEFAULT '0001-01-01'",
    f"""UPDATE tasks t SET begins_on = GREATEST(j.starts_on, t.ready_on, (
            SELECT max(COALESCE(b.due_on, r.due_on)) FROM dependencies d
            LEFT JOIN tasks b ON b.firm_id = d.firm_id AND b.id = d.before_id AND b.{OPEN}
            LEFT JOIN requests r ON r.firm_id = d.firm_id AND r.id = d.before_id AND r.completed_on IS NULL
            WHERE d.firm_id = t.firm_id AND d.after_id = t.id))
        FROM jobs j WHERE j.firm_id = t.firm_id AND j.id = t.job_id""",
    "DROP INDEX ix_tasks_open_owner",
    f"""CREATE INDEX ix_tasks_open_owner ON tasks (firm_id, owner_id, due_sort, id)
        INCLUDE (client_id, budget_minutes, status, begins_on, job_id) WHERE {OPEN}""",
    "DROP INDEX ix_tasks_open_client",
    f"CREATE INDEX ix_tasks_open_client ON tasks (firm_id, client_id, due_sort, id) INCLUDE (budget_minutes) WHERE {OPEN}",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
