"""Paying an invoice by card: sending the payer to the provider, and believing only what the provider signs."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select, text

from chassis import auth
from chassis.db import new_id
from chassis.errors import NotFound, Unavailable
from chassis.uow import Stored, Uow, lost_update, perform
from timebilling import money
from timebilling.card_payments import provider, rules
from timebilling.card_payments.rules import Expired, Received, Reinstated, Returned, Told
from timebilling.card_payments.tables import CardSettings, Checkout
from timebilling.copies.usecases import today
from timebilling.invoices import usecases as invoicing
from timebilling.invoices.tables import Invoice
from timebilling.ledger import rules as ledger_rules
from timebilling.ledger import usecases as ledger
from timebilling.ledger.tables import LedgerPosting
from timebilling.money import ZERO
from timebilling.payments import usecases as payments
from timebilling.payments.tables import Payment, Refund

if TYPE_CHECKING:
    from chassis.service import Runtime

LIFETIME = timedelta(hours=24)  # Stripe's longest
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 7237004))")


def load(uow: Uow) -> CardSettings:
    """The firm's settings; off, not stored, where it has none."""
    found = uow.session.get(CardSettings, (uow.firm_id, uow.firm_id))
    return found or CardSettings(enabled=False, account=None, version=0)


def takes_cards(uow: Uow) -> bool:
    """Whether invoices of this firm can be paid by card here."""
    return provider.configured(uow.runtime) and load(uow).enabled


def change(uow: Uow, body: dict[str, Any], if_match: int | None) -> CardSettings:
    """Errors: `version_conflict` (412)."""
    try:
        found = uow.get(CardSettings, uow.firm_id, lock=True, version=if_match)
        before: dict[str, Any] = {"enabled": found.enabled, "account": found.account}
        found.enabled, found.account = body["enabled"], body.get("account")
        uow.session.flush()
    except NotFound:
        if if_match:
            raise lost_update(0) from None
        before = {"enabled": False, "account": None}
        found = uow.add(CardSettings(id=uow.firm_id, enabled=body["enabled"], account=body.get("account")))
    uow.audit("card_payments.changed", "card_settings", uow.firm_id, before=before, after=body)
    return found


def start(uow: Uow, invoice_id: UUID, client_ids: frozenset[UUID] | None, return_url: str) -> Checkout:
    """Where the invoice's balance can be paid. Who asks again while that page is open is sent to the same one, so nobody pays twice.

    `client_ids` are those of the contact who pays; None for staff. Errors: `invoice_not_found` (404), `invoice_not_open`,
    `card_payments_off` (409), `card_payments_unavailable` (503).
    """
    uow.session.execute(_ALONE, {"key": f"{uow.firm_id}|checkout|{invoice_id}"})
    invoice = invoicing.locked(uow, invoice_id)
    if client_ids is not None and (invoice.client_id not in client_ids or invoice.state == "draft"):
        raise NotFound("invoice_not_found", "There is no such invoice.")
    if refused := rules.refusal_to_start(takes_cards(uow), invoice.state, invoice.balance):
        raise refused
    open_ = uow.session.scalars(
        select(Checkout).where(
            Checkout.invoice_id == invoice.id,
            Checkout.state == "open",
            Checkout.amount == invoice.balance,
            Checkout.expires_at > uow.now + timedelta(minutes=5),
        )
    ).first()
    return open_ or _sent(uow, invoice, return_url)


def _sent(uow: Uow, invoice: Invoice, return_url: str) -> Checkout:
    """A new page at the provider, where nothing but this invoice's balance can be paid."""
    id, expires_at = new_id(), uow.now + LIFETIME
    ours = {"praxis_firm": str(uow.firm_id), "praxis_checkout": str(id), "praxis_invoice": str(invoice.id)}
    price = {
        "currency": invoice.currency.lower(),
        "unit_amount": rules.smallest(invoice.balance, invoice.currency),
        "product_data": {"name": f"{invoice.number}"},
    }
    params = {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "metadata": ours,
        "payment_intent_data": {"metadata": ours, "description": f"{invoice.number}"},
        "client_reference_id": str(invoice.id),
        "success_url": f"{return_url}?paid=1",
        "cancel_url": return_url,
        "expires_at": int(expires_at.timestamp()),
    }
    session_id, url = provider.create_session(uow.runtime, load(uow).account, params, f"checkout-{id}")
    made = uow.add(
        Checkout(
            id=id,
            invoice_id=invoice.id,
            client_id=invoice.client_id,
            amount=invoice.balance,
            currency=invoice.currency,
            state="open",
            session_id=session_id,
            url=url,
            expires_at=expires_at,
            created_at=uow.now,
        )
    )
    uow.audit("checkout.started", "invoice", invoice.id, after={"checkout": str(id), "amount": str(invoice.balance)})
    return made


# --- what the provider tells ------------------------------------------------------------------------------------------


def hear(runtime: "Runtime", payload: bytes, signature: str) -> bool:
    """Takes up an event of the provider; whether it was news. Told twice, or by many at once, it takes effect once.

    Errors: `webhook_signature_invalid` (400); `checkout_not_found`, `payment_not_found` (404) for what we should know and don't.
    """
    event = provider.verified(runtime, payload, signature)
    news = rules.told(event)
    if news is None:
        return False
    firm_id = _firm_of(runtime, news, event.get("account"))
    if firm_id is None:
        return False
    heard = False

    def work(uow: Uow) -> Stored:
        nonlocal heard
        heard = _take(uow, news)
        return Stored(200, {}, b"")

    perform(runtime, auth.system(runtime.service.name, firm_id), work)
    return heard


def _firm_of(runtime: "Runtime", news: Told, account: str | None) -> UUID | None:
    """Whose event it is: as written on the checkout, or on the payment it belongs to. None for a payment that is not ours."""
    if isinstance(news, Received | Expired):
        return news.firm_id
    known = provider.metadata_of(runtime, account, news.payment)
    try:
        return UUID(known["praxis_firm"])
    except (KeyError, ValueError):
        return None


def _take(uow: Uow, news: Told) -> bool:
    # All that concerns a payment comes one after the other, whoever brings it.
    key = str(news.checkout_id) if isinstance(news, Received | Expired) else news.payment
    uow.session.execute(_ALONE, {"key": f"{uow.firm_id}|{key}"})
    if isinstance(news, Expired):
        return _expire(uow, news)
    if isinstance(news, Received):
        return _receive(uow, news)
    if isinstance(news, Returned):
        return _return(uow, news)
    return _reinstate(uow, news)


def _receive(uow: Uow, news: Received) -> bool:
    """The payment, allocated to the checkout's invoice as far as that is still open; the rest is the client's credit."""
    if _known(uow, news.provider_id):
        return False
    checkout = uow.get(Checkout, news.checkout_id, lock=True)
    payment = _record(uow, checkout, news.amount, news.currency, news.provider_id)
    checkout.state, checkout.payment_id = "paid", payment.id
    uow.session.flush()
    uow.later("card_fee", payment.id, payment_id=str(payment.id))
    return True


def book_fee(uow: Uow, payment_id: str) -> None:
    """In the worker: what the provider kept of a card payment, once it says so; tried again until then.

    Errors: `card_payments_unavailable`, `card_fee_unknown` (503).
    """
    payment = payments.locked(uow, UUID(payment_id))
    booked = select(LedgerPosting.id).where(
        LedgerPosting.firm_id == uow.firm_id, LedgerPosting.payment_id == payment.id, LedgerPosting.kind == "card_fee"
    )
    if payment.provider_id is None or uow.session.execute(booked).first():
        return
    fee = rules.fee_of(provider.transaction_of(uow.runtime, load(uow).account, payment.provider_id))
    if fee is None:
        raise Unavailable("card_fee_unknown", "The card provider has not said yet what it keeps.", retry_after=3600)
    _post_fee(uow, payment, "card_fee", fee)


def _post_fee(uow: Uow, payment: Payment, kind: str, fee: tuple[Decimal, str]) -> None:
    amount, currency = fee
    ledger.post(
        uow,
        kind,
        ledger_rules.card_fee(amount),
        posted_on=today(uow),
        currency=currency,
        client_id=payment.client_id,
        payment_id=payment.id,
    )
    uow.audit(f"payment.{kind}", "payment", payment.id, after={"fee": money.view(amount, currency)})


def _expire(uow: Uow, news: Expired) -> bool:
    checkout = uow.get(Checkout, news.checkout_id, lock=True)
    if checkout.state != "open":
        return False
    checkout.state = "expired"
    uow.session.flush()
    return True


def _return(uow: Uow, news: Returned) -> bool:
    known = select(Refund.id).where(Refund.firm_id == uow.firm_id, Refund.provider_id == news.provider_id)
    if uow.session.execute(known).first():
        return False
    payment = payments.locked(uow, _named(uow, news.payment).id)
    if uow.session.execute(known).first():  # refunded from here while this waited
        return False
    amount = min(news.amount, payment.amount - payment.refunded)
    if amount <= 0:  # somebody has entered by hand that it went back
        return False
    payments.take_and_return(
        uow,
        payment,
        news.kind,
        amount,
        today(uow),
        reference=news.provider_id,
        reason=news.reason,
        provider_id=news.provider_id,
    )
    if news.fee is not None:
        _post_fee(uow, payment, "dispute_fee", news.fee)
    return True


def _reinstate(uow: Uow, news: Reinstated) -> bool:
    if _known(uow, news.provider_id):
        return False
    paid = _named(uow, news.payment)
    checkout = uow.session.scalars(select(Checkout).where(Checkout.payment_id == paid.id)).first()
    if checkout is None:
        raise NotFound("checkout_not_found", "There is no such checkout.")
    _record(uow, checkout, news.amount, news.currency, news.provider_id)
    return True


def _record(uow: Uow, checkout: Checkout, amount: Decimal, currency: str, provider_id: str) -> Payment:
    invoice = invoicing.locked(uow, checkout.invoice_id)
    part = min(amount, invoice.balance) if currency == invoice.currency else ZERO
    allocations = [{"invoice_id": str(invoice.id), "amount": money.view(part, currency)}] if part > 0 else []
    body = {
        "client_id": str(checkout.client_id),
        "amount": money.view(amount, currency),
        "received_on": str(today(uow)),
        "method": "card",
        "reference": invoice.number or "",
        "allocations": allocations,
    }
    return payments.record(uow, body, provider_id=provider_id)


def _known(uow: Uow, provider_id: str) -> bool:
    wanted = select(Payment.id).where(Payment.firm_id == uow.firm_id, Payment.provider_id == provider_id)
    return uow.session.execute(wanted).first() is not None


def _named(uow: Uow, provider_id: str) -> Payment:
    """The payment that the provider calls so. Errors: `payment_not_found` (404): its own event has not come yet, ours is tried again."""
    found = uow.session.scalars(
        select(Payment).where(Payment.firm_id == uow.firm_id, Payment.provider_id == provider_id)
    ).first()
    if found is None:
        raise NotFound("payment_not_found", "There is no such payment.")
    return found


def give_back(uow: Uow, payment: Payment, amount: Decimal) -> str | None:
    """Gives money of a card payment back to the card: the provider's name of the refund. None for money that came otherwise.

    Asked again after an interruption it is the same refund. Errors: `card_payments_unavailable` (503), `card_payment_refused` (400).
    """
    if payment.provider_id is None:
        return None
    key = f"refund-{payment.id}-{payment.refunded}-{amount}"
    count = rules.smallest(amount, payment.currency)
    return provider.refund(uow.runtime, load(uow).account, payment.provider_id, count, key)
