"""billing: a thousand entries onto one invoice, against raw SQL on tables of the same shape; a billing run over many clients.

The bound locks the entries, writes invoice, line and items, bills the entries and takes a gapless number: four statements and a
commit, as the superuser, with no rules, no tax, no ledger, no audit, no event and no row-level security.
"""

import argparse
import os
import time
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from bench import servers
from bench.report import Figure, Report, median
from chassis import auth
from chassis.auth import Principal
from chassis.db import new_id
from chassis.service import Runtime
from chassis.testing import clone_database
from chassis.uow import unit_of_work
from timebilling.app import service
from timebilling.billing_runs import usecases as runs
from timebilling.invoices import usecases as invoicing

ROUNDS = 7
SHAPE = ("wip_items", "invoices", "invoice_lines", "invoice_items", "number_series")


def main(words: list[str]) -> None:
    options = argparse.ArgumentParser(prog="./praxis bench billing")
    options.add_argument("--entries", type=int, default=1000, help="how many entries go onto the one invoice")
    options.add_argument("--clients", type=int, default=500, help="how many clients the run bills")
    options.add_argument("--each", type=int, default=10, help="how many entries each of them has")
    chosen = options.parse_args(words)
    report = Report("billing")
    with servers.running("--servers"):
        os.environ["PRAXIS_TEST_POSTGRES_URL"] = servers.server_settings()["PRAXIS_POSTGRES_URL"]
        app_url, owner_url = clone_database(service)
        runtime = Runtime(service, service.settings(database_url=app_url, owner_database_url=owner_url))
        firm = new_id()
        _open_firm(runtime, owner_url, firm)
        _one_invoice(report, runtime, owner_url, firm, chosen.entries)
        _run(report, runtime, owner_url, firm, chosen.clients, chosen.each)
    report.keep()


def _open_firm(runtime: Runtime, owner_url: str, firm: UUID) -> None:
    with unit_of_work(runtime, auth.system("timebilling", firm)):
        pass
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO firm_copy (firm_id, id, name, time_zone, currency, country, language, version) "
            "VALUES (%(f)s, %(f)s, 'Bench', 'Europe/London', 'GBP', 'GB', 'en', 1)",
            {"f": firm},
        )
        connection.execute(
            "INSERT INTO branding_copy (firm_id, id, display_name, accent, address, footer, version) "
            "VALUES (%(f)s, %(f)s, 'Bench', '', '', '', 1)",
            {"f": firm},
        )
        connection.execute("CREATE SCHEMA bound")
        for table in SHAPE:
            connection.execute(f"CREATE TABLE bound.{table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING INDEXES)")


def _work(owner_url: str, firm: UUID, clients: int, each: int) -> list[UUID]:
    """New clients with approved, unbilled entries, by COPY; the same WIP for the bound."""
    made, staff = [new_id() for _ in range(clients)], new_id()
    entries = [(client, new_id(), new_id()) for client in made for _ in range(each)]
    jobs = {client: new_id() for client in made}
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE time_entries DISABLE TRIGGER refuse_closed_time")
        columns = "firm_id, id, number, name, status, currency, language, country, address, tax_label, version"
        with cursor.copy(f"COPY client_copy ({columns}) FROM STDIN") as copy:
            for n, client in enumerate(made):
                copy.write_row((firm, client, f"C-{n}", f"Client {n}", "active", "GBP", "en", "GB", "{}", "", 1))
        with cursor.copy("COPY job_copy (firm_id, id, client_id, title, service, closed, version) FROM STDIN") as copy:
            for client, job in jobs.items():
                copy.write_row((firm, job, client, "Advice", "advisory", False, 1))
        columns = (
            "firm_id, id, staff_id, client_id, job_id, day, seconds, billable, narrative, status, created_at, approved_at, "
            "approved_by, billable_seconds, rounding, currency, bill_rate, bill_rule, version"
        )
        with cursor.copy(f"COPY time_entries ({columns}) FROM STDIN") as copy:
            for client, id, _ in entries:
                copy.write_row(
                    (firm, id, staff, client, jobs[client], "2026-11-02", 3600, True, "Advice", "approved", "now", "now",
                     "staff:bench", 3600, "{}", "GBP", 120, "{}", 1)
                )  # fmt: skip
        columns = (
            "firm_id, id, kind, client_id, job_id, staff_id, day, seconds, billable_seconds, currency, standard, billed, "
            "written_down, written_up, written_off, remaining, state"
        )
        for schema in ("public", "bound"):
            with cursor.copy(f"COPY {schema}.wip_items ({columns}) FROM STDIN") as copy:
                for client, id, _ in entries:
                    copy.write_row(
                        (firm, id, "time", client, jobs[client], staff, "2026-11-02", 3600, 3600, "GBP", 120, 0, 0, 0, 0, 120,
                         "unbilled")
                    )  # fmt: skip
        cursor.execute("ALTER TABLE time_entries ENABLE TRIGGER refuse_closed_time")
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return made


def _one_invoice(report: Report, runtime: Runtime, owner_url: str, firm: UUID, entries: int) -> None:
    times: dict[str, list[float]] = {"ours": [], "bound": []}
    with psycopg.connect(owner_url) as raw:
        for _ in range(ROUNDS):
            (client,) = _work(owner_url, firm, 1, entries)
            for name in ("bound", "ours"):
                started = time.perf_counter()
                if name == "bound":
                    _raw(raw, firm, client)
                else:
                    _ours(runtime, firm, client)
                times[name].append((time.perf_counter() - started) * 1000)
    ours, bound = median(times["ours"]), median(times["bound"])
    report.add(Figure(f"{entries:,} entries → one invoice", ours, bound, f"ms, median of {ROUNDS}", "≤ 5", times))


def _ours(runtime: Runtime, firm: UUID, client: UUID) -> None:
    """Drafted and issued as two requests would, with their audit, events and postings."""
    who = Principal("staff", str(new_id()), firm, name="Bench", permissions=frozenset())
    with unit_of_work(runtime, who) as uow:
        draft = invoicing.create_draft(uow, {"client_id": str(client)})
        uow.commit()
    with unit_of_work(runtime, who) as uow:
        invoicing.issue(uow, draft.id, None, None)
        uow.commit()


def _raw(connection: psycopg.Connection[Any], firm: UUID, client: UUID) -> None:
    invoice, line = new_id(), new_id()
    values = {"f": firm, "c": client, "i": invoice, "l": line}
    found = connection.execute(
        "SELECT sum(remaining), min(job_id::text) FROM (SELECT remaining, job_id FROM bound.wip_items "
        "WHERE firm_id = %(f)s AND client_id = %(c)s AND state = 'unbilled' FOR UPDATE) w",
        values,
    ).fetchone()
    assert found is not None
    values |= {"net": found[0], "j": found[1]}
    connection.execute(
        "INSERT INTO bound.number_series AS s (firm_id, id, series, next_number) VALUES (%(f)s, uuidv7(), 'INV', 2) "
        "ON CONFLICT (firm_id, series) DO UPDATE SET next_number = s.next_number + 1",
        values,
    )
    connection.execute(
        "INSERT INTO bound.invoices (firm_id, id, client_id, work_client_id, state, series, sequence, number, currency, "
        "payment_terms_days, note, issued_on, due_on, standard, lines_net, net, tax, total, paid, taxes, frozen, created_at, issued_at, version) "
        "SELECT %(f)s, %(i)s, %(c)s, %(c)s, 'issued', 'INV', next_number - 1, 'INV-' || next_number - 1, 'GBP', 14, '', current_date, "
        "current_date, %(net)s, %(net)s, %(net)s, 0, %(net)s, 0, '[]', '{}', now(), now(), 1 FROM bound.number_series WHERE firm_id = %(f)s",
        values,
    )
    connection.execute(
        "WITH l AS (INSERT INTO bound.invoice_lines (firm_id, id, invoice_id, position, job_id, description, quantity, standard, amount, net, "
        "tax_category, tax_percent, tax_label, tax) VALUES (%(f)s, %(l)s, %(i)s, 1, %(j)s, 'Advice', 1, %(net)s, %(net)s, %(net)s, 'O', 0, '', 0)), "
        "x AS (INSERT INTO bound.invoice_items (firm_id, id, invoice_id, line_id, item_id, standard, billed, live) "
        "SELECT firm_id, uuidv7(), %(i)s, %(l)s, id, standard, standard, true FROM bound.wip_items "
        "WHERE firm_id = %(f)s AND client_id = %(c)s AND state = 'unbilled') "
        "UPDATE bound.wip_items SET state = 'billed', billed = standard, remaining = 0, invoice_id = %(i)s "
        "WHERE firm_id = %(f)s AND client_id = %(c)s AND state = 'unbilled'",
        values,
    )
    connection.commit()


def _run(report: Report, runtime: Runtime, owner_url: str, firm: UUID, clients: int, each: int) -> None:
    """A run that drafts and issues, as the worker does it, in one thread."""
    ids = _work(owner_url, firm, clients, each)
    who = Principal("staff", str(new_id()), firm, name="Bench", permissions=frozenset({runs.ISSUE}))
    with unit_of_work(runtime, who) as uow:
        runs.start(uow, {"client_ids": [str(i) for i in ids], "issue": True})
        uow.commit()
    started = time.perf_counter()
    while _advance(runtime, firm):
        pass
    rate = clients / (time.perf_counter() - started)
    report.add(
        Figure(f"a billing run over {clients} clients", rate, None, "invoices/s", "≥ 15", {"entries_each": each})
    )


def _advance(runtime: Runtime, firm: UUID) -> bool:
    """The next chunk of the run, as its timer does it; False when nobody waits any more."""
    with unit_of_work(runtime, auth.system("timebilling", firm)) as uow:
        run = uow.session.execute(
            text("SELECT run_id FROM billing_run_items WHERE firm_id = :firm AND state = 'waiting' LIMIT 1"),
            {"firm": firm},
        ).scalar()
        if run is None:
            return False
        runs.advance(uow, str(run))
        uow.commit()
        return True
