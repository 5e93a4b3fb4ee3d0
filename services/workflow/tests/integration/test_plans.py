"""How the main questions are answered with 100,000 jobs and 200,000 tasks, as the application's login; and how few statements a job takes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import create_engine, text

from chassis.paging import encode_cursor
from chassis.testing import World, drop_database, make_world, statements
from chassis.uow import Uow
from workflow.app import service
from workflow.automations import queries as automations
from workflow.board import queries as board
from workflow.calendars import queries as calendars
from workflow.capacity import queries as capacity
from workflow.comments import queries as comments
from workflow.feeds import queries as feeds
from workflow.feeds.tables import Feed
from workflow.grouping import queries as grouping
from workflow.jobs import queries as jobs
from workflow.jobs.conditions import due_between
from workflow.jobs.queries import Filters
from workflow.jobs.usecases import create_job
from workflow.keeping.usecases import clear
from workflow.reports import queries as reports
from workflow.requests import queries as requests
from workflow.runs import queries as runs
from workflow.schedules import queries as schedules
from workflow.tasks import queries as tasks

SEED = (
    """INSERT INTO stages (firm_id, id, name, kind, position, version)
       SELECT :firm, gen_random_uuid(), 'Stage ' || n, 'active', n, 1 FROM generate_series(1, 5) n""",
    """INSERT INTO client_copy (firm_id, id, name, status, year_end, tags, visible_to, version)
       SELECT :firm, gen_random_uuid(), 'Client ' || n, 'active', '', '{}', CASE WHEN n % 50 = 0 THEN ARRAY[gen_random_uuid()] END, 1
       FROM generate_series(1, 10000) n""",
    """INSERT INTO staff_copy (firm_id, id, name, grade, weekly_capacity_minutes, skills, active, version)
       SELECT :firm, gen_random_uuid(), 'Person ' || n, 'senior', 2250, '{}', true, 1 FROM generate_series(1, 40) n""",
    # One job in sixteen is on the board, as after some years of work.
    """INSERT INTO jobs (firm_id, id, client_id, repeat_no, title, service, starts_on, owner_id, stage_id, people, internal_due, status,
            tasks_total, tasks_done, open_tasks, requests_open, requests_waiting, next_ready_on, budget_minutes, closed_at, on_board, search_text,
            created_at, changed_at, version)
       SELECT :firm, gen_random_uuid(), c.ids[1 + n % 10000], 0, 'VAT return ' || n, 'vat', current_date, s.ids[1 + n % 40], g.ids[1 + n % 5], '{}',
            current_date - n / 100 + 60, 'on_track', 3, 0, 3, 0, 0, current_date, 60, CASE WHEN n % 16 > 0 THEN now() - n * interval '20 min' END, n % 16 = 0,
            'vat return ' || n || ' client ' || n % 10000, now() - n * interval '20 min', now(), 1
       FROM generate_series(1, 100000) n,
            (SELECT array_agg(id) AS ids FROM client_copy WHERE firm_id = :firm) c,
            (SELECT array_agg(id) AS ids FROM staff_copy WHERE firm_id = :firm) s,
            (SELECT array_agg(id) AS ids FROM stages WHERE firm_id = :firm) g""",
    """INSERT INTO tasks (firm_id, id, job_id, client_id, position, title, description, role, owner_id, status, budget_minutes, checklist,
            due_on, due_moves, due_pinned, waits_for, begins_on, blocked, version)
       SELECT :firm, gen_random_uuid(), j.id, j.client_id, p, 'Task ' || p, '', '', j.owner_id,
            CASE WHEN j.on_board THEN 'not_started' ELSE 'done' END, 60, '[]', j.due_on, 0, false, 0, j.starts_on, false, 1
       FROM jobs j, generate_series(1, 2) p WHERE j.firm_id = :firm""",
    """INSERT INTO requests (firm_id, id, job_id, client_id, position, title, message, status, send, due_on, due_moves, due_pinned, waits_for,
            reminders, reminders_sent, waited_seconds, changed_at, version)
       SELECT :firm, gen_random_uuid(), id, client_id, 1, 'Papers', '', CASE WHEN on_board THEN 'sent' ELSE 'accepted' END, 'automatically', due_on,
            0, false, 0, '{}', 0, 0, now(), 1
       FROM jobs WHERE firm_id = :firm""",
    """INSERT INTO time_copy (firm_id, id, job_id, task_id, staff_id, day, seconds, version)
       SELECT :firm, gen_random_uuid(), job_id, id, owner_id, current_date, 3600, 1 FROM tasks WHERE firm_id = :firm""",
    # A hundred comments a day for some years.
    """INSERT INTO comments (firm_id, id, job_id, client_id, author, author_name, body, mentions, at, version)
       SELECT :firm, gen_random_uuid(), id, client_id, 'staff:x', 'Ada', 'Called them.', '{}', now(), 1 FROM jobs WHERE firm_id = :firm""",
    """INSERT INTO templates (firm_id, id, name, service, description, draft, draft_differs, archived, version)
       SELECT :firm, gen_random_uuid(), 'Template ' || n, 'vat', '', '{}', false, false, 1 FROM generate_series(1, 100) n""",
    # Every client has two schedules; each has come twice.
    """INSERT INTO schedules (firm_id, id, template_id, client_id, rule, starts_on, ahead_days, ahead_before, people, status, created_at, version)
       SELECT :firm, gen_random_uuid(), t.ids[1 + n % 100], c.ids[1 + n % 10000], '{"kind": "months", "every": 3}', '2026-01-01', 0, 'period_start',
            '{}', 'active', now() - n * interval '1 min', 1
       FROM generate_series(1, 20000) n,
            (SELECT array_agg(id) AS ids FROM client_copy WHERE firm_id = :firm) c, (SELECT array_agg(id) AS ids FROM templates WHERE firm_id = :firm) t""",
    """INSERT INTO schedule_periods (firm_id, id, schedule_id, period_start, period_end, status, by, at)
       SELECT :firm, gen_random_uuid(), s.id, date '2025-01-01' + 90 * p, date '2025-03-31' + 90 * p, 'skipped', 'Ada', now()
       FROM schedules s, generate_series(0, 1) p WHERE s.firm_id = :firm""",
    """INSERT INTO leave (firm_id, id, staff_id, first_day, last_day, kind, note, version)
       SELECT :firm, gen_random_uuid(), s.id, current_date - 700 + 3 * n, current_date - 699 + 3 * n, 'holiday', '', 1
       FROM staff_copy s, generate_series(1, 250) n WHERE s.firm_id = :firm""",
    """INSERT INTO feeds (firm_id, id, staff_id, kind, secret_hash, created_at, version)
       SELECT :firm, gen_random_uuid(), s.id, 'person', sha256((s.id::text || n)::bytea), now(), 1
       FROM staff_copy s, generate_series(1, 100) n WHERE s.firm_id = :firm""",
    """INSERT INTO automations (firm_id, id, name, enabled, archived, trigger, current_number, version)
       SELECT :firm, gen_random_uuid(), 'Automation ' || n, true, false, 'job_made', 1, 1 FROM generate_series(1, 50) n""",
    """INSERT INTO automation_versions (firm_id, id, automation_id, number, content, made_at, made_by)
       SELECT :firm, gen_random_uuid(), id, 1, '{"trigger": {"on": "job_made"}, "conditions": [], "actions": []}', now(), 'Ada'
       FROM automations WHERE firm_id = :firm""",
    """INSERT INTO happenings (firm_id, id, kind, job_id, client_id, subject_type, subject_id, facts, chain, at)
       SELECT :firm, gen_random_uuid(), 'job_made', id, client_id, 'job', id, '{}', '{}', created_at FROM jobs WHERE firm_id = :firm LIMIT 20000""",
    """INSERT INTO automation_runs (firm_id, id, ref, automation_id, name, number, happening_id, kind, job_id, client_id, subject_type, subject_id,
            outcome, says, acts, at)
       SELECT :firm, gen_random_uuid(), a.ids[1 + n % 50], a.ids[1 + n % 50], 'A', 1, h.id, h.kind, h.job_id, h.client_id, h.subject_type, h.subject_id,
            CASE WHEN n % 100 = 7 THEN 'done' ELSE 'not_met' END, '', '[]', h.at
       FROM (SELECT *, row_number() OVER () AS n FROM happenings WHERE firm_id = :firm) h,
            (SELECT array_agg(id) AS ids FROM automations WHERE firm_id = :firm) a""",
    """INSERT INTO runs (firm_id, id, kind, template_id, template_version, parameters, asked_kind, asked_by, asked_by_name, created_at, finished_at)
       SELECT :firm, gen_random_uuid(), 'apply', t.ids[1 + n % 100], 1, '{}', 'staff', gen_random_uuid(), 'Ada', now() - n * interval '1 hour', now()
       FROM generate_series(1, 2000) n, (SELECT array_agg(id) AS ids FROM templates WHERE firm_id = :firm) t""",
    """INSERT INTO run_items (firm_id, id, run_id, position, client_id, status)
       SELECT :firm, gen_random_uuid(), r.id, p, c.ids[1 + p], 'done'
       FROM runs r, generate_series(1, 10) p, (SELECT array_agg(id) AS ids FROM client_copy WHERE firm_id = :firm) c WHERE r.firm_id = :firm""",
    """INSERT INTO group_copy (firm_id, id, name, client_ids, dissolved, version)
       SELECT :firm, gen_random_uuid(), 'Family', array_agg(id), false, 1 FROM (
           SELECT id FROM client_copy WHERE firm_id = :firm LIMIT 5) members""",
    "VACUUM ANALYZE",
)


@dataclass(frozen=True)
class Large:
    world: World
    firm: UUID

    def plans(self, ask: Callable[[Uow], Any]) -> "Plans":
        """The plans of every statement a question is answered by, as the application's login sees them."""
        with self.world.uow(self.firm, staff=uuid4()) as uow:
            with statements() as seen:
                ask(uow)
            connection = uow.session.connection()
            nodes: list[dict[str, Any]] = []
            for statement, parameters in seen:
                if statement.lstrip().upper().startswith(("SELECT", "WITH")):
                    answer = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
                    nodes += walk((orjson.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"])
        return Plans(nodes)


@dataclass(frozen=True)
class Plans:
    nodes: list[dict[str, Any]]

    @property
    def indexes(self) -> set[str]:
        return {n["Index Name"] for n in self.nodes if "Index Name" in n}

    def scanned_whole(self, *tables: str) -> set[str]:
        return {n["Relation Name"] for n in self.nodes if n["Node Type"] == "Seq Scan" and n["Relation Name"] in tables}


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from walk(child)


@pytest.fixture(scope="module")
def large() -> Iterator[Large]:
    """A database of its own: the other tests' questions stay small."""
    world, firm = make_world(service), uuid4()
    engine = create_engine(world.runtime.settings.owner_database_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in SEED:
            connection.execute(text(statement), {"firm": firm} if ":firm" in statement else {})
    engine.dispose()
    yield Large(world, firm)
    world.close()
    drop_database(world.runtime.settings.database_url)


BIG = ("jobs", "tasks", "requests", "time_copy")


def test_the_board_reads_only_what_is_on_it(large: Large) -> None:
    plans = large.plans(lambda uow: board.board(uow, Filters(), 50))
    assert plans.scanned_whole(*BIG) == set()
    assert "ix_jobs_board" in plans.indexes


def test_cards_are_counted_by_the_index_alone(large: Large) -> None:
    plans = large.plans(lambda uow: board.board(uow, Filters(), 50))
    alone = {n["Index Name"] for n in plans.nodes if n["Node Type"] == "Index Only Scan"}
    assert "ix_jobs_board" in alone
    assert plans.scanned_whole("client_copy") == set()


def test_a_filtered_board_reads_only_what_is_on_it(large: Large) -> None:
    filters = Filters(owner=str(uuid4()), status=["overdue", "at_risk"], due_to="2026-12-31")
    plans = large.plans(lambda uow: board.board(uow, filters, 50))
    assert plans.scanned_whole(*BIG) == set()


def test_lists_of_jobs_go_by_an_index_in_every_order(large: Large) -> None:
    for sort, index in (("due_on", "ix_jobs_open"), ("-due_on", "ix_jobs_open")):
        plans = large.plans(
            lambda uow, s=sort: jobs.list_jobs(uow, Filters(), closed="false", sort=s, limit=50, cursor=None)
        )
        assert plans.scanned_whole(*BIG) == set()
        assert index in plans.indexes
    newest = large.plans(
        lambda uow: jobs.list_jobs(uow, Filters(), closed="any", sort="-created_at", limit=50, cursor=None)
    )
    assert "ix_jobs_created" in newest.indexes


def test_a_deep_page_starts_at_its_place_in_the_index(large: Large) -> None:
    place = text("SELECT due_sort, id FROM jobs WHERE firm_id = :f ORDER BY due_sort, id OFFSET 80000 LIMIT 1")
    with large.world.uow(large.firm) as uow:
        cursor = encode_cursor(uow.session.execute(place, {"f": large.firm}).one())
    plans = large.plans(
        lambda uow: jobs.list_jobs(uow, Filters(), closed="any", sort="due_on", limit=50, cursor=cursor)
    )
    scan = next(n for n in plans.nodes if n.get("Index Name") == "ix_jobs_due")
    assert "ROW(due_sort, id)" in scan["Index Cond"]


def test_counts_and_overview_read_open_work_only(large: Large) -> None:
    plans = large.plans(board.overview)
    assert plans.scanned_whole(*BIG) == set()


def test_reports_read_open_work_and_their_span_only(large: Large) -> None:
    for by in ("owner", "client", "template"):
        plans = large.plans(lambda uow, by=by: reports.standing(uow, by=by, limit=50, cursor=None))  # type: ignore[misc]
        assert plans.scanned_whole(*BIG) == set()
    for by in ("owner", "client"):
        plans = large.plans(lambda uow, by=by: reports.workload(uow, by=by, limit=50, cursor=None))  # type: ignore[misc]
        assert plans.scanned_whole(*BIG) == set()
        assert f"ix_tasks_open_{by}" in plans.indexes
    for by in ("month", "client"):
        plans = large.plans(
            lambda uow, by=by: reports.delivery(uow, by=by, first=None, last=None, limit=50, cursor=None)  # type: ignore[misc]
        )
        assert plans.scanned_whole(*BIG) == set()
        assert {"ix_jobs_closed", "ix_jobs_created"} <= plans.indexes


def test_capacity_reads_open_tasks_only(large: Large) -> None:
    assert large.plans(lambda uow: capacity.capacity(uow, 8)).scanned_whole(*BIG) == set()


def test_my_week_goes_by_my_index(large: Large) -> None:
    def mine(uow: Uow) -> Any:
        owner = uow.session.execute(
            text("SELECT id FROM staff_copy WHERE firm_id = :f LIMIT 1"), {"f": large.firm}
        ).scalar_one()
        return tasks.list_tasks(uow, tasks.Filters(owner=str(owner)), limit=50, cursor=None)

    plans = large.plans(mine)
    assert plans.scanned_whole(*BIG) == set()
    assert "ix_tasks_open_owner" in plans.indexes


def somebody(large: Large, table: str) -> str:
    with large.world.uow(large.firm) as uow:
        found = text(f"SELECT id FROM {table} WHERE firm_id = :f LIMIT 1")
        return str(uow.session.execute(found, {"f": large.firm}).scalar_one())


@pytest.mark.parametrize(
    ("narrowed", "sort"),
    [
        ({}, "due_on"),
        ({}, "-due_on"),
        ({}, "priority"),
        ({"open": False}, "due_on"),
        ({"open": False, "owner": "staff_copy"}, "due_on"),
        ({"open": False, "client_id": "client_copy"}, "due_on"),
        ({"owner": "staff_copy", "overdue": True}, "due_on"),
        ({"owner": "staff_copy", "blocked": False, "due_to": "2030-01-01"}, "due_on"),
        ({"client_id": "client_copy"}, "due_on"),
        ({"job_id": "jobs"}, "due_on"),
        ({"watcher": "staff_copy"}, "due_on"),
        ({"priority": ["urgent", "high"]}, "priority"),
        ({"status": ["in_progress", "done"]}, "due_on"),
        ({"status": ["done"], "owner": "staff_copy"}, "due_on"),
        ({"service": "vat", "stage_id": "stages"}, "due_on"),
        ({"tag": "vip", "role": "preparer"}, "due_on"),
    ],
)
def test_no_list_of_tasks_reads_them_all(large: Large, narrowed: dict[str, Any], sort: str) -> None:
    tables = {"staff_copy", "client_copy", "jobs", "stages"}
    given = {k: somebody(large, v) if v in tables else v for k, v in narrowed.items() if not isinstance(v, list)}
    given |= {k: v for k, v in narrowed.items() if isinstance(v, list)}
    plans = large.plans(lambda uow: tasks.list_tasks(uow, tasks.Filters(**given), sort=sort, limit=50, cursor=None))
    assert plans.scanned_whole(*BIG) == set()


def test_a_person_s_and_a_client_s_closed_tasks_go_by_indexes_of_their_own(large: Large) -> None:
    for name, table in (("owner", "staff_copy"), ("client_id", "client_copy")):
        given = {name: somebody(large, table), "open": False}
        plans = large.plans(lambda uow, g=given: tasks.list_tasks(uow, tasks.Filters(**g), limit=50, cursor=None))  # type: ignore[misc]
        assert f"ix_tasks_closed_{name.removesuffix('_id')}" in plans.indexes


def test_a_deep_page_of_tasks_starts_at_its_place_in_the_index(large: Large) -> None:
    place = text(
        "SELECT due_sort, id FROM tasks WHERE firm_id = :f AND status = 'done' ORDER BY due_sort, id OFFSET 150000 LIMIT 1"
    )
    with large.world.uow(large.firm) as uow:
        cursor = encode_cursor(uow.session.execute(place, {"f": large.firm}).one())
    plans = large.plans(lambda uow: tasks.list_tasks(uow, tasks.Filters(open=False), limit=50, cursor=cursor))
    scan = next(n for n in plans.nodes if n.get("Index Name") == "ix_tasks_due")
    assert "ROW(due_sort, id)" in scan["Index Cond"]


@pytest.mark.parametrize(
    ("filters", "closed", "sort"),
    [
        (Filters(), "false", "priority"),
        (Filters(priority=["urgent"]), "false", "priority"),
        (Filters(tag="vip", service="vat"), "false", "due_on"),
        (Filters(watcher=str(uuid4())), "any", "due_on"),
        (Filters(status=["at_risk", "overdue"]), "false", "due_on"),
        (Filters(due_from="2026-01-01", due_to="2026-12-31"), "any", "due_on"),
        (Filters(), "true", "-due_on"),
    ],
)
def test_no_list_of_jobs_reads_them_all(large: Large, filters: Filters, closed: str, sort: str) -> None:
    plans = large.plans(lambda uow: jobs.list_jobs(uow, filters, closed=closed, sort=sort, limit=50, cursor=None))
    assert plans.scanned_whole(*BIG) == set()


def test_work_for_a_group_of_clients_goes_by_the_clients_indexes(large: Large) -> None:
    group = somebody(large, "group_copy")
    filters = Filters(client_group_id=group)
    plans = large.plans(lambda uow: jobs.list_jobs(uow, filters, closed="any", sort="due_on", limit=50, cursor=None))
    assert "ix_jobs_client" in plans.indexes
    plans = large.plans(lambda uow: tasks.list_tasks(uow, tasks.Filters(client_group_id=group), limit=50, cursor=None))
    assert "ix_tasks_open_client" in plans.indexes


def test_groups_of_open_work_read_open_work_only(large: Large) -> None:
    for by in grouping.JOBS:
        plans = large.plans(lambda uow, b=by: grouping.job_groups(uow, b, Filters(), closed=None, limit=50))  # type: ignore[misc]
        assert plans.scanned_whole(*BIG) == set()
    for by in grouping.TASKS:
        plans = large.plans(lambda uow, b=by: grouping.task_groups(uow, b, tasks.Filters(), limit=50))  # type: ignore[misc]
        assert plans.scanned_whole("tasks", "requests", "time_copy") == set()


@pytest.mark.parametrize(
    "narrowed",
    [
        {"overdue": True},
        {"escalated": True},
        {"status": ["submitted"]},
        {"tag": "vip"},
        {"due": "2026-12-31"},
        {"of_job": {"service": "vat"}},
        {"sort": "-due_on"},
        {"sort": "waiting_since"},
    ],
)
def test_no_list_of_requests_reads_them_all(large: Large, narrowed: dict[str, Any]) -> None:
    given = {"status": []} | narrowed
    if "due" in given:
        given["due"] = due_between("r.due_sort", None, given["due"])
    plans = large.plans(
        lambda uow: requests.list_requests(
            uow, owner=([], {}), client_id=None, job_id=None, limit=50, cursor=None, **given
        )
    )
    assert plans.scanned_whole("requests", "tasks") == set()


def test_comments_and_watchers_go_by_the_job(large: Large) -> None:
    with large.world.uow(large.firm) as uow:
        statement = "SELECT j.id FROM jobs j JOIN client_copy c ON c.id = j.client_id WHERE j.firm_id = :f AND c.visible_to IS NULL LIMIT 1"
        job = uow.session.execute(text(statement), {"f": large.firm}).scalar_one()
    plans = large.plans(lambda uow: comments.list_comments(uow, job, task_id=None, limit=50, cursor=None))
    assert "ix_comments_job" in plans.indexes


def test_a_job_page_touches_only_its_own_rows(large: Large) -> None:
    with large.world.uow(large.firm) as uow:
        statement = "SELECT j.id FROM jobs j JOIN client_copy c ON c.id = j.client_id WHERE j.firm_id = :f AND c.visible_to IS NULL LIMIT 1"
        job = uow.session.execute(text(statement), {"f": large.firm}).scalar_one()
    plans = large.plans(lambda uow: jobs.job_page(uow, job))
    assert plans.scanned_whole(*BIG) == set()


def test_requests_are_listed_by_an_index(large: Large) -> None:
    plans = large.plans(
        lambda uow: requests.list_requests(
            uow, owner=([], {}), client_id=None, job_id=None, status=[], limit=50, cursor=None
        )
    )
    assert plans.scanned_whole("jobs", "tasks") == set()
    longest = large.plans(
        lambda uow: requests.list_requests(
            uow, owner=([], {}), client_id=None, job_id=None, status=[], sort="waiting_since", limit=50, cursor=None
        )
    )
    assert "ix_requests_waiting" in longest.indexes


# Everything that grows with the firm's years, whatever is asked of it.
GROWING = (
    *BIG,
    "comments",
    "schedules",
    "schedule_periods",
    "leave",
    "feeds",
    "happenings",
    "automation_runs",
    "runs",
    "run_items",
)


def of(large: Large, statement: str) -> Any:
    with large.world.uow(large.firm) as uow:
        return uow.session.execute(text(statement), {"f": large.firm}).scalar_one()


A_CLIENT = "SELECT id FROM client_copy WHERE firm_id = :f AND visible_to IS NULL LIMIT 1"
A_PERSON = "SELECT id FROM staff_copy WHERE firm_id = :f LIMIT 1"
AN_AUTOMATION = "SELECT id FROM automations WHERE firm_id = :f LIMIT 1"
A_TEMPLATE = "SELECT id FROM templates WHERE firm_id = :f LIMIT 1"
A_RUN = "SELECT id FROM runs WHERE firm_id = :f LIMIT 1"
A_SCHEDULE = "SELECT s.id FROM schedules s JOIN client_copy c ON c.id = s.client_id WHERE s.firm_id = :f AND c.visible_to IS NULL LIMIT 1"


@pytest.mark.parametrize("narrowed", [{}, {"client": A_CLIENT}, {"template_id": A_TEMPLATE}, {"status": "active"}])
def test_no_list_of_schedules_reads_them_all(large: Large, narrowed: dict[str, str]) -> None:
    given = {k: v if k == "status" else of(large, v) for k, v in narrowed.items()}
    asked = {"client": None, "template_id": None, "status": None, "cursor": None, "limit": 50} | given
    plans = large.plans(lambda uow: schedules.list_schedules(uow, **asked))
    assert plans.scanned_whole(*GROWING) == set()


def test_periods_go_by_their_schedule(large: Large) -> None:
    schedule = of(large, A_SCHEDULE)
    plans = large.plans(lambda uow: schedules.list_periods(uow, schedule, limit=50, cursor=None))
    assert plans.scanned_whole(*GROWING) == set()
    assert "uq_schedule_periods_firm_id" in plans.indexes


def test_runs_and_their_items_go_by_indexes(large: Large) -> None:
    run, template = of(large, A_RUN), of(large, A_TEMPLATE)
    for which in (None, template):
        plans = large.plans(lambda uow, t=which: runs.list_runs(uow, t, limit=50, cursor=None))  # type: ignore[misc]
        assert plans.scanned_whole(*GROWING) == set()
    plans = large.plans(lambda uow: runs.list_items(uow, run, "done", limit=50, cursor=None))
    assert plans.scanned_whole(*GROWING) == set()


def test_leave_is_read_for_its_days(large: Large) -> None:
    first = date(2026, 11, 1)
    for staff in (None, of(large, A_PERSON)):
        plans = large.plans(
            lambda uow, s=staff: calendars.list_leave(uow, first, first + timedelta(days=30), s, limit=50, cursor=None)  # type: ignore[misc]
        )
        assert plans.scanned_whole("leave") == set()


def test_a_person_s_feeds_and_what_stands_in_one_go_by_indexes(large: Large) -> None:
    person, client = of(large, A_PERSON), of(large, A_CLIENT)
    plans = large.plans(lambda uow: feeds.list_feeds(uow, limit=50, cursor=None))
    assert plans.scanned_whole(*GROWING) == set()
    for feed in (Feed(kind="person", staff_id=person), Feed(kind="client", staff_id=person, client_id=client)):
        plans = large.plans(lambda uow, f=feed: feeds.calendar(uow, f))  # type: ignore[misc]
        assert plans.scanned_whole(*GROWING) == set()


def test_automations_say_when_they_last_did_something_without_reading_all_they_did(large: Large) -> None:
    plans = large.plans(lambda uow: automations.list_automations(uow, archived=False, limit=50, cursor=None))
    assert plans.scanned_whole(*GROWING) == set()
    assert "ix_automation_runs_done" in plans.indexes


@pytest.mark.parametrize("narrowed", [{}, {"automation_id": AN_AUTOMATION}, {"outcome": "done"}])
def test_no_log_of_automations_reads_it_all(large: Large, narrowed: dict[str, str]) -> None:
    given = {k: v if k == "outcome" else str(of(large, v)) for k, v in narrowed.items()}
    asked = {"automation_id": None, "job_id": None, "outcome": None, "cursor": None, "limit": 50} | given
    plans = large.plans(lambda uow: automations.list_runs(uow, **asked))
    assert plans.scanned_whole(*GROWING) == set()


def test_what_is_past_its_keeping_is_found_by_indexes(large: Large) -> None:
    plans = large.plans(lambda uow: clear(uow, "2026-01-01"))
    assert plans.scanned_whole("happenings", "automation_runs", "runs", "run_items") == set()


def test_search_goes_by_trigrams_though_rows_are_policed(large: Large) -> None:
    body = "SELECT id FROM jobs WHERE firm_id = :f AND search_text LIKE :q LIMIT 100"
    engine = create_engine(large.world.runtime.settings.owner_database_url)
    with engine.connect() as connection:
        plan = "\n".join(connection.execute(text("EXPLAIN " + body), {"f": large.firm, "q": "%77123%"}).scalars())
    engine.dispose()
    assert "ix_jobs_trigrams" in plan
    with large.world.uow(large.firm, staff=uuid4()) as uow:
        found = jobs.search(uow, "client 123 return 60123", 10)["items"]
        assert [hit["title"] for hit in found] == ["VAT return 60123"]


def test_a_template_of_twenty_tasks_is_applied_in_few_statements(firm: Any) -> None:
    steps = [{"key": f"t{i}", "title": f"Task {i}"} for i in range(20)]
    edges = [{"before": f"t{i}", "after": f"t{i + 1}"} for i in range(19)]
    template = firm.publish({"tasks": steps, "dependencies": edges}, name="Twenty")
    with firm.world.uow(firm.id, staff=firm.ada) as uow:
        with statements() as seen:
            create_job(uow, {"template_id": template, "client_id": str(firm.client)})
        written = [s for s, _ in seen if s.startswith("INSERT")]
        # Stages, template, version, client, staff, firm, the job that may exist already; then job, tasks, dependencies, and what happened.
        assert len(written) == 3
        assert len(seen) <= 15
