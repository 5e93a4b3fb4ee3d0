"""Calendars: how long a person works on a day, and why not longer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from workflow.dates.rules import Calendar

LEAVE_KINDS = ("holiday", "sick", "training", "parental", "unpaid", "other")


@dataclass(frozen=True, slots=True)
class WorkingWeek:
    """Minutes worked on Monday … Sunday, from a day on, until the next such week begins."""

    from_on: date
    minutes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """Days away, both included. `minutes`: how much of each day; None is all of it."""

    first_day: date
    last_day: date
    minutes: int | None = None

    def covers(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class Person:
    """What the working time of one person depends on."""

    weekly_minutes: int
    weeks: tuple[WorkingWeek, ...] = ()
    leave: tuple[Leave, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """How long somebody works on a day. `why` says what takes away from it: holiday, closure, leave, not_working; None: nothing."""

    day: date
    minutes: int
    why: str | None = None


def days_of(person: Person, first: date, last: date, calendar: Calendar) -> Iterator[Day]:
    """Every day of the range."""
    day = first
    while day <= last:
        yield day_of(person, day, calendar)
        day += timedelta(days=1)


def day_of(person: Person, day: date, calendar: Calendar) -> Day:
    """Holidays and closures of the firm are off for everybody; leave takes its part of the rest."""
    minutes = _usual(person, day, calendar)
    if minutes == 0:
        return Day(day, 0, "not_working")
    if calendar.holiday(day):
        return Day(day, 0, "holiday")
    if day in calendar.closures:
        return Day(day, 0, "closure")
    away = [leave.minutes for leave in person.leave if leave.covers(day)]
    if not away:
        return Day(day, minutes)
    taken = minutes if None in away else sum(part for part in away if part is not None)
    return Day(day, max(0, minutes - taken), "leave")


def _usual(person: Person, day: date, calendar: Calendar) -> int:
    """By the latest working week that has begun; before any, the weekly capacity spread over the days that are no weekend."""
    begun = [week for week in person.weeks if week.from_on <= day]
    if begun:
        return max(begun, key=lambda week: week.from_on).minutes[day.weekday()]
    return _spread_evenly(person.weekly_minutes, calendar, day - timedelta(days=day.weekday()))[day.weekday()]


@lru_cache(maxsize=5000)
def _spread_evenly(minutes: int, calendar: Calendar, monday: date) -> Sequence[int]:
    """A week's minutes over those of its days that are no weekend, Monday first."""
    working = [i for i in range(7) if not calendar.is_weekend(monday + timedelta(days=i))]
    each, rest = divmod(minutes, len(working))
    return [each + (working.index(i) < rest) if i in working else 0 for i in range(7)]


def days_within(ranges: Iterable[tuple[date, date]]) -> frozenset[date]:
    """All days of the ranges, both ends included."""
    return frozenset(first + timedelta(days=i) for first, last in ranges for i in range((last - first).days + 1))
