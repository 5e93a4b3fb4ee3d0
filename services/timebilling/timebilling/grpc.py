"""What other services may ask of timebilling."""

from decimal import Decimal
from uuid import UUID

from chassis.errors import NotFound
from chassis.uow import Uow
from praxis.common.v1.types_pb2 import Money
from praxis.timebilling.v1.timebilling_pb2 import (
    GetInvoiceRequest,
    GetInvoiceResponse,
    InvoiceLine,
    StartCheckoutRequest,
    StartCheckoutResponse,
    TaxTotal,
)
from timebilling import money
from timebilling.card_payments import usecases as cards
from timebilling.invoices import queries


def get_invoice(uow: Uow, request: GetInvoiceRequest) -> GetInvoiceResponse:
    """An issued invoice of one of the contact's clients. Drafts, and other clients' invoices, are not found."""
    found = queries.issued_to(uow, _id(request.invoice_id), uow.principal.client_ids)
    if found is None:
        raise NotFound("invoice_not_found", "There is no such invoice.")
    invoice, today, lines = found
    shown = queries.event(invoice, today)
    return GetInvoiceResponse(
        invoice_id=shown.invoice_id,
        client_id=shown.client_id,
        number=shown.number,
        status=shown.status,
        issued_on=shown.issued_on,
        due_on=shown.due_on,
        lines=[
            InvoiceLine(description=text, quantity=hours, net=Money(**money.view(Decimal(net), invoice.currency)))
            for text, hours, net in lines
        ],
        taxes=[TaxTotal(label=t["label"], taxable=Money(**t["taxable"]), tax=Money(**t["tax"])) for t in invoice.taxes],
        net=Money(**money.view(invoice.net, invoice.currency)),
        total=shown.total,
        paid=Money(**money.view(invoice.paid, invoice.currency)),
        balance=shown.balance,
        document_id=shown.document_id,
        payable_by_card=invoice.balance > 0 and cards.takes_cards(uow),
        kind=invoice.kind,
        corrects_number=invoice.corrects_number,
        reason=invoice.reason,
        **{
            name: Money(**money.view(getattr(invoice, name), invoice.currency))
            for name in ("discount", "rounding", "credited")
        },
    )


def start_checkout(uow: Uow, request: StartCheckoutRequest) -> StartCheckoutResponse:
    """The provider's page for an invoice of one of the contact's clients."""
    back = f"{uow.runtime.settings.public_url}/portal/invoices/{_id(request.invoice_id)}"
    clients = frozenset(uow.principal.client_ids)
    return StartCheckoutResponse(url=cards.start(uow, _id(request.invoice_id), clients, back).url)


def _id(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise NotFound("invoice_not_found", "There is no such invoice.") from None
