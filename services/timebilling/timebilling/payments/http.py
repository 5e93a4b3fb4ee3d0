"""Operations on payments."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.card_payments.usecases import give_back
from timebilling.invoices import queries as invoices
from timebilling.invoices.tables import Invoice
from timebilling.payments import queries, usecases


def list_payments(
    uow: Uow, limit: int = 50, cursor: str | None = None, client_id: str | None = None, unapplied: bool = False
) -> dict[str, Any]:
    client = UUID(client_id) if client_id else None
    return queries.list_payments(uow, limit=limit, cursor=cursor, client_id=client, unapplied=unapplied)


def record_payment(uow: Uow, body: dict[str, Any]) -> Reply:
    payment = usecases.record(uow, body)
    return created(queries.get_payment(uow, payment.id), f"/payments/{payment.id}")


def get_payment(uow: Uow, payment_id: str) -> dict[str, Any]:
    return queries.get_payment(uow, UUID(payment_id))


def allocate_payment(uow: Uow, payment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    payment = usecases.allocate(uow, UUID(payment_id), body["allocations"])
    return queries.get_payment(uow, payment.id)


def take_back_allocations(uow: Uow, payment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    payment = usecases.take_back(uow, UUID(payment_id), body["allocations"], body["reason"])
    return queries.get_payment(uow, payment.id)


def refund_payment(uow: Uow, payment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    return queries.get_payment(uow, usecases.refund(uow, UUID(payment_id), body, give_back).id)


def charge_back_payment(uow: Uow, payment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    return queries.get_payment(uow, usecases.chargeback(uow, UUID(payment_id), body).id)


def reverse_payment(uow: Uow, payment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    return queries.get_payment(uow, usecases.reverse(uow, UUID(payment_id), body["reason"]).id)


def give_up_invoice(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    return _invoice(uow, usecases.give_up(uow, UUID(invoice_id), body))


def expect_invoice_again(uow: Uow, invoice_id: str, body: dict[str, Any]) -> Reply:
    return _invoice(uow, usecases.expect_again(uow, UUID(invoice_id), body["reason"]))


def _invoice(uow: Uow, invoice: Invoice) -> Reply:
    return Reply(invoices.get_invoice(uow, invoice.id), etag=invoice.version)
