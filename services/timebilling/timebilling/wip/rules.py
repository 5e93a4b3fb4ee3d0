"""WIP: what an item of work in progress is worth and what has become of it. Pure.

For every item, and so for every job: standard = billed + written down − written up + written off + remaining.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chassis.errors import Conflict, DomainError, Forbidden
from timebilling.money import ZERO, spread, view

UNBILLED, RESERVED, BILLED, WRITTEN_OFF = "unbilled", "reserved", "billed", "written_off"
WITHDRAWN = "withdrawn"  # its approval was taken back: worth nothing until approved again
TIME, DISBURSEMENT = "time", "disbursement"
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


def given_up(figures: Figures) -> Figures:
    """Written off: nothing of what remains will be billed. What was written up or down before stays said."""
    return Figures(figures.standard, ZERO, figures.written_down, figures.written_up, figures.remaining)


def adjusted(standard: Decimal, remaining: Decimal) -> Figures:
    """Carried at another value than standard, before it is billed: less is a write-down, more a write-up."""
    return Figures(
        standard,
        written_down=max(standard - remaining, ZERO),
        written_up=max(remaining - standard, ZERO),
        remaining=remaining,
    )


def allocate(total: Decimal, standards: Sequence[Decimal], currency: str) -> list[Decimal]:
    """A fixed amount over items: in proportion to their standard value, largest remainder; evenly where they have none."""
    return spread(total, standards, currency)


# A firm that has not said otherwise: those who could always write off still can, others get a limit first.
UNLIMITED = frozenset({"owner", "partner", "billing"})


def limit_of(roles: Iterable[str], limits: Mapping[tuple[str, str], Decimal], currency: str) -> Decimal | None:
    """How much a person with these roles may write up, down or off: in one act, and of one job in one month; None: any amount.

    `limits` are amounts by role and currency. A role's limit counts in its currency alone: in another one such a role may adjust
    nothing. Of several roles the highest counts. A copy of a person that knows no roles yet leaves it to the permission.
    """
    roles = list(roles)
    if not roles:
        return None
    highest = ZERO
    for role in roles:
        if not any(r == role for r, _ in limits):
            if role in UNLIMITED:
                return None
            continue
        highest = max(highest, limits.get((role, currency), ZERO))
    return highest


def over_limit(amount: Decimal, limit: Decimal | None, currency: str, *, of_month: bool = False) -> DomainError | None:
    """`of_month`: the amount is what a person has done to one job this month, this act included."""
    if limit is None or amount <= limit:
        return None
    much, most = view(amount, currency)["amount"], view(limit, currency)["amount"]
    says = f"This is {much}."
    if of_month:
        says = f"With what you wrote up, down or off of this job this month, this is {much}."
    return Forbidden(
        "adjustment_over_limit",
        f"You may write up, down or off {most} {currency} at once, and of one job in a month. {says} Ask someone with a higher limit.",
        limit=view(limit, currency),
        amount=view(amount, currency),
    )


def refusal_to_touch(state: str | None, remaining: Decimal, standard: Decimal) -> DomainError | None:
    """Whether an item is in the way of taking its approval back or rating it anew. `state` None: not billable, so no item."""
    if state in (RESERVED, BILLED, WRITTEN_OFF):
        return Conflict(f"entry_{state}", _SAYS[state])
    if state == UNBILLED and remaining != standard:
        return Conflict(
            "entry_adjusted", "This was written up or down. Set it back to its standard value first.", pointer="/ids"
        )
    return None


_SAYS = {
    RESERVED: "This stands on a draft. Take it off the draft first.",
    BILLED: "This is billed. Void or credit the invoice first.",
    WRITTEN_OFF: "This was written off.",
}


def bucket(day: date, today: date) -> str:
    """The ageing bucket of work done on `day`."""
    age = (today - day).days
    return BUCKETS[0] if age <= 30 else BUCKETS[1] if age <= 60 else BUCKETS[2] if age <= 90 else BUCKETS[3]
