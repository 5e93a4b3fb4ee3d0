"""Disbursements; WIP that is written up or down, carried, taken back; approval limits; what re-rating and taking back may change."""

from alembic import op

from chassis.migrate import protect

revision = "wip_disbursements"
down_revision = "bank"

DISBURSEMENTS = (
    """CREATE TABLE disbursements (
        firm_id uuid NOT NULL, id uuid NOT NULL, staff_id uuid NOT NULL, client_id uuid NOT NULL, job_id uuid NOT NULL, day date NOT NULL,
        description text NOT NULL, currency text NOT NULL, amount numeric NOT NULL, tax numeric NOT NULL, tax_recoverable boolean NOT NULL,
        markup_percent numeric NOT NULL, billable boolean NOT NULL, document_id uuid,
        status text NOT NULL CONSTRAINT ck_disbursements_status CHECK (status IN ('draft', 'submitted', 'returned', 'approved')),
        return_reason text, created_at timestamptz NOT NULL, approved_at timestamptz, approved_by text, version bigint NOT NULL,
        CONSTRAINT pk_disbursements PRIMARY KEY (firm_id, id),
        CONSTRAINT ck_disbursements_amounts CHECK (amount > 0 AND tax >= 0 AND tax <= amount),
        CONSTRAINT ck_disbursements_markup CHECK (markup_percent BETWEEN 0 AND 1000),
        CONSTRAINT ck_disbursements_returned CHECK (status <> 'returned' OR return_reason IS NOT NULL),
        CONSTRAINT ck_disbursements_approved CHECK (num_nonnulls(approved_at, approved_by) = CASE status WHEN 'approved' THEN 2 ELSE 0 END))""",
    "CREATE INDEX ix_disbursements_day ON disbursements (firm_id, day, id)",
    "CREATE INDEX ix_disbursements_staff ON disbursements (firm_id, staff_id, day, id)",
    "CREATE INDEX ix_disbursements_job ON disbursements (firm_id, job_id, day, id)",
    "CREATE INDEX ix_disbursements_client ON disbursements (firm_id, client_id, day, id)",
    "CREATE INDEX ix_disbursements_submitted ON disbursements (firm_id, day, id) WHERE status = 'submitted'",
)

WIP = (
    "ALTER TABLE wip_items DROP CONSTRAINT ck_wip_items_kind, DROP CONSTRAINT ck_wip_items_state, "
    "ADD COLUMN carried_until date, ADD COLUMN carry_reason text",
    "ALTER TABLE wip_items ADD CONSTRAINT ck_wip_items_kind CHECK (kind IN ('time', 'disbursement'))",
    "ALTER TABLE wip_items ADD CONSTRAINT ck_wip_items_carried CHECK ((carried_until IS NULL) = (carry_reason IS NULL))",
    # An item is written up or down against its standard value, never both. What remains follows from the identity.
    """ALTER TABLE wip_items ADD CONSTRAINT ck_wip_items_state CHECK (least(written_down, written_up) = 0 AND CASE state
            WHEN 'unbilled' THEN billed + written_off = 0 AND invoice_id IS NULL
            WHEN 'reserved' THEN billed + written_off = 0 AND invoice_id IS NOT NULL
            WHEN 'billed' THEN remaining + written_off = 0 AND invoice_id IS NOT NULL
            WHEN 'written_off' THEN billed + remaining = 0 AND invoice_id IS NULL
            WHEN 'withdrawn' THEN standard + billed + written_down + written_up + written_off + remaining = 0 AND invoice_id IS NULL
            ELSE false END)""",
    # The list of what is billed, or written off, among millions.
    "CREATE INDEX ix_wip_items_state ON wip_items (firm_id, state, day, id)",
    """CREATE TABLE adjustment_limits (
        firm_id uuid NOT NULL, id uuid NOT NULL, role text NOT NULL, currency text NOT NULL,
        amount numeric NOT NULL CONSTRAINT ck_adjustment_limits_amount CHECK (amount >= 0),
        CONSTRAINT pk_adjustment_limits PRIMARY KEY (firm_id, id),
        CONSTRAINT uq_adjustment_limits_role UNIQUE (firm_id, role, currency))""",
    "ALTER TABLE staff_copy ADD COLUMN roles text[] NOT NULL DEFAULT '{}'",
)

LOCK = (
    # As in 0001, and: an approval can be taken back, and its rates chosen anew, while its WIP is neither on a draft nor billed.
    """CREATE OR REPLACE FUNCTION refuse_closed_time() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE
        locked date; firm uuid; touched boolean;
        rates text[] := ARRAY['bill_rate', 'bill_rule', 'cost_rate', 'cost_currency', 'cost_rule', 'version'];
    BEGIN
        IF TG_OP = 'INSERT' THEN firm := NEW.firm_id; ELSE firm := OLD.firm_id; END IF;
        IF TG_OP <> 'INSERT' THEN
            IF OLD.status = 'approved' THEN
                IF TG_OP = 'UPDATE' AND NEW.status = 'submitted' THEN
                    SELECT EXISTS (SELECT FROM wip_items w WHERE w.firm_id = firm AND w.id = OLD.id AND w.state <> 'withdrawn') INTO touched;
                ELSIF TG_OP = 'UPDATE' AND NEW.status = 'approved' AND to_jsonb(NEW) - rates = to_jsonb(OLD) - rates THEN
                    SELECT EXISTS (SELECT FROM wip_items w WHERE w.firm_id = firm AND w.id = OLD.id AND w.state <> 'unbilled') INTO touched;
                ELSE
                    touched := true;
                END IF;
                IF touched THEN
                    RAISE EXCEPTION 'what is approved does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_approved';
                END IF;
            END IF;
        END IF;
        PERFORM pg_advisory_xact_lock_shared(hashtextextended(firm::text, 7237002));
        SELECT locked_until INTO locked FROM firm_settings WHERE firm_id = firm;
        IF locked IS NOT NULL AND coalesce(current_setting('app.lock_override', true), '') <> 'yes'
           AND ((TG_OP <> 'DELETE' AND NEW.day <= locked) OR (TG_OP <> 'INSERT' AND OLD.day <= locked)) THEN
            RAISE EXCEPTION 'time up to % is locked', locked USING ERRCODE = 'check_violation', CONSTRAINT = 'period_locked';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $f$""",
    # Every column but `version`: billing counts the version up, and bills what lies in locked periods.
    """CREATE TRIGGER refuse_closed_time BEFORE INSERT OR DELETE OR UPDATE OF staff_id, client_id, job_id, day, description, currency, amount,
        tax, tax_recoverable, markup_percent, billable, document_id, status, return_reason, approved_at, approved_by
        ON disbursements FOR EACH ROW EXECUTE FUNCTION refuse_closed_time()""",
)


def upgrade() -> None:
    for statement in (*DISBURSEMENTS, *WIP, *LOCK):
        op.execute(statement)
    protect(op, "disbursements", "adjustment_limits")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
