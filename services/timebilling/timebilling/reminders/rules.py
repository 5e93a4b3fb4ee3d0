"""Reminding of unpaid invoices: which level is due when, and what interest has come up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from chassis.errors import Conflict, DomainError, Invalid
from timebilling.money import ZERO, rounded

YEAR = Decimal(365)


@dataclass(frozen=True, slots=True)
class Level:
    """A step of reminding: so many days after the due date, asking for interest a year in percent where that is set."""

    level: int
    days: int
    interest_percent: Decimal | None


def levels(kept: Sequence[dict[str, Any]]) -> list[Level]:
    """Levels as they are kept: {days, interest_percent}."""
    return [
        Level(n, x["days"], None if x["interest_percent"] is None else Decimal(x["interest_percent"]))
        for n, x in enumerate(kept, 1)
    ]


def check_levels(levels: Sequence[Level]) -> None:
    """Errors (422): `reminder_levels_unordered` unless each level comes later than the one before."""
    for place, (one, other) in enumerate(pairwise(levels), 1):
        if other.days <= one.days:
            raise Invalid(
                "reminder_levels_unordered",
                f"Level {other.level} must come later than level {one.level} ({one.days} days).",
                pointer=f"/levels/{place}/days_after_due",
            )


def due_level(levels: Sequence[Level], sent: int, due_on: date, today: date) -> Level | None:
    """The highest level whose day has come and that is above what was sent; lower ones are skipped for good: nobody gets two at once."""
    late = (today - due_on).days
    return max((x for x in levels if x.days <= late and x.level > sent), key=lambda x: x.level, default=None)


def next_day(levels: Sequence[Level], sent: int, due_on: date) -> date | None:
    """The day of the first level above what was sent."""
    later = [x for x in levels if x.level > sent]
    return due_on + timedelta(days=min(x.days for x in later)) if later else None


def refusal_to_charge(status: str, interest: bool) -> DomainError | None:
    """Interest is charged on what is overdue, and never on interest."""
    if interest:
        return Conflict("interest_on_interest", "This invoice charges interest itself. There is none on it again.")
    if status != "overdue":
        return Conflict("invoice_not_overdue", "Interest is charged on an issued invoice that is overdue.")
    return None


def interest(balance: Decimal, percent: Decimal | None, due_on: date, today: date, currency: str) -> Decimal:
    """Simple interest on what is open, from the day after the due date (or the last day charged), 365 days a year (actual/365)."""
    if not percent:
        return ZERO
    return rounded(balance * percent / 100 * (today - due_on).days / YEAR, currency)
