"""Dates: relative dates with end-of-month arithmetic, business days, rolls, and how a period is named."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Literal

import holidays

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)

Anchor = Literal["period_start", "period_end", "client_year_end", "job_start", "task_completion", "request_completion"]
Unit = Literal["days", "business_days", "weeks", "months"]
Roll = Literal["none", "next", "previous", "modified_following"]

COMPLETION_ANCHORS = ("task_completion", "request_completion")

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class DateOutOfRange(ValueError):
    """A date before 1900 or after 2200: no date of a firm's work, but a slip of the pen."""


def in_range(day: date) -> date:
    """The day itself. Errors: DateOutOfRange."""
    if not EARLIEST <= day <= LATEST:
        raise DateOutOfRange(day.isoformat())
    return day


def begins(day: date, zone: tzinfo) -> datetime:
    """The first instant of a day where its clocks go by that zone: also where they skip midnight, have it twice, or skip the day
    (then that of the next)."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


# --- calendars -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Calendar:
    """Business days of a country or one of its regions, without the days on which the firm is closed.

    A country that `holidays` doesn't know has Saturday and Sunday off and no holidays.
    """

    country: str = ""
    region: str = ""
    closures: frozenset[date] = field(default_factory=frozenset)

    @classmethod
    def of(cls, code: str) -> "Calendar":
        """A jurisdiction's calendar: "GB", "US-DC". It knows nothing of the firm's closures: they move no legal date."""
        country, _, region = code.partition("-")
        return cls(country, region)

    @property
    def code(self) -> str:
        return f"{self.country}-{self.region}" if self.region else self.country

    def is_business_day(self, day: date) -> bool:
        weekend, off = _year_of(self.country, self.region, day.year)
        return day.weekday() not in weekend and day not in off and day not in self.closures

    def is_weekend(self, day: date) -> bool:
        return day.weekday() in _year_of(self.country, self.region, day.year)[0]

    def holiday(self, day: date) -> str | None:
        """The name of the public holiday on that day, if it is one."""
        return _year_of(self.country, self.region, day.year)[1].get(day)

    def of_the_law(self) -> "Calendar":
        """The same without the firm's closures."""
        return Calendar(self.country, self.region)


@lru_cache(maxsize=2000)
def _year_of(country: str, region: str, year: int) -> tuple[frozenset[int], Mapping[date, str]]:
    """Weekend days (0 Monday) and public holidays of one year; never changed, so threads can share it."""
    for subdivision in (region or None, None):
        try:
            found = holidays.country_holidays(country, subdiv=subdivision, years=year, expand=False)
        except NotImplementedError:
            continue
        return frozenset(found.weekend), MappingProxyType(dict(found))
    return frozenset({5, 6}), MappingProxyType({})


@cache
def known_calendars() -> Mapping[str, tuple[str, ...]]:
    """Countries by ISO 3166 code with those of their regions whose holidays differ, as `holidays` knows them."""
    found = holidays.list_supported_countries(include_aliases=False)
    return {code: tuple(regions) for code, regions in sorted(found.items()) if len(code) == 2}


def calendar_known(code: str) -> bool:
    country, _, region = code.partition("-")
    return country in known_calendars() and (not region or region in known_calendars()[country])


# --- arithmetic ------------------------------------------------------------------------------------------------------


def add_months(day: date, months: int) -> date:
    """The day `months` later (earlier if negative). The last day of a month stays the last day of the month:
    31 January + 1 = 28 or 29 February, + 2 = 31 March; 28 February 2026 + 1 = 31 March. Errors: DateOutOfRange."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not EARLIEST.year <= year <= LATEST.year:
        raise DateOutOfRange(f"{day} {months:+} months")
    last = monthrange(year, month + 1)[1]
    sticks = day.day == monthrange(day.year, day.month)[1]
    return date(year, month + 1, last if sticks else min(day.day, last))


def add_days(day: date, days: int) -> date:
    """Calendar days later or earlier. Errors: DateOutOfRange."""
    try:
        return in_range(day + timedelta(days=days))
    except OverflowError as error:
        raise DateOutOfRange(f"{day} {days:+} days") from error


def add_business_days(day: date, count: int, calendar: Calendar) -> date:
    """The `count`-th business day after (before, if negative) the day; 0 is the day itself, business day or not."""
    step = 1 if count > 0 else -1
    for _ in range(abs(count)):
        day = _nearest(add_days(day, step), step, calendar)
    return day


def roll(day: date, convention: Roll, calendar: Calendar) -> date:
    """The business day that stands for `day`. Modified following: the next, unless that is in the next month, then the previous."""
    match convention:
        case "next":
            return _nearest(day, 1, calendar)
        case "previous":
            return _nearest(day, -1, calendar)
        case "modified_following":
            following = _nearest(day, 1, calendar)
            return following if following.month == day.month else _nearest(day, -1, calendar)
        case _:
            return day


def _nearest(day: date, step: int, calendar: Calendar) -> date:
    while not calendar.is_business_day(day):
        day = add_days(day, step)
    return day


# --- relative dates --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DateRule:
    """A relative date: anchor ± amount units, then `plus_days` calendar days, then rolled to a business day.

    `of` is the key of the task or request whose completion is the anchor. "One month and seven days after the period's
    end" (UK VAT returns) is months 1, plus_days 7. `calendar` names the jurisdiction whose business days count, where
    that is not the firm's own: "US-DC" for US federal tax (26 USC 7503), wherever the firm is.
    """

    anchor: Anchor
    of: str | None = None
    amount: int = 0
    unit: Unit = "days"
    plus_days: int = 0
    roll: Roll = "none"
    calendar: str | None = None

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> "DateRule":
        return cls(**raw)

    def as_json(self) -> dict[str, Any]:
        raw = {
            "anchor": self.anchor,
            "of": self.of,
            "amount": self.amount,
            "unit": self.unit,
            "plus_days": self.plus_days,
            "roll": self.roll,
            "calendar": self.calendar or None,
        }
        return {k: v for k, v in raw.items() if v is not None}


@lru_cache(maxsize=20_000)
def resolve(rule: DateRule, anchor: date, calendar: Calendar) -> date:
    """The date a rule gives for the day of its anchor, by the firm's calendar unless it names another. Errors: DateOutOfRange."""
    if rule.calendar:
        calendar = Calendar.of(rule.calendar)
    match rule.unit:
        case "months":
            day = add_months(anchor, rule.amount)
        case "weeks":
            day = add_days(anchor, rule.amount * 7)
        case "business_days":
            day = add_business_days(anchor, rule.amount, calendar)
        case _:
            day = add_days(anchor, rule.amount)
    return in_range(roll(add_days(day, rule.plus_days), rule.roll, calendar))


_ANCHOR_WORDS = {
    "period_start": "the period's start",
    "period_end": "the period's end",
    "client_year_end": "the client's year end",
    "job_start": "the job's start",
}
_ROLL_WORDS = {
    "next": ", rolled to the next business day",
    "previous": ", rolled to the business day before",
    "modified_following": ", rolled to a business day of the same month",
}


def in_words(rule: DateRule, anchor: date | None, of_title: str = "") -> str:
    """How a date came about: "1 month and 7 days after the period's end (30 Sep 2026), rolled to the next business day"."""
    subject = _ANCHOR_WORDS.get(rule.anchor) or f"“{of_title}”"
    known = f" ({short(anchor)})" if anchor else ""
    rolled = _ROLL_WORDS.get(rule.roll, "") + (f" of {rule.calendar}" if rule.calendar and rule.roll != "none" else "")
    parts = [_count(abs(rule.amount), rule.unit)] if rule.amount else []
    if rule.plus_days:
        same = not rule.amount or (rule.plus_days > 0) == (rule.amount > 0)
        parts.append(("" if same else "less ") + _count(abs(rule.plus_days), "days"))
    if not parts:
        return f"on {subject}{known}{rolled}"
    side = "after" if (rule.amount or rule.plus_days) > 0 else "before"
    return f"{' and '.join(parts)} {side} {subject}{known}{rolled}"


def _count(number: int, unit: str) -> str:
    word = unit.replace("_", " ")
    return f"{number} {word if number != 1 else word.removesuffix('s')}"


def year_end_near(month_day: str, period_start: date | None, period_end: date | None, starts_on: date) -> date:
    """The client's year end ("MM-DD") a job is about: the last one on or before the period's end, else the first
    from the job's start on. 29 February is 28 February in other years. A year end on the last day of February always
    is that month's last day."""
    month, day = (int(part) for part in month_day.split("-"))
    if period_end is not None:
        this_year = _month_day(period_end.year, month, day)
        return this_year if this_year <= period_end else _month_day(period_end.year - 1, month, day)
    this_year = _month_day(starts_on.year, month, day)
    return this_year if this_year >= starts_on else _month_day(starts_on.year + 1, month, day)


def _month_day(year: int, month: int, day: int) -> date:
    last = monthrange(year, month)[1]
    return date(year, month, last if month == 2 and day >= 28 else min(day, last))


# --- names of periods ------------------------------------------------------------------------------------------------


def period_name(start: date | None, end: date | None) -> str:
    """How people call a period: "Q3 2026", "September 2026", "2026", "Feb–Apr 2026", "year to 31 March 2026"; else both days."""
    if start is None or end is None:
        return ""
    months = _whole_months(start, end)
    if months == 1:
        return f"{_MONTHS[start.month - 1]} {start.year}"
    if months == 3 and start.month % 3 == 1:
        return f"Q{(start.month + 2) // 3} {start.year}"
    if months == 12:
        return str(start.year) if start.month == 1 else f"year to {end.day} {_MONTHS[end.month - 1]} {end.year}"
    if months:
        first = _MONTHS[start.month - 1][:3] + (f" {start.year}" if start.year != end.year else "")
        return f"{first}–{_MONTHS[end.month - 1][:3]} {end.year}"
    return f"{short(start)} – {short(end)}"


def _whole_months(start: date, end: date) -> int:
    """How many whole calendar months the period is; 0 if it isn't any number of them."""
    if start.day != 1 or end.day != monthrange(end.year, end.month)[1]:
        return 0
    return (end.year - start.year) * 12 + end.month - start.month + 1


def short(day: date) -> str:
    """ "7 Nov 2026" """
    return f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year}"
