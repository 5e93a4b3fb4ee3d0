"""Payments: what a payment may pay, and what may go back. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from chassis.errors import Conflict, DomainError, Invalid, NotFound
from timebilling.money import ZERO, view

FIRST_DAY = date(1990, 1, 1)


@dataclass(frozen=True, slots=True)
class Open:
    """An invoice that is to be paid."""

    id: UUID
    client_id: UUID
    number: str | None
    state: str
    currency: str
    balance: Decimal


def check_amount(amount: Decimal, received_on: date, today: date) -> None:
    """Errors (422): `payment_not_positive`, `payment_date_in_future`, `payment_date_out_of_range` (before 1990)."""
    if amount <= 0:
        raise Invalid("payment_not_positive", "A payment is more than zero.", pointer="/amount/amount")
    if received_on > today:
        raise Invalid(
            "payment_date_in_future",
            f"A payment can't be received on a day to come (today is {today}).",
            pointer="/received_on",
        )
    if received_on < FIRST_DAY:
        raise Invalid(
            "payment_date_out_of_range", f"Payments are received from {FIRST_DAY} on.", pointer="/received_on"
        )


def status(amount: Decimal, allocated: Decimal, refunded: Decimal, reversed_at: datetime | None) -> str:
    """unapplied, part_applied, applied, returned (nothing of it is left), reversed: derived, never typed in."""
    if reversed_at:
        return "reversed"
    if refunded >= amount:
        return "returned"
    if allocated + refunded >= amount:
        return "applied"
    return "part_applied" if allocated else "unapplied"


def check_day(day: date, received_on: date, today: date, pointer: str) -> None:
    """Money goes back between the day it came and today. Errors (422): `refund_date_impossible`."""
    if not received_on <= day <= today:
        raise Invalid(
            "refund_date_impossible",
            f"Money of this payment goes back between {received_on} and {today}.",
            pointer=pointer,
        )


def check_refund(amount: Decimal, received: Decimal, refunded: Decimal, unapplied: Decimal, currency: str) -> None:
    """A refund ≤ what is left of the payment, and of that only what pays nothing.

    Errors: `refund_not_positive` (422); `refund_over_payment`, `refund_over_credit` (409).
    """
    if amount <= 0:
        raise Invalid("refund_not_positive", "What goes back is more than zero.", pointer="/amount/amount")
    if amount > received - refunded:
        raise Conflict(
            "refund_over_payment",
            f"Of this payment {received - refunded} {currency} are left; no more can go back.",
            pointer="/amount/amount",
            left=view(received - refunded, currency),
        )
    if amount > unapplied:
        raise Conflict(
            "refund_over_credit",
            f"Only {unapplied} {currency} of this payment pay no invoice. Name the invoices it shall pay no longer.",
            pointer="/take_back",
            unapplied=view(unapplied, currency),
        )


def check_take_back(wanted: Sequence[tuple[UUID, Decimal]], allocated: Mapping[UUID, Decimal], pointer: str) -> None:
    """From each invoice no more than this payment pays of it.

    Errors: `allocation_twice`, `allocation_not_positive` (422), `allocation_not_found` (404), `take_back_over_allocation` (409).
    """
    if len({i for i, _ in wanted}) < len(wanted):
        raise Invalid("allocation_twice", "Name each invoice once.", pointer=pointer)
    for place, (invoice_id, amount) in enumerate(wanted):
        if amount <= 0:
            raise Invalid(
                "allocation_not_positive", "An amount to take back is more than zero.", pointer=f"{pointer}/{place}"
            )
        if not allocated.get(invoice_id):
            raise NotFound(
                "allocation_not_found", "The payment pays nothing of this invoice.", pointer=f"{pointer}/{place}"
            )
        if amount > allocated[invoice_id]:
            raise Conflict(
                "take_back_over_allocation",
                f"The payment pays {allocated[invoice_id]} of this invoice; no more can be taken back.",
                pointer=f"{pointer}/{place}",
            )


def newest_first(needed: Decimal, allocated: Sequence[tuple[UUID, Decimal]]) -> list[tuple[UUID, Decimal]]:
    """What to take back so that `needed` is free: from the last invoice paid to the first. `allocated` is oldest first."""
    back: list[tuple[UUID, Decimal]] = []
    for invoice_id, amount in reversed(allocated):
        part = min(needed, amount)
        if part > 0:
            back.append((invoice_id, part))
            needed -= part
    return back


def refusal_to_touch(reversed_at: datetime | None) -> DomainError | None:
    """A payment entered wrongly and reversed is over."""
    return Conflict("payment_reversed", "This payment was entered wrongly and is reversed.") if reversed_at else None


def refusal_to_reverse(reversed_at: datetime | None, refunded: Decimal, provider_id: str | None) -> DomainError | None:
    if reversed_at:
        return refusal_to_touch(reversed_at)
    if provider_id:
        return Conflict("payment_from_provider", "The card provider reported this payment: refund it instead.")
    if refunded:
        return Conflict(
            "payment_has_refunds", "Money of this payment went back already; it can't be reversed as a mistake."
        )
    return None


def check_bad_debt(amount: Decimal, state: str, balance: Decimal, number: str | None, currency: str) -> None:
    """Errors: `bad_debt_not_positive` (422); `invoice_not_open`, `bad_debt_over_balance` (409)."""
    if state != "issued" or balance <= 0:
        raise Conflict("invoice_not_open", "Only an issued invoice with something open can be given up.")
    if amount <= 0:
        raise Invalid("bad_debt_not_positive", "What is given up is more than zero.", pointer="/amount/amount")
    if amount > balance:
        raise Conflict(
            "bad_debt_over_balance",
            f"Invoice {number} has {balance} {currency} open; this gives up more.",
            pointer="/amount/amount",
            balance=view(balance, currency),
        )


def check_allocations(
    available: Decimal, currency: str, client_id: UUID, wanted: Sequence[tuple[Open, Decimal]]
) -> None:
    """Σ allocations ≤ what is available; each ≤ its invoice's open balance.

    Errors: `allocation_not_positive`, `allocation_currency`, `allocation_other_client`, `allocation_twice`,
    `allocations_over_payment` (422); `invoice_not_open`, `payment_over_balance` (409).
    """
    if len({invoice.id for invoice, _ in wanted}) < len(wanted):
        raise Invalid("allocation_twice", "Name each invoice once.", pointer="/allocations")
    for i, (invoice, amount) in enumerate(wanted):
        _check(invoice, amount, currency, client_id, f"/allocations/{i}")
    if sum((amount for _, amount in wanted), ZERO) > available:
        raise Invalid("allocations_over_payment", "The allocations are more than the payment.", pointer="/allocations")


def _check(invoice: Open, amount: Decimal, currency: str, client_id: UUID, pointer: str) -> None:
    if amount <= 0:
        raise Invalid("allocation_not_positive", "An allocation is more than zero.", pointer=pointer)
    if invoice.client_id != client_id:
        raise Invalid("allocation_other_client", "This invoice is another client's.", pointer=pointer)
    if invoice.currency != currency:
        raise Invalid("allocation_currency", f"This invoice is in {invoice.currency}.", pointer=pointer)
    if invoice.state != "issued":
        raise Conflict("invoice_not_open", "Only an issued invoice can be paid.", pointer=pointer)
    if amount > invoice.balance:
        raise Conflict(
            "payment_over_balance",
            f"Invoice {invoice.number} has {invoice.balance} {currency} open; this pays more.",
            pointer=pointer,
            balance=view(invoice.balance, currency),
        )
