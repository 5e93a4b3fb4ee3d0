"""Operations on credit notes. A credit note is read, listed and sent like an invoice."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.credit_notes import usecases
from timebilling.invoices import queries


def create_credit_note(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    note = usecases.create(uow, UUID(invoice_id), body)
    return created(queries.get_invoice(uow, note.id), f"/invoices/{note.id}", etag=note.version)
