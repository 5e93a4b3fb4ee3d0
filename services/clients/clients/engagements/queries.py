"""Reading engagements: SQL straight to the response's shape. Those of private clients are hidden like those are."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import selectinload

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.service import State
from chassis.uow import Uow
from clients import codes
from clients.engagements import rules
from clients.engagements.events import engagement_changed
from clients.engagements.tables import Engagement
from clients.parties.queries import Order

_ENGAGEMENTS = """
WITH page AS MATERIALIZED (
    SELECT e.*, {key} AS sort_key, jsonb_build_object('id', c.id, 'number', c.number, 'name', c.name) AS client
    FROM engagements e JOIN clients c ON c.firm_id = e.firm_id AND c.id = e.client_id
    WHERE true {where}
    ORDER BY {order}
    LIMIT :rows
)
SELECT p.sort_key, p.id, p.client, p.title, p.service, p.status, p.starts_on, p.ends_on, p.fee_kind, p.fee_amount, p.fee_currency,
       p.fee_interval, p.fee_description, p.fee_milestones, p.fee_percent, p.close_reason, p.external_id, p.created_at, p.updated_at, p.version,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('job_role', w.job_role, 'staff', jsonb_build_object('id', s.id, 'name', s.name))
                                  ORDER BY w.job_role), '[]')
        FROM engagement_people w JOIN staff_copy s ON s.firm_id = w.firm_id AND s.id = w.staff_id
        WHERE w.engagement_id = p.id) AS people
FROM page p
ORDER BY {order_again}
"""

_ORDERS = {
    "-starts_on": Order("e.starts_on", "date", descending=True),
    "starts_on": Order("e.starts_on", "date"),
    "-created_at": Order("e.id", "uuid", descending=True),  # ids are sorted by the time they were made
}

_FILTERS = {
    "client_id": "AND e.client_id = CAST(:client_id AS uuid)",
    "status": "AND e.status = :status",
    "service": "AND e.service = :service",
}


def read_engagement(uow: Uow, engagement_id: UUID | str) -> dict[str, Any]:
    """One engagement. Errors: `engagement_not_found`."""
    items = _engagements(uow, "AND e.id = CAST(:id AS uuid)", {"id": str(engagement_id)}, rows=1)
    if not items:
        raise NotFound("engagement_not_found", "There is no such engagement.")
    return _shape(items[0])


def list_engagements(
    uow: Uow, limit: int, cursor: str | None, wanted: Mapping[str, str | None], sort: str = "-starts_on"
) -> dict[str, Any]:
    """A page of engagements. `wanted` holds the filters by name; None means any. Errors: `cursor_invalid`."""
    order = _ORDERS[sort]
    after, parameters = keyset([order.key, "e.id"], cursor, descending=order.descending, casts=[order.cast, "uuid"])
    given = {name: value for name, value in wanted.items() if value is not None}
    where = " ".join([*(_FILTERS[name] for name in given), after])
    rows = _engagements(uow, where, {**given, **parameters}, rows=limit + 1, order=order)
    listed = page(rows, limit, lambda row: (row["sort_key"], row["id"]))
    return listed | {"items": [_shape(row) for row in listed["items"]]}


_OPEN_JOBS = text("""
    SELECT u.id, u.label AS title, count(*) OVER () AS many FROM client_uses u
    WHERE u.engagement_id = :id AND u.kind = 'job' AND u.live AND u.state = 'open' ORDER BY u.label, u.id LIMIT 20""")


def preview_close(uow: Uow, engagement_id: UUID) -> dict[str, Any]:
    """What closing it would leave behind. Errors: `engagement_not_found`, `engagement_closed`."""
    engagement = uow.get(Engagement, engagement_id)
    rules.require_open(engagement.status)
    jobs = uow.session.execute(_OPEN_JOBS, {"id": engagement.id}).all()
    open_ones = select(func.count()).select_from(Engagement)
    open_ones = open_ones.where(Engagement.client_id == engagement.client_id, Engagement.status == rules.OPEN)
    return {
        "open_jobs": jobs[0].many if jobs else 0,
        "jobs": [{"id": job.id, "title": job.title} for job in jobs],
        "last_of_client": uow.session.scalar(open_ones) == 1,
        "recurring": engagement.fee_kind == "recurring",
    }


def all_engagement_states(uow: Uow) -> Iterator[State]:
    """The current state of every engagement of the firm, to be sent again."""
    every = (
        select(Engagement)
        .options(selectinload(Engagement.people))
        .order_by(Engagement.id)
        .execution_options(yield_per=500)
    )
    for engagement in uow.session.scalars(every):
        yield engagement.id, engagement.version, engagement_changed(engagement)


def open_at_former_clients(uow: Uow) -> Iterator[str]:
    """Engagements that archiving their client should have refused, one line each."""
    found = uow.session.execute(
        text(
            "SELECT e.id, c.number FROM engagements e JOIN clients c ON c.firm_id = e.firm_id AND c.id = e.client_id "
            "WHERE e.status = 'open' AND c.status = 'former' ORDER BY e.id"
        )
    )
    yield from (f"engagement {row.id} is open, client {row.number} is former" for row in found)


def _engagements(
    uow: Uow, where: str, parameters: Mapping[str, Any], rows: int, order: Order = _ORDERS["-starts_on"]
) -> list[dict[str, Any]]:
    again = order.of("p", "p.sort_key")
    statement = text(_ENGAGEMENTS.format(where=where, key=order.key, order=order.of("e", order.key), order_again=again))
    return [dict(row) for row in uow.session.execute(statement, {**parameters, "rows": rows}).mappings()]


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the API shows it: the fee's parts together, those it has not left out."""
    del row["sort_key"]
    amount, currency = row.pop("fee_amount"), row.pop("fee_currency")
    fee = {
        "kind": row.pop("fee_kind"),
        "amount": {"amount": codes.shown(amount, currency), "currency": currency} if amount is not None else None,
        "interval": row.pop("fee_interval"),
        "description": row.pop("fee_description"),
        "milestones": [
            {name: value for name, value in stage.items() if value is not None and name != "amount"}
            | {"amount": {"amount": stage["amount"], "currency": currency}}
            for stage in row.pop("fee_milestones") or ()
        ]
        or None,
        "percent": str(percent) if (percent := row.pop("fee_percent")) else None,
    }
    return row | {"fee": {part: value for part, value in fee.items() if value is not None}}
