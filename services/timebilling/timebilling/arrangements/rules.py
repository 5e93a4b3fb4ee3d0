"""Fee arrangements: periods, what a bill may come to, what is left of a fee or a cap. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from chassis.errors import Conflict, DomainError, Invalid
from timebilling.money import ZERO

HOURLY, CAPPED, FIXED, RECURRING = "hourly", "capped", "fixed", "recurring"
MILESTONE, RETAINER, CONTINGENT = "milestone", "retainer", "contingent"
# Whose work is billed as time; the work of the others is covered by their fee.
BY_TIME = (HOURLY, CAPPED, RETAINER)
MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}


@dataclass(frozen=True, slots=True)
class Period:
    """A span of a recurring fee, both days included."""

    first: date
    last: date


def period(starts_on: date, every: str, n: int) -> Period:
    """The n-th period (0 is the first), computed from the anchor: from 31 January the next begins on 28 February, then 31 March."""
    months = MONTHS[every]
    return Period(
        starts_on + relativedelta(months=n * months), starts_on + relativedelta(months=(n + 1) * months) - timedelta(1)
    )


def periods(
    starts_on: date, every: str, bill_from: date, ends_on: date | None, today: date, in_advance: bool
) -> Iterator[Period]:
    """The periods to be billed by today: over already (or begun, in advance), not ended before `bill_from`, begun before the end."""
    n = 0
    while True:
        found = period(starts_on, every, n)
        due = found.first <= today if in_advance else found.last < today
        if not due or (ends_on is not None and found.first > ends_on):
            return
        if found.last >= bill_from:
            yield found
        n += 1


def next_due(
    starts_on: date, every: str, bill_from: date, ends_on: date | None, today: date, in_advance: bool
) -> date | None:
    """The first day after today on which a further period is to be billed."""
    n = 0
    while True:
        found = period(starts_on, every, n)
        if ends_on is not None and found.first > ends_on:
            return None
        day = found.first if in_advance else found.last + timedelta(1)
        if day > today and found.last >= bill_from:
            return day
        n += 1


def check_progress(amount: Decimal, fee: Decimal, billed: Decimal, currency: str) -> None:
    """Errors: `bill_not_positive` (422), `fee_exceeded` (409)."""
    if amount <= 0:
        raise Invalid("bill_not_positive", "A bill is more than zero.", pointer="/amount")
    if billed + amount > fee:
        raise Conflict("fee_exceeded", f"Of the fee, {fee - billed} {currency} are not billed yet.", pointer="/amount")


def refusal_to_bill(kind: str, completed: bool) -> DomainError | None:
    if kind in BY_TIME:
        return Conflict("arrangement_billed_by_time", f"An {kind} engagement is billed by drafting its time.")
    if completed:
        return Conflict("arrangement_completed", "The final bill of this engagement was made already.")
    return None


def cap_left(cap: Decimal, billed: Decimal) -> Decimal:
    """What may still be billed under a cap."""
    return max(cap - billed, ZERO)
