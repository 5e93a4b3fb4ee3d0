"""The critical path: when a job is done at the planned pace, because of what, and from when on that is too late."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.dates.rules import Calendar
from workflow.dependencies.rules import Edge
from workflow.forecast.rules import MINUTES_A_DAY, Moment, Step, forecast, late_from, worked

TUESDAY = date(2026, 11, 24)
UK = Calendar("GB", "ENG")


def task(minutes: int, title: str = "Task", done: date | None = None) -> Step:
    return Step("task", title, complete=done is not None, completed_on=done, minutes=minutes)


def request(due: date | None, title: str = "Papers", **more: object) -> Step:
    return Step("request", title, due_on=due, with_client=True, **more)  # type: ignore[arg-type]


def day(offset: int) -> date:
    return TUESDAY + timedelta(days=offset)


def test_work_goes_on_over_working_days_only() -> None:
    assert worked(Moment(TUESDAY), 60, UK) == Moment(TUESDAY, 60)
    assert worked(Moment(TUESDAY, 60), MINUTES_A_DAY, UK) == Moment(day(1), 60)
    assert worked(Moment(day(3), MINUTES_A_DAY), 1, UK) == Moment(day(6), 1)  # Friday is full: Monday
    assert worked(Moment(day(4)), 5 * MINUTES_A_DAY, UK) == Moment(day(10), MINUTES_A_DAY)  # Saturday: Monday … Friday
    assert worked(Moment(date(2026, 12, 25)), 10, UK) == Moment(date(2026, 12, 29), 10)  # Christmas, Boxing Day in lieu


def test_short_steps_follow_each_other_on_one_day() -> None:
    steps = {"prepare": task(120), "review": task(30), "file": task(15)}
    found = forecast(steps, [Edge("prepare", "review"), Edge("review", "file")], TUESDAY, UK)
    assert found is not None
    assert (found.finish_on, [leg.key for leg in found.path]) == (TUESDAY, ["prepare", "review", "file"])
    assert found.path[-1].finishes == Moment(TUESDAY, 165)


def test_the_longest_way_is_the_critical_one() -> None:
    steps = {"short": task(60), "long": task(3 * MINUTES_A_DAY), "end": task(60)}
    found = forecast(steps, [Edge("short", "end"), Edge("long", "end")], TUESDAY, UK)
    assert found is not None
    assert ([leg.key for leg in found.path], found.finish_on) == (["long", "end"], day(3))


def test_a_request_is_answered_when_due_or_an_interval_later_and_the_client_is_the_cause() -> None:
    edges = [Edge("papers", "prepare")]
    steps = {"papers": request(day(7)), "prepare": task(60, "Prepare")}
    found = forecast(steps, edges, TUESDAY, UK, deadline=day(5))
    assert found is not None
    assert (found.finish_on, found.late_days) == (day(7), 2)
    assert found.says(day(5)) == (
        "At the planned pace it is done on 1 Dec 2026, 2 days after the deadline of 29 Nov 2026, "
        "because “Papers” lies with the client, expected on 1 Dec 2026."
    )
    overdue = forecast(steps | {"papers": request(day(-7), interval_days=2)}, edges, TUESDAY, UK)
    assert overdue is not None
    assert overdue.finish_on == day(2)


def test_a_lag_counts_from_the_completion_and_is_named() -> None:
    steps = {"file": task(10, "File", done=day(-1)), "check": task(10, "Check the account")}
    found = forecast(steps, [Edge("file", "check", 10)], TUESDAY, UK)
    assert found is not None
    assert found.finish_on == day(9)
    assert found.says(None) == (
        "At the planned pace it is done on 3 Dec 2026, because “Check the account” can't begin before 3 Dec 2026."
    )


def test_nothing_open_has_no_forecast() -> None:
    assert forecast({"a": task(10, done=TUESDAY)}, [], TUESDAY, UK) is None
    assert late_from({"a": task(10, done=TUESDAY)}, [], TUESDAY, UK, day(3)) is None


def test_too_late_from_the_day_work_no_longer_fits_before_the_deadline() -> None:
    steps = {"a": task(3 * MINUTES_A_DAY)}
    friday = day(3)
    assert late_from(steps, [], TUESDAY, UK, friday) == day(2)  # Wednesday to Friday still fits, Thursday no more
    assert late_from(steps, [], TUESDAY, UK, day(1)) == TUESDAY
    assert late_from(steps, [], TUESDAY, UK, None) is None
    assert late_from({"a": task(10)}, [], TUESDAY, UK, friday) is None


# --- properties ------------------------------------------------------------------------------------------------------


@st.composite
def jobs(draw: st.DrawFn) -> tuple[dict[int, Step], list[Edge[int]]]:
    size = draw(st.integers(1, 12))
    some_day = st.none() | st.integers(-10, 30).map(day)
    steps: dict[int, Step] = {}
    for i in range(size):
        done = draw(st.booleans()) and draw(st.booleans())
        kind = draw(st.sampled_from(["task", "task", "request"]))
        steps[i] = Step(
            kind,
            f"Step {i}",
            complete=done,
            completed_on=draw(st.integers(-10, 0).map(day)) if done else None,
            minutes=draw(st.integers(0, 2000)),
            due_on=draw(some_day),
            interval_days=draw(st.integers(1, 10)),
            with_client=draw(st.booleans()),
        )
    pairs = [(a, b) for b in range(size) for a in range(b)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=20, unique=True)) if pairs else []
    return steps, [Edge(a, b, draw(st.integers(0, 5))) for a, b in chosen]


@given(jobs(), st.integers(0, 40))
def test_a_later_day_never_finishes_earlier(job: tuple[dict[int, Step], list[Edge[int]]], later: int) -> None:
    steps, edges = job
    today, then = forecast(steps, edges, TUESDAY, UK), forecast(steps, edges, day(later), UK)
    assert (today is None) == (then is None)
    if today and then:
        assert then.finish_on >= today.finish_on


@given(jobs())
def test_the_path_is_unbroken_and_ends_with_the_last(job: tuple[dict[int, Step], list[Edge[int]]]) -> None:
    steps, edges = job
    found = forecast(steps, edges, TUESDAY, UK)
    if found is None:
        assert all(step.complete for step in steps.values())
        return
    lags = {(e.before, e.after): e.lag_days for e in edges}
    for earlier, later in pairwise(found.path):
        lag = lags[earlier.key, later.key]
        assert later.starts == (Moment(earlier.finishes.day + timedelta(days=lag)) if lag else earlier.finishes)
    assert found.path[-1].finishes.day == found.finish_on
    assert all(not leg.step.complete for leg in found.path)


@given(jobs(), st.data())
def test_one_more_dependency_never_finishes_earlier(
    job: tuple[dict[int, Step], list[Edge[int]]], data: st.DataObject
) -> None:
    steps, edges = job
    if len(steps) < 2:
        return
    a = data.draw(st.integers(0, len(steps) - 2))
    b = data.draw(st.integers(a + 1, len(steps) - 1))
    without = forecast(steps, edges, TUESDAY, UK)
    more = forecast(steps, [*edges, Edge(a, b, data.draw(st.integers(0, 5)))], TUESDAY, UK)
    if without and more:
        assert more.finish_on >= without.finish_on


@settings(max_examples=40)
@given(jobs(), st.integers(0, 20))
def test_the_day_from_which_it_is_too_late_is_the_first_one(
    job: tuple[dict[int, Step], list[Edge[int]]], until: int
) -> None:
    steps, edges = job
    deadline = day(until)
    late = [
        d
        for d in (day(i) for i in range(until + 1))
        if (found := forecast(steps, edges, d, UK)) and found.finish_on > deadline
    ]
    assert late_from(steps, edges, TUESDAY, UK, deadline) == (late[0] if late else None)
