"""Recording payments and what they pay."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.uow import Uow
from praxis.common.v1.types_pb2 import Money
from praxis.timebilling.v1.events_pb2 import Allocation, PaymentRecorded
from timebilling import money
from timebilling.copies.tables import ClientCopy
from timebilling.copies.usecases import client, today
from timebilling.invoices.tables import Invoice
from timebilling.invoices.usecases import announce
from timebilling.ledger import rules as ledger_rules
from timebilling.ledger import usecases as ledger
from timebilling.money import ZERO
from timebilling.payments import rules
from timebilling.payments.rules import Open
from timebilling.payments.tables import Payment, PaymentAllocation


def record(uow: Uow, body: dict[str, Any]) -> Payment:
    """A payment by hand, what it pays, and the rest as the client's credit.

    Errors: `client_not_found`, `invoice_not_found` (404); those of `rules.check_amount` and `rules.check_allocations`;
    `currency_unknown`, `currency_mismatch`, `amount_precision` (422).
    """
    of = client(uow, UUID(body["client_id"]))
    amount, currency = money.parse(body["amount"], pointer="/amount")
    received_on = date.fromisoformat(body["received_on"])
    rules.check_amount(amount, received_on, today(uow))
    wanted = _wanted(uow, body.get("allocations", []), currency)
    rules.check_allocations(amount, currency, of.id, [(_open(i), a) for i, a in wanted])
    allocated = sum((a for _, a in wanted), ZERO)
    payment = uow.add(
        Payment(
            client_id=of.id,
            currency=currency,
            amount=amount,
            allocated=allocated,
            received_on=received_on,
            method=body.get("method", "bank_transfer"),
            reference=body.get("reference", ""),
            created_at=uow.now,
        )
    )
    _apply(uow, payment, wanted)
    _post(uow, "payment_recorded", ledger_rules.payment_recorded(amount, allocated), payment, received_on)
    uow.announce(_recorded(payment, wanted), subject=payment.id)
    uow.audit("payment.recorded", "payment", payment.id, after=body)
    return payment


def allocate(uow: Uow, payment_id: UUID, allocations: Sequence[dict[str, Any]]) -> Payment:
    """Uses a payment's unapplied credit for invoices. Errors: `payment_not_found` (404); those of `rules.check_allocations`."""
    payment = uow.session.scalars(
        select(Payment)
        .join(ClientCopy, (ClientCopy.firm_id == Payment.firm_id) & (ClientCopy.id == Payment.client_id))
        .where(Payment.firm_id == uow.firm_id, Payment.id == payment_id)
        .with_for_update(of=Payment)
    ).first()
    if payment is None:
        raise NotFound("payment_not_found", "There is no such payment.")
    wanted = _wanted(uow, allocations, payment.currency)
    rules.check_allocations(
        payment.amount - payment.allocated, payment.currency, payment.client_id, [(_open(i), a) for i, a in wanted]
    )
    allocated = sum((a for _, a in wanted), ZERO)
    payment.allocated += allocated
    _apply(uow, payment, wanted)
    _post(uow, "credit_applied", ledger_rules.credit_applied(allocated), payment, today(uow))
    uow.audit("payment.allocated", "payment", payment.id, after={"allocations": list(allocations)})
    return payment


def _wanted(uow: Uow, allocations: Sequence[dict[str, Any]], currency: str) -> list[tuple[Invoice, Decimal]]:
    """The invoices to be paid, locked in the order of their ids, with what each is to get. Errors: `invoice_not_found` (404)."""
    ids = [UUID(a["invoice_id"]) for a in allocations]
    rows = uow.session.scalars(
        select(Invoice)
        .join(ClientCopy, (ClientCopy.firm_id == Invoice.firm_id) & (ClientCopy.id == Invoice.client_id))
        .where(Invoice.firm_id == uow.firm_id, Invoice.id.in_(ids))
        .order_by(Invoice.id)
        .with_for_update(of=Invoice)
        .execution_options(populate_existing=True)
    ).all()
    found = {i.id: i for i in rows}
    wanted = []
    for place, (id, allocation) in enumerate(zip(ids, allocations, strict=True)):
        if id not in found:
            raise NotFound("invoice_not_found", "There is no such invoice.", pointer=f"/allocations/{place}/invoice_id")
        amount, _ = money.parse(allocation["amount"], pointer=f"/allocations/{place}/amount", currency=currency)
        wanted.append((found[id], amount))
    return wanted


def _apply(uow: Uow, payment: Payment, wanted: Sequence[tuple[Invoice, Decimal]]) -> None:
    for invoice, amount in wanted:
        invoice.paid += amount
    uow.session.add_all(
        [
            PaymentAllocation(payment_id=payment.id, invoice_id=invoice.id, amount=amount, at=uow.now)
            for invoice, amount in wanted
        ]
    )
    uow.session.flush()
    for invoice, _ in wanted:
        announce(uow, invoice)


def _post(uow: Uow, kind: str, entries: Sequence[ledger_rules.Entry], payment: Payment, posted_on: date) -> None:
    ledger.post(
        uow,
        kind,
        entries,
        posted_on=posted_on,
        currency=payment.currency,
        client_id=payment.client_id,
        payment_id=payment.id,
    )


def _open(invoice: Invoice) -> Open:
    return Open(
        invoice.id, invoice.client_id, invoice.number, invoice.state, invoice.currency, invoice.total, invoice.paid
    )


def _recorded(payment: Payment, wanted: Sequence[tuple[Invoice, Decimal]]) -> PaymentRecorded:
    return PaymentRecorded(
        payment_id=str(payment.id),
        client_id=str(payment.client_id),
        amount=Money(**money.view(payment.amount, payment.currency)),
        received_on=str(payment.received_on),
        allocations=[
            Allocation(invoice_id=str(i.id), amount=Money(**money.view(a, payment.currency))) for i, a in wanted
        ],
    )
