"""Credit notes, number patterns, discounts, prices with tax in them, cash rounding, foreign money, who bills and who is billed."""

from alembic import op

from chassis.migrate import protect

revision = "invoicing"
down_revision = "merging_0002"

INVOICES = (
    """ALTER TABLE invoices
        ADD COLUMN kind text NOT NULL DEFAULT 'invoice' CONSTRAINT ck_invoices_kind CHECK (kind IN ('invoice', 'credit_note')),
        ADD COLUMN corrects_id uuid, ADD COLUMN reason text, ADD COLUMN work_client_id uuid,
        ADD COLUMN tax_inclusive boolean NOT NULL DEFAULT false,
        ADD COLUMN discount_kind text CONSTRAINT ck_invoices_discount_kind CHECK (discount_kind IN ('percent', 'amount')),
        ADD COLUMN discount_value numeric, ADD COLUMN discount_reason text,
        ADD COLUMN lines_net numeric NOT NULL DEFAULT 0, ADD COLUMN discount numeric NOT NULL DEFAULT 0,
        ADD COLUMN rounding numeric NOT NULL DEFAULT 0, ADD COLUMN credited numeric NOT NULL DEFAULT 0,
        ADD COLUMN exchange_rate numeric CONSTRAINT ck_invoices_exchange_rate CHECK (exchange_rate > 0),
        ADD COLUMN base_currency text, ADD COLUMN order_reference text NOT NULL DEFAULT '',
        ADD COLUMN approved_at timestamptz, ADD COLUMN approved_by text, ADD COLUMN sent_at timestamptz,
        ADD CONSTRAINT fk_invoices_corrects FOREIGN KEY (firm_id, corrects_id) REFERENCES invoices (firm_id, id),
        -- A credit note names the invoice it corrects and why, is issued at once, and is never paid or credited itself.
        ADD CONSTRAINT ck_invoices_credit_note CHECK (CASE kind WHEN 'credit_note'
            THEN num_nonnulls(corrects_id, reason) = 2 AND state = 'issued' AND paid = 0 AND credited = 0 AND bad_debt = 0
            ELSE num_nonnulls(corrects_id, reason) = 0 END),
        ADD CONSTRAINT ck_invoices_discount CHECK (discount >= 0 AND num_nonnulls(discount_kind, discount_value) IN (0, 2)),
        DROP CONSTRAINT ck_invoices_total, DROP CONSTRAINT ck_invoices_settled, DROP CONSTRAINT ck_invoices_void""",
    "ALTER TABLE invoices DISABLE TRIGGER refuse_issued_change",
    "UPDATE invoices SET work_client_id = client_id, lines_net = net",
    "ALTER TABLE invoices ENABLE TRIGGER refuse_issued_change",
    # (The pending events of a deferred trigger would stand in the way of the next statement.)
    "SET CONSTRAINTS ALL IMMEDIATE",
    """ALTER TABLE invoices ALTER COLUMN work_client_id SET NOT NULL,
        ADD CONSTRAINT ck_invoices_total CHECK (total = net + tax + rounding AND net = lines_net - discount
            AND least(net, tax, standard, total) >= 0),
        ADD CONSTRAINT ck_invoices_settled CHECK (least(bad_debt, credited) >= 0 AND paid + bad_debt + credited <= total
            AND (state = 'issued' OR bad_debt + credited = 0)),
        ADD CONSTRAINT ck_invoices_void CHECK ((state = 'void') = (num_nonnulls(void_reason, voided_at) = 2)
            AND (state <> 'void' OR paid = 0))""",
    "DROP INDEX ix_invoices_open",
    """CREATE INDEX ix_invoices_open ON invoices (firm_id, due_on)
        WHERE state = 'issued' AND kind = 'invoice' AND paid + bad_debt + credited < total""",
    "CREATE INDEX ix_invoices_corrects ON invoices (firm_id, corrects_id) WHERE corrects_id IS NOT NULL",
    """ALTER TABLE invoice_lines
        ADD COLUMN kind text NOT NULL DEFAULT 'work' CONSTRAINT ck_invoice_lines_kind CHECK (kind IN ('work', 'disbursement', 'fee')),
        ADD COLUMN unit text NOT NULL DEFAULT 'HUR', ADD COLUMN amount numeric, ADD COLUMN discount numeric NOT NULL DEFAULT 0,
        ADD COLUMN discount_kind text CONSTRAINT ck_invoice_lines_discount_kind CHECK (discount_kind IN ('percent', 'amount')),
        ADD COLUMN discount_value numeric, ADD COLUMN discount_reason text, ADD COLUMN discount_share numeric NOT NULL DEFAULT 0,
        ADD COLUMN drawn numeric NOT NULL DEFAULT 0, ADD COLUMN credited numeric NOT NULL DEFAULT 0,
        ADD COLUMN credited_tax numeric NOT NULL DEFAULT 0, ADD COLUMN corrects_line_id uuid,
        ALTER COLUMN job_id DROP NOT NULL,
        DROP CONSTRAINT ck_invoice_lines_amounts, DROP CONSTRAINT ck_invoice_lines_reason""",
    "ALTER TABLE invoice_lines DISABLE TRIGGER refuse_issued_line_change",
    "UPDATE invoice_lines SET amount = net",
    "ALTER TABLE invoice_lines ENABLE TRIGGER refuse_issued_line_change",
    """ALTER TABLE invoice_lines ALTER COLUMN amount SET NOT NULL,
        ADD CONSTRAINT ck_invoice_lines_amounts CHECK (least(amount, net, tax, standard, discount, discount_share, drawn) >= 0
            AND discount <= amount AND discount_share <= net),
        ADD CONSTRAINT ck_invoice_lines_credited CHECK (credited BETWEEN 0 AND net - discount_share AND credited_tax BETWEEN 0 AND tax),
        ADD CONSTRAINT ck_invoice_lines_reason CHECK (kind = 'fee' OR net = standard OR discount > 0 OR reason IS NOT NULL
            OR corrects_line_id IS NOT NULL),
        ADD CONSTRAINT fk_invoice_lines_corrects FOREIGN KEY (firm_id, corrects_line_id) REFERENCES invoice_lines (firm_id, id)""",
    # Issued, an invoice still counts what is paid, given up and credited, its PDF, when it was sent, and that it is void.
    """CREATE OR REPLACE FUNCTION refuse_issued_change() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE free text[] := ARRAY['paid', 'bad_debt', 'credited', 'document_id', 'sent_at', 'state', 'void_reason', 'voided_at', 'version'];
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
    # Of lines and items only what counts afterwards may change: that an item is no longer billed here, what was credited of a line.
    # A credit note is written whole in the transaction that numbers it, so its own lines come before their document is closed.
    """CREATE OR REPLACE FUNCTION refuse_issued_line_change() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE stands text; firm uuid; invoice uuid; free text[] := ARRAY['live', 'credited', 'credited_tax'];
    BEGIN
        IF TG_OP = 'INSERT' THEN firm := NEW.firm_id; invoice := NEW.invoice_id; ELSE firm := OLD.firm_id; invoice := OLD.invoice_id; END IF;
        SELECT CASE WHEN kind = 'credit_note' AND TG_OP = 'INSERT' AND issued_at = transaction_timestamp() THEN 'draft' ELSE state END
            INTO stands FROM invoices WHERE firm_id = firm AND id = invoice;
        IF stands <> 'draft' THEN
            IF TG_OP <> 'UPDATE' OR to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
                RAISE EXCEPTION 'an issued invoice does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_issued';
            END IF;
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $f$""",
    """CREATE OR REPLACE FUNCTION demand_sum_of_lines() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE nets numeric; shares numeric; taxes numeric;
    BEGIN
        SELECT coalesce(sum(net), 0), coalesce(sum(discount_share), 0), coalesce(sum(tax), 0) INTO nets, shares, taxes
            FROM invoice_lines WHERE firm_id = NEW.firm_id AND invoice_id = NEW.id;
        IF NEW.lines_net <> nets OR NEW.discount <> shares OR NEW.tax <> taxes THEN
            RAISE EXCEPTION 'lines do not sum to the total' USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_sum_of_lines';
        END IF;
        RETURN NULL;
    END $f$""",
    "CREATE CONSTRAINT TRIGGER demand_sum_of_credit_lines AFTER INSERT ON invoices DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "WHEN (NEW.state = 'issued') EXECUTE FUNCTION demand_sum_of_lines()",
    # A number follows the one before it, or opens its series: with rows that are never deleted, there is no gap.
    """CREATE FUNCTION demand_next_number() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN
        IF NEW.sequence IS DISTINCT FROM (SELECT first_number FROM number_series WHERE firm_id = NEW.firm_id AND series = NEW.series)
           AND NOT EXISTS (SELECT 1 FROM invoices WHERE firm_id = NEW.firm_id AND series = NEW.series AND sequence = NEW.sequence - 1) THEN
            RAISE EXCEPTION 'number % of % has none before it', NEW.sequence, NEW.series
                USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_numbers_gapless';
        END IF;
        RETURN NULL;
    END $f$""",
    "CREATE CONSTRAINT TRIGGER demand_next_number AFTER UPDATE ON invoices DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "WHEN (OLD.state = 'draft' AND NEW.state = 'issued') EXECUTE FUNCTION demand_next_number()",
    "CREATE CONSTRAINT TRIGGER demand_next_credit_number AFTER INSERT ON invoices DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "WHEN (NEW.state = 'issued') EXECUTE FUNCTION demand_next_number()",
    "ALTER TABLE number_series ADD COLUMN first_number bigint NOT NULL DEFAULT 1",
)

SETTINGS = (
    """CREATE TABLE number_patterns (
        firm_id uuid NOT NULL, id uuid NOT NULL, document_type text NOT NULL, pattern text NOT NULL, version bigint NOT NULL,
        CONSTRAINT ck_number_patterns_type CHECK (document_type IN ('invoice', 'credit_note')),
        CONSTRAINT pk_number_patterns PRIMARY KEY (firm_id, id), CONSTRAINT uq_number_patterns_type UNIQUE (firm_id, document_type))""",
    """CREATE TABLE exchange_rates (
        firm_id uuid NOT NULL, id uuid NOT NULL, currency text NOT NULL, day date NOT NULL,
        rate numeric NOT NULL CONSTRAINT ck_exchange_rates_rate CHECK (rate > 0), at timestamptz NOT NULL,
        CONSTRAINT pk_exchange_rates PRIMARY KEY (firm_id, id), CONSTRAINT uq_exchange_rates_day UNIQUE (firm_id, currency, day))""",
    """CREATE TABLE client_terms (
        firm_id uuid NOT NULL, id uuid NOT NULL, payment_terms_days int, tax_code_id uuid, tax_inclusive boolean NOT NULL,
        vat_id text NOT NULL, buyer_reference text NOT NULL, electronic_address jsonb, legal_name text NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_client_terms PRIMARY KEY (firm_id, id),
        CONSTRAINT ck_client_terms_days CHECK (payment_terms_days BETWEEN 0 AND 365),
        CONSTRAINT fk_client_terms_tax_code FOREIGN KEY (firm_id, tax_code_id) REFERENCES tax_codes (firm_id, id))""",
    """ALTER TABLE payments ADD COLUMN exchange_rate numeric CONSTRAINT ck_payments_exchange_rate CHECK (exchange_rate > 0)""",
    """ALTER TABLE firm_settings ADD COLUMN seller jsonb NOT NULL DEFAULT '{}', ADD COLUMN cash_rounding jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN approve_before_issue boolean NOT NULL DEFAULT false""",
)


def upgrade() -> None:
    for statement in (*INVOICES, *SETTINGS):
        op.execute(statement)
    protect(op, "number_patterns", "exchange_rates", "client_terms")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
