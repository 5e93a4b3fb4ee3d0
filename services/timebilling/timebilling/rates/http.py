"""Operations on rates."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from timebilling.copies.usecases import firm
from timebilling.rates import queries, usecases


def list_rates(
    uow: Uow,
    limit: int = 50,
    cursor: str | None = None,
    kind: str | None = None,
    level: str | None = None,
    client_id: str | None = None,
    staff_id: str | None = None,
    on: str | None = None,
) -> dict[str, Any]:
    return queries.list_rates(
        uow,
        limit=limit,
        cursor=cursor,
        kind=kind,
        level=level,
        client_id=UUID(client_id) if client_id else None,
        staff_id=UUID(staff_id) if staff_id else None,
        on=date.fromisoformat(on) if on else None,
    )


def create_rate(uow: Uow, body: dict[str, Any]) -> Reply:
    row = usecases.create(uow, body)
    return created(queries.views(uow, [row.id])[0], f"/rates/{row.id}", etag=row.version)


def set_rates(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    rows = usecases.set_many(uow, date.fromisoformat(body["from"]), body["rates"])
    return {"items": queries.views(uow, [r.id for r in rows])}


def raise_rates(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.raise_all(uow, body)


def why_rate(uow: Uow, job_id: str, staff_id: str, day: str, activity_id: str | None = None) -> dict[str, Any]:
    return usecases.why(
        uow,
        UUID(job_id),
        UUID(staff_id),
        UUID(activity_id) if activity_id else None,
        date.fromisoformat(day),
        firm(uow).currency,
    )


def delete_rate(uow: Uow, rate_id: str) -> Reply:
    usecases.delete(uow, rate_id, uow.if_match)
    return NO_CONTENT
