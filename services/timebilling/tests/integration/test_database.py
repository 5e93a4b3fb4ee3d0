"""The lists and the search use their indexes as the application's login."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from chassis.db import new_id
from chassis.testing import World


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
        connection.execute("ANALYZE")
        client = connection.execute("SELECT id FROM client_copy WHERE firm_id = %(f)s LIMIT 1", values).fetchone()
    assert client is not None
    return firm, staff, UUID(str(client[0]))


def plans(world: World, firm: UUID, path: str, staff: UUID) -> list[str]:
    """The plans of what an operation reads, made as the application's login with the parameters it used."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(world.runtime.engine, "before_cursor_execute", note)
    try:
        world.api(firm, staff=staff).get(path).expect(200)
    finally:
        event.remove(world.runtime.engine, "before_cursor_execute", note)
    found = []
    with world.uow(firm, staff=staff) as uow:
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
        ("/wip/by-job", "ix_wip_items_"),
        ("/wip/by-staff", "ix_wip_items_"),
        ("/wip/items?client_id={client}", "ix_wip_items"),
        ("/invoices?client_id={client}", "ix_invoices_client"),
        ("/invoices?limit=50", "pk_invoices"),
        ("/invoices?limit=50&status=overdue", "_invoices"),
        ("/overview", "ix_wip_items_"),
        ("/debtors", "ix_invoices_open"),
        ("/search?q=000123", "pk_invoices"),
    ],
)
def test_lists_use_their_index(world: World, crowded: Any, path: str, index: str) -> None:
    firm, staff, client = crowded
    with world.uow(firm) as uow:
        job = uow.session.execute(text("SELECT id FROM job_copy WHERE client_id = :c"), {"c": client}).scalar()
    found = plans(world, firm, path.format(staff=staff, client=client, job=job), staff)
    assert any(index in plan for plan in found), "\n\n".join(found)
    # Of the large tables nothing is read whole.
    assert not any(f"Seq Scan on {table}" in plan for plan in found for table in ("time_entries", "wip_items")), (
        "\n\n".join(found)
    )


def test_search_finds_numbers_and_names(world: World, crowded: Any) -> None:
    """Every match is found though thousands are like it."""
    firm, staff, _ = crowded
    assert (
        world.api(firm, staff=staff).get("/search?q=INV-000123").expect(200).json["items"][0]["number"] == "INV-000123"
    )
    assert len(world.api(firm, staff=staff).get("/search?q=number 399").expect(200).json["items"]) == 12
