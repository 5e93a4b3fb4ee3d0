"""Time, rates, WIP, invoices, payments, the ledger; copies of clients, jobs and staff."""

from alembic import op

from chassis.migrate import append_only, plumbing, protect, search_function, searchable

revision = "0001"
down_revision = None

COPIES = (
    """CREATE TABLE client_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, number text NOT NULL, name text NOT NULL, status text NOT NULL, currency text NOT NULL,
        language text NOT NULL, country text NOT NULL, address jsonb NOT NULL, tax_label text NOT NULL, partner_id uuid, manager_id uuid,
        visible_to uuid[], version bigint NOT NULL, CONSTRAINT pk_client_copy PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_client_copy_name ON client_copy USING gin (name gin_trgm_ops)",
    """CREATE TABLE engagement_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL, title text NOT NULL, service text NOT NULL, status text NOT NULL,
        fee jsonb NOT NULL, version bigint NOT NULL, CONSTRAINT pk_engagement_copy PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE job_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL, engagement_id uuid, title text NOT NULL, service text NOT NULL,
        owner_id uuid, closed boolean NOT NULL, version bigint NOT NULL, CONSTRAINT pk_job_copy PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE task_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, job_id uuid NOT NULL, title text NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_task_copy PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE staff_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, grade text NOT NULL, active boolean NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_staff_copy PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE firm_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, time_zone text NOT NULL, currency text NOT NULL, country text NOT NULL,
        language text NOT NULL, version bigint NOT NULL, CONSTRAINT pk_firm_copy PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE branding_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, display_name text NOT NULL, accent text NOT NULL, address text NOT NULL,
        footer text NOT NULL, version bigint NOT NULL, CONSTRAINT pk_branding_copy PRIMARY KEY (firm_id, id))""",
)

SETTINGS = (
    """CREATE TABLE tax_codes (
        firm_id uuid NOT NULL, id uuid NOT NULL, code text NOT NULL, label text NOT NULL,
        category text NOT NULL CONSTRAINT ck_tax_codes_category CHECK (category IN ('S', 'Z', 'E', 'AE', 'O')), legal_text text,
        CONSTRAINT pk_tax_codes PRIMARY KEY (firm_id, id), CONSTRAINT uq_tax_codes_code UNIQUE (firm_id, code))""",
    """CREATE TABLE tax_rates (
        firm_id uuid NOT NULL, id uuid NOT NULL, tax_code_id uuid NOT NULL,
        percent numeric NOT NULL CONSTRAINT ck_tax_rates_percent CHECK (percent BETWEEN 0 AND 100),
        valid daterange NOT NULL CONSTRAINT ck_tax_rates_valid CHECK (NOT isempty(valid)),
        CONSTRAINT pk_tax_rates PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_tax_rates_code FOREIGN KEY (firm_id, tax_code_id) REFERENCES tax_codes (firm_id, id),
        CONSTRAINT tax_rate_overlap EXCLUDE USING gist (firm_id WITH =, tax_code_id WITH =, valid WITH &&))""",
    """CREATE TABLE firm_settings (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        rounding_increment int NOT NULL CONSTRAINT ck_firm_settings_increment CHECK (rounding_increment BETWEEN 1 AND 86400),
        rounding_direction text NOT NULL CONSTRAINT ck_firm_settings_direction CHECK (rounding_direction IN ('up', 'down', 'nearest')),
        rounding_minimum int NOT NULL CONSTRAINT ck_firm_settings_minimum CHECK (rounding_minimum BETWEEN 0 AND 86400),
        locked_until date, payment_terms_days int NOT NULL CONSTRAINT ck_firm_settings_terms CHECK (payment_terms_days BETWEEN 0 AND 365),
        default_tax_code_id uuid, version bigint NOT NULL,
        CONSTRAINT pk_firm_settings PRIMARY KEY (firm_id, id), CONSTRAINT ck_firm_settings_one CHECK (id = firm_id),
        CONSTRAINT fk_firm_settings_tax_code FOREIGN KEY (firm_id, default_tax_code_id) REFERENCES tax_codes (firm_id, id))""",
    """CREATE TABLE activities (
        firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, billable boolean NOT NULL, active boolean NOT NULL,
        version bigint NOT NULL, CONSTRAINT pk_activities PRIMARY KEY (firm_id, id))""",
    "CREATE UNIQUE INDEX uq_activities_name ON activities (firm_id, lower(name))",
    """CREATE TABLE rates (
        firm_id uuid NOT NULL, id uuid NOT NULL, kind text NOT NULL CONSTRAINT ck_rates_kind CHECK (kind IN ('bill', 'cost')),
        level text NOT NULL, key text NOT NULL, job_id uuid, engagement_id uuid, client_id uuid, staff_id uuid, activity_id uuid, grade text,
        amount numeric NOT NULL CONSTRAINT ck_rates_amount CHECK (amount >= 0), currency text NOT NULL,
        valid daterange NOT NULL CONSTRAINT ck_rates_valid CHECK (NOT isempty(valid)), version bigint NOT NULL,
        CONSTRAINT pk_rates PRIMARY KEY (firm_id, id),
        -- The key is the level and exactly the ids that level names (rates.rules.LEVELS): the two can't drift apart.
        CONSTRAINT ck_rates_key CHECK (key = CASE level
            WHEN 'job_staff' THEN level || '|' || job_id || '|' || staff_id
            WHEN 'job_grade' THEN level || '|' || job_id || '|' || grade
            WHEN 'engagement' THEN level || '|' || engagement_id
            WHEN 'client_staff' THEN level || '|' || client_id || '|' || staff_id
            WHEN 'client_grade' THEN level || '|' || client_id || '|' || grade
            WHEN 'activity' THEN level || '|' || activity_id
            WHEN 'staff' THEN level || '|' || staff_id
            WHEN 'grade' THEN level || '|' || grade
            WHEN 'firm' THEN level END IS TRUE),
        CONSTRAINT ck_rates_cost CHECK (kind = 'bill' OR level IN ('staff', 'grade', 'firm')),
        CONSTRAINT rate_overlap EXCLUDE USING gist (firm_id WITH =, kind WITH =, key WITH =, currency WITH =, valid WITH &&))""",
    "CREATE INDEX ix_rates_key ON rates (firm_id, key)",
)

TIME = (
    """CREATE TABLE time_entries (
        firm_id uuid NOT NULL, id uuid NOT NULL, staff_id uuid NOT NULL, client_id uuid NOT NULL, job_id uuid NOT NULL,
        task_id uuid, activity_id uuid, day date NOT NULL,
        seconds int NOT NULL CONSTRAINT ck_time_entries_seconds CHECK (seconds BETWEEN 1 AND 86400), billable boolean NOT NULL,
        narrative text NOT NULL, override_rate numeric, override_currency text, override_reason text,
        status text NOT NULL CONSTRAINT ck_time_entries_status CHECK (status IN ('draft', 'submitted', 'returned', 'approved')),
        return_reason text, created_at timestamptz NOT NULL,
        approved_at timestamptz, approved_by text, billable_seconds int, rounding jsonb, currency text, bill_rate numeric, bill_rule jsonb,
        cost_currency text, cost_rate numeric, cost_rule jsonb, version bigint NOT NULL,
        CONSTRAINT pk_time_entries PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_time_entries_activity FOREIGN KEY (firm_id, activity_id) REFERENCES activities (firm_id, id),
        CONSTRAINT ck_time_entries_returned CHECK (status <> 'returned' OR return_reason IS NOT NULL),
        CONSTRAINT ck_time_entries_override CHECK (num_nonnulls(override_rate, override_currency, override_reason) IN (0, 3)),
        CONSTRAINT ck_time_entries_frozen CHECK (CASE WHEN status = 'approved'
            THEN num_nonnulls(approved_at, approved_by, billable_seconds, rounding, currency) = 5
                 AND (NOT billable OR num_nonnulls(bill_rate, bill_rule) = 2)
            ELSE num_nonnulls(approved_at, approved_by, billable_seconds, rounding, currency, bill_rate, bill_rule, cost_rate) = 0 END))""",
    "CREATE INDEX ix_time_entries_staff ON time_entries (firm_id, staff_id, day, id)",
    "CREATE INDEX ix_time_entries_job ON time_entries (firm_id, job_id, day, id)",
    "CREATE INDEX ix_time_entries_client ON time_entries (firm_id, client_id, day, id)",
    "CREATE INDEX ix_time_entries_day ON time_entries (firm_id, day, id)",
    "CREATE INDEX ix_time_entries_submitted ON time_entries (firm_id, day, id) WHERE status = 'submitted'",
    # The lock holds whoever writes, and against a lock being set at the same moment: the writer holds a shared advisory lock to its
    # commit, the one who sets the lock date takes it alone (firm_settings.usecases). A statement in a volatile function sees what was
    # committed before it began, so the date is read after the wait.
    """CREATE FUNCTION refuse_closed_time() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE locked date; firm uuid;
    BEGIN
        IF TG_OP = 'INSERT' THEN firm := NEW.firm_id; ELSE firm := OLD.firm_id; END IF;
        IF TG_OP <> 'INSERT' THEN
            IF OLD.status = 'approved' THEN
                RAISE EXCEPTION 'an approved entry does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_approved';
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
    # Every column but `version`: billing counts the version up, and bills work of locked periods.
    """CREATE TRIGGER refuse_closed_time BEFORE INSERT OR DELETE OR UPDATE OF staff_id, client_id, job_id, task_id, activity_id, day, seconds,
        billable, narrative, override_rate, override_currency, override_reason, status, return_reason, approved_at, approved_by,
        billable_seconds, rounding, currency, bill_rate, bill_rule, cost_currency, cost_rate, cost_rule
        ON time_entries FOR EACH ROW EXECUTE FUNCTION refuse_closed_time()""",
)

INVOICES = (
    """CREATE TABLE invoices (
        firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL,
        state text NOT NULL CONSTRAINT ck_invoices_state CHECK (state IN ('draft', 'issued', 'void')),
        series text NOT NULL, sequence bigint, number text, currency text NOT NULL,
        payment_terms_days int NOT NULL CONSTRAINT ck_invoices_terms CHECK (payment_terms_days BETWEEN 0 AND 365), note text NOT NULL,
        issued_on date, due_on date, standard numeric NOT NULL, net numeric NOT NULL, tax numeric NOT NULL, total numeric NOT NULL,
        paid numeric NOT NULL, taxes jsonb NOT NULL, frozen jsonb, document_id uuid, void_reason text,
        created_at timestamptz NOT NULL, issued_at timestamptz, voided_at timestamptz, version bigint NOT NULL,
        CONSTRAINT pk_invoices PRIMARY KEY (firm_id, id),
        CONSTRAINT uq_invoices_number UNIQUE (firm_id, number), CONSTRAINT uq_invoices_sequence UNIQUE (firm_id, series, sequence),
        CONSTRAINT ck_invoices_total CHECK (total = net + tax AND net >= 0 AND tax >= 0 AND standard >= 0),
        CONSTRAINT ck_invoices_paid CHECK (paid BETWEEN 0 AND total),
        CONSTRAINT ck_invoices_numbered CHECK (num_nonnulls(sequence, number, issued_on, due_on, issued_at, frozen)
            = CASE state WHEN 'draft' THEN 0 ELSE 6 END),
        CONSTRAINT ck_invoices_void CHECK ((state = 'void') = (num_nonnulls(void_reason, voided_at) = 2) AND (state <> 'void' OR paid = 0)))""",
    "CREATE INDEX ix_invoices_client ON invoices (firm_id, client_id, id)",
    "CREATE INDEX ix_invoices_state ON invoices (firm_id, state, id)",
    "CREATE INDEX ix_invoices_open ON invoices (firm_id, due_on) WHERE state = 'issued' AND paid < total",
    "CREATE INDEX ix_invoices_issued_on ON invoices (firm_id, issued_on) WHERE state = 'issued'",
    "CREATE INDEX ix_invoices_number ON invoices USING gin (number gin_trgm_ops)",
    """CREATE TABLE invoice_lines (
        firm_id uuid NOT NULL, id uuid NOT NULL, invoice_id uuid NOT NULL, position int NOT NULL, job_id uuid NOT NULL,
        description text NOT NULL, quantity numeric NOT NULL, standard numeric NOT NULL, net numeric NOT NULL, reason text,
        tax_code_id uuid, tax_category text NOT NULL, tax_percent numeric NOT NULL, tax_label text NOT NULL, tax_legal_text text,
        tax numeric NOT NULL,
        CONSTRAINT pk_invoice_lines PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_invoice_lines_invoice FOREIGN KEY (firm_id, invoice_id) REFERENCES invoices (firm_id, id),
        CONSTRAINT fk_invoice_lines_tax_code FOREIGN KEY (firm_id, tax_code_id) REFERENCES tax_codes (firm_id, id),
        CONSTRAINT ck_invoice_lines_amounts CHECK (net >= 0 AND tax >= 0 AND standard >= 0),
        CONSTRAINT ck_invoice_lines_reason CHECK (net = standard OR reason IS NOT NULL))""",
    "CREATE INDEX ix_invoice_lines_invoice ON invoice_lines (firm_id, invoice_id, position)",
    """CREATE TABLE number_series (
        firm_id uuid NOT NULL, id uuid NOT NULL, series text NOT NULL, next_number bigint NOT NULL,
        CONSTRAINT pk_number_series PRIMARY KEY (firm_id, id), CONSTRAINT uq_number_series_series UNIQUE (firm_id, series))""",
    """CREATE FUNCTION refuse_issued_change() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE free text[] := ARRAY['paid', 'document_id', 'state', 'void_reason', 'voided_at', 'version'];
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
    "CREATE TRIGGER refuse_issued_change BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION refuse_issued_change()",
    """CREATE FUNCTION refuse_issued_line_change() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE stands text; firm uuid; invoice uuid;
    BEGIN
        IF TG_OP = 'INSERT' THEN firm := NEW.firm_id; invoice := NEW.invoice_id; ELSE firm := OLD.firm_id; invoice := OLD.invoice_id; END IF;
        SELECT state INTO stands FROM invoices WHERE firm_id = firm AND id = invoice;
        IF stands <> 'draft' THEN
            -- Only that an item no longer counts may change: the invoice is void.
            IF TG_OP <> 'UPDATE' OR to_jsonb(NEW) - 'live' <> to_jsonb(OLD) - 'live' THEN
                RAISE EXCEPTION 'an issued invoice does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_issued';
            END IF;
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $f$""",
    "CREATE TRIGGER refuse_issued_line_change BEFORE INSERT OR UPDATE OR DELETE ON invoice_lines "
    "FOR EACH ROW EXECUTE FUNCTION refuse_issued_line_change()",
    # At the commit of an issue its lines sum to its total before tax.
    """CREATE FUNCTION demand_sum_of_lines() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN
        IF NEW.net <> (SELECT coalesce(sum(net), 0) FROM invoice_lines WHERE firm_id = NEW.firm_id AND invoice_id = NEW.id)
           OR NEW.tax <> (SELECT coalesce(sum(tax), 0) FROM invoice_lines WHERE firm_id = NEW.firm_id AND invoice_id = NEW.id) THEN
            RAISE EXCEPTION 'lines do not sum to the total' USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_sum_of_lines';
        END IF;
        RETURN NULL;
    END $f$""",
    "CREATE CONSTRAINT TRIGGER demand_sum_of_lines AFTER UPDATE ON invoices DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "WHEN (OLD.state = 'draft' AND NEW.state = 'issued') EXECUTE FUNCTION demand_sum_of_lines()",
)

WIP = (
    """CREATE TABLE wip_items (
        firm_id uuid NOT NULL, id uuid NOT NULL, kind text NOT NULL CONSTRAINT ck_wip_items_kind CHECK (kind IN ('time')),
        client_id uuid NOT NULL, job_id uuid NOT NULL, staff_id uuid NOT NULL, activity_id uuid, day date NOT NULL,
        seconds int NOT NULL, billable_seconds int NOT NULL, currency text NOT NULL, standard numeric NOT NULL,
        billed numeric NOT NULL, written_down numeric NOT NULL, written_up numeric NOT NULL, written_off numeric NOT NULL,
        remaining numeric NOT NULL, state text NOT NULL, invoice_id uuid,
        CONSTRAINT pk_wip_items PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_wip_items_invoice FOREIGN KEY (firm_id, invoice_id) REFERENCES invoices (firm_id, id),
        CONSTRAINT ck_wip_items_amounts CHECK (least(standard, billed, written_down, written_up, written_off, remaining) >= 0),
        -- The WIP identity. Held for every item, it holds for every job, client and firm.
        CONSTRAINT ck_wip_items_identity CHECK (standard = billed + written_down - written_up + written_off + remaining),
        CONSTRAINT ck_wip_items_state CHECK (CASE state
            WHEN 'unbilled' THEN remaining = standard AND billed + written_down + written_up + written_off = 0 AND invoice_id IS NULL
            WHEN 'reserved' THEN remaining = standard AND billed + written_down + written_up + written_off = 0 AND invoice_id IS NOT NULL
            WHEN 'billed' THEN remaining + written_off = 0 AND least(written_down, written_up) = 0 AND invoice_id IS NOT NULL
            WHEN 'written_off' THEN written_off = standard AND billed + written_down + written_up + remaining = 0 AND invoice_id IS NULL
            ELSE false END))""",
    "CREATE INDEX ix_wip_items_open ON wip_items (firm_id, client_id, day, id) WHERE state IN ('unbilled', 'reserved')",
    "CREATE INDEX ix_wip_items_client ON wip_items (firm_id, client_id, day, id)",
    "CREATE INDEX ix_wip_items_job ON wip_items (firm_id, job_id)",
    "CREATE INDEX ix_wip_items_invoice ON wip_items (firm_id, invoice_id) WHERE invoice_id IS NOT NULL",
    """CREATE TABLE wip_movements (
        firm_id uuid NOT NULL, id uuid NOT NULL, item_id uuid NOT NULL, job_id uuid NOT NULL, currency text NOT NULL,
        kind text NOT NULL CONSTRAINT ck_wip_movements_kind CHECK (kind IN ('standard', 'billed', 'written_down', 'written_up', 'written_off')),
        amount numeric NOT NULL CONSTRAINT ck_wip_movements_amount CHECK (amount <> 0), invoice_id uuid, reason text, at timestamptz NOT NULL,
        CONSTRAINT pk_wip_movements PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_wip_movements_item FOREIGN KEY (firm_id, item_id) REFERENCES wip_items (firm_id, id),
        CONSTRAINT ck_wip_movements_reason CHECK (kind <> 'written_off' OR reason IS NOT NULL))""",
    "CREATE INDEX ix_wip_movements_item ON wip_movements (firm_id, item_id)",
    """CREATE TABLE invoice_items (
        firm_id uuid NOT NULL, id uuid NOT NULL, invoice_id uuid NOT NULL, line_id uuid NOT NULL, item_id uuid NOT NULL,
        standard numeric NOT NULL, billed numeric NOT NULL CONSTRAINT ck_invoice_items_billed CHECK (billed >= 0), live boolean NOT NULL,
        CONSTRAINT pk_invoice_items PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_invoice_items_invoice FOREIGN KEY (firm_id, invoice_id) REFERENCES invoices (firm_id, id),
        CONSTRAINT fk_invoice_items_line FOREIGN KEY (firm_id, line_id) REFERENCES invoice_lines (firm_id, id),
        CONSTRAINT fk_invoice_items_item FOREIGN KEY (firm_id, item_id) REFERENCES wip_items (firm_id, id))""",
    # An entry stands on at most one live invoice.
    "CREATE UNIQUE INDEX uq_invoice_items_live ON invoice_items (firm_id, item_id) WHERE live",
    "CREATE INDEX ix_invoice_items_invoice ON invoice_items (firm_id, invoice_id, line_id)",
    "CREATE INDEX ix_invoice_items_line ON invoice_items (firm_id, line_id)",
    "CREATE TRIGGER refuse_issued_line_change BEFORE INSERT OR UPDATE OR DELETE ON invoice_items "
    "FOR EACH ROW EXECUTE FUNCTION refuse_issued_line_change()",
)

MONEY = (
    """CREATE TABLE payments (
        firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL, currency text NOT NULL,
        amount numeric NOT NULL CONSTRAINT ck_payments_amount CHECK (amount > 0), allocated numeric NOT NULL,
        received_on date NOT NULL, method text NOT NULL, reference text NOT NULL, created_at timestamptz NOT NULL,
        CONSTRAINT pk_payments PRIMARY KEY (firm_id, id), CONSTRAINT ck_payments_allocated CHECK (allocated BETWEEN 0 AND amount))""",
    "CREATE INDEX ix_payments_client ON payments (firm_id, client_id, id)",
    "CREATE INDEX ix_payments_received_on ON payments (firm_id, received_on)",
    """CREATE TABLE payment_allocations (
        firm_id uuid NOT NULL, id uuid NOT NULL, payment_id uuid NOT NULL, invoice_id uuid NOT NULL,
        amount numeric NOT NULL CONSTRAINT ck_payment_allocations_amount CHECK (amount <> 0), at timestamptz NOT NULL,
        CONSTRAINT pk_payment_allocations PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_payment_allocations_payment FOREIGN KEY (firm_id, payment_id) REFERENCES payments (firm_id, id),
        CONSTRAINT fk_payment_allocations_invoice FOREIGN KEY (firm_id, invoice_id) REFERENCES invoices (firm_id, id))""",
    "CREATE INDEX ix_payment_allocations_payment ON payment_allocations (firm_id, payment_id)",
    "CREATE INDEX ix_payment_allocations_invoice ON payment_allocations (firm_id, invoice_id)",
    """CREATE TABLE ledger_postings (
        firm_id uuid NOT NULL, id uuid NOT NULL, kind text NOT NULL, posted_on date NOT NULL, currency text NOT NULL,
        client_id uuid NOT NULL, invoice_id uuid, payment_id uuid, reverses_id uuid, at timestamptz NOT NULL,
        CONSTRAINT pk_ledger_postings PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_ledger_postings_reverses FOREIGN KEY (firm_id, reverses_id) REFERENCES ledger_postings (firm_id, id))""",
    # A posting is reversed once; an invoice is issued once.
    "CREATE UNIQUE INDEX uq_ledger_postings_reverses ON ledger_postings (firm_id, reverses_id) WHERE reverses_id IS NOT NULL",
    "CREATE UNIQUE INDEX uq_ledger_postings_issue ON ledger_postings (firm_id, invoice_id) WHERE kind = 'invoice_issued'",
    """CREATE TABLE ledger_entries (
        firm_id uuid NOT NULL, id uuid NOT NULL, posting_id uuid NOT NULL, account text NOT NULL,
        debit numeric NOT NULL, credit numeric NOT NULL,
        CONSTRAINT pk_ledger_entries PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_ledger_entries_posting FOREIGN KEY (firm_id, posting_id) REFERENCES ledger_postings (firm_id, id),
        CONSTRAINT ck_ledger_entries_side CHECK (debit >= 0 AND credit >= 0 AND (debit = 0) <> (credit = 0)))""",
    "CREATE INDEX ix_ledger_entries_posting ON ledger_entries (firm_id, posting_id)",
    """CREATE FUNCTION demand_balance() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE posting uuid; legs int; difference numeric;
    BEGIN
        IF TG_TABLE_NAME = 'ledger_postings' THEN posting := NEW.id; ELSE posting := NEW.posting_id; END IF;
        SELECT count(*), sum(debit - credit) INTO legs, difference FROM ledger_entries WHERE firm_id = NEW.firm_id AND posting_id = posting;
        IF legs < 2 OR difference <> 0 THEN
            RAISE EXCEPTION 'posting % is out of balance by %', posting, difference
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balanced';
        END IF;
        RETURN NULL;
    END $f$""",
    "CREATE CONSTRAINT TRIGGER demand_balance AFTER INSERT ON ledger_postings DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION demand_balance()",
    "CREATE CONSTRAINT TRIGGER demand_balance AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION demand_balance()",
)

OWNED = [
    "engagement_copy",
    "job_copy",
    "task_copy",
    "staff_copy",
    "firm_copy",
    "branding_copy",
    "tax_codes",
    "tax_rates",
    "firm_settings",
    "activities",
    "rates",
    "time_entries",
    "invoices",
    "invoice_lines",
    "number_series",
    "wip_items",
    "wip_movements",
    "invoice_items",
    "payments",
    "payment_allocations",
    "ledger_postings",
    "ledger_entries",
]


def upgrade() -> None:
    for statement in (*COPIES, *SETTINGS, *TIME, *INVOICES, *WIP, *MONEY):
        op.execute(statement)
    plumbing(op)
    protect(op, *OWNED)
    protect(op, "client_copy", visible_to=True)
    append_only(op, "wip_movements", "payment_allocations", "ledger_postings", "ledger_entries")
    searchable(op, "client_copy")
    searchable(op, "invoices")
    search_function(
        op,
        "search_invoices(wanted text, most int) RETURNS SETOF uuid",
        """SELECT id FROM (
            SELECT i.id, 0 AS rank FROM invoices i
            WHERE i.firm_id = current_setting('app.firm_id')::uuid AND i.number ILIKE '%' || wanted || '%'
            UNION
            SELECT i.id, 1 FROM client_copy c JOIN invoices i ON i.firm_id = c.firm_id AND i.client_id = c.id
            WHERE c.firm_id = current_setting('app.firm_id')::uuid AND c.name ILIKE '%' || wanted || '%'
        ) hits GROUP BY id ORDER BY min(rank), id DESC LIMIT most""",
    )


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
