"""Statements of account: a running balance that ends where the ledger stands. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chassis.errors import Invalid

MOST_DAYS = 366 * 5


@dataclass(frozen=True, slots=True)
class Movement:
    """A posting as it moves what the client owes (more: positive)."""

    day: date
    kind: str
    number: str  # of the invoice or credit note, or a payment's reference
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Row:
    movement: Movement
    balance: Decimal


def check_period(first: date, last: date) -> None:
    """Errors (422): `period_reversed`, `period_too_long`."""
    if last < first:
        raise Invalid("period_reversed", "The period ends before it begins.", pointer="/to")
    if (last - first).days > MOST_DAYS:
        raise Invalid("period_too_long", "A statement may span five years.", pointer="/from")


def running(opening: Decimal, movements: Iterable[Movement]) -> list[Row]:
    """Each movement with the balance after it."""
    rows, balance = [], opening
    for movement in movements:
        balance += movement.amount
        rows.append(Row(movement, balance))
    return rows
