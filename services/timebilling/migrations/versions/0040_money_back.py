"""Money that goes back or never comes: refunds, chargebacks, reversed payments, bad debts."""

from alembic import op

from chassis.migrate import append_only, protect

revision = "money_back"
down_revision = "0001"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    protect(op, "refunds")
    append_only(op, "refunds")


STATEMENTS = (
    """ALTER TABLE payments ADD COLUMN refunded numeric NOT NULL DEFAULT 0, ADD COLUMN reversed_at timestamptz,
        ADD COLUMN reversal_reason text, ADD COLUMN provider_id text,
        ADD CONSTRAINT ck_payments_refunded CHECK (refunded >= 0 AND allocated + refunded <= amount),
        ADD CONSTRAINT ck_payments_reversed CHECK (num_nonnulls(reversed_at, reversal_reason) IN (0, 2)
            AND (reversed_at IS NULL OR allocated + refunded = 0))""",
    # What a payment provider tells of twice is recorded once.
    "CREATE UNIQUE INDEX uq_payments_provider ON payments (firm_id, provider_id) WHERE provider_id IS NOT NULL",
    """CREATE TABLE refunds (
        firm_id uuid NOT NULL, id uuid NOT NULL, payment_id uuid NOT NULL,
        kind text NOT NULL CONSTRAINT ck_refunds_kind CHECK (kind IN ('refund', 'chargeback')),
        amount numeric NOT NULL CONSTRAINT ck_refunds_amount CHECK (amount > 0), returned_on date NOT NULL,
        reference text NOT NULL, reason text NOT NULL, provider_id text, at timestamptz NOT NULL,
        CONSTRAINT pk_refunds PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_refunds_payment FOREIGN KEY (firm_id, payment_id) REFERENCES payments (firm_id, id))""",
    "CREATE INDEX ix_refunds_payment ON refunds (firm_id, payment_id)",
    "CREATE INDEX ix_refunds_returned_on ON refunds (firm_id, returned_on)",
    "CREATE UNIQUE INDEX uq_refunds_provider ON refunds (firm_id, provider_id) WHERE provider_id IS NOT NULL",
    """ALTER TABLE invoices ADD COLUMN bad_debt numeric NOT NULL DEFAULT 0,
        ADD CONSTRAINT ck_invoices_settled CHECK (bad_debt >= 0 AND paid + bad_debt <= total AND (state = 'issued' OR bad_debt = 0))""",
    "DROP INDEX ix_invoices_open",
    "CREATE INDEX ix_invoices_open ON invoices (firm_id, due_on) WHERE state = 'issued' AND paid + bad_debt < total",
    """CREATE OR REPLACE FUNCTION refuse_issued_change() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE free text[] := ARRAY['paid', 'bad_debt', 'document_id', 'state', 'void_reason', 'voided_at', 'version'];
    BEGIN
        IF OLD.state = 'draft' THEN
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END IF;
        IF TG_OP = 'DELETE' OR to_jsonb(NEW) - free <> to_jsonb(OLD) - free
           OR NOT (NEW.state = OLD.state OR (OLD.state = 'issued' AND NEW.state = 'void')) THEN
            RAISE EXCEPTION 'an issued invoice does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_issued';
        END IF;
        RETURN NEW;
    END $f$""",
)


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
