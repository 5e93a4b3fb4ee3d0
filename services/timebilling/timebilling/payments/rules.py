"""Payments: what a payment may pay. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from chassis.errors import Conflict, Invalid
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
    total: Decimal
    paid: Decimal

    @property
    def balance(self) -> Decimal:
        return self.total - self.paid


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
