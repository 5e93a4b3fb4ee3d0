"""Reminders of unpaid invoices; the index that a client's statement is read by."""

from alembic import op

from chassis.migrate import append_only, protect

revision = "reminders"
down_revision = "wip_disbursements"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    protect(op, "reminder_policies", "reminder_pauses", "payment_reminders")
    append_only(op, "payment_reminders")


STATEMENTS = (
    """CREATE TABLE reminder_policies (
        firm_id uuid NOT NULL, id uuid NOT NULL, levels jsonb NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_reminder_policies PRIMARY KEY (firm_id, id), CONSTRAINT ck_reminder_policies_one CHECK (id = firm_id))""",
    """CREATE TABLE reminder_pauses (
        firm_id uuid NOT NULL, id uuid NOT NULL, until date, reason text NOT NULL, at timestamptz NOT NULL,
        CONSTRAINT pk_reminder_pauses PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE payment_reminders (
        firm_id uuid NOT NULL, id uuid NOT NULL, invoice_id uuid NOT NULL, client_id uuid NOT NULL, level int NOT NULL, days_overdue int NOT NULL,
        balance numeric NOT NULL CONSTRAINT ck_payment_reminders_balance CHECK (balance > 0),
        interest numeric NOT NULL CONSTRAINT ck_payment_reminders_interest CHECK (interest >= 0), currency text NOT NULL, at timestamptz NOT NULL,
        CONSTRAINT pk_payment_reminders PRIMARY KEY (firm_id, id),
        -- Each level once, whoever runs it, however often.
        CONSTRAINT uq_payment_reminders_level UNIQUE (firm_id, invoice_id, level),
        CONSTRAINT fk_payment_reminders_invoice FOREIGN KEY (firm_id, invoice_id) REFERENCES invoices (firm_id, id))""",
    "CREATE INDEX ix_payment_reminders_client ON payment_reminders (firm_id, client_id, id)",
    "CREATE INDEX ix_ledger_postings_client ON ledger_postings (firm_id, client_id, posted_on, id)",
)


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
