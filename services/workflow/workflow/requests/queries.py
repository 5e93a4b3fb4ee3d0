"""Requests as the API shows them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import selectinload

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.uow import Uow
from praxis.workflow.v1.events_pb2 import RequestChanged
from workflow.copies.usecases import today_of
from workflow.jobs.conditions import attributes, in_group
from workflow.jobs.tables import Job
from workflow.requests import rules
from workflow.requests.events import request_changed
from workflow.requests.tables import Request

VISIBLE = "requests r JOIN client_copy c ON c.firm_id = r.firm_id AND c.id = r.client_id"

WAITING = f"r.status IN ({', '.join(repr(status) for status in rules.WITH_CLIENT)})"

_ITEMS = """
SELECT jsonb_agg(jsonb_build_object('id', i.id, 'kind', i.kind, 'label', i.label, 'help', i.help, 'required', i.required, 'choices', i.choices,
    'status', i.status, 'answer', i.answer, 'document_ids', i.document_ids, 'return_reason', i.return_reason) ORDER BY i.position)
FROM request_items i WHERE i.firm_id = p.firm_id AND i.request_id = p.id
"""

_ROWS = """
SELECT p.*, ({items}) AS items FROM (
    SELECT r.*, c.name AS client_name, j.title AS job_title, j.owner_id AS job_owner_id
    FROM {visible} JOIN jobs j ON j.firm_id = r.firm_id AND j.id = r.job_id
    WHERE r.firm_id = :firm {where} ORDER BY {order} LIMIT :n) p
ORDER BY {outer_order}
"""

_ALL = 100_000


def _rows(uow: Uow, where: str, values: Mapping[str, Any], *, order: str, limit: int) -> list[RowMapping]:
    statement = _ROWS.format(
        items=_ITEMS, visible=VISIBLE, where=where, order=order.format("r"), outer_order=order.format("p")
    )
    return list(uow.session.execute(text(statement), {**values, "firm": uow.firm_id, "n": limit}).mappings())


# Columns with their types, and whether they descend.
SORTS: dict[str, tuple[str, str, bool]] = {
    "due_on": ("due_sort", "date", False),
    "-due_on": ("due_sort", "date", True),
    "waiting_since": ("waiting_since", "timestamptz", False),
}


def list_requests(
    uow: Uow,
    *,
    owner: tuple[list[str], dict[str, Any]],
    due: tuple[list[str], dict[str, Any]] = ([], {}),
    tag: str | None = None,
    client_id: str | None,
    client_group_id: str | None = None,
    job_id: str | None,
    status: list[str],
    overdue: bool | None = None,
    escalated: bool | None = None,
    of_job: Mapping[str, str | None] = {},
    sort: str = "due_on",
    limit: int,
    cursor: str | None,
) -> dict[str, Any]:
    """A page of requests; sorted by `waiting_since` those that lie with the client. `of_job`: what their jobs are narrowed to."""
    tagged, grouped = attributes("r", [], tag), in_group("r", client_group_id)
    parts, values = [*owner[0], *due[0], *tagged[0], *grouped[0]], owner[1] | due[1] | tagged[1] | grouped[1]
    for column, value in (("client_id", client_id), ("job_id", job_id)):
        if value:
            parts.append(f"AND r.{column} = :{column}")
            values[column] = UUID(value)
    for column, value in of_job.items():
        if value:
            parts.append(f"AND j.{column} = :{column}")
            values[column] = value if column == "service" else UUID(value)
    if status:
        parts.append("AND r.status = ANY(:statuses)")
        values["statuses"] = status
    if overdue is not None:
        parts.append(f"AND {'' if overdue else 'NOT '}({WAITING} AND r.due_sort < :today)")
        values["today"] = today_of(uow)
    if escalated is not None:
        parts.append(f"AND {f'r.escalated_at IS NOT NULL AND {WAITING}' if escalated else 'r.escalated_at IS NULL'}")
    if sort == "waiting_since":
        parts.append("AND r.waiting_since IS NOT NULL")
    column, kind, descending = SORTS[sort]
    way = " DESC" if descending else ""
    after, position = keyset([f"r.{column}", "r.id"], cursor, descending=descending, casts=[kind, "uuid"])
    order = f"{{0}}.{column}{way}, {{0}}.id{way}"
    rows = _rows(uow, " ".join([*parts, after]), values | position, order=order, limit=limit + 1)
    paged = page(rows, limit, lambda row: (row[column], row["id"]))
    today = today_of(uow)
    return {"items": [_view(row, today, uow.now) for row in paged["items"]], "next_cursor": paged["next_cursor"]}


def request_row(uow: Uow, request_id: UUID) -> dict[str, Any]:
    """One request. Errors: `request_not_found`."""
    rows = _rows(uow, "AND r.id = :request", {"request": request_id}, order="{0}.id", limit=1)
    if not rows:
        raise NotFound("request_not_found", "There is no such request.")
    return _view(rows[0], today_of(uow), uow.now)


def requests_of_job(uow: Uow, job_id: UUID) -> list[dict[str, Any]]:
    today = today_of(uow)
    rows = _rows(uow, "AND r.job_id = :job", {"job": job_id}, order="{0}.position", limit=_ALL)
    return [_view(row, today, uow.now) for row in rows]


def _view(row: RowMapping, today: date, now: datetime) -> dict[str, Any]:
    waiting = (now - row["waiting_since"]).total_seconds() if row["waiting_since"] else 0
    with_client = row["status"] in rules.WITH_CLIENT
    return {
        "id": row["id"],
        "job": {"id": row["job_id"], "title": row["job_title"]},
        "client": {"id": row["client_id"], "name": row["client_name"]},
        "key": row["key"],
        "title": row["title"],
        "message": row["message"],
        "status": row["status"],
        "send": row["send"],
        "due_on": row["due_on"],
        "original_due_on": row["original_due_on"],
        "due_moves": row["due_moves"],
        "due_pinned": row["due_pinned"],
        "overdue": with_client and row["due_on"] is not None and row["due_on"] < today,
        "items": row["items"] or [],
        "return_reason": row["return_reason"],
        "reminders": row["reminders"],
        "reminders_sent": row["reminders_sent"],
        "next_reminder_at": row["next_reminder_at"],
        "send_on": row["send_on"],
        "expires_on": row["expires_on"],
        "escalated_at": row["escalated_at"],
        "sent_at": row["sent_at"],
        "viewed_at": row["viewed_at"],
        "submitted_at": row["submitted_at"],
        "decided_at": row["decided_at"],
        "waiting_since": row["waiting_since"],
        "waited_hours": round((row["waited_seconds"] + waiting) / 3600, 1),
        "version": row["version"],
    }


def request_states(uow: Uow) -> Iterable[tuple[UUID, int, RequestChanged]]:
    """Current state of every request, for a copy that is new or was dropped."""
    statement = select(Request, Job.title).join(Job, (Job.firm_id == Request.firm_id) & (Job.id == Request.job_id))
    rows = uow.session.execute(
        statement.order_by(Request.id).options(selectinload(Request.items)).execution_options(yield_per=500)
    )
    for request, job_title in rows:
        yield request.id, request.version, request_changed(request, job_title)
