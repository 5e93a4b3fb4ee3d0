"""The lists and the search use their indexes as the application's login."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from chassis.db import new_id
from chassis.testing import World, statements
from timebilling.app import service

# Thousands of each of what the lists below show, few of them in the state that is asked for.
MONEY_AND_PAPERS = (
    "ALTER TABLE disbursements DISABLE TRIGGER refuse_closed_time",
    """INSERT INTO disbursements (firm_id, id, staff_id, client_id, job_id, day, description, currency, amount, tax, tax_recoverable,
           markup_percent, billable, status, created_at, approved_at, approved_by, version)
       SELECT %(f)s, uuidv7(), CASE n %% 20 WHEN 0 THEN %(s)s ELSE uuidv7() END, j.client_id, j.id, current_date - n, 'Fee', 'GBP', 10, 0,
           false, 0, true, CASE WHEN n = 1 THEN 'submitted' ELSE 'approved' END, now(), CASE WHEN n > 1 THEN now() END,
           CASE WHEN n > 1 THEN 'staff:x' END, 1
       FROM generate_series(1, 25) n, job_copy j WHERE j.firm_id = %(f)s""",
    "ALTER TABLE disbursements ENABLE TRIGGER refuse_closed_time",
    """INSERT INTO payments (firm_id, id, client_id, currency, amount, allocated, refunded, received_on, method, reference, created_at)
       SELECT %(f)s, uuidv7(), c.id, 'GBP', 10, CASE WHEN n = 1 AND c.number::int < 20 THEN 0 ELSE 10 END, 0, current_date - 20 * n, 'bank', '', now()
       FROM generate_series(1, 25) n, client_copy c WHERE c.firm_id = %(f)s""",
    """INSERT INTO payment_allocations (firm_id, id, payment_id, invoice_id, amount, at)
       SELECT %(f)s, uuidv7(), p.id, i.id, p.allocated, now() FROM payments p JOIN LATERAL (SELECT id FROM invoices i
           WHERE i.firm_id = p.firm_id AND i.client_id = p.client_id LIMIT 1) i ON true WHERE p.firm_id = %(f)s AND p.allocated > 0""",
    """INSERT INTO refunds (firm_id, id, payment_id, kind, amount, returned_on, reference, reason, at)
       SELECT %(f)s, uuidv7(), id, 'refund', 1, received_on, '', 'x', now() FROM payments WHERE firm_id = %(f)s AND received_on < current_date - 50""",
    "INSERT INTO bank_imports SELECT %(f)s, %(f)s, n::text, 'x.csv', 1, 1, 'x', now() FROM generate_series(1, 1) n",
    """INSERT INTO bank_lines (firm_id, id, import_id, account, fingerprint, booked_on, amount, currency, counterparty, reference, state, reason, version)
       SELECT %(f)s, uuidv7(), %(f)s, (n %% 50)::text, n::text::bytea, current_date - n %% 400, 10, 'GBP', '', '',
           CASE WHEN n %% 1000 = 0 THEN 'open' ELSE 'ignored' END, 'x', 1 FROM generate_series(1, 10000) n""",
    """INSERT INTO payment_reminders (firm_id, id, invoice_id, client_id, level, days_overdue, balance, interest, currency, at)
       SELECT firm_id, uuidv7(), id, client_id, n, 10, 1, 0, 'GBP', now() FROM invoices, generate_series(1, 2) n WHERE firm_id = %(f)s""",
    """INSERT INTO made_files (firm_id, id, kind, client_id, invoice_id, currency, name, state, document_id, requested_by, created_at, done_at)
       SELECT firm_id, uuidv7(), 'ubl', client_id, id, 'GBP', 'x', 'kept', id, 'x', now(), now() FROM invoices WHERE firm_id = %(f)s""",
    """INSERT INTO billing_runs (firm_id, id, group_by, issue, send, created_at, created_by)
       SELECT %(f)s, uuidv7(), 'job', true, false, now(), 'x' FROM generate_series(1, 60) n""",
    """INSERT INTO billing_run_items (firm_id, id, run_id, client_id, state)
       SELECT %(f)s, uuidv7(), r.id, c.id, 'skipped' FROM billing_runs r, client_copy c WHERE r.firm_id = %(f)s AND c.firm_id = %(f)s""",
    """INSERT INTO arrangements (firm_id, id, client_id, title, kind, currency, every, in_advance, open, problem, version)
       SELECT %(f)s, uuidv7(), c.id, 'x', 'recurring', 'GBP', 'monthly', false, true,
           CASE WHEN n = 1 AND c.number = '7' THEN '{"code": "x", "message": "x", "invoice_id": null}'::jsonb END, 1
       FROM generate_series(1, 10) n, client_copy c WHERE c.firm_id = %(f)s""",
    """WITH made AS (
           INSERT INTO ledger_postings (firm_id, id, kind, posted_on, currency, client_id, at)
           SELECT %(f)s, uuidv7(), 'payment_received', current_date - n, 'GBP', c.id, now() FROM generate_series(1, 25) n, client_copy c
           WHERE c.firm_id = %(f)s RETURNING id)
       INSERT INTO ledger_entries (firm_id, id, posting_id, account, debit, credit)
       SELECT %(f)s, uuidv7(), m.id, v.account, v.debit, v.credit FROM made m, (VALUES ('bank', 10, 0), ('client_credit', 0, 10)) v (account, debit, credit)""",
    "ALTER TABLE invoices DISABLE TRIGGER demand_sum_of_credit_lines",
    "ALTER TABLE invoices DISABLE TRIGGER demand_next_credit_number",
    """INSERT INTO invoices (firm_id, id, kind, corrects_id, reason, client_id, work_client_id, state, series, sequence, number, currency,
           payment_terms_days, note, issued_on, due_on, standard, lines_net, net, tax, total, paid, taxes, frozen, created_at, issued_at, version)
       SELECT firm_id, uuidv7(), 'credit_note', id, 'x', client_id, client_id, 'issued', 'CN', sequence, 'CN-' || sequence, 'GBP', 0, '',
           current_date, current_date, 0, 1, 1, 0, 1, 0, '[]', '{}', now(), now(), 1 FROM invoices WHERE firm_id = %(f)s AND sequence <= 20""",
    "ALTER TABLE invoices ENABLE TRIGGER demand_next_credit_number",
    "ALTER TABLE invoices ENABLE TRIGGER demand_sum_of_credit_lines",
)
LARGE = (
    "arrangements",
    "time_entries",
    "wip_items",
    "disbursements",
    "payments",
    "payment_allocations",
    "refunds",
    "bank_lines",
    "payment_reminders",
    "made_files",
    "billing_run_items",
    "ledger_postings",
    "ledger_entries",
)


@pytest.fixture(scope="module")
def crowded(world: World) -> Any:
    """A firm with enough rows that a wrong plan shows: 400 clients, 20,000 entries and their WIP, 5,000 invoices."""
    import psycopg

    firm, staff = world.firm(), new_id()
    with world.uow(firm):
        pass
    values = {"f": firm, "s": staff}
    with psycopg.connect(world.runtime.settings.owner_database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO firm_copy VALUES (%(f)s, %(f)s, 'Big', 'Europe/London', 'GBP', 'GB', 'en', 1)",
            values,
        )
        connection.execute(
            "INSERT INTO client_copy SELECT %(f)s, uuidv7(), n::text, 'Client number ' || n, 'active', 'GBP', 'en', 'GB', '{}', '', NULL, NULL, NULL, 1 "
            "FROM generate_series(1, 400) n",
            values,
        )
        connection.execute(
            "INSERT INTO job_copy SELECT %(f)s, uuidv7(), id, NULL, 'Job of ' || name, 'vat', NULL, false, 1 FROM client_copy WHERE firm_id = %(f)s",
            values,
        )
        connection.execute("ALTER TABLE time_entries DISABLE TRIGGER refuse_closed_time")
        connection.execute(
            """INSERT INTO time_entries (firm_id, id, staff_id, client_id, job_id, day, seconds, billable, narrative, status, created_at, approved_at,
                   approved_by, billable_seconds, rounding, currency, bill_rate, bill_rule, version)
               SELECT %(f)s, uuidv7(), CASE n %% 20 WHEN 0 THEN %(s)s ELSE uuidv7() END, j.client_id, j.id, current_date - n %% 300, 3600, true, '',
                   'approved', now(), now(), 'staff:x', 3600, '{}', 'GBP', 100, '{}', 1
               FROM generate_series(1, 50) n, job_copy j WHERE j.firm_id = %(f)s""",
            values,
        )
        connection.execute("ALTER TABLE time_entries ENABLE TRIGGER refuse_closed_time")
        connection.execute(
            """INSERT INTO wip_items SELECT firm_id, id, 'time', client_id, job_id, staff_id, NULL, day, 3600, 3600, 'GBP', 100, 0, 0, 0,
                   CASE WHEN day > current_date - 290 THEN 100 ELSE 0 END, CASE WHEN day > current_date - 290 THEN 0 ELSE 100 END,
                   CASE WHEN day > current_date - 290 THEN 'written_off' ELSE 'unbilled' END, NULL FROM time_entries WHERE firm_id = %(f)s""",
            values,
        )
        connection.execute(
            """INSERT INTO wip_movements (firm_id, id, item_id, job_id, currency, kind, amount, at)
               SELECT firm_id, uuidv7(), id, job_id, 'GBP', 'standard', 100, now() FROM wip_items WHERE firm_id = %(f)s""",
            values,
        )
        connection.execute("ALTER TABLE invoices DISABLE TRIGGER demand_sum_of_credit_lines")
        connection.execute(
            "INSERT INTO number_series (firm_id, id, series, next_number) VALUES (%(f)s, uuidv7(), 'INV', 4801)", values
        )
        connection.execute(
            """INSERT INTO invoices (firm_id, id, client_id, work_client_id, state, series, sequence, number, currency, payment_terms_days, note,
                   issued_on, due_on, standard, lines_net, net, tax, total, paid, taxes, frozen, created_at, issued_at, version)
               SELECT %(f)s, uuidv7(), c.id, c.id, 'issued', 'INV', row_number() OVER (), 'INV-' || lpad((row_number() OVER ())::text, 6, '0'), 'GBP', 14, '',
                   current_date - n, current_date - n, 10, 10, 10, 0, 10, CASE WHEN n = 1 THEN 0 ELSE 10 END, '[]', '{}', now(), now(), 1
               FROM generate_series(1, 12) n, client_copy c WHERE c.firm_id = %(f)s""",
            values,
        )
        connection.execute("ALTER TABLE invoices ENABLE TRIGGER demand_sum_of_credit_lines")
        for statement in MONEY_AND_PAPERS:
            connection.execute(statement, values)
        connection.execute("VACUUM ANALYZE")
        client = connection.execute("SELECT id FROM client_copy WHERE firm_id = %(f)s LIMIT 1", values).fetchone()
    assert client is not None
    return firm, staff, UUID(str(client[0]))


def plans(world: World, firm: UUID, path: str, staff: UUID) -> list[str]:
    """The plans of what an operation reads, made as the application's login with the parameters it used."""
    with statements() as seen:
        world.api(firm, staff=staff).get(path).expect(200)
    found = []
    with world.uow(firm, staff=staff) as uow:
        # As much as the tests have, reading all of it is nearly as cheap: as for the millions of a firm, a jump costs no more than a step.
        uow.session.execute(text("SET LOCAL random_page_cost = 1.0"))
        for statement, parameters in seen:
            if "FROM" in statement and "set_config" not in statement:
                rows = uow.session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters)
                found.append("\n".join(r[0] for r in rows))
    return found


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("/time-entries?limit=50", "ix_time_entries_day"),
        ("/time-entries?limit=50&staff_id={staff}", "ix_time_entries_staff"),
        ("/time-entries?limit=50&job_id={job}", "ix_time_entries_job"),
        ("/time-entries?limit=50&client_id={client}", "ix_time_entries_client"),
        ("/time-entries?limit=50&status=draft", "ix_time_entries_open"),
        ("/time-entries?limit=50&status=submitted", "ix_time_entries_open"),
        ("/time-entries?limit=50&status=returned", "ix_time_entries_open"),
        ("/time-entries?limit=50&status=written_off", "ix_wip_items_"),
        ("/my-day", "ix_time_entries_"),
        ("/weeks/2026-11-02", "ix_time_entries_"),
        ("/quick-entry?text=2h", "ix_time_entries_"),
        ("/wip", "Index Only Scan using ix_wip_items_open"),
        ("/wip/by-job", "Index Only Scan using ix_wip_items_open"),
        ("/wip/by-staff", "Index Only Scan using ix_wip_items_open"),
        ("/wip/items?client_id={client}", "ix_wip_items"),
        ("/wip/items/{item}/movements", "ix_wip_movements_item"),
        ("/invoices?client_id={client}", "ix_invoices_client"),
        ("/invoices?limit=50", "pk_invoices"),
        ("/invoices?limit=50&status=overdue", "_invoices"),
        ("/invoices?limit=50&kind=credit_note", "ix_invoices_credit_notes"),
        ("/invoices?corrects_id={invoice}", "ix_invoices_corrects"),
        ("/disbursements?limit=50", "ix_disbursements_day"),
        ("/disbursements?limit=50&staff_id={staff}", "ix_disbursements_staff"),
        ("/disbursements?limit=50&client_id={client}", "ix_disbursements_client"),
        ("/disbursements?limit=50&status=submitted", "ix_disbursements_open"),
        ("/payments?limit=50", "pk_payments"),
        ("/payments?limit=50&client_id={client}", "ix_payments_client"),
        ("/payments?limit=50&unapplied=true", "ix_payments_unapplied"),
        ("/bank-lines?limit=50", "ix_bank_lines_booked_on"),
        ("/bank-lines?limit=50&state=open", "ix_bank_lines_state"),
        ("/bank-lines?limit=50&account=7", "ix_bank_lines_account"),
        ("/reminders?limit=50", "pk_payment_reminders"),
        ("/reminders?limit=50&client_id={client}", "ix_payment_reminders_client"),
        ("/reminders?limit=50&invoice_id={invoice}", "uq_payment_reminders_level"),
        ("/files?limit=50", "pk_made_files"),
        ("/files?limit=50&client_id={client}", "ix_made_files_client"),
        ("/files?limit=50&invoice_id={invoice}", "ix_made_files_invoice"),
        ("/clients/{client}/statement?first=2026-01-01&last=2026-12-31", "ix_ledger_postings_client"),
        ("/ledger/entries?first=2026-01-01&last=2026-12-31", "ix_ledger_postings_posted_on"),
        ("/ledger/entries?first=2026-01-01&last=2026-12-31&client_id={client}", "ix_ledger_postings_client"),
        ("/arrangements?limit=50&problem=true", "ix_arrangements_problem"),
        ("/billing-runs?limit=5", "ix_billing_run_items_run"),
        ("/billing-runs/{run}", "ix_billing_run_items_run"),
        ("/billing-runs/{run}/clients?limit=50", "ix_billing_run_items_run"),
        ("/overview", "ix_wip_items_"),
        ("/debtors", "ix_invoices_open"),
        ("/search?q=000123", "pk_invoices"),
    ],
)
def test_lists_use_their_index(world: World, crowded: Any, path: str, index: str) -> None:
    firm, staff, client = crowded
    with world.uow(firm) as uow:
        one = {
            "job": "SELECT id FROM job_copy WHERE client_id = :c",
            "invoice": "SELECT id FROM invoices WHERE client_id = :c LIMIT 1",
            "item": "SELECT id FROM wip_items WHERE client_id = :c LIMIT 1",
            "run": "SELECT id FROM billing_runs ORDER BY id LIMIT 1",
        }
        ids = {name: uow.session.execute(text(sql), {"c": client}).scalar() for name, sql in one.items()}
    found = plans(world, firm, path.format(staff=staff, client=client, **ids), staff)
    assert any(index in plan for plan in found), "\n\n".join(found)
    # Of the large tables nothing is read whole.
    assert not any(f"Seq Scan on {table}" in plan for plan in found for table in LARGE), "\n\n".join(found)


def test_search_finds_numbers_and_names(world: World, crowded: Any) -> None:
    """Every match is found though thousands are like it."""
    firm, staff, _ = crowded
    assert (
        world.api(firm, staff=staff).get("/search?q=INV-000123").expect(200).json["items"][0]["number"] == "INV-000123"
    )
    assert len(world.api(firm, staff=staff).get("/search?q=number 399").expect(200).json["items"]) == 12


def refused(world: World, firm: UUID, sql: str, **values: Any) -> str | None:
    """The rule by which the database itself refuses a statement of the application's login."""
    with (
        pytest.raises((IntegrityError, ProgrammingError)) as caught,
        world.uow(firm) as uow,
    ):
        uow.session.execute(text(sql), {"f": firm, **values})
    diagnosis = getattr(caught.value.orig, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or getattr(diagnosis, "sqlstate", None)


def test_what_items_and_movements_refer_to_is_there(new_firm: Any) -> None:
    """Looked up once per statement, and as sure as a foreign key: an item, a line of that very invoice, an invoice."""
    firm = new_firm()
    firm.rate()
    firm.approved(3600, 3600)
    one, other = firm.draft(until=firm.day(1)), new_id()
    world, line = firm.world, one["lines"][0]["id"]
    (item, *_) = firm.approved(60)
    place = (
        "INSERT INTO invoice_items (firm_id, id, invoice_id, line_id, item_id, standard, billed, live) "
        "VALUES (:f, uuidv7(), :invoice, :line, :item, 0, 0, true)"
    )
    draft = one["id"]
    assert refused(world, firm.id, place, invoice=draft, line=line, item=other) == "fk_invoice_items_item"
    assert refused(world, firm.id, place, invoice=other, line=line, item=item) == "fk_invoice_items_invoice"
    move = (
        "INSERT INTO wip_movements (firm_id, id, item_id, job_id, currency, kind, amount, at) "
        "VALUES (:f, uuidv7(), :item, :item, 'GBP', 'standard', 1, now())"
    )
    assert refused(world, firm.id, move, item=other) == "fk_wip_movements_item"
    reserve = "UPDATE wip_items SET state = 'reserved', invoice_id = :other WHERE firm_id = :f AND id = :item"
    assert refused(world, firm.id, reserve, item=item, other=other) == "fk_wip_items_invoice"
    moved = "UPDATE invoice_items SET item_id = :item WHERE firm_id = :f AND line_id = :line"
    assert refused(world, firm.id, moved, item=item, line=line) == "invoice_items_fixed"
    assert refused(world, firm.id, "DELETE FROM wip_items WHERE firm_id = :f AND id = :item", item=item) == "42501"
    drop = (
        "WITH x AS (DELETE FROM invoice_items WHERE firm_id = :f AND invoice_id = :i), "
        "l AS (DELETE FROM invoice_lines WHERE firm_id = :f AND invoice_id = :i) DELETE FROM invoices WHERE firm_id = :f AND id = :i"
    )
    assert refused(world, firm.id, drop, i=draft) in ("fk_wip_items_invoice", "fk_invoice_items_line")
    firm.holds()


def test_every_rule_of_the_database_that_has_a_code_is_there(world: World) -> None:
    """A constraint, an index or what a trigger raises by that name: a rule renamed would answer with an error of ours."""
    found = text(
        "SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class WHERE relkind = 'i' "
        "UNION SELECT m[1] FROM pg_proc, regexp_matches(prosrc, $$CONSTRAINT = '([a-z_]+)'$$, 'g') m"
    )
    with world.runtime.engine.connect() as connection:
        there = set(connection.execute(found).scalars())
    assert set(service.constraints) - there == set()
