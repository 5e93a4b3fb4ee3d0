"""Recurrence: which periods a schedule has, and on which day the job of each is made. Every period is computed from the anchor."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Literal

from dateutil.rrule import rrule as RRule  # noqa: N812 - a class by another convention
from dateutil.rrule import rrulestr

from workflow.dates.rules import LATEST, Calendar, DateOutOfRange, Roll, add_days, add_months, roll, short

KINDS = ("months", "weeks", "business_day_of_month", "weekday_of_month", "days_of_month", "rrule")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class RuleRefused(ValueError):
    """A rule that can't be meant: `code` as the API says it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Rule:
    """What repeats. `every`: so many months or weeks. `nth`: 1 the first … -1 the last. `weekday`: 1 Monday … 7 Sunday.

    Months, weeks and RFC 5545 rules give periods that last until the next begins. The others name a day: of the period
    that is the month, or, for several days a month, that ends with the day (so 15 and -1 are the halves of a month).
    """

    kind: str
    every: int = 1
    nth: int = 1
    weekday: int = 1
    days: tuple[int, ...] = ()
    rrule: str = ""
    roll: Roll = "none"

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "Rule":
        return cls(**{**raw, "days": tuple(sorted(set(raw.get("days", ())), key=lambda d: d if d > 0 else 32 + d))})

    def as_json(self) -> dict[str, Any]:
        used = {"kind", *_USED[self.kind]}
        raw = {name: getattr(self, name) for name in self.__slots__ if name in used}
        return raw | ({"days": list(self.days)} if "days" in used else {})


_USED = {
    "months": ("every",),
    "weeks": ("every",),
    "business_day_of_month": ("every", "nth"),
    "weekday_of_month": ("every", "nth", "weekday", "roll"),
    "days_of_month": ("days", "roll"),
    "rrule": ("rrule",),
}


@dataclass(frozen=True, slots=True)
class Ahead:
    """When a job is made: so many days before the period's start, its end, or the named day."""

    days: int = 0
    before: Literal["period_start", "period_end", "day"] = "period_start"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One period. `day` is the named day, for rules that name one."""

    period_start: date
    period_end: date
    day: date | None = None

    def made_on(self, ahead: Ahead) -> date:
        """The day its job is made. Errors: DateOutOfRange."""
        base = {"period_start": self.period_start, "period_end": self.period_end, "day": self.day or self.period_start}
        return add_days(base[ahead.before], -ahead.days)


def check(rule: Rule, starts_on: date, ends_on: date | None, calendar: Calendar) -> None:
    """Errors: RuleRefused `rrule_invalid`, `schedule_never_fires`."""
    if rule.kind == "rrule":
        _parsed(rule.rrule, starts_on)
    if rule.kind == "days_of_month" and not rule.days:
        raise RuleRefused("schedule_never_fires", "Name at least one day of the month.")
    if next(occurrences(rule, starts_on, calendar, ends_on=ends_on), None) is None:
        raise RuleRefused("schedule_never_fires", "By this rule no period would ever come.")


def occurrences(
    rule: Rule, starts_on: date, calendar: Calendar, *, since: date | None = None, ends_on: date | None = None
) -> Iterator[Occurrence]:
    """Periods in order: those that begin on `starts_on` or later (named days: that fall there or later), from the one on
    that begins on `since` or later, up to the last that begins by `ends_on`. Endless rules end with the year 2200."""
    since = since or date.min
    for found in _KIND[rule.kind](rule, starts_on, calendar, since):
        if ends_on and found.period_start > ends_on:
            return
        if found.period_start >= since:
            yield found


def _lasting(begins: Iterator[date]) -> Iterator[Occurrence]:
    """Periods that last until the next begins."""
    start = next(begins, None)
    for following in begins:
        assert start is not None
        yield Occurrence(start, following - timedelta(days=1))
        start = following


def _months(rule: Rule, starts_on: date, _calendar: Calendar, since: date) -> Iterator[Occurrence]:
    skipped = max(0, _months_between(starts_on, since) // rule.every - 1)
    return _lasting(_until_latest(lambda n: add_months(starts_on, n * rule.every), skipped))


def _weeks(rule: Rule, starts_on: date, _calendar: Calendar, since: date) -> Iterator[Occurrence]:
    skipped = max(0, (since - starts_on).days // (7 * rule.every) - 1)
    return _lasting(_until_latest(lambda n: add_days(starts_on, n * 7 * rule.every), skipped))


def _until_latest(nth: Callable[[int], date], first: int) -> Iterator[date]:
    n = first
    while True:
        try:
            yield nth(n)
        except DateOutOfRange:
            return
        n += 1


def _by_month(
    pick: Callable[[Rule, date, Calendar], date | None],
) -> Callable[[Rule, date, Calendar, date], Iterator[Occurrence]]:
    """Rules that name one day of every so many months."""

    def found(rule: Rule, starts_on: date, calendar: Calendar, since: date) -> Iterator[Occurrence]:
        first = starts_on.replace(day=1)
        skipped = max(0, _months_between(first, since) // rule.every - 1)
        for month in _until_latest(lambda n: add_months(first, n * rule.every), skipped):
            day = pick(rule, month, calendar)
            if day and day >= starts_on:
                yield Occurrence(month, _last(add_months(month, rule.every - 1)), day)

    return found


def _business_day(rule: Rule, month: date, calendar: Calendar) -> date | None:
    days = [day for day in _days(month) if calendar.is_business_day(day)]
    return _pick(days, rule.nth)


def _weekday(rule: Rule, month: date, calendar: Calendar) -> date | None:
    day = _pick([day for day in _days(month) if day.isoweekday() == rule.weekday], rule.nth)
    return roll(day, rule.roll, calendar) if day else None


def _pick(days: list[date], nth: int) -> date | None:
    place = nth - 1 if nth > 0 else len(days) + nth
    return days[place] if 0 <= place < len(days) else None


def _days_of_month(rule: Rule, starts_on: date, calendar: Calendar, since: date) -> Iterator[Occurrence]:
    first = starts_on.replace(day=1)
    begins = max(first, since.replace(day=1)) if since > first else first
    previous = _named_days(rule, add_months(begins, -1))[-1]
    for month in _until_latest(lambda n: add_months(begins, n), 0):
        for day in _named_days(rule, month):
            if day >= starts_on:
                yield Occurrence(previous + timedelta(days=1), day, roll(day, rule.roll, calendar))
            previous = day


def _named_days(rule: Rule, month: date) -> list[date]:
    """The days of that month; a 31st is the last day of shorter ones."""
    last = _last(month).day
    return [month.replace(day=d) for d in sorted({min(n, last) if n > 0 else max(1, last + 1 + n) for n in rule.days})]


def _rrule(rule: Rule, starts_on: date, _calendar: Calendar, since: date) -> Iterator[Occurrence]:
    endless, count, until = _parsed(rule.rrule, starts_on)
    for n, found in enumerate(_lasting(moment.date() for moment in endless)):
        if (count is not None and n >= count) or (until and found.period_start > until):
            return
        yield found


@lru_cache(maxsize=1000)
def _parsed(text: str, starts_on: date) -> tuple[RRule, int | None, date | None]:
    """The rule without its end, which counts for where periods begin but not for how long the last one lasts; and its end.
    RFC 5545, section 3.3.10. Errors: RuleRefused `rrule_invalid`."""
    refused = RuleRefused(
        "rrule_invalid",
        "Give a recurrence rule of RFC 5545 by days, weeks, months or years, such as FREQ=WEEKLY;BYDAY=FR.",
    )
    if not re.fullmatch(r"FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9,+-]+)*", text) or _CLOCK.search(text):
        raise refused
    try:
        found = rrulestr(text, dtstart=datetime.combine(starts_on, time.min))
    except (ValueError, TypeError, OverflowError) as error:
        raise refused from error
    if not isinstance(found, RRule) or (found._count is not None and found._until):  # type: ignore[attr-defined]
        raise refused
    count, until = found._count, found._until  # type: ignore[attr-defined]
    endless = found.replace(count=None, until=datetime.combine(LATEST, time.min))
    return endless, count, until.date() if until else None


_CLOCK = re.compile(r"BYHOUR|BYMINUTE|BYSECOND|BYEASTER")

_KIND: dict[str, Callable[[Rule, date, Calendar, date], Iterator[Occurrence]]] = {
    "months": _months,
    "weeks": _weeks,
    "business_day_of_month": _by_month(_business_day),
    "weekday_of_month": _by_month(_weekday),
    "days_of_month": _days_of_month,
    "rrule": _rrule,
}


def first(rule: Rule, starts_on: date, calendar: Calendar, count: int, **limits: date | None) -> list[Occurrence]:
    return list(islice(occurrences(rule, starts_on, calendar, **limits), count))


def _months_between(first: date, second: date) -> int:
    return (second.year - first.year) * 12 + second.month - first.month


def _last(month: date) -> date:
    """The last day of the month that the day is in."""
    return add_months(month.replace(day=1), 1) - timedelta(days=1)


def _days(month: date) -> Iterator[date]:
    yield from (month + timedelta(days=i) for i in range(_last(month).day))


# --- in words --------------------------------------------------------------------------------------------------------


def in_words(rule: Rule, starts_on: date) -> str:
    """ "every 3 months from 1 Jul 2026", "the last business day of every month" """
    every = {1: "every month"}.get(rule.every, f"every {rule.every} months")
    match rule.kind:
        case "months":
            return f"{every} from {short(starts_on)}"
        case "weeks":
            return f"{'every week' if rule.every == 1 else f'every {rule.every} weeks'} from {short(starts_on)}"
        case "business_day_of_month":
            return f"the {_ordinal(rule.nth)} business day of {every}"
        case "weekday_of_month":
            return f"the {_ordinal(rule.nth)} {_WEEKDAYS[rule.weekday - 1]} of {every}"
        case "days_of_month":
            named = [_ordinal(day) + (" day" if day < 0 else "") for day in rule.days]
            return f"the {' and '.join(named)} of every month"
        case _:
            return f"{rule.rrule} from {short(starts_on)}"


def _ordinal(nth: int) -> str:
    if nth == -1:
        return "last"
    if nth < 0:
        return f"{_ordinal(-nth)} last"
    suffix = "th" if nth % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(nth % 10, "th")
    return f"{nth}{suffix}"
