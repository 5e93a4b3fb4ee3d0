"""A firm with years of work, straight into the database of the workflow service."""

import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from bench import servers
from chassis.db import new_id

TASKS_A_JOB = 10
OPEN = 16  # one job in so many is open: jobs come at the same rate over the years, and those due around now are open
CLIENTS_A_PRIVATE_ONE = 50
_STAFF = 40


def database(role: str) -> str:
    """The workflow service's database, as its application (`app`) or its owner."""
    from tools.launcher.area import Area
    from tools.launcher.platform import Platform

    return Platform(Area(servers.STATE / "run", servers.STATE / "secrets")).database_url("workflow", role)


def fill(url: str, firm: UUID, me: UUID, tasks: int, clients: int) -> None:
    """So many tasks in a tenth as many jobs, done but for one job in eight; one client in fifty is somebody else's private one.
    `url` is the owner's: row-level security would stop nobody else."""
    print(f"filling in {tasks:,} tasks …", flush=True)
    with psycopg.connect(url) as connection:
        stages = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM stages WHERE firm_id = %s ORDER BY position", (firm,)
            ).fetchall()
        ]
        for table, columns, rows in _tables(_People(me, stages), tasks // TASKS_A_JOB, clients):
            with connection.cursor().copy(f"COPY {table} (firm_id, id, {columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((firm, *row))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


class _People:
    """Who and where: staff, stages, and what belongs to job number n."""

    def __init__(self, me: UUID, stages: list[UUID]) -> None:
        self.staff = [me, *(new_id() for _ in range(_STAFF - 1))]
        self.stages, self.done = stages[:-1], stages[-1]
        self.today, self.now = datetime.now(UTC).date(), datetime.now(UTC)

    def owner(self, n: int) -> UUID:
        return self.staff[n // OPEN % len(self.staff)]

    def due(self, n: int) -> date:
        """Open jobs are due around today, the others over the last five years."""
        return self.today + timedelta(days=n % 150 - 30) if _open(n) else self.today - timedelta(days=n % 1800 + 30)

    def made(self, n: int) -> datetime:
        """Forty days before it is due, if that has been."""
        return self.now - timedelta(days=max((self.today - self.due(n)).days + 40, 0), minutes=n % 1440)


def _open(n: int) -> bool:
    return n % OPEN == 0


def _tables(people: _People, jobs: int, clients: int) -> Iterator[tuple[str, str, Iterable[Any]]]:
    client_ids = [new_id() for _ in range(clients)]
    # As a firm's work comes in: the jobs made last, most of the open ones among them, stand next to each other.
    work = [(n, new_id(), client_ids[n % clients]) for n in sorted(range(jobs), key=people.due)]
    steps = [[new_id() for _ in range(TASKS_A_JOB)] for _ in range(jobs)]
    yield (
        "staff_copy",
        "name, grade, weekly_capacity_minutes, skills, active, version",
        ((staff, f"Person {i}", "senior", 2250, [], True, 1) for i, staff in enumerate(people.staff[1:])),
    )
    yield (
        "client_copy",
        "name, status, year_end, tags, visible_to, version",
        (
            (id, f"Client {i}", "active", "12-31", [f"tag{i % 20}"], _private(i, people), 1)
            for i, id in enumerate(client_ids)
        ),
    )
    yield (
        "jobs",
        "client_id, repeat_no, title, service, starts_on, owner_id, stage_id, people, internal_due, statutory_due, status, "
        "tasks_total, tasks_done, open_tasks, requests_open, requests_waiting, next_ready_on, next_step_due, last_step_due, "
        "budget_minutes, closed_at, on_board, search_text, created_at, changed_at, version",
        (_job(people, n, id, client) for n, id, client in work),
    )
    yield (
        "tasks",
        "job_id, client_id, position, title, description, role, owner_id, status, priority, budget_minutes, checklist, due_on, due_moves, "
        "due_pinned, waits_for, begins_on, blocked, completed_on, version",
        (
            row
            for (n, id, client), ids in zip(work, steps, strict=True)
            for row in _job_tasks(people, n, id, client, ids)
        ),
    )
    yield (
        "dependencies",
        "job_id, before_kind, before_id, after_kind, after_id, lag_days",
        (
            (new_id(), id, "task", before, "task", after, 0)
            for (n, id, _), ids in zip(work, steps, strict=True)
            if _open(n)
            for before, after in itertools.pairwise(ids)
        ),
    )
    yield (
        "time_copy",
        "job_id, task_id, staff_id, day, seconds, version",
        (
            (new_id(), id, ids[0], people.owner(n), people.due(n), 5400, 1)
            for (n, id, _), ids in zip(work, steps, strict=True)
        ),
    )


def _private(i: int, people: _People) -> list[UUID] | None:
    return [people.staff[1]] if i % CLIENTS_A_PRIVATE_ONE == 1 else None


def _job(people: _People, n: int, id: UUID, client: UUID) -> tuple[Any, ...]:
    due, still_open = people.due(n), _open(n)
    left = TASKS_A_JOB if still_open else 0
    title = f"VAT return {n}"
    return (
        id, client, 0, title, ("vat", "accounts", "payroll")[n % 3], due - timedelta(days=40), people.owner(n),
        people.stages[n // OPEN % len(people.stages)] if still_open else people.done, "{}", due, due + timedelta(days=17), "on_track",
        TASKS_A_JOB, TASKS_A_JOB - left, left, 0, 0, people.today if left else None, _step_due(due, 0) if left else None, _step_due(due, TASKS_A_JOB - 1) if left else None,
        60 * TASKS_A_JOB, None if still_open else people.now - timedelta(days=n % 1800 + 30), still_open,
        f"{title} client".lower(), people.made(n), people.now, 1,
    )  # fmt: skip


def _job_tasks(people: _People, n: int, job: UUID, client: UUID, ids: list[UUID]) -> Iterator[tuple[Any, ...]]:
    due, still_open = people.due(n), _open(n)
    for i, id in enumerate(ids):
        waits = 1 if still_open and i else 0
        yield (
            id, job, client, i + 1, f"Step {i + 1}", "", "preparer", people.owner(n + i * OPEN), "not_started" if still_open else "done",
            3, 60, "[]", _step_due(due, i), 0, False, waits, _step_due(due, i - 1) if i else due - timedelta(days=40), bool(waits), None if still_open else due, 1,
        )  # fmt: skip


def _step_due(due: date, i: int) -> date:
    """A job's steps follow one another day by day, the last on the day before it is due."""
    return due - timedelta(days=TASKS_A_JOB - i)
