"""A job's status: derived, with its reason, and right again on the day the calendar turns it."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.dates.rules import EARLIEST, Calendar, DateRule
from workflow.dependencies.rules import Edge
from workflow.jobs.rules import STATUSES, Dated, Due, Facts, cascade, derive, due_dates, turns_on, why

TODAY = date(2026, 11, 24)


@st.composite
def dags(draw: st.DrawFn) -> tuple[int, list[Edge[int]]]:
    """An acyclic graph: edges only lead from lower to higher numbers, under shuffled names."""
    size = draw(st.integers(1, 15))
    names = draw(st.permutations(range(size)))
    pairs = [(a, b) for b in range(size) for a in range(b)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=30, unique=True)) if pairs else []
    return size, [Edge(names[a], names[b], draw(st.integers(0, 5))) for a, b in chosen]


YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
some_days = st.none() | st.dates(TODAY - timedelta(days=8), TODAY + timedelta(days=8))


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    waiting = draw(st.integers(0, 2))
    return Facts(
        cancelled=draw(st.booleans()) and draw(st.booleans()),
        closed=draw(st.booleans()) and draw(st.booleans()),
        due_on=draw(some_days),
        deadline_on=draw(some_days),
        open_tasks=draw(st.integers(0, 3)),
        next_ready_on=draw(some_days | st.just(EARLIEST)),
        requests_open=waiting + draw(st.integers(0, 1)),
        requests_waiting=waiting,
        next_step_due=draw(some_days),
        last_step_due=draw(some_days),
        late_from=draw(some_days | st.just(EARLIEST)),
    )


WORKABLE = {"open_tasks": 1, "next_ready_on": EARLIEST}
STUCK = {"open_tasks": 1, "next_ready_on": None}


@pytest.mark.parametrize(
    ("given_facts", "status"),
    [
        (Facts(cancelled=True, deadline_on=YESTERDAY), "cancelled"),
        (Facts(closed=True, deadline_on=YESTERDAY), "done"),
        (Facts(**WORKABLE, deadline_on=YESTERDAY), "overdue"),
        (Facts(**WORKABLE, deadline_on=TODAY), "on_track"),
        (Facts(**STUCK, requests_open=1, requests_waiting=1, deadline_on=YESTERDAY), "overdue"),
        (Facts(**STUCK, requests_open=1, requests_waiting=1), "waiting_for_client"),
        (Facts(**WORKABLE, requests_open=1, requests_waiting=1), "on_track"),
        (Facts(open_tasks=0, requests_open=1, requests_waiting=1), "waiting_for_client"),
        (Facts(**STUCK), "blocked"),
        (Facts(open_tasks=1, next_ready_on=TOMORROW), "blocked"),
        (Facts(open_tasks=1, next_ready_on=TODAY), "on_track"),
        (Facts(**WORKABLE, due_on=YESTERDAY, deadline_on=TOMORROW), "at_risk"),
        (Facts(**WORKABLE, next_step_due=YESTERDAY), "at_risk"),
        (Facts(**WORKABLE, deadline_on=TODAY, last_step_due=TOMORROW), "at_risk"),
        (Facts(**WORKABLE, deadline_on=TOMORROW, late_from=EARLIEST), "at_risk"),
        (Facts(**WORKABLE, deadline_on=TOMORROW, late_from=TODAY), "at_risk"),
        (Facts(**WORKABLE, deadline_on=TOMORROW, late_from=TOMORROW), "on_track"),
        (Facts(**WORKABLE), "on_track"),
        (Facts(), "on_track"),
    ],
)
def test_the_status_is_the_first_that_holds(given_facts: Facts, status: str) -> None:
    assert derive(given_facts, TODAY).status == status


@given(facts())
def test_every_job_has_one_status_and_says_why(f: Facts) -> None:
    assert derive(f, TODAY).status in STATUSES
    card = why(f, TODAY)
    assert card["rule"] == "job-status/2"
    assert card["says"]
    assert card["inputs"]["today"] == "2026-11-24"


@given(facts())
def test_the_calendar_changes_a_status_only_on_the_days_foretold(f: Facts) -> None:
    day = TODAY
    for _ in range(20):
        turn = turns_on(f, day)
        for later in range(1, 21):
            between = day + timedelta(days=later)
            if turn and between >= turn:
                break
            assert derive(f, between).status == derive(f, day).status
        if turn is None:
            return
        day = turn


@given(facts())
def test_nothing_turns_once_a_job_has_ended(f: Facts) -> None:
    if f.closed or f.cancelled:
        assert turns_on(f, TODAY) is None


def test_the_client_s_delay_is_told_apart_from_ours() -> None:
    theirs = Facts(**STUCK, requests_open=1, requests_waiting=1, deadline_on=YESTERDAY)
    assert "with the client" in derive(theirs, TODAY).says
    assert "with the client" not in derive(Facts(**WORKABLE, deadline_on=YESTERDAY), TODAY).says


def test_work_goes_by_the_internal_date_and_lateness_by_the_legal_one() -> None:
    statutory, extended, internal = date(2026, 11, 7), date(2026, 12, 7), date(2026, 10, 21)
    assert due_dates(statutory, None, internal) == (internal, statutory)
    assert due_dates(statutory, extended, internal) == (internal, extended)
    assert due_dates(statutory, None, None) == (statutory, statutory)
    assert due_dates(None, None, internal) == (internal, internal)
    assert due_dates(None, None, None) == (None, None)


# --- cascades --------------------------------------------------------------------------------------------------------

PLAIN, ENGLAND = Calendar(), Calendar("GB", "ENG")
CLOSED = Calendar("GB", "ENG", frozenset(TODAY + timedelta(days=i) for i in range(-3, 12)))  # the firm, around today
TWO_DAYS = DateRule("task_completion", amount=2)


def chain(**more: object) -> dict[str, Dated[str]]:
    """prepare → review (2 days after) → file (2 days after)."""
    first = {"due_on": date(2026, 11, 10), "completed_on": None, "open": True, "pinned": False} | more
    return {
        "file": Dated(date(2026, 11, 14), None, True, False, TWO_DAYS, "review"),
        "review": Dated(date(2026, 11, 12), None, True, False, TWO_DAYS, "prepare"),
        "prepare": Dated(**first),  # type: ignore[arg-type]
    }


def dates(nodes: dict[Any, Dated[Any]], edges: list[Edge[Any]] | None = None) -> dict[Any, date | None]:
    return {key: due.on for key, due in cascade(nodes, PLAIN, edges or []).items()}


def test_an_early_completion_pulls_and_a_late_one_pushes_what_follows() -> None:
    early = dates(chain(completed_on=date(2026, 11, 5), open=False))
    assert (early["review"], early["file"]) == (date(2026, 11, 7), date(2026, 11, 9))
    late = dates(chain(completed_on=date(2026, 11, 20), open=False))
    assert (late["review"], late["file"]) == (date(2026, 11, 22), date(2026, 11, 24))


def test_a_moved_date_moves_what_follows() -> None:
    assert dates(chain(due_on=date(2026, 11, 15)))["file"] == date(2026, 11, 19)


def test_a_pinned_date_stays_and_carries_on_from_there() -> None:
    nodes = chain(due_on=date(2026, 11, 15))
    nodes["review"] = Dated(date(2026, 11, 30), None, True, True, TWO_DAYS, "prepare")
    moved = dates(nodes)
    assert (moved["review"], moved["file"]) == (date(2026, 11, 30), date(2026, 12, 2))


def test_a_closed_step_keeps_its_date() -> None:
    nodes = chain(due_on=date(2026, 11, 15))
    nodes["review"] = Dated(date(2026, 11, 12), date(2026, 11, 11), False, False, TWO_DAYS, "prepare")
    moved = dates(nodes)
    assert (moved["review"], moved["file"]) == (date(2026, 11, 12), date(2026, 11, 13))


def test_what_is_pushed_lands_behind_holidays_and_the_firm_s_closures() -> None:
    christmas, own = date(2026, 12, 24), date(2026, 12, 1)
    nodes = {"a": Dated(christmas, None, True, True), "b": Dated(own, None, True, False)}
    edges = [Edge("a", "b", 1)]
    assert cascade(nodes, ENGLAND, edges)["b"] == Due(date(2026, 12, 29), own)  # Boxing Day is kept on the Monday
    closed = Calendar("GB", "ENG", frozenset(date(2026, 12, day) for day in (29, 30, 31)))
    assert cascade(nodes, closed, edges)["b"] == Due(date(2027, 1, 4), own)  # and the 1st is a holiday, a Friday


def test_nothing_is_due_before_what_it_waits_for_and_comes_back_when_that_is_over() -> None:
    """Dates of their own (by the period, say) that a dependency pushes over a weekend and lets go again."""
    friday, saturday, monday, own = date(2026, 11, 27), date(2026, 11, 28), date(2026, 11, 30), date(2026, 11, 20)
    edges = [Edge("a", "b"), Edge("b", "c", 2)]

    def of(a: date, *, done: date | None = None, before: dict[str, Due] | None = None) -> dict[str, Due]:
        was = before or {"b": Due(own), "c": Due(own)}
        nodes = {"a": Dated(a, done, done is None, True)} | {
            key: Dated(was[key].on, None, True, False, pushed_from=was[key].pushed_from) for key in ("b", "c")
        }
        return cascade(nodes, PLAIN, edges)

    pushed = of(saturday)
    assert (pushed["b"], pushed["c"]) == (Due(monday, own), Due(date(2026, 12, 2), own))
    assert of(saturday, before=pushed)["c"] == pushed["c"]
    less = of(friday, before=pushed)
    assert (less["b"], less["c"]) == (Due(friday, own), Due(date(2026, 11, 30), own))
    free = of(saturday, done=date(2026, 11, 10), before=pushed)
    assert (free["b"], free["c"]) == (Due(own), Due(date(2026, 11, 23), own))  # b + 2 days is a Sunday


@given(dags(), st.data())
def test_a_cascade_over_any_graph_is_stable_and_in_order(
    graph: tuple[int, list[Edge[int]]], data: st.DataObject
) -> None:
    size, edges = graph
    calendar = data.draw(st.sampled_from([PLAIN, ENGLAND, CLOSED]))
    into: dict[int, list[int]] = {}
    for edge in edges:
        into.setdefault(edge.after, []).append(edge.before)
    nodes: dict[int, Dated[int]] = {}
    for i in range(size):
        done = data.draw(st.booleans()) and data.draw(st.booleans())
        of = data.draw(st.none() | st.sampled_from(into[i])) if i in into else None
        rule = DateRule("task_completion", amount=data.draw(st.integers(-5, 10))) if of is not None else None
        own = data.draw(some_days)
        nodes[i] = Dated(
            own, TODAY if done else None, not done, data.draw(st.booleans()) and data.draw(st.booleans()), rule, of
        )
    once = cascade(nodes, calendar, edges)
    moved = {
        k: Dated(once[k].on, n.completed_on, n.open, n.pinned, n.rule, n.of, once[k].pushed_from)
        for k, n in nodes.items()
    }
    assert cascade(moved, calendar, edges) == once
    for edge in edges:
        before, after = nodes[edge.before], nodes[edge.after]
        done_on = before.completed_on or once[edge.before].on
        if after.open and not after.pinned and done_on and (due := once[edge.after].on):
            assert due >= done_on + timedelta(days=edge.lag_days)
    for due in once.values():
        if due.pushed_from:
            assert due.on is not None
            assert due.on > due.pushed_from
            assert calendar.is_business_day(due.on)
    # Without dependencies every date is its own again.
    free = cascade({k: n for k, n in moved.items() if n.of is None}, calendar)
    assert all(free[k].on == n.due_on for k, n in nodes.items() if n.of is None)


@given(st.integers(2, 12), st.integers(-30, 30), st.data())
def test_a_cascade_is_stable(length: int, moved_by: int, data: st.DataObject) -> None:
    amounts = data.draw(st.lists(st.integers(-5, 10), min_size=length, max_size=length))
    nodes: dict[int, Dated[int]] = {0: Dated(TODAY + timedelta(days=moved_by), None, True, True)}
    for i in range(1, length):
        before = data.draw(st.integers(0, i - 1))
        nodes[i] = Dated(
            TODAY, None, True, data.draw(st.booleans()), DateRule("task_completion", amount=amounts[i]), before
        )
    once = dates(nodes)
    again = dates({k: Dated(once[k], n.completed_on, n.open, n.pinned, n.rule, n.of) for k, n in nodes.items()})
    assert again == once
    for key, node in nodes.items():
        if node.of is not None and not node.pinned:
            assert once[key] == once[node.of] + timedelta(days=node.rule.amount)  # type: ignore[operator, union-attr]
