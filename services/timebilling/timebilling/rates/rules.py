"""Rates: the documented order of levels, and why a rate is the one it is. Pure.

Order (domain, "Rates"), most specific first: entry override → job × staff → job × grade → engagement → client × staff →
client × grade → activity → staff → grade → firm. Each level has one rate per key, currency and day (the database excludes
overlaps), so at most one rate of a level is in force and ties can't occur.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from chassis.errors import Conflict, Invalid
from timebilling.money import rounded, view

# level → the keys it names, in the order of the levels
LEVELS: dict[str, tuple[str, ...]] = {
    "job_staff": ("job_id", "staff_id"),
    "job_grade": ("job_id", "grade"),
    "engagement": ("engagement_id",),
    "client_staff": ("client_id", "staff_id"),
    "client_grade": ("client_id", "grade"),
    "activity": ("activity_id",),
    "staff": ("staff_id",),
    "grade": ("grade",),
    "firm": (),
}
COST_LEVELS = ("staff", "grade", "firm")
KEYS = ("job_id", "engagement_id", "client_id", "staff_id", "activity_id", "grade")
WORDS = {
    "override": "entry override",
    "job_staff": "job × staff rate",
    "job_grade": "job × grade rate",
    "engagement": "engagement rate",
    "client_staff": "client × staff rate",
    "client_grade": "client × grade rate",
    "activity": "activity rate",
    "staff": "staff rate",
    "grade": "grade rate",
    "firm": "firm default rate",
}


@dataclass(frozen=True, slots=True)
class Work:
    """What decides a rate: who worked, for what, on which day."""

    day: date
    staff_id: UUID
    job_id: UUID
    client_id: UUID
    grade: str | None = None
    engagement_id: UUID | None = None
    activity_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate card's line: money per hour from its first day to its last (None: open)."""

    id: UUID
    level: str
    key: str
    amount: Decimal
    currency: str
    first: date
    last: date | None = None

    def in_force(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rate that holds for a piece of work, and the rule that chose it."""

    amount: Decimal
    currency: str
    rule: dict[str, Any]


def key_of(level: str, values: Mapping[str, Any]) -> str | None:
    """The key of a level as the database stores it (`level|a|b`), or None where the work lacks a part of it."""
    parts = [values.get(k) for k in LEVELS[level]]
    return None if any(p is None for p in parts) else "|".join([level, *(str(p) for p in parts)])


def check_key(kind: str, level: str, values: Mapping[str, Any]) -> str:
    """The key of a new rate. Errors (422): `rate_level_unknown`, `rate_key_incomplete`, `rate_key_superfluous`."""
    if kind == "cost" and level not in COST_LEVELS:
        raise Invalid("rate_level_unknown", f"Cost rates have the levels {', '.join(COST_LEVELS)}.", pointer="/level")
    for name in KEYS:
        named, wanted = values.get(name) is not None, name in LEVELS[level]
        if wanted and not named:
            raise Invalid("rate_key_incomplete", f"A {WORDS[level]} needs {name}.", pointer=f"/{name}")
        if named and not wanted:
            raise Invalid("rate_key_superfluous", f"A {WORDS[level]} has no {name}.", pointer=f"/{name}")
    key = key_of(level, values)
    assert key is not None
    return key


def candidates(work: Work, kind: str = "bill") -> list[tuple[str, str]]:
    """(level, key) of every level this work has a key for, most specific first."""
    values = {k: getattr(work, k) for k in KEYS}
    levels = LEVELS if kind == "bill" else COST_LEVELS
    return [(level, key) for level in levels if (key := key_of(level, values)) is not None]


def looked_at(
    work: Work, rates: Mapping[str, list[Rate]], currency: str, kind: str = "bill"
) -> list[tuple[str, Rate | None]]:
    """Each level with the rate of it that is in force for this work, in the order of the levels."""
    found = []
    for level, key in candidates(work, kind):
        applying = [r for r in rates.get(key, []) if r.currency == currency and r.in_force(work.day)]
        found.append((level, max(applying, key=lambda r: r.first, default=None)))
    return found


def choose(work: Work, rates: Mapping[str, list[Rate]], currency: str, kind: str = "bill") -> Chosen | None:
    """The rate of the most specific level that has one in this currency on this day; None where there is none (never zero)."""
    for level, rate in looked_at(work, rates, currency, kind):
        if rate is not None:
            return Chosen(rate.amount, currency, _why(level, rate, work))
    return None


def overridden(amount: Decimal, currency: str, reason: str) -> Chosen:
    """The rate an entry names for itself."""
    says = f"{_per_hour(amount, currency)}: entry override ({reason})"
    return Chosen(amount, currency, {"rule": "override", "version": "", "says": says, "inputs": {"reason": reason}})


def _why(level: str, rate: Rate, work: Work) -> dict[str, Any]:
    inputs = {k: str(getattr(work, k)) for k in LEVELS[level]} | {"day": str(work.day), "rate_id": str(rate.id)}
    says = f"{_per_hour(rate.amount, rate.currency)}: {WORDS[level]} of {rate.first}"
    return {"rule": level, "version": str(rate.first), "says": says, "inputs": inputs}


def _per_hour(amount: Decimal, currency: str) -> str:
    shown = view(amount, currency)
    return f"{currency} {shown['amount']}/h"


def missing(work: Work, currency: str, ended: Rate | None = None) -> Conflict:
    """The refusal to approve work nobody has set a rate for: a silent zero would be given away.

    `rate_gap` where a rate of the most specific level had been in force before (`ended`), `rate_missing` where there never was one.
    """
    levels = [level for level, _ in candidates(work)]
    if ended is not None:
        return Conflict(
            "rate_gap",
            f"The {WORDS[ended.level]} in {currency} ended on {ended.last}, and none holds on {work.day}. Set one for that day, then approve "
            "again.",
            looked_at=levels,
            currency=currency,
            level=ended.level,
            ended_on=str(ended.last),
        )
    return Conflict(
        "rate_missing",
        f"There is no rate in {currency} for this work on {work.day}. Set one (a firm default will do), then approve again.",
        looked_at=levels,
        currency=currency,
    )


def last_ended(work: Work, rates: Mapping[str, list[Rate]], currency: str) -> Rate | None:
    """Of the most specific level that had a rate before the day of this work, the one that ended last."""
    for _, key in candidates(work):
        over = [r for r in rates.get(key, []) if r.currency == currency and r.last is not None and r.last < work.day]
        if over:
            return max(over, key=lambda r: r.first)
    return None


def raised(amount: Decimal, percent: Decimal, step: Decimal, currency: str) -> Decimal:
    """A rate changed by a percentage, rounded half up to whole steps (of the currency's smallest unit at least)."""
    steps = (amount * (100 + percent) / 100 / step).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return rounded(steps * step, currency)


def check_raise(percent: Decimal, step: Decimal) -> None:
    """Errors (422): `percent_out_of_range` (above −100, up to 1000, not 0), `step_impossible`."""
    if not -100 < percent <= 1000 or percent == 0:
        raise Invalid("percent_out_of_range", "Change rates by more than −100 and up to 1000 %.", pointer="/percent")
    if step <= 0:
        raise Invalid("step_impossible", "Round to steps of more than nothing.", pointer="/round_to")


def value_of(seconds: int, rate: Decimal, currency: str) -> Decimal:
    """Standard value: billable seconds at a rate per hour, rounded half up to the currency's smallest unit."""
    return rounded(Decimal(seconds) * rate / 3600, currency)
