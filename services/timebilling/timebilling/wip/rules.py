"""WIP: what an item of work in progress is worth and what has become of it. Pure.

For every item, and so for every job: standard = billed + written down − written up + written off + remaining.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from timebilling.money import ZERO

UNBILLED, RESERVED, BILLED, WRITTEN_OFF = "unbilled", "reserved", "billed", "written_off"
BUCKETS = ("days_0_30", "days_31_60", "days_61_90", "days_over_90")


@dataclass(frozen=True, slots=True)
class Figures:
    """An item's, or a job's, money. All in one currency, none negative."""

    standard: Decimal
    billed: Decimal = ZERO
    written_down: Decimal = ZERO
    written_up: Decimal = ZERO
    written_off: Decimal = ZERO
    remaining: Decimal = ZERO

    def balanced(self) -> bool:
        """The WIP identity."""
        return self.standard == self.billed + self.written_down - self.written_up + self.written_off + self.remaining


def open_item(standard: Decimal) -> Figures:
    """Approved and not billed: all of it remains."""
    return Figures(standard, remaining=standard)


def billed_at(standard: Decimal, billed: Decimal) -> Figures:
    """Billed at some amount: less than standard is a write-down, more a write-up."""
    return Figures(
        standard, billed=billed, written_down=max(standard - billed, ZERO), written_up=max(billed - standard, ZERO)
    )


def given_up(standard: Decimal) -> Figures:
    """Written off: nothing of it will be billed."""
    return Figures(standard, written_off=standard)


def bucket(day: date, today: date) -> str:
    """The ageing bucket of work done on `day`."""
    age = (today - day).days
    return BUCKETS[0] if age <= 30 else BUCKETS[1] if age <= 60 else BUCKETS[2] if age <= 90 else BUCKETS[3]
