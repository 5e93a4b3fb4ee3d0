"""Operations on reminders."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from timebilling.invoices import queries as invoices
from timebilling.reminders import queries, usecases


def get_policy(uow: Uow) -> Reply:
    return _policy(uow)


def change_policy(uow: Uow, body: dict[str, Any]) -> Reply:
    usecases.change_policy(uow, body, uow.if_match)
    return _policy(uow)


def pause_reminders(uow: Uow, body: dict[str, Any]) -> Reply:
    until = date.fromisoformat(body["until"]) if body.get("until") else None
    usecases.pause(uow, UUID(body["client_id"]), until, body["reason"])
    return _policy(uow)


def resume_reminders(uow: Uow, body: dict[str, Any]) -> Reply:
    usecases.resume(uow, UUID(body["client_id"]))
    return NO_CONTENT


def charge_interest(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    draft = usecases.charge_interest(uow, UUID(invoice_id), body)
    return created(invoices.get_invoice(uow, draft.id), f"/invoices/{draft.id}", etag=draft.version)


def list_reminders(
    uow: Uow, limit: int = 50, cursor: str | None = None, client_id: str | None = None, invoice_id: str | None = None
) -> dict[str, Any]:
    return queries.list_reminders(
        uow,
        limit=limit,
        cursor=cursor,
        client_id=UUID(client_id) if client_id else None,
        invoice_id=UUID(invoice_id) if invoice_id else None,
    )


def _policy(uow: Uow) -> Reply:
    shown = queries.policy(uow)
    return Reply(shown, etag=shown["version"])
