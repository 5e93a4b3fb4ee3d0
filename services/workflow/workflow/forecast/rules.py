"""The critical path over tasks and requests.

A task takes its budget in the working days of the firm, one begun as long as one not begun: budgets are what was planned, and
nobody knows what is left. It begins as soon as everything before it is done and its lag is over. A request is answered on the
day it is due; when that has passed or there is none, one interval of its reminders after it was asked again. So the forecast is
what can be reached if work goes on without a break from today: who is late by it is late in any case.
"""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

from workflow.dates.rules import LATEST, Calendar, short
from workflow.dependencies.rules import Edge, in_order

MINUTES_A_DAY = 450  # seven and a half hours

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Step:
    """A task or request as the forecast sees it."""

    kind: str  # task, request
    title: str
    complete: bool = False
    completed_on: date | None = None
    minutes: int = 0  # a task's budget
    due_on: date | None = None  # a request's
    interval_days: int = 4  # a request's, between reminders
    with_client: bool = False
    draft: bool = False  # a request that waits for somebody to send it


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A day, and how much of it has been worked when something begins or ends."""

    day: date
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Leg(Generic[K]):
    """One step of the critical path."""

    key: K
    step: Step
    starts: Moment
    finishes: Moment
    lag_until: date | None = None  # it waits for a lag until this day


@dataclass(frozen=True, slots=True)
class Forecast(Generic[K]):
    finish_on: date
    path: tuple[Leg[K], ...]  # what the finish depends on, in order
    late_days: int = 0  # calendar days behind the deadline

    def says(self, deadline: date | None) -> str:
        """The forecast in words, with the cause."""
        when = f"At the planned pace it is done on {short(self.finish_on)}"
        if deadline is None:
            return f"{when}, because {_cause(self.path[0])}."
        if not self.late_days:
            return f"{when}, in time for {short(deadline)}."
        days = "a day" if self.late_days == 1 else f"{self.late_days} days"
        return f"{when}, {days} after the deadline of {short(deadline)}, because {_cause(self.path[0])}."


def _cause(leg: Leg[K]) -> str:
    step = leg.step
    if leg.lag_until:
        return f"“{step.title}” can't begin before {short(leg.lag_until)}"
    if step.kind == "request":
        asked = "lies with the client" if step.with_client else "still has to be asked of the client"
        return f"“{step.title}” {asked}, expected on {short(leg.finishes.day)}"
    return f"“{step.title}” comes first and {_hours(step.minutes)}"


def _hours(minutes: int) -> str:
    return f"takes {minutes / 60:.1f} hours".replace(".0 ", " ") if minutes else "is not done"


def forecast(
    steps: Mapping[K, Step], edges: Collection[Edge[K]], today: date, calendar: Calendar, deadline: date | None = None
) -> Forecast[K] | None:
    """The finish and the path that leads to it if work goes on from `today`; None if nothing is open."""
    order, before = _ordered(steps, edges)
    legs, driver = _legs(steps, order, before, today, calendar)
    if not legs:
        return None
    last: K | None = max(legs, key=lambda key: legs[key].finishes)
    path: list[Leg[K]] = []
    while last is not None:
        path.append(legs[last])
        last = driver[last]
    finish = path[0].finishes.day
    late = max((finish - deadline).days, 0) if deadline else 0
    return Forecast(finish, tuple(reversed(path)), late)


def _ordered(steps: Mapping[K, Step], edges: Collection[Edge[K]]) -> tuple[list[K], dict[K, list[Edge[K]]]]:
    """Every step behind what it waits for, and the dependencies into each. A draft that nothing waits for holds nothing up."""
    before: dict[K, list[Edge[K]]] = {key: [] for key in steps}
    for edge in edges:
        if edge.before in steps and edge.after in steps:
            before[edge.after].append(edge)
    pairs = [(e.before, e.after) for into in before.values() for e in into]
    awaited = {earlier for earlier, _ in pairs}
    return [key for key in in_order(steps, pairs) if key in awaited or not steps[key].draft], before


def _legs(
    steps: Mapping[K, Step], order: Collection[K], before: Mapping[K, list[Edge[K]]], today: date, calendar: Calendar
) -> tuple[dict[K, Leg[K]], dict[K, K | None]]:
    """When each open step begins and ends, and which open step before it decides that."""
    legs: dict[K, Leg[K]] = {}
    driver: dict[K, K | None] = {}
    for key in order:
        if not steps[key].complete:
            legs[key], driver[key] = _leg(key, steps, before[key], legs, today, calendar)
    return legs, driver


def _leg(
    key: K,
    steps: Mapping[K, Step],
    before: Collection[Edge[K]],
    legs: Mapping[K, Leg[K]],
    today: date,
    calendar: Calendar,
) -> tuple[Leg[K], K | None]:
    """When an open step begins and ends, and which open step before it decides that."""
    starts, driver, lag_until = Moment(today), None, None
    for edge in before:
        done = legs[edge.before].finishes if edge.before in legs else Moment(steps[edge.before].completed_on or today)
        ready = _at_least(done, edge.lag_days)
        if ready > starts:
            starts = ready
            driver = edge.before if edge.before in legs else None
            lag_until = ready.day if edge.lag_days and driver is None else None
    return Leg(key, steps[key], starts, _finish(steps[key], starts, calendar), lag_until), driver


def _at_least(done: Moment, lag_days: int) -> Moment:
    return Moment(_later(done.day, lag_days)) if lag_days else done


def _later(day: date, days: int) -> date:
    return min(day + timedelta(days=days), LATEST)


def _finish(step: Step, starts: Moment, calendar: Calendar) -> Moment:
    if step.kind == "request":
        due = step.due_on
        return Moment(due if due and due >= starts.day else _later(starts.day, step.interval_days))
    return worked(starts, step.minutes, calendar)


def worked(starts: Moment, minutes: int, calendar: Calendar) -> Moment:
    """The moment after so much work, on working days only. Nothing is worked beyond the year 2200."""
    day, used = starts.day, starts.minutes
    if not minutes:
        return starts
    while day < LATEST and (used >= MINUTES_A_DAY or not calendar.is_business_day(day)):
        day, used = _later(day, 1), 0
    used += minutes
    while used > MINUTES_A_DAY and day < LATEST:
        day = _later(day, 1)
        if calendar.is_business_day(day):
            used -= MINUTES_A_DAY
    return Moment(day, min(used, MINUTES_A_DAY))


def late_from(
    steps: Mapping[K, Step], edges: Collection[Edge[K]], today: date, calendar: Calendar, deadline: date | None
) -> date | None:
    """The first day, from today to the deadline, on which the forecast misses the deadline if nothing has moved by then; None if it
    never does. A later day never finishes earlier, so the day is found by halving."""

    order, before = _ordered(steps, edges)

    def misses(day: date, deadline: date) -> bool:
        legs, _ = _legs(steps, order, before, day, calendar)
        return any(leg.finishes.day > deadline for leg in legs.values())

    if deadline is None or deadline < today or not misses(deadline, deadline):
        return None
    low, high = today, deadline
    while low < high:
        middle = low + (high - low) // 2
        if misses(middle, deadline):
            high = middle
        else:
            low = middle + timedelta(days=1)
    return low
