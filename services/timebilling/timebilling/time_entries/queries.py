"""Reading time entries: SQL straight to the API's shape. Every row joins the policed client copy, which hides private clients."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged
from timebilling import money
from timebilling.time_entries.rules import Rounding, billable_seconds

SEE_VALUE = "timebilling:wip:read"

_ENTRIES = """
SELECT e.id, e.staff_id, s.name AS staff_name, e.client_id, c.name AS client_name, e.job_id, j.title AS job_title,
       e.task_id, t.title AS task_title, e.activity_id, a.name AS activity_name, e.day, e.seconds, e.started_at, e.ended_at, e.billable, e.narrative,
       e.status, e.return_reason, e.override_rate, e.override_currency, e.override_reason, e.billable_seconds, e.currency, e.bill_rate,
       e.version, w.state AS wip, w.standard, w.invoice_id, coalesce(pj.increment, pc.increment, f.rounding_increment) AS rounding_increment,
       coalesce(pj.direction, pc.direction, f.rounding_direction) AS rounding_direction,
       coalesce(pj.minimum, pc.minimum, f.rounding_minimum) AS rounding_minimum, coalesce(pj.per, pc.per, f.rounding_per) AS rounding_per
FROM time_entries e
JOIN client_copy c ON c.firm_id = e.firm_id AND c.id = e.client_id
LEFT JOIN job_copy j ON j.firm_id = e.firm_id AND j.id = e.job_id
LEFT JOIN staff_copy s ON s.firm_id = e.firm_id AND s.id = e.staff_id
LEFT JOIN task_copy t ON t.firm_id = e.firm_id AND t.id = e.task_id
LEFT JOIN activities a ON a.firm_id = e.firm_id AND a.id = e.activity_id
LEFT JOIN wip_items w ON w.firm_id = e.firm_id AND w.id = e.id
LEFT JOIN firm_settings f ON f.firm_id = e.firm_id
LEFT JOIN rounding_policies pj ON pj.firm_id = e.firm_id AND pj.id = e.job_id
LEFT JOIN rounding_policies pc ON pc.firm_id = e.firm_id AND pc.id = e.client_id
WHERE e.firm_id = :firm
"""
# The status the API shows is the entry's own, until what approval made of it is billed or written off.
STATUS = {
    "billed": "AND e.status = 'approved' AND w.firm_id = :firm AND w.state = 'billed'",
    "written_off": "AND e.status = 'approved' AND w.firm_id = :firm AND w.state = 'written_off'",
    "approved": "AND e.status = 'approved' AND coalesce(w.state, '') NOT IN ('billed', 'written_off')",
    "submitted": "AND e.status = 'submitted'",
    "draft": "AND e.status = 'draft'",
    "returned": "AND e.status = 'returned'",
}


def list_entries(
    uow: Uow,
    *,
    limit: int,
    cursor: str | None,
    staff_id: UUID | None = None,
    client_id: UUID | None = None,
    job_id: UUID | None = None,
    status: str | None = None,
    day_from: date | None = None,
    day_to: date | None = None,
) -> dict[str, Any]:
    filters = {"staff_id": staff_id, "client_id": client_id, "job_id": job_id}
    conditions = [f"AND e.{name} = :{name}" for name, value in filters.items() if value is not None]
    conditions += ["AND e.day >= :day_from"] if day_from else []
    conditions += ["AND e.day <= :day_to"] if day_to else []
    conditions += [STATUS[status]] if status else []
    # Of millions few are written off: such a list goes by WIP's index of states (its day is the entry's).
    of = "w" if status in ("billed", "written_off") else "e"
    after, values = paging.keyset([f"{of}.day", f"{of}.id"], cursor, descending=True, casts=["date", "uuid"])
    rows = (
        uow.session.execute(
            text(f"{_ENTRIES} {' '.join(conditions)} {after} ORDER BY {of}.day DESC, {of}.id DESC LIMIT :limit"),
            {"firm": uow.firm_id, **filters, "day_from": day_from, "day_to": day_to, "limit": limit + 1, **values},
        )
        .mappings()
        .all()
    )
    page = paging.page(rows, limit, lambda r: (r["day"], r["id"]))
    return {**page, "items": [view(uow, r) for r in page["items"]]}


def get_entry(uow: Uow, entry_id: UUID) -> dict[str, Any]:
    """Errors: `time_entry_not_found` (404)."""
    row = (
        uow.session.execute(text(f"{_ENTRIES} AND e.id = :id"), {"firm": uow.firm_id, "id": entry_id})
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("time_entry_not_found", "There is no such time entry.")
    return view(uow, row)


def view(uow: Uow, row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of this query, or the same values of an entry just logged, as the API shows it."""
    approved, sees_value = row["status"] == "approved", SEE_VALUE in uow.principal.permissions
    currency = row["currency"]
    override = None
    if row["override_rate"] is not None and sees_value:
        override = {
            "rate": money.view(row["override_rate"], row["override_currency"]),
            "reason": row["override_reason"],
        }
    return {
        "id": row["id"],
        "staff_id": row["staff_id"],
        "staff_name": row["staff_name"] or "",
        "client_id": row["client_id"],
        "client_name": row["client_name"],
        "job_id": row["job_id"],
        "job_title": row["job_title"] or "",
        "task_id": row["task_id"],
        "task_title": row["task_title"],
        "activity_id": row["activity_id"],
        "activity_name": row["activity_name"],
        "day": row["day"],
        "seconds": row["seconds"],
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
        "billable": row["billable"],
        "billable_seconds": row["billable_seconds"]
        if approved
        else billable_seconds(row["seconds"], row["billable"], rounding_of(row)),
        "narrative": row["narrative"],
        "status": row["wip"] if row["wip"] in ("billed", "written_off") else row["status"],
        "wip": row["wip"] if approved else None,
        "return_reason": row["return_reason"],
        "rate": money.view(row["bill_rate"], currency) if sees_value and row["bill_rate"] is not None else None,
        "value": money.view(row["standard"], currency)
        if sees_value and approved and row["standard"] is not None
        else None,
        "rate_override": override,
        "invoice_id": row["invoice_id"],
        "version": row["version"],
    }


def rounding_of(row: Mapping[Any, Any]) -> Rounding:
    """The firm's present policy, from a row that joined its settings (a firm without any rounds nothing)."""
    if row["rounding_increment"] is None:
        return Rounding()
    names = ("increment", "direction", "minimum", "per")
    return Rounding(*(row[f"rounding_{n}"] for n in names))


def states(uow: Uow) -> Iterator[tuple[UUID, int, TimeEntryChanged]]:
    """The present state of every entry, for a copy that is new or was dropped."""
    rows = uow.session.execute(
        text(
            "SELECT e.id, e.staff_id, e.client_id, e.job_id, e.task_id, e.day, e.seconds, e.billable, e.version, "
            "CASE WHEN w.state IN ('billed', 'written_off') THEN w.state ELSE e.status END AS status "
            "FROM time_entries e LEFT JOIN wip_items w ON w.firm_id = e.firm_id AND w.id = e.id ORDER BY e.id"
        ).execution_options(yield_per=1000)
    )
    for row in rows:
        yield row.id, row.version, event(row, row.status, row.version)


def event(entry: Any, status: str, version: int) -> TimeEntryChanged:
    """The state event of an entry (a row or the mapping)."""
    return TimeEntryChanged(
        time_entry_id=str(entry.id),
        staff_id=str(entry.staff_id),
        client_id=str(entry.client_id),
        job_id=str(entry.job_id),
        task_id=str(entry.task_id or ""),
        day=str(entry.day),
        seconds=entry.seconds,
        billable=entry.billable,
        status=status,
        version=version,
    )
