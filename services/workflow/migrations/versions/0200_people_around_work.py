"""Priority of jobs and tasks, who watches them, and what is said about them."""

from alembic import op

from chassis.migrate import protect

revision = "around_0200"
down_revision = "calendars_0100"

STATEMENTS = (
    # 1 urgent, 2 high, 3 normal, 4 low.
    "ALTER TABLE jobs ADD COLUMN priority bigint NOT NULL DEFAULT 3 CONSTRAINT ck_jobs_priority CHECK (priority BETWEEN 1 AND 4)",
    "ALTER TABLE tasks ADD COLUMN priority bigint NOT NULL DEFAULT 3 CONSTRAINT ck_tasks_priority CHECK (priority BETWEEN 1 AND 4)",
    """CREATE INDEX ix_jobs_priority ON jobs (firm_id, priority, due_sort, id)
        WHERE closed_at IS NULL AND cancelled_at IS NULL""",
    """CREATE INDEX ix_tasks_priority ON tasks (firm_id, priority, due_sort, id)
        WHERE status IN ('not_started', 'in_progress')""",
    # Lists of closed tasks: a person's, a client's; and one over all statuses in place of the one over closed ones.
    "CREATE INDEX ix_tasks_due ON tasks (firm_id, due_sort, id)",
    "DROP INDEX ix_tasks_closed",
    """CREATE INDEX ix_tasks_closed_owner ON tasks (firm_id, owner_id, due_sort, id)
        WHERE status IN ('done', 'skipped', 'cancelled')""",
    """CREATE INDEX ix_tasks_closed_client ON tasks (firm_id, client_id, due_sort, id)
        WHERE status IN ('done', 'skipped', 'cancelled')""",
    """CREATE TABLE watchers (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        job_id uuid NOT NULL,
        subject_id uuid NOT NULL, staff_id uuid NOT NULL,
        CONSTRAINT pk_watchers PRIMARY KEY (firm_id, id),
        CONSTRAINT uq_watchers_firm_id UNIQUE (firm_id, subject_id, staff_id),
        CONSTRAINT fk_watchers_firm_id FOREIGN KEY (firm_id, job_id) REFERENCES jobs (firm_id, id))""",
    "CREATE INDEX ix_watchers_job ON watchers (firm_id, job_id)",
    "CREATE INDEX ix_watchers_staff ON watchers (firm_id, staff_id) INCLUDE (subject_id)",
    """CREATE TABLE comments (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        job_id uuid NOT NULL, client_id uuid NOT NULL, task_id uuid,
        author text NOT NULL, author_name text NOT NULL, body text NOT NULL, mentions uuid[] NOT NULL,
        at timestamptz NOT NULL, edited_at timestamptz,
        version bigint NOT NULL,
        CONSTRAINT pk_comments PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_comments_firm_id FOREIGN KEY (firm_id, job_id) REFERENCES jobs (firm_id, id))""",
    "CREATE INDEX ix_comments_job ON comments (firm_id, job_id, id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    protect(op, "watchers", "comments")
