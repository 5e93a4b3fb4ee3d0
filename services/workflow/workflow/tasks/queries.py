"""Tasks as the API shows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.uow import Uow
from praxis.workflow.v1.events_pb2 import TaskChanged
from workflow.copies.tables import ClientCopy
from workflow.copies.usecases import today_of
from workflow.jobs.conditions import attributes, due_between, in_group, owner_is
from workflow.jobs.rules import priority_of
from workflow.tasks import rules
from workflow.tasks.events import task_changed
from workflow.tasks.tables import Task
from workflow.watching.queries import watched_by

OPEN = "t.status IN ('not_started', 'in_progress')"
CLOSED = "t.status IN ('done', 'skipped', 'cancelled')"
BLOCKED = "(t.status = 'not_started' AND (t.waits_for > 0 OR COALESCE(t.ready_on > :today, false)))"
VISIBLE = "tasks t JOIN client_copy c ON c.firm_id = t.firm_id AND c.id = t.client_id"

# What an open task waits for: open steps before it, and complete ones whose lag still runs.
_BLOCKED_BY = """
SELECT jsonb_agg(jsonb_build_object('kind', b.kind, 'id', b.id, 'title', b.title,
    'until', CASE WHEN b.complete THEN b.completed_on + b.lag_days END) ORDER BY b.edge)
FROM (
    SELECT d.id AS edge, d.lag_days::int, d.before_kind AS kind, d.before_id AS id, COALESCE(bt.title, br.title) AS title,
        COALESCE(bt.completed_on, br.completed_on) AS completed_on, COALESCE(bt.completed_on, br.completed_on) IS NOT NULL AS complete
    FROM dependencies d
    LEFT JOIN tasks bt ON d.before_kind = 'task' AND bt.firm_id = d.firm_id AND bt.id = d.before_id
    LEFT JOIN requests br ON d.before_kind = 'request' AND br.firm_id = d.firm_id AND br.id = d.before_id
    WHERE d.firm_id = p.firm_id AND d.after_id = p.id) b
WHERE NOT b.complete OR (b.lag_days > 0 AND b.completed_on + b.lag_days > :today)
"""

_COLUMNS = """t.firm_id, t.id, t.job_id, t.client_id, t.key, t.position, t.title, t.description, t.role, t.owner_id, t.priority, t.status,
    t.attention, t.due_on, t.due_sort, t.original_due_on, t.due_moves, t.due_pinned, t.budget_minutes, t.checklist, t.started_at, t.completed_at, t.version"""

_ROWS = """
SELECT p.*, o.name AS owner_name, j.title AS job_title, j.version AS job_version, {job_status} AS job_status,
    (SELECT COALESCE(sum(x.seconds), 0) FROM time_copy x WHERE x.firm_id = p.firm_id AND x.job_id = p.job_id AND x.task_id = p.id) AS logged_seconds,
    CASE WHEN p.open THEN ({blocked_by}) END AS blocked_by
FROM (
    SELECT {columns}, c.name AS client_name, {open} AS open, {blocked} AS is_blocked
    FROM {visible} WHERE t.firm_id = :firm {where} ORDER BY {order} LIMIT {limit}) p
JOIN jobs j ON j.firm_id = p.firm_id AND j.id = p.job_id
LEFT JOIN staff_copy o ON o.firm_id = p.firm_id AND o.id = p.owner_id
ORDER BY {outer_order}
"""

_ALL = 100_000  # no limit: everything of one job


def _rows(uow: Uow, where: str, values: Mapping[str, Any], *, order: str, limit: int) -> list[dict[str, Any]]:
    from workflow.jobs.queries import STATUS  # jobs show their tasks, tasks their job's status

    asked = _ROWS.format(
        job_status=STATUS,
        blocked_by=_BLOCKED_BY,
        open=OPEN,
        blocked=BLOCKED,
        visible=VISIBLE,
        where=where,
        order=order.format("t"),
        outer_order=order.format("p"),
        columns=_COLUMNS,
        limit=limit,
    )
    return uow.rows(asked, {**values, "firm": uow.firm_id, "today": today_of(uow)})


@dataclass(frozen=True)
class Filters:
    """What a list of tasks is narrowed to. `status` goes before `open`; service, stage and template are the job's."""

    owner: str | None = None
    client_id: str | None = None
    client_group_id: str | None = None
    due_from: str | None = None
    due_to: str | None = None
    job_id: str | None = None
    service: str | None = None
    priority: Sequence[str] = ()
    watcher: str | None = None
    tag: str | None = None
    stage_id: str | None = None
    template_id: str | None = None
    role: str | None = None
    status: Sequence[str] = ()
    open: bool = True
    blocked: bool | None = None
    overdue: bool | None = None

    def where(self, uow: Uow) -> tuple[str, dict[str, Any]]:
        """Conditions that each begin with AND, and their parameters. Errors: `owner_invalid`, `watcher_invalid`."""
        parts: list[str] = [f"AND {condition}" for condition in self._statuses()]
        values: dict[str, Any] = {}
        for more, given in (
            owner_is(uow, self.owner, "t.owner_id"),
            watched_by(uow, self.watcher, "t.id"),
            attributes("t", self.priority, self.tag),
            in_group("t", self.client_group_id),
            due_between("t.due_sort", self.due_from, self.due_to),
            self._of_the_job(),
        ):
            parts, values = [*parts, *more], values | given
        for column, value in (("client_id", self.client_id), ("job_id", self.job_id)):
            if value:
                parts.append(f"AND t.{column} = :{column}")
                values[column] = UUID(value)
        if self.role:
            parts.append("AND t.role = :role")
            values["role"] = self.role
        if self.blocked is not None:
            parts.append(f"AND {'' if self.blocked else 'NOT '}{BLOCKED}")
        if self.overdue is not None:
            parts.append("AND t.due_sort < :today" if self.overdue else "AND t.due_sort >= :today")
        return " ".join(parts), values

    def _statuses(self) -> list[str]:
        """In words that the partial indexes know."""
        if not self.status:
            return [OPEN if self.open else CLOSED]
        asked = set(self.status)
        scope = [OPEN] if asked <= set(rules.OPEN) else [CLOSED] if asked <= set(rules.CLOSED) else []
        return [*scope, f"t.status IN ({', '.join(repr(s) for s in (*rules.OPEN, *rules.CLOSED) if s in asked)})"]

    def _of_the_job(self) -> tuple[list[str], dict[str, Any]]:
        given: dict[str, Any] = {}
        if self.service:
            given["service"] = self.service
        for column, value in (("stage_id", self.stage_id), ("template_id", self.template_id)):
            if value:
                given[column] = UUID(value)
        if not given:
            return [], {}
        match = " AND ".join(f"f.{column} = :{column}" for column in given)
        return [f"AND EXISTS (SELECT 1 FROM jobs f WHERE f.firm_id = t.firm_id AND f.id = t.job_id AND {match})"], given


# Columns with their types, and whether they descend.
SORTS: dict[str, tuple[dict[str, str], bool]] = {
    "due_on": ({"due_sort": "date", "id": "uuid"}, False),
    "-due_on": ({"due_sort": "date", "id": "uuid"}, True),
    "priority": ({"priority": "bigint", "due_sort": "date", "id": "uuid"}, False),
}


def list_tasks(uow: Uow, filters: Filters, *, sort: str = "due_on", limit: int, cursor: str | None) -> dict[str, Any]:
    """A page of tasks."""
    columns, descending = SORTS[sort]
    where, values = filters.where(uow)
    names = [f"t.{name}" for name in columns]
    after, position = keyset(names, cursor, descending=descending, casts=list(columns.values()))
    order = ", ".join(f"{{0}}.{name}{' DESC' if descending else ''}" for name in columns)
    rows = _rows(uow, f"{where} {after}", values | position, order=order, limit=limit + 1)
    paged = page(rows, limit, lambda row: [row[name] for name in columns])
    today = today_of(uow)
    return {"items": [_with_job(row, today) for row in paged["items"]], "next_cursor": paged["next_cursor"]}


def task_row(uow: Uow, task_id: UUID) -> dict[str, Any]:
    """One task with its job and client. Errors: `task_not_found`."""
    rows = _rows(uow, "AND t.id = :task", {"task": task_id}, order="{0}.id", limit=1)
    if not rows:
        raise NotFound("task_not_found", "There is no such task.")
    return _with_job(rows[0], today_of(uow))


def tasks_of_job(uow: Uow, job_id: UUID) -> list[dict[str, Any]]:
    today = today_of(uow)
    return [
        _view(row, today)
        for row in _rows(uow, "AND t.job_id = :job", {"job": job_id}, order="{0}.position", limit=_ALL)
    ]


def _view(row: Mapping[str, Any], today: date) -> dict[str, Any]:
    return {
        "id": row["id"],
        "job_id": row["job_id"],
        "key": row["key"],
        "position": row["position"],
        "title": row["title"],
        "description": row["description"],
        "role": row["role"],
        "owner": {"id": row["owner_id"], "name": row["owner_name"] or ""} if row["owner_id"] else None,
        "priority": priority_of(row["priority"]),
        "status": row["status"],
        "blocked": row["is_blocked"],
        "blocked_by": row["blocked_by"] or [],
        "overdue": row["open"] and row["due_on"] is not None and row["due_on"] < today,
        "attention": row["attention"],
        "due_on": row["due_on"],
        "original_due_on": row["original_due_on"],
        "due_moves": row["due_moves"],
        "due_pinned": row["due_pinned"],
        "budget_minutes": row["budget_minutes"],
        "logged_minutes": int(row["logged_seconds"]) // 60,
        "checklist": row["checklist"],
        "started_at": row["started_at"],
        "completed_at": row["completed_at"],
        "version": row["version"],
    }


def _with_job(row: Mapping[str, Any], today: date) -> dict[str, Any]:
    job = {"id": row["job_id"], "title": row["job_title"], "status": row["job_status"], "version": row["job_version"]}
    return _view(row, today) | {"job": job, "client": {"id": row["client_id"], "name": row["client_name"]}}


def task_states(uow: Uow) -> Iterable[tuple[UUID, int, TaskChanged]]:
    """Current state of every task, for a copy that is new or was dropped."""
    for task in uow.session.scalars(select(Task).order_by(Task.id).execution_options(yield_per=500)):
        yield task.id, task.version, task_changed(task)


def task_state(uow: Uow, task_id: UUID) -> TaskChanged:
    """Current state of one task. Errors: `task_not_found`, also for a private client's stranger."""
    visible = (ClientCopy.firm_id == Task.firm_id) & (ClientCopy.id == Task.client_id)
    task = uow.session.scalar(
        select(Task).join(ClientCopy, visible).where(Task.firm_id == uow.firm_id, Task.id == task_id)
    )
    if task is None:
        raise NotFound("task_not_found", "There is no such task.")
    return task_changed(task)
