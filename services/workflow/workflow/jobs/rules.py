"""Jobs: the derived status and why, when it next changes by the calendar, and how dates follow from one another."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from workflow.dates.rules import EARLIEST, Calendar, DateRule, add_days, resolve, roll, short
from workflow.dependencies.rules import Edge, in_order

RULE = "job-status/2"
STATUSES = ("on_track", "at_risk", "overdue", "blocked", "waiting_for_client", "done", "cancelled")

# Stored as 1 … 4, so that lists can be sorted by it.
PRIORITIES = ("urgent", "high", "normal", "low")

K = TypeVar("K")


def rank(priority: str) -> int:
    """A priority as it is stored: 1 is the most urgent."""
    return PRIORITIES.index(priority) + 1


def priority_of(rank: int) -> str:
    return PRIORITIES[rank - 1]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a job's status depends on, besides today. `tables.STATUS_SQL` derives the same from the same columns.

    due_on: the date the firm works to (internal, else extended, else statutory); deadline_on: the date after which it
    is late (extended, else statutory, else internal). next_ready_on: the earliest day on which some open task can be
    worked on (EARLIEST: at once); None if every one of them waits for something. late_from: the first day on which what is
    open no longer fits before the deadline (`forecast.rules`; EARLIEST: already). next_step_due, last_step_due: earliest and latest due
    date among open tasks and requests that lie with the client.
    """

    cancelled: bool = False
    closed: bool = False
    due_on: date | None = None
    deadline_on: date | None = None
    open_tasks: int = 0
    next_ready_on: date | None = None
    requests_open: int = 0  # scheduled, or with the client
    requests_waiting: int = 0  # with the client
    next_step_due: date | None = None
    last_step_due: date | None = None
    late_from: date | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    status: str
    says: str


def derive(f: Facts, today: date) -> Derived:
    """The status of a job on a day. The first that holds: cancelled, done, overdue, waiting for client or blocked
    (nothing can be worked on, and it does or does not lie with the client), at risk, on track."""
    if f.cancelled:
        return Derived("cancelled", "The job was cancelled.")
    if f.closed:
        return Derived("done", "Every task is done or skipped and nothing lies with the client.")
    if f.deadline_on and f.deadline_on < today:
        return Derived("overdue", f"The deadline of {short(f.deadline_on)} has passed{_cause(f, today)}.")
    if stuck(f, today):
        return _stuck(f, today)
    return _risk(f, today) or Derived("on_track", "Work can go on and every date still lies ahead.")


def stuck(f: Facts, today: date) -> bool:
    """Nothing of what is open can be worked on today."""
    if f.open_tasks:
        return f.next_ready_on is None or f.next_ready_on > today
    return f.requests_open > 0


def _stuck(f: Facts, today: date) -> Derived:
    if f.requests_waiting:
        asked = "One request lies" if f.requests_waiting == 1 else f"{f.requests_waiting} requests lie"
        return Derived("waiting_for_client", f"{asked} with the client and nothing else can be worked on.")
    if f.next_ready_on:
        return Derived("blocked", f"Nothing can be worked on before {short(f.next_ready_on)}.")
    return Derived("blocked", "Every open task waits for something that is not done.")


def _cause(f: Facts, today: date) -> str:
    """The client's delay told apart from ours."""
    return " while it lies with the client" if f.requests_waiting and stuck(f, today) else ""


def _risk(f: Facts, today: date) -> Derived | None:
    if f.due_on and f.due_on < today:
        return Derived("at_risk", f"The internal date of {short(f.due_on)} has passed.")
    if f.next_step_due and f.next_step_due < today:
        return Derived("at_risk", f"A step was due on {short(f.next_step_due)}.")
    if f.last_step_due and f.deadline_on and f.last_step_due > f.deadline_on:
        return Derived(
            "at_risk", f"A step is planned for {short(f.last_step_due)}, after the deadline of {short(f.deadline_on)}."
        )
    if f.late_from and f.late_from <= today and f.deadline_on:
        return Derived(
            "at_risk", f"What is left no longer fits before the deadline of {short(f.deadline_on)} at the planned pace."
        )
    return None


def why(f: Facts, today: date) -> dict[str, Any]:
    """The status' Why, as the API shows it."""
    derived = derive(f, today)
    inputs = {
        "today": today,
        "due_on": f.due_on,
        "deadline_on": f.deadline_on,
        "open_tasks": f.open_tasks,
        "work_possible_from": f.next_ready_on if f.next_ready_on != EARLIEST else None,
        "requests_with_client": f.requests_waiting,
        "next_step_due": f.next_step_due,
        "last_step_due": f.last_step_due,
        "too_late_from": f.late_from if f.late_from != EARLIEST else None,
    }
    return {
        "rule": RULE,
        "says": derived.says,
        "inputs": {k: str(v) if isinstance(v, date) else v for k, v in inputs.items() if v is not None},
    }


def turns_on(f: Facts, today: date) -> date | None:
    """The next day on which the calendar alone can change the status; None if never."""
    if f.cancelled or f.closed:
        return None
    passed = [day + timedelta(days=1) for day in (f.deadline_on, f.due_on, f.next_step_due) if day]
    candidates = [*passed, *(day for day in (f.next_ready_on, f.late_from) if day)]
    return min((day for day in candidates if day > today), default=None)


# --- dates that follow from one another ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dated(Generic[K]):
    """A task or request as the cascade sees it. `of`: what its date counts from. `pushed_from`: the date it would have if it
    waited for nothing, while something pushes it."""

    due_on: date | None
    completed_on: date | None
    open: bool
    pinned: bool
    rule: DateRule | None = None
    of: K | None = None
    pushed_from: date | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """Where the cascade puts a step, and the date it was pushed from."""

    on: date | None
    pushed_from: date | None = None


def cascade(nodes: Mapping[K, Dated[K]], calendar: Calendar, edges: Collection[Edge[K]] = ()) -> dict[K, Due]:
    """Due dates pushed and pulled. A date that counts from another step's completion follows the day that step was completed, or
    while it is open the day it is due. Nothing is due before what it waits for: a step is pushed to that day (and its lag), on a
    business day, and pulled back to its own date when that no longer holds. Pinned dates and closed steps stay. The dates' anchors
    and the edges must be acyclic together. Errors: DateOutOfRange."""
    into: dict[K, list[Edge[K]]] = {key: [] for key in nodes}
    for edge in edges:
        if edge.before in nodes and edge.after in nodes:
            into[edge.after].append(edge)
    links = [(node.of, key) for key, node in nodes.items() if node.of is not None and node.of in nodes]
    links += [(e.before, e.after) for before in into.values() for e in before]
    due: dict[K, Due] = {}
    for key in in_order(nodes, links):
        node = nodes[key]
        if node.pinned or not node.open:
            due[key] = Due(node.due_on)
            continue
        base = _own_date(node, nodes, due, calendar)
        floor = latest([_not_before(edge, nodes[edge.before], due[edge.before]) for edge in into[key]])
        pushed = base is not None and floor is not None and floor > base
        due[key] = Due(roll(floor, "next", calendar), base) if pushed and floor else Due(base)
    return due


def _own_date(node: Dated[K], nodes: Mapping[K, Dated[K]], due: Mapping[K, Due], calendar: Calendar) -> date | None:
    """The date of a step if it waited for nothing."""
    if node.rule is not None and node.of is not None and node.of in nodes:
        anchor = nodes[node.of].completed_on or due[node.of].on
        if anchor is not None:
            return resolve(node.rule, anchor, calendar)
    return node.pushed_from or node.due_on


def _not_before(edge: Edge[K], before: Dated[K], due: Due) -> date | None:
    """The first day on which what waits can begin, as far as is known; None if that is anybody's guess."""
    done = before.completed_on or due.on
    return add_days(done, edge.lag_days) if done else None


def earliest(days: Collection[date | None]) -> date | None:
    return min((day for day in days if day), default=None)


def latest(days: Collection[date | None]) -> date | None:
    return max((day for day in days if day), default=None)


def due_dates(statutory: date | None, extended: date | None, internal: date | None) -> tuple[date | None, date | None]:
    """The date the firm works to, and the date after which the job is late; as the columns of `jobs` compute them."""
    return internal or extended or statutory, extended or statutory or internal
