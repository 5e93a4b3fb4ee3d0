"""Recording payments and what they pay."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.errors import Conflict, DomainError, NotFound
from chassis.uow import Uow
from praxis.common.v1.types_pb2 import Money
from praxis.timebilling.v1.events_pb2 import Allocation, PaymentRecorded, PaymentReturned
from timebilling import money
from timebilling.copies.tables import ClientCopy
from timebilling.copies.usecases import client, firm, today
from timebilling.currencies import usecases as currencies
from timebilling.invoices import usecases as invoicing
from timebilling.invoices.tables import Invoice
from timebilling.invoices.usecases import announce
from timebilling.ledger import rules as ledger_rules
from timebilling.ledger import usecases as ledger
from timebilling.money import ZERO
from timebilling.payments import rules
from timebilling.payments.rules import Open
from timebilling.payments.tables import Payment, PaymentAllocation, Refund


def record(uow: Uow, body: dict[str, Any], provider_id: str | None = None) -> Payment:
    """A payment by hand (or as a provider tells of it), what it pays, and the rest as the client's credit.

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
            provider_id=provider_id,
            exchange_rate=None if currency == firm(uow).currency else currencies.rate_on(uow, currency, received_on),
            created_at=uow.now,
        )
    )
    _apply(uow, payment, wanted)
    _post(uow, "payment_recorded", ledger_rules.payment_recorded(amount, allocated), payment, received_on)
    uow.announce(_recorded(payment, wanted), subject=payment.id)
    uow.audit("payment.recorded", "payment", payment.id, after=body)
    return payment


def allocate(uow: Uow, payment_id: UUID, allocations: Sequence[dict[str, Any]]) -> Payment:
    """Uses a payment's unapplied credit for invoices. Errors: `payment_not_found` (404), `payment_reversed` (409); those of
    `rules.check_allocations`.
    """
    payment = locked(uow, payment_id)
    _refuse(rules.refusal_to_touch(payment.reversed_at))
    wanted = _wanted(uow, allocations, payment.currency)
    rules.check_allocations(payment.unapplied, payment.currency, payment.client_id, [(_open(i), a) for i, a in wanted])
    allocated = sum((a for _, a in wanted), ZERO)
    payment.allocated += allocated
    _apply(uow, payment, wanted)
    _post(uow, "credit_applied", ledger_rules.credit_applied(allocated), payment, today(uow))
    uow.audit("payment.allocated", "payment", payment.id, after={"allocations": list(allocations)})
    return payment


# --- back again -------------------------------------------------------------------------------------------------------


def take_back(uow: Uow, payment_id: UUID, allocations: Sequence[dict[str, Any]], reason: str) -> Payment:
    """Frees what a payment pays of invoices: they are owed again, the money is the client's credit.

    Errors: `payment_not_found` (404), `payment_reversed` (409); those of `rules.check_take_back`.
    """
    payment = locked(uow, payment_id)
    _refuse(rules.refusal_to_touch(payment.reversed_at))
    _take_back(uow, payment, allocations, "/allocations")
    uow.audit("payment.taken_back", "payment", payment.id, after={"allocations": list(allocations)}, reason=reason)
    return payment


def refund(
    uow: Uow,
    payment_id: UUID,
    body: dict[str, Any],
    give_back: Callable[[Uow, Payment, Decimal], str | None] = lambda *_: None,
) -> Payment:
    """Money that the firm gives back. What pays invoices must be taken back from them first, or here (`take_back`).
    `give_back` moves the money where that can be done from here, and says how its provider calls the refund.

    Errors: `payment_not_found` (404), `payment_reversed` (409), `currency_mismatch`, `refund_date_impossible` (422); those of
    `rules.check_refund` and `rules.check_take_back`.
    """
    payment = locked(uow, payment_id)
    _refuse(rules.refusal_to_touch(payment.reversed_at))
    amount, _ = money.parse(body["amount"], pointer="/amount", currency=payment.currency)
    day = date.fromisoformat(body["returned_on"])
    rules.check_day(day, payment.received_on, today(uow), "/returned_on")
    freed = sum((Decimal(a["amount"]["amount"]) for a in body.get("take_back", [])), ZERO)
    rules.check_refund(amount, payment.amount, payment.refunded, payment.unapplied + freed, payment.currency)
    _take_back(uow, payment, body.get("take_back", []), "/take_back")
    # Last of all: a refusal after it would leave money gone and nothing written.
    provider_id = give_back(uow, payment, amount)
    reference = body.get("reference") or provider_id or ""
    _return(uow, payment, "refund", amount, day, reference=reference, reason=body["reason"], provider_id=provider_id)
    return payment


def chargeback(uow: Uow, payment_id: UUID, body: dict[str, Any]) -> Payment:
    """Money that the payer's bank took back. It is gone whatever it paid: the invoices paid last are owed again first.

    Errors: `payment_not_found` (404), `payment_reversed`, `refund_over_payment` (409), `currency_mismatch`,
    `refund_date_impossible` (422).
    """
    payment = locked(uow, payment_id)
    _refuse(rules.refusal_to_touch(payment.reversed_at))
    left = payment.amount - payment.refunded
    amount = money.parse(body["amount"], pointer="/amount", currency=payment.currency)[0] if "amount" in body else left
    day = date.fromisoformat(body["returned_on"])
    rules.check_day(day, payment.received_on, today(uow), "/returned_on")
    rules.check_refund(amount, payment.amount, payment.refunded, left, payment.currency)
    take_and_return(uow, payment, "chargeback", amount, day, reference=body.get("reference", ""), reason=body["reason"])
    return payment


def take_and_return(
    uow: Uow,
    payment: Payment,
    kind: str,
    amount: Decimal,
    day: date,
    *,
    reference: str,
    reason: str,
    provider_id: str | None = None,
) -> None:
    """Money that is gone already, of a locked payment: its credit goes first, then what it paid last."""
    needed = amount - payment.unapplied
    back = rules.newest_first(needed, _allocated(uow, payment.id)) if needed > 0 else []
    _take_back(
        uow,
        payment,
        [{"invoice_id": str(i), "amount": money.view(a, payment.currency)} for i, a in back],
        "/amount",
    )
    _return(uow, payment, kind, amount, day, reference=reference, reason=reason, provider_id=provider_id)


def reverse(uow: Uow, payment_id: UUID, reason: str) -> Payment:
    """Takes a payment entered wrongly out of the books: every posting reversed, its invoices owed again; the record stays.

    Errors: `payment_not_found` (404); `payment_reversed`, `payment_from_provider`, `payment_has_refunds` (409).
    """
    payment = locked(uow, payment_id)
    _refuse(rules.refusal_to_reverse(payment.reversed_at, payment.refunded, payment.provider_id))
    ledger.reverse_payment(uow, payment.id, today(uow))
    _unapply(uow, payment, _allocated(uow, payment.id), book=False)
    payment.reversed_at, payment.reversal_reason = uow.now, reason
    uow.session.flush()
    uow.announce(_returned(payment, "reversal", payment.amount), subject=payment.id)
    uow.audit("payment.reversed", "payment", payment.id, reason=reason)
    return payment


def give_up(uow: Uow, invoice_id: UUID, body: dict[str, Any]) -> Invoice:
    """Writes off what of an invoice will not be paid (a bad debt; WIP has nothing to do with it).

    Errors: `invoice_not_found` (404), `currency_mismatch` (422); those of `rules.check_bad_debt`.
    """
    invoice = invoicing.locked(uow, invoice_id)
    amount = invoice.balance
    if "amount" in body:
        amount, _ = money.parse(body["amount"], pointer="/amount", currency=invoice.currency)
    rules.check_bad_debt(amount, invoice.state, invoice.balance, invoice.number, invoice.currency)
    invoice.bad_debt += amount
    uow.session.flush()
    ledger.post(
        uow,
        "bad_debt",
        ledger_rules.bad_debt(amount),
        posted_on=today(uow),
        currency=invoice.currency,
        client_id=invoice.client_id,
        invoice_id=invoice.id,
    )
    announce(uow, invoice)
    uow.audit("invoice.given_up", "invoice", invoice.id, after={"amount": str(amount)}, reason=body["reason"])
    return invoice


def expect_again(uow: Uow, invoice_id: UUID, reason: str) -> Invoice:
    """Takes a bad debt back: the invoice is owed again. Errors: `invoice_not_found` (404), `bad_debt_none` (409)."""
    invoice = invoicing.locked(uow, invoice_id)
    if not invoice.bad_debt:
        raise Conflict("bad_debt_none", "Nothing of this invoice was given up.")
    before = invoice.bad_debt
    invoice.bad_debt = ZERO
    uow.session.flush()
    ledger.reverse_bad_debts(uow, invoice.id, today(uow))
    announce(uow, invoice)
    uow.audit("invoice.expected_again", "invoice", invoice.id, before={"bad_debt": str(before)}, reason=reason)
    return invoice


def _return(
    uow: Uow,
    payment: Payment,
    kind: str,
    amount: Decimal,
    day: date,
    *,
    reference: str,
    reason: str,
    provider_id: str | None = None,
) -> None:
    payment.refunded += amount
    made = uow.add(
        Refund(
            payment_id=payment.id,
            kind=kind,
            amount=amount,
            returned_on=day,
            reference=reference,
            reason=reason,
            provider_id=provider_id,
            at=uow.now,
        )
    )
    _post(uow, f"{kind}_made", ledger_rules.money_returned(amount), payment, day)
    uow.announce(_returned(payment, kind, amount), subject=payment.id)
    uow.audit(
        f"payment.{kind}", "payment", payment.id, after={"refund": str(made.id), "amount": str(amount)}, reason=reason
    )


def _take_back(uow: Uow, payment: Payment, allocations: Sequence[dict[str, Any]], pointer: str) -> None:
    """Frees the named parts of what the payment pays."""
    wanted = []
    for place, named in enumerate(allocations):
        amount, _ = money.parse(named["amount"], pointer=f"{pointer}/{place}/amount", currency=payment.currency)
        wanted.append((UUID(named["invoice_id"]), amount))
    rules.check_take_back(wanted, dict(_allocated(uow, payment.id)), pointer)
    _post(
        uow,
        "allocation_taken_back",
        ledger_rules.allocations_taken_back(sum((a for _, a in wanted), ZERO)),
        payment,
        today(uow),
    )
    _unapply(uow, payment, wanted)


def free_of(uow: Uow, payments: Sequence[Payment], invoice: Invoice, needed: Decimal) -> None:
    """Frees of a locked invoice what it is overpaid by, from its last payment to its first: it is the client's credit. `payments` are
    those that pay it, locked.
    """
    paid = {p.id: dict(_allocated(uow, p.id)).get(invoice.id, ZERO) for p in payments}
    by_id = {p.id: p for p in payments}
    for payment_id, amount in rules.newest_first(needed, sorted(paid.items(), key=lambda p: str(p[0]))):
        payment = by_id[payment_id]
        _post(uow, "allocation_taken_back", ledger_rules.allocations_taken_back(amount), payment, today(uow))
        _unapply(uow, payment, [(invoice.id, amount)])


def paying(uow: Uow, invoice_id: UUID) -> list[Payment]:
    """The payments that pay an invoice, locked in the order of their ids: lock them before the invoice, as allocating does."""
    ids = select(PaymentAllocation.payment_id).where(
        PaymentAllocation.firm_id == uow.firm_id, PaymentAllocation.invoice_id == invoice_id
    )
    return list(
        uow.session.scalars(
            select(Payment)
            .where(Payment.firm_id == uow.firm_id, Payment.id.in_(ids))
            .order_by(Payment.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _unapply(uow: Uow, payment: Payment, parts: Sequence[tuple[UUID, Decimal]], *, book: bool = True) -> None:
    """Books the parts as negative allocations; their invoices are owed again and announced."""
    if not parts:
        return
    of = dict(parts)
    invoices = uow.session.scalars(
        select(Invoice)
        .where(Invoice.firm_id == uow.firm_id, Invoice.id.in_(of))
        .order_by(Invoice.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    payment.allocated -= sum(of.values(), ZERO)
    _apply(uow, payment, [(i, -of[i.id]) for i in invoices], book=book)


def _allocated(uow: Uow, payment_id: UUID) -> list[tuple[UUID, Decimal]]:
    """What the payment pays of each invoice, the one paid first first."""
    rows = uow.session.execute(
        text(
            "SELECT invoice_id, sum(amount) AS amount FROM payment_allocations WHERE firm_id = :firm AND payment_id = :id "
            "GROUP BY invoice_id HAVING sum(amount) > 0 ORDER BY max(id::text) FILTER (WHERE amount > 0)"
        ),
        {"firm": uow.firm_id, "id": payment_id},
    )
    return [(r.invoice_id, r.amount) for r in rows]


def locked(uow: Uow, payment_id: UUID) -> Payment:
    """The payment, locked, if its client may be seen. Errors: `payment_not_found` (404)."""
    payment = uow.session.scalars(
        select(Payment)
        .join(ClientCopy, (ClientCopy.firm_id == Payment.firm_id) & (ClientCopy.id == Payment.client_id))
        .where(Payment.firm_id == uow.firm_id, Payment.id == payment_id)
        .with_for_update(of=Payment)
        .execution_options(populate_existing=True)
    ).first()
    if payment is None:
        raise NotFound("payment_not_found", "There is no such payment.")
    return payment


def _refuse(refusal: DomainError | None) -> None:
    if refusal is not None:
        raise refusal


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


def _apply(uow: Uow, payment: Payment, wanted: Sequence[tuple[Invoice, Decimal]], *, book: bool = True) -> None:
    """Allocates; `book` says whether what the way of the exchange rate gains or loses is posted here."""
    for invoice, amount in wanted:
        if book and payment.exchange_rate is not None:
            before = dict(_allocated(uow, payment.id)).get(invoice.id, ZERO)
            currencies.post_difference(
                uow, invoice, payment.id, payment.exchange_rate, before, before + amount, today(uow)
            )
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
    return Open(invoice.id, invoice.client_id, invoice.number, invoice.state, invoice.currency, invoice.balance)


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


def _returned(payment: Payment, kind: str, amount: Decimal) -> PaymentReturned:
    return PaymentReturned(
        payment_id=str(payment.id),
        client_id=str(payment.client_id),
        kind=kind,
        amount=Money(**money.view(amount, payment.currency)),
    )
