"""Card payments: what the provider tells, in our words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.errors import Conflict, DomainError
from timebilling import money

# Currencies without cents that Stripe counts in hundredths all the same (its "zero-decimal currencies", special cases).
IN_HUNDREDTHS = frozenset({"ISK", "UGX"})


@dataclass(frozen=True, slots=True)
class Received:
    """A checkout was paid."""

    firm_id: UUID
    checkout_id: UUID
    provider_id: str  # the payment intent
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Money of a payment went back: a refund, or a dispute that took it."""

    kind: str  # refund, chargeback
    provider_id: str
    payment: str  # the payment intent
    amount: Decimal
    currency: str
    reason: str
    fee: tuple[Decimal, str] | None = None  # what the provider charges for it


@dataclass(frozen=True, slots=True)
class Reinstated:
    """A dispute was won: its money is back."""

    provider_id: str
    payment: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Expired:
    """A checkout was left unpaid."""

    firm_id: UUID
    checkout_id: UUID


Told = Received | Returned | Reinstated | Expired


def smallest(amount: Decimal, currency: str) -> int:
    """The amount as Stripe counts it: 12.34 GBP is 1234, 1234 JPY is 1234, 1.234 KWD is 1234."""
    return int(amount.scaleb(2 if currency in IN_HUNDREDTHS else money.exponent(currency)))


def amount_of(count: int, currency: str) -> Decimal:
    """The amount that Stripe counts so."""
    return Decimal(count).scaleb(-(2 if currency in IN_HUNDREDTHS else money.exponent(currency)))


def told(event: Mapping[str, Any]) -> Told | None:
    """What an event of Stripe means here; None for what is not ours or changes nothing."""
    what, thing = event["type"], event["data"]["object"]
    if what in ("checkout.session.completed", "checkout.session.async_payment_succeeded"):
        return _paid(thing)
    if what == "checkout.session.expired":
        ours = _ours(thing)
        return Expired(*ours) if ours else None
    if (
        what in ("refund.created", "refund.updated")
        and thing.get("status") == "succeeded"
        and thing.get("payment_intent")
    ):
        return _returned("refund", thing, thing.get("reason") or "refunded at the card provider")
    if what == "charge.dispute.funds_withdrawn" and thing.get("payment_intent"):
        return _returned(
            "chargeback", thing, f"disputed: {thing.get('reason') or 'no reason given'}", _fee_of_dispute(thing)
        )
    if what == "charge.dispute.funds_reinstated" and thing.get("payment_intent"):
        currency = thing["currency"].upper()
        return Reinstated(
            f"{thing['id']}:reinstated", thing["payment_intent"], amount_of(thing["amount"], currency), currency
        )
    return None


def _paid(session: Mapping[str, Any]) -> Received | None:
    ours = _ours(session)
    if ours is None or session.get("payment_status") != "paid" or not session.get("payment_intent"):
        return None
    currency = session["currency"].upper()
    return Received(*ours, session["payment_intent"], amount_of(session["amount_total"], currency), currency)


def _ours(thing: Mapping[str, Any]) -> tuple[UUID, UUID] | None:
    """Firm and checkout that we wrote on what we made; an account may sell other things beside."""
    known = thing.get("metadata") or {}
    try:
        return UUID(known["praxis_firm"]), UUID(known["praxis_checkout"])
    except (KeyError, ValueError):
        return None


def _returned(kind: str, thing: Mapping[str, Any], reason: str, fee: tuple[Decimal, str] | None = None) -> Returned:
    currency = thing["currency"].upper()
    amount = amount_of(thing["amount"], currency)
    return Returned(kind, thing["id"], thing["payment_intent"], amount, currency, reason, fee)


def fee_of(transaction: Mapping[str, Any] | None) -> tuple[Decimal, str] | None:
    """What a balance transaction of Stripe says was kept, in the currency the account is paid out in; None while there is none yet."""
    if not isinstance(transaction, Mapping):
        return None
    currency = transaction["currency"].upper()
    return amount_of(transaction["fee"], currency), currency


def _fee_of_dispute(thing: Mapping[str, Any]) -> tuple[Decimal, str] | None:
    """The fee of the first balance transaction: that by which the money was withdrawn."""
    return fee_of(next(iter(thing.get("balance_transactions") or []), None))


def refusal_to_start(enabled: bool, state: str, balance: Decimal) -> DomainError | None:
    if not enabled:
        return Conflict("card_payments_off", "This firm takes no card payments here. Please pay by transfer.")
    if state != "issued" or balance <= 0:
        return Conflict("invoice_not_open", "There is nothing to pay on this invoice.")
    return None
