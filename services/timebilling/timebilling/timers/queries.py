"""Reading timers. What others work on joins the policed client copy, which hides private clients."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.uow import Uow
from praxis.timebilling.v1.events_pb2 import TimerChanged
from timebilling.timers.rules import seconds_between

_TIMERS = """
SELECT t.id AS staff_id, s.name AS staff_name, t.started_at, t.client_id, c.name AS client_name, t.job_id, j.title AS job_title,
       t.task_id, k.title AS task_title, t.activity_id, a.name AS activity_name, t.billable, t.narrative, t.version
FROM timers t
{how} JOIN client_copy c ON c.firm_id = t.firm_id AND c.id = t.client_id
LEFT JOIN job_copy j ON j.firm_id = t.firm_id AND j.id = t.job_id
LEFT JOIN task_copy k ON k.firm_id = t.firm_id AND k.id = t.task_id
LEFT JOIN staff_copy s ON s.firm_id = t.firm_id AND s.id = t.id
LEFT JOIN activities a ON a.firm_id = t.firm_id AND a.id = t.activity_id
WHERE t.firm_id = :firm"""


def own(uow: Uow) -> tuple[dict[str, Any] | None, int]:
    """The caller's running timer, or None, and its version."""
    sql = f"{_TIMERS.format(how='LEFT')} AND t.id = :id"
    row = uow.session.execute(text(sql), {"firm": uow.firm_id, "id": uow.principal.uuid}).mappings().first()
    if row is None:
        return None, 0
    return (None if row["started_at"] is None else _view(uow, row)), row["version"]


def running(uow: Uow, limit: int, cursor: str | None) -> dict[str, Any]:
    """Who is working on what right now."""
    after, values = paging.keyset(["t.id"], cursor)
    sql = f"{_TIMERS.format(how='')} AND t.started_at IS NOT NULL {after} ORDER BY t.id LIMIT :limit"
    rows = uow.session.execute(text(sql), {"firm": uow.firm_id, "limit": limit + 1, **values}).mappings().all()
    page = paging.page(rows, limit, lambda r: (r["staff_id"],))
    return {**page, "items": [_view(uow, r) for r in page["items"]]}


def _view(uow: Uow, row: Mapping[Any, Any]) -> dict[str, Any]:
    # Of a client that has become private meanwhile, its own timer shows no names any more.
    seen = row["client_name"] is not None
    shown = {n: row[n] for n in ("staff_id", "client_id", "job_id", "task_id", "activity_id", "billable", "narrative")}
    return shown | {
        "staff_name": row["staff_name"] or "",
        "client_name": row["client_name"] or "",
        "job_title": (row["job_title"] or "") if seen else "",
        "task_title": row["task_title"] if seen else None,
        "activity_name": row["activity_name"],
        "started_at": row["started_at"].isoformat(),
        "seconds": seconds_between(row["started_at"], uow.now),
        "version": row["version"],
    }


def states(uow: Uow) -> Iterator[tuple[UUID, int, TimerChanged]]:
    """The present state of every timer, for a copy that is new or was dropped."""
    rows = uow.session.execute(
        text("SELECT id, started_at, version FROM timers ORDER BY id").execution_options(yield_per=1000)
    )
    for row in rows:
        yield (
            row.id,
            row.version,
            TimerChanged(staff_id=str(row.id), running=row.started_at is not None, version=row.version),
        )
