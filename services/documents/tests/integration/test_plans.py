"""Lists and search among twenty thousand documents read by index, as the application's login, behind its policies."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chassis.db import new_id
from chassis.testing import World, backing, statements
from chassis.uow import Uow
from documents.files import queries

WORDS = (
    "accounts invoice statement return letter contract payslip receipt deed minutes ledger budget forecast report mandate proxy "
    "certificate policy quote order reminder notice appeal assessment filing register schedule valuation lease mortgage pension "
    "dividend bonus expense travel insurance warranty licence patent trademark"
)
_CLIENTS = """
    INSERT INTO client_copy (firm_id, id, name, version)
    SELECT %(firm)s, gen_random_uuid(), 'Client ' || n, 1 FROM generate_series(1, 200) n"""
_JOBS = """
    INSERT INTO job_copy (firm_id, id, client_id, title, version)
    SELECT %(firm)s, gen_random_uuid(), id, 'Accounts', 1 FROM client_copy WHERE firm_id = %(firm)s"""
_DOCUMENTS = """
    INSERT INTO documents (firm_id, id, client_id, job_id, request_id, name, name_folded, kind, visibility, status, current_version, size,
        sha256, media_type, uploaded_by, uploaded_by_name, created_at, changed_at, version)
    SELECT %(firm)s, gen_random_uuid(), j.client_id, j.id, gen_random_uuid(), t.name, t.name, 'upload', 'firm', 'stored', 1, 1,
        repeat('0', 64), 'application/pdf', 'staff:x', 'X', now(), now(), 1
    FROM job_copy j, LATERAL (
        SELECT word || ' ' || left(md5(j.id::text || n), 5) || ' ' || n || '.pdf' AS name
        FROM generate_series(1, 100) n, LATERAL (SELECT (string_to_array(%(words)s, ' '))[1 + n %% 40] AS word) w) t
    WHERE j.firm_id = %(firm)s"""


@pytest.fixture(scope="module")
def crowd(world: World) -> UUID:
    """A firm with twenty thousand documents."""
    firm = world.firm()
    with superuser(world) as connection:
        for statement in (_CLIENTS, _JOBS, _DOCUMENTS):
            connection.execute(statement, {"firm": firm, "words": WORDS})
        connection.execute("ANALYZE")
    return firm


def superuser(world: World) -> psycopg.Connection[Any]:
    database = world.runtime.settings.database_url.rsplit("/", 1)[1]
    return psycopg.connect(backing("PRAXIS_TEST_POSTGRES_URL"), dbname=database)


def plans(world: World, firm: UUID, ask: Callable[[Uow], object]) -> str:
    """The plans of what a read asks the database, as text."""
    with world.uow(firm, staff=new_id()) as uow:
        with statements() as seen:
            ask(uow)
        connection = uow.session.connection()
        found = [
            connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
            for statement, parameters in seen
        ]
    assert found
    return "\n".join(line for plan in found for line in plan)


def sample(world: World, firm: UUID) -> Any:
    with superuser(world) as connection:
        row = connection.execute(
            "SELECT client_id, job_id, request_id FROM documents WHERE firm_id = %s LIMIT 1", (firm,)
        ).fetchone()
    assert row
    return row


@pytest.mark.parametrize("what", ["newest", "by name", "of a client", "of a job", "of a request"])
def test_a_list_reads_its_page_by_index(world: World, crowd: UUID, what: str) -> None:
    client, job, request = (str(i) for i in sample(world, crowd))
    filters, sort, index = {
        "newest": ({}, "-created_at", "documents"),  # its own key, or the one with the status: as the table is
        "by name": ({}, "name", "ix_documents_name"),
        "of a client": ({"client_id": client}, "-created_at", "ix_documents_client"),
        "of a job": ({"job_id": job}, "-created_at", "ix_documents_job"),
        "of a request": ({"request_id": request}, "-created_at", "ix_documents_request"),
    }[what]
    plan = plans(
        world, crowd, lambda uow: queries.listed(uow, limit=50, cursor=None, sort=sort, status="stored", **filters)
    )
    assert index in plan, plan
    assert "Seq Scan on documents" not in plan, plan


@pytest.mark.parametrize(
    ("typed", "index"),
    [
        ("valuation 77", "ix_documents_name_folded"),
        ("asessment", "ix_documents_name_folded"),
        ("mo", "ix_documents_name_begins"),
    ],
)
def test_search_reads_by_index_inside_its_function(world: World, crowd: UUID, typed: str, index: str) -> None:
    """auto_explain belongs to superusers, so the connection is one that has put on the application's login."""
    notices: list[str] = []
    with superuser(world) as connection:
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        connection.execute("LOAD 'auto_explain'")
        for name, value in _EXPLAIN.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        connection.execute("SET SESSION AUTHORIZATION documents_app")
        connection.execute(
            "SELECT set_config('app.firm_id', %s, false), set_config('app.viewer', %s, false)",
            (str(crowd), str(new_id())),
        )
        notices.clear()
        found = connection.execute("SELECT documents_by_name(%s, 20)", (typed,)).fetchall()
        connection.execute("SELECT 1")
    plan = "\n".join(n for n in notices if "name_folded" in n)
    assert found
    assert index in plan, plan
    assert "Seq Scan on documents" not in plan, plan


_EXPLAIN = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_level": "notice",
    "client_min_messages": "notice",
}
