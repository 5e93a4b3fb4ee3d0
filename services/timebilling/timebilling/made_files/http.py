"""Operations on files made on request."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.made_files import queries, usecases


def make_invoice_file(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    return _created(uow, usecases.of_invoice(uow, UUID(invoice_id), body["format"]).id)


def make_statement_file(uow: Uow, client_id: str, body: dict[str, Any]) -> Reply:
    first, last = date.fromisoformat(body["first"]), date.fromisoformat(body["last"])
    return _created(uow, usecases.of_account(uow, UUID(client_id), first, last, body.get("currency")).id)


def list_files(
    uow: Uow, limit: int = 50, cursor: str | None = None, client_id: str | None = None, invoice_id: str | None = None
) -> dict[str, Any]:
    return queries.list_files(
        uow,
        limit=limit,
        cursor=cursor,
        client_id=UUID(client_id) if client_id else None,
        invoice_id=UUID(invoice_id) if invoice_id else None,
    )


def get_file(uow: Uow, file_id: str) -> dict[str, Any]:
    return queries.get_file(uow, UUID(file_id))


def get_invoice_pdf(uow: Uow, invoice_id: str) -> dict[str, Any]:
    return queries.invoice_pdf(uow, UUID(invoice_id))


def _created(uow: Uow, id: UUID) -> Reply:
    return created(queries.get_file(uow, id), f"/files/{id}")
