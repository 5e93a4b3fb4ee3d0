"""The board in one statement, one column's further cards, and the firm at a glance."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from chassis.uow import Uow
from workflow.copies.usecases import firm_of, today_of
from workflow.jobs.conditions import not_hidden
from workflow.jobs.queries import BESIDES, COLUMNS, OPEN, STATUS, VISIBLE, Filters, Row, count_jobs, job_rows, page_of
from workflow.requests.queries import VISIBLE as VISIBLE_REQUESTS
from workflow.requests.rules import WITH_CLIENT
from workflow.stages.usecases import stages_of
from workflow.tasks.queries import OPEN as OPEN_TASKS
from workflow.tasks.queries import VISIBLE as VISIBLE_TASKS

_BOARD = """
WITH counted AS (
    SELECT j.stage_id, count(*) AS n FROM {counted} WHERE j.firm_id = :firm AND j.on_board {where} {seen} GROUP BY j.stage_id)
SELECT s.id AS column_id, s.name AS stage_name, s.kind AS stage_kind, s.position AS stage_position, s.version AS stage_version,
    COALESCE(counted.n, 0) AS cards, p.*, {besides}
FROM stages s
LEFT JOIN counted ON counted.stage_id = s.id
LEFT JOIN LATERAL (
    SELECT {columns} FROM {visible} WHERE j.firm_id = :firm AND j.stage_id = s.id AND j.on_board {where}
    ORDER BY j.due_sort, j.id LIMIT {most}) p ON true
WHERE s.firm_id = :firm
ORDER BY s.position, p.due_sort, p.id
"""


def board(uow: Uow, filters: Filters, per_column: int) -> dict[str, Any]:
    """Every stage with its first cards and how many there are."""
    today = today_of(uow)
    where, values = filters.where(uow)
    # Counting goes without each card's client, unless a filter asks for it: a few hidden clients are told apart quicker.
    counted, seen = (VISIBLE, "") if filters.tag else ("jobs j", f"AND {not_hidden('j')}")
    words = {"visible": VISIBLE, "where": where, "columns": COLUMNS, "besides": BESIDES}
    asked = _BOARD.format(counted=counted, seen=seen, most=per_column + 1, **words)
    parameters = {**values, "firm": uow.firm_id, "today": today}
    rows = uow.rows(asked, parameters)
    if not rows:  # a firm's first look makes its stages
        stages_of(uow)
        rows = uow.rows(asked, parameters)
    columns: dict[UUID, list[Row]] = {}
    for row in rows:
        columns.setdefault(row["column_id"], []).append(row)
    return {"columns": [_column(rows, per_column, today) for rows in columns.values()], "today": today}


def _column(rows: list[Row], per_column: int, today: date) -> dict[str, Any]:
    first = rows[0]
    paged = page_of([row for row in rows if row["id"]], per_column, "due_on", today)
    stage = {
        "id": first["column_id"],
        **{name: first[f"stage_{name}"] for name in ("name", "kind", "position", "version")},
    }
    return {"stage": stage, "count": first["cards"], "cards": paged["items"], "next_cursor": paged["next_cursor"]}


def column(uow: Uow, stage_id: UUID, filters: Filters, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """Further cards of one stage."""
    where, values = filters.where(uow)
    scope = "AND j.stage_id = :column AND j.on_board"
    rows = job_rows(uow, f"{scope} {where}", {**values, "column": stage_id}, sort="due_on", limit=limit, cursor=cursor)
    return page_of(rows, limit, "due_on", today_of(uow))


# --- overview --------------------------------------------------------------------------------------------------------

_DONE = (
    f"SELECT count(*) AS n FROM {VISIBLE} WHERE j.firm_id = :firm AND j.closed_at >= :since AND j.cancelled_at IS NULL"
)

_REQUESTS = f"""
SELECT count(*) FILTER (WHERE r.status = ANY(:with_client)) AS waiting, count(*) FILTER (WHERE r.status = 'submitted') AS to_review
FROM {VISIBLE_REQUESTS} WHERE r.firm_id = :firm AND r.status = ANY(:open)
"""

_TASK_LOAD = f"""
SELECT t.owner_id, count(*) AS open_tasks, count(*) FILTER (WHERE t.due_sort < :today) AS overdue_tasks,
    count(*) FILTER (WHERE t.due_sort <= :week_ends) AS due_this_week_tasks,
    COALESCE(sum(t.budget_minutes) FILTER (WHERE t.due_sort <= :week_ends), 0) AS due_this_week_minutes
FROM {VISIBLE_TASKS} WHERE t.firm_id = :firm AND {OPEN_TASKS} GROUP BY t.owner_id
"""

_JOB_LOAD = f"""
SELECT owner_id, count(*) AS open_jobs, count(*) FILTER (WHERE status = 'overdue') AS overdue_jobs
FROM (SELECT j.owner_id, {STATUS} AS status FROM {VISIBLE} WHERE j.firm_id = :firm AND {OPEN}) open_jobs GROUP BY owner_id
"""

_STAFF = "SELECT id, name, weekly_capacity_minutes FROM staff_copy WHERE firm_id = :firm AND (active OR id = ANY(:ids)) ORDER BY name, id"


def overview(uow: Uow) -> dict[str, Any]:
    """Jobs per status, what lies with clients, and each person's load this week."""
    today = today_of(uow)
    firm = {"firm": uow.firm_id}
    load = uow.rows(_TASK_LOAD, {**firm, "today": today, "week_ends": _week_ends(uow, today)})
    tasks = {row["owner_id"]: row for row in load}
    jobs = {row["owner_id"]: row for row in uow.rows(_JOB_LOAD, {**firm, "today": today})}
    requests = uow.row(_REQUESTS, {**firm, "with_client": list(WITH_CLIENT), "open": [*WITH_CLIENT, "submitted"]})
    busy = [staff_id for staff_id in {*tasks, *jobs} if staff_id]
    staff = uow.rows(_STAFF, {**firm, "ids": busy})
    return {
        "today": today,
        "counts": count_jobs(uow, Filters()),
        "done_last_30_days": uow.row(_DONE, {**firm, "since": uow.now - timedelta(days=30)}).n,
        "unassigned_tasks": tasks.get(None, {}).get("open_tasks", 0),
        "requests_waiting": requests.waiting,
        "requests_to_review": requests.to_review,
        "owners": [_load(row, jobs.get(row["id"], {}), tasks.get(row["id"], {})) for row in staff],
    }


def _week_ends(uow: Uow, today: date) -> date:
    """The last day of the firm's week that today is in."""
    start = firm_of(uow).week_start
    return today + timedelta(days=6 - (today.isoweekday() - start) % 7)


def _load(staff: Row, jobs: Mapping[str, Any], tasks: Mapping[str, Any]) -> dict[str, Any]:
    task_counts = ("open_tasks", "overdue_tasks", "due_this_week_tasks", "due_this_week_minutes")
    return {
        "staff": {"id": staff["id"], "name": staff["name"]},
        "weekly_capacity_minutes": staff["weekly_capacity_minutes"],
        **{name: jobs.get(name, 0) for name in ("open_jobs", "overdue_jobs")},
        **{name: int(tasks.get(name, 0)) for name in task_counts},
    }
