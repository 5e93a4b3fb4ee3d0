"""Groups of jobs and tasks under the same filters as their lists. A private client's rows fall out before anything is counted."""

from collections.abc import Mapping
from typing import Any

from chassis.uow import Uow
from workflow.copies.usecases import today_of
from workflow.jobs import queries as jobs
from workflow.jobs.rules import priority_of
from workflow.tasks import queries as tasks

# by -> (what rows are grouped by, how a group is called)
JOBS: Mapping[str, tuple[str, str]] = {
    "owner": ("j.owner_id", "(SELECT s.name FROM staff_copy s WHERE s.firm_id = :firm AND s.id = g.key)"),
    "client": ("j.client_id", "(SELECT c.name FROM client_copy c WHERE c.firm_id = :firm AND c.id = g.key)"),
    "stage": ("j.stage_id", "(SELECT s.name FROM stages s WHERE s.firm_id = :firm AND s.id = g.key)"),
    "template": ("j.template_id", "(SELECT t.name FROM templates t WHERE t.firm_id = :firm AND t.id = g.key)"),
    "status": (f"({jobs.STATUS})", "g.key"),
    "priority": ("j.priority", "g.key::text"),
    "service": ("j.service", "g.key"),
    "due_month": ("date_trunc('month', j.due_on)::date", "g.key::text"),
}
TASKS: Mapping[str, tuple[str, str]] = {
    "owner": ("t.owner_id", JOBS["owner"][1]),
    "client": ("t.client_id", JOBS["client"][1]),
    "job": ("t.job_id", "(SELECT j.title FROM jobs j WHERE j.firm_id = :firm AND j.id = g.key)"),
    "status": ("t.status", "g.key"),
    "priority": ("t.priority", "g.key::text"),
    "role": ("t.role", "g.key"),
    "due_week": ("date_trunc('week', t.due_on)::date", "g.key::text"),
}

_GROUPS = """
SELECT g.*, {label} AS label FROM (
    SELECT {by} AS key, count(*) AS n, sum({table}.budget_minutes)::bigint AS budget_minutes,
        count(*) FILTER (WHERE {overdue}) AS overdue, count(*) OVER () AS groups, sum(count(*)) OVER ()::bigint AS total
    FROM {visible} WHERE {table}.firm_id = :firm {where} GROUP BY 1 ORDER BY n DESC, key LIMIT :n) g
ORDER BY n DESC, key
"""


def job_groups(uow: Uow, by: str, filters: jobs.Filters, *, closed: str | None, limit: int) -> dict[str, Any]:
    """Errors: `owner_invalid`, `watcher_invalid`."""
    where, values = filters.where(uow)
    overdue = f"{jobs.OPEN} AND j.deadline_on < :today"
    return _groups(
        uow, by, JOBS[by], "j", jobs.VISIBLE, f"{jobs.scope(filters, closed)} {where}", overdue, values, limit
    )


def task_groups(uow: Uow, by: str, filters: tasks.Filters, *, limit: int) -> dict[str, Any]:
    """Errors: `owner_invalid`, `watcher_invalid`."""
    where, values = filters.where(uow)
    overdue = f"{tasks.OPEN} AND t.due_sort < :today"
    return _groups(uow, by, TASKS[by], "t", tasks.VISIBLE, where, overdue, values, limit)


def _groups(
    uow: Uow,
    by: str,
    grouped: tuple[str, str],
    table: str,
    visible: str,
    where: str,
    overdue: str,
    values: Mapping[str, Any],
    limit: int,
) -> dict[str, Any]:
    statement = _GROUPS.format(
        by=grouped[0], label=grouped[1], table=table, visible=visible, where=where, overdue=overdue
    )
    parameters = {**values, "firm": uow.firm_id, "today": today_of(uow), "n": limit}
    rows = uow.rows(statement, parameters)
    return {
        "by": by,
        "total": rows[0]["total"] if rows else 0,
        "group_count": rows[0]["groups"] if rows else 0,
        "groups": [
            {
                "key": _key(by, row["key"]),
                "label": priority_of(row["key"]) if by == "priority" else row["label"] or "",
                "count": row["n"],
                "overdue": row["overdue"],
                "budget_minutes": row["budget_minutes"],
            }
            for row in rows
        ],
    }


def _key(by: str, key: Any) -> str | None:
    """As the list's filter takes it; None for what has none."""
    if key is None or key == "":
        return None
    return priority_of(key) if by == "priority" else str(key)
