"""Operations on fee arrangements."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.arrangements import queries, usecases
from timebilling.invoices import queries as invoices


def list_arrangements(
    uow: Uow, limit: int = 50, cursor: str | None = None, client_id: str | None = None, problem: bool = False
) -> dict[str, Any]:
    return queries.list_arrangements(
        uow, limit=limit, cursor=cursor, client_id=UUID(client_id) if client_id else None, problem=problem
    )


def get_arrangement(uow: Uow, arrangement_id: str) -> Reply:
    return _reply(uow, UUID(arrangement_id))


def change_arrangement(uow: Uow, arrangement_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.change(uow, UUID(arrangement_id), body, uow.if_match).id)


def add_milestone(uow: Uow, arrangement_id: str, body: dict[str, Any]) -> Reply:
    milestone = usecases.add_milestone(uow, UUID(arrangement_id), body)
    shown = queries.get_arrangement(uow, milestone.arrangement_id)
    return created(shown, f"/arrangements/{milestone.arrangement_id}", etag=shown["version"])


def reach_milestone(uow: Uow, arrangement_id: str, milestone_id: str, body: dict[str, Any]) -> Reply:
    day = date.fromisoformat(body["reached_on"]) if body.get("reached_on") else None
    usecases.reach(uow, UUID(arrangement_id), UUID(milestone_id), day)
    return _reply(uow, UUID(arrangement_id))


def bill_arrangement(uow: Uow, arrangement_id: str, body: dict[str, Any]) -> Reply:
    invoice = usecases.bill(uow, UUID(arrangement_id), body)
    return created(invoices.get_invoice(uow, invoice.id), f"/invoices/{invoice.id}", etag=invoice.version)


def _reply(uow: Uow, arrangement_id: UUID) -> Reply:
    shown = queries.get_arrangement(uow, arrangement_id)
    return Reply(shown, etag=shown["version"])
