"""What a client's first pages ask of a firm with twenty thousand of everything is read by index, behind the policies."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chassis.auth import Principal
from chassis.db import new_id
from chassis.testing import World, backing, statements
from chassis.uow import Uow
from portal.requests import queries
from portal.users import queries as users

_CLIENTS = """
    INSERT INTO client_copy (firm_id, id, name, version)
    SELECT %(firm)s, gen_random_uuid(), 'Client ' || n, 1 FROM generate_series(1, 2000) n"""
_EACH = (
    """INSERT INTO contact_copy (firm_id, id, name, email, language, portal_access, active, client_ids, version)
       SELECT firm_id, gen_random_uuid(), 'Contact of ' || name, id || '@example.com', 'en', true, true, ARRAY[id], 1 FROM client_copy c""",
    """INSERT INTO request_copy (firm_id, id, client_id, job_title, title, message, status, due_on, items, return_reason, version)
       SELECT firm_id, gen_random_uuid(), id, 'Job', 'Papers', '', (ARRAY['sent', 'submitted', 'accepted'])[1 + n %% 3], current_date + n, '[]', '', 1
       FROM client_copy c, generate_series(1, 10) n""",
    """INSERT INTO job_copy (firm_id, id, client_id, title, status, due_on, tasks_total, tasks_done, closed, version)
       SELECT firm_id, gen_random_uuid(), id, 'Job', 'on_track', current_date + n, 3, 1, n > 3, 1 FROM client_copy c, generate_series(1, 10) n""",
    """INSERT INTO document_copy (firm_id, id, client_id, name, kind, visibility, status, size, version)
       SELECT firm_id, gen_random_uuid(), id, 'a.pdf', 'upload', 'client_view', 'stored', 1, 1 FROM client_copy c, generate_series(1, 10) n""",
    """INSERT INTO invoice_copy (firm_id, id, client_id, number, status, issued_on, total, balance, currency, version)
       SELECT firm_id, gen_random_uuid(), id, 'INV-' || n, 'open', current_date - n, 1, 1, 'GBP', 1 FROM client_copy c, generate_series(1, 10) n""",
)


@pytest.fixture(scope="module")
def crowd(world: World) -> tuple[UUID, list[UUID]]:
    """A firm with two thousand clients, and two of them whom somebody acts for."""
    firm = world.firm()
    database = world.runtime.settings.database_url.rsplit("/", 1)[1]
    with psycopg.connect(backing("PRAXIS_TEST_POSTGRES_URL"), dbname=database) as connection:
        connection.execute(_CLIENTS, {"firm": firm})
        for statement in _EACH:
            of_firm = " AND " if " WHERE " in statement else " WHERE "
            connection.execute(f"{statement}{of_firm}c.firm_id = %(firm)s", {"firm": firm})
        connection.execute("ANALYZE")
        rows = connection.execute("SELECT id FROM client_copy WHERE firm_id = %s LIMIT 2", (firm,)).fetchall()
    return firm, [row[0] for row in rows]


def plan(world: World, firm: UUID, principal: Principal, ask: Callable[[Uow], Any]) -> str:
    with world.uow(firm, principal=principal) as uow:
        with statements() as seen:
            ask(uow)
        connection = uow.session.connection()
        found = [connection.exec_driver_sql(f"EXPLAIN {s}", p).scalars().all() for s, p in seen]
    assert found
    return "\n".join(line for lines in found for line in lines)


@pytest.mark.parametrize("page", ["asked", "handed_in", "jobs", "documents", "invoices", "client_names"])
def test_a_clients_pages_read_by_index(world: World, crowd: tuple[UUID, list[UUID]], page: str) -> None:
    firm, clients = crowd
    contact = Principal("portal", str(new_id()), firm, client_ids=frozenset(clients))
    shown = plan(world, firm, contact, getattr(queries, page))
    assert "Seq Scan" not in shown, shown


def test_the_list_of_users_reads_its_page_by_index(world: World, crowd: tuple[UUID, list[UUID]]) -> None:
    firm, _ = crowd
    staff = Principal("staff", str(new_id()), firm)
    shown = plan(world, firm, staff, lambda uow: users.listed(uow, limit=50, cursor=None, client_id=None))
    assert "ix_contact_copy_name" in shown, shown
    assert "Seq Scan on contact_copy" not in shown, shown
