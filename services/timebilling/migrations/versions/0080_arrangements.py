"""Fee arrangements and what was billed by them, billing runs, groups with who is billed for them."""

from alembic import op

from chassis.migrate import protect

revision = "arrangements"
down_revision = "cards"

STATEMENTS = (
    """CREATE TABLE group_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, bill_to_id uuid, client_ids uuid[] NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_group_copy PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE arrangements (
        firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL, title text NOT NULL,
        kind text NOT NULL CONSTRAINT ck_arrangements_kind
            CHECK (kind IN ('hourly', 'capped', 'fixed', 'recurring', 'milestone', 'retainer', 'contingent')),
        amount numeric CONSTRAINT ck_arrangements_amount CHECK (amount >= 0), currency text NOT NULL, every text NOT NULL,
        starts_on date, ends_on date, bill_from date, in_advance boolean NOT NULL, open boolean NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_arrangements PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_arrangements_client ON arrangements (firm_id, client_id, id)",
    """CREATE TABLE milestones (
        firm_id uuid NOT NULL, id uuid NOT NULL, arrangement_id uuid NOT NULL, title text NOT NULL,
        amount numeric NOT NULL CONSTRAINT ck_milestones_amount CHECK (amount > 0), reached_on date,
        CONSTRAINT pk_milestones PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_milestones_arrangement FOREIGN KEY (firm_id, arrangement_id) REFERENCES arrangements (firm_id, id))""",
    "CREATE INDEX ix_milestones_arrangement ON milestones (firm_id, arrangement_id, id)",
    "ALTER TABLE invoice_lines ADD COLUMN arrangement_id uuid",
    "CREATE INDEX ix_invoice_lines_arrangement ON invoice_lines (firm_id, arrangement_id) WHERE arrangement_id IS NOT NULL",
    """CREATE TABLE arrangement_bills (
        firm_id uuid NOT NULL, id uuid NOT NULL, arrangement_id uuid NOT NULL,
        kind text NOT NULL CONSTRAINT ck_arrangement_bills_kind CHECK (kind IN ('progress', 'milestone', 'recurring', 'final')),
        period date, milestone_id uuid, invoice_id uuid NOT NULL, line_id uuid NOT NULL,
        amount numeric NOT NULL CONSTRAINT ck_arrangement_bills_amount CHECK (amount >= 0), live boolean NOT NULL,
        CONSTRAINT pk_arrangement_bills PRIMARY KEY (firm_id, id),
        CONSTRAINT ck_arrangement_bills_period CHECK ((kind = 'recurring') = (period IS NOT NULL)),
        CONSTRAINT fk_arrangement_bills_arrangement FOREIGN KEY (firm_id, arrangement_id) REFERENCES arrangements (firm_id, id),
        CONSTRAINT fk_arrangement_bills_milestone FOREIGN KEY (firm_id, milestone_id) REFERENCES milestones (firm_id, id),
        CONSTRAINT fk_arrangement_bills_line FOREIGN KEY (firm_id, line_id) REFERENCES invoice_lines (firm_id, id) ON DELETE CASCADE)""",
    # One bill per arrangement and period, one per milestone, one final one: whoever else tries waits and is refused.
    "CREATE UNIQUE INDEX uq_arrangement_bills_period ON arrangement_bills (firm_id, arrangement_id, period) WHERE live AND period IS NOT NULL",
    "CREATE UNIQUE INDEX uq_arrangement_bills_milestone ON arrangement_bills (firm_id, milestone_id) WHERE live AND milestone_id IS NOT NULL",
    "CREATE UNIQUE INDEX uq_arrangement_bills_final ON arrangement_bills (firm_id, arrangement_id) WHERE live AND kind = 'final'",
    "CREATE INDEX ix_arrangement_bills_arrangement ON arrangement_bills (firm_id, arrangement_id, id)",
    "CREATE INDEX ix_arrangement_bills_invoice ON arrangement_bills (firm_id, invoice_id)",
    "CREATE INDEX ix_arrangement_bills_line ON arrangement_bills (firm_id, line_id)",
    """CREATE TABLE billing_runs (
        firm_id uuid NOT NULL, id uuid NOT NULL, until date, group_by text NOT NULL, issue boolean NOT NULL, send boolean NOT NULL,
        issued_on date, created_at timestamptz NOT NULL, created_by text NOT NULL, CONSTRAINT pk_billing_runs PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE billing_run_items (
        firm_id uuid NOT NULL, id uuid NOT NULL, run_id uuid NOT NULL, client_id uuid NOT NULL,
        state text NOT NULL CONSTRAINT ck_billing_run_items_state CHECK (state IN ('waiting', 'done', 'skipped', 'failed')),
        invoice_id uuid, code text, message text, finished_at timestamptz,
        CONSTRAINT pk_billing_run_items PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_billing_run_items_run FOREIGN KEY (firm_id, run_id) REFERENCES billing_runs (firm_id, id))""",
    "CREATE INDEX ix_billing_run_items_run ON billing_run_items (firm_id, run_id, id)",
    # What was agreed is known from the engagements heard of; when it began, from their next event.
    """INSERT INTO arrangements (firm_id, id, client_id, title, kind, amount, currency, every, in_advance, open, version)
       SELECT firm_id, id, client_id, title, coalesce(nullif(fee->>'kind', ''), 'hourly'), (fee->'amount'->>'amount')::numeric,
           coalesce(fee->'amount'->>'currency', ''), coalesce(fee->>'interval', ''), false, status = 'open', 1
       FROM engagement_copy""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    protect(op, "group_copy", "arrangements", "milestones", "arrangement_bills", "billing_runs", "billing_run_items")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
