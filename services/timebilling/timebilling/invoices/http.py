"""Operations on invoices."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from timebilling.invoices import queries, usecases
from timebilling.invoices.tables import Invoice


def list_invoices(
    uow: Uow,
    limit: int = 50,
    cursor: str | None = None,
    client_id: str | None = None,
    status: str | None = None,
    kind: str | None = None,
    corrects_id: str | None = None,
) -> dict[str, Any]:
    return queries.list_invoices(
        uow,
        limit=limit,
        cursor=cursor,
        client_id=UUID(client_id) if client_id else None,
        status=status,
        kind=kind,
        corrects_id=UUID(corrects_id) if corrects_id else None,
    )


def create_draft(uow: Uow, body: dict[str, Any]) -> Reply:
    invoice = usecases.create_draft(uow, body)
    return created(queries.get_invoice(uow, invoice.id), f"/invoices/{invoice.id}", etag=invoice.version)


def get_invoice(uow: Uow, invoice_id: str) -> Reply:
    shown = queries.get_invoice(uow, UUID(invoice_id))
    return Reply(shown, etag=shown["version"])


def why_invoice(uow: Uow, invoice_id: str) -> dict[str, Any]:
    return queries.why(uow, UUID(invoice_id))


def change_draft(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.change_draft(uow, UUID(invoice_id), body, uow.if_match))


def drop_draft(uow: Uow, invoice_id: str) -> Reply:
    usecases.drop_draft(uow, UUID(invoice_id), uow.if_match)
    return NO_CONTENT


def change_line(uow: Uow, invoice_id: str, line_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.change_line(uow, UUID(invoice_id), UUID(line_id), body, uow.if_match))


def remove_line(uow: Uow, invoice_id: str, line_id: str) -> Reply:
    usecases.remove_line(uow, UUID(invoice_id), UUID(line_id), uow.if_match)
    return NO_CONTENT


def add_line(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.add_line(uow, UUID(invoice_id), body, uow.if_match))


def regroup_invoice(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.regroup(uow, UUID(invoice_id), body, uow.if_match))


def approve_invoice(uow: Uow, invoice_id: str) -> Reply:
    return _reply(uow, usecases.approve(uow, UUID(invoice_id), uow.if_match))


def send_invoice(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.send(uow, UUID(invoice_id), body.get("message", "")))


def issue_invoice(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    day = date.fromisoformat(body["issued_on"]) if body.get("issued_on") else None
    return _reply(uow, usecases.issue(uow, UUID(invoice_id), day, uow.if_match))


def void_invoice(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.void(uow, UUID(invoice_id), body["reason"], uow.if_match))


def search(uow: Uow, q: str, limit: int = 50) -> dict[str, Any]:
    return queries.search(uow, q, limit)


def _reply(uow: Uow, invoice: Invoice) -> Reply:
    return Reply(queries.get_invoice(uow, invoice.id), etag=invoice.version)
