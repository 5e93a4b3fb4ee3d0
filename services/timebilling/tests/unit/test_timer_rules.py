"""Timers: counted between instants, belonging to the day they were started in the firm's zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from timebilling.time_entries import rules as time
from timebilling.timers import rules

ZONES = st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"])
# Years with changes of clocks in them, of half an hour (Lord Howe) and of a whole day (Apia, December 2011).
INSTANTS = st.integers(0, 20 * 365 * 24 * 60).map(lambda m: datetime(2011, 1, 1, tzinfo=UTC) + timedelta(minutes=m))
LENGTHS = st.integers(0, time.DAY)


@given(INSTANTS, LENGTHS, ZONES)
def test_a_timer_is_as_long_as_the_time_that_passed_whatever_clocks_did(
    started: datetime, seconds: int, zone: str
) -> None:
    ended = started + timedelta(seconds=seconds)
    local = [i.astimezone(ZoneInfo(zone)) for i in (started, ended)]
    assert rules.seconds_between(*local) == rules.seconds_between(started, ended) == seconds


@given(INSTANTS, LENGTHS, ZONES)
def test_a_timer_belongs_to_the_day_it_was_started(started: datetime, seconds: int, zone: str) -> None:
    day = rules.day_of(started, zone)
    assert day == started.astimezone(ZoneInfo(zone)).date()
    if seconds:
        ended = started + timedelta(seconds=seconds)
        logged = time.when(None, None, started, ended, zone)
        assert (logged.day, logged.seconds) == (day, seconds)


@given(st.lists(st.tuples(st.integers(0, 3600), ZONES), min_size=2, max_size=20), INSTANTS)
def test_one_after_another_loses_and_doubles_no_second(steps: list[tuple[int, str]], first: datetime) -> None:
    """Starting another timer stops the first at that instant: together they are as long as the time from first to last."""
    starts = [first]
    for seconds, _ in steps:
        starts.append(starts[-1] + timedelta(seconds=seconds))
    for earlier, later in pairwise(starts):
        rules.check_order(earlier, later)
    total = sum(rules.seconds_between(a, b) for a, b in pairwise(starts))
    assert total == rules.seconds_between(starts[0], starts[-1])


@pytest.mark.parametrize(
    ("started", "ended", "day", "hours"),
    [
        # London, 29 March 2026: 01:00 became 02:00. From 23:30 to 02:30 on the clock are two hours.
        ("2026-03-28T23:30:00+00:00", "2026-03-29T02:30:00+01:00", date(2026, 3, 28), 2),
        # London, 25 October 2026: 02:00 became 01:00. From 00:30 to 02:30 on the clock are three hours.
        ("2026-10-25T00:30:00+01:00", "2026-10-25T02:30:00+00:00", date(2026, 10, 25), 3),
        # Half past midnight in London's summer is still the day before in UTC.
        ("2026-06-30T23:30:00+00:00", "2026-07-01T01:30:00+00:00", date(2026, 7, 1), 2),
    ],
)
def test_nights_in_which_clocks_change(started: str, ended: str, day: date, hours: int) -> None:
    span = datetime.fromisoformat(started), datetime.fromisoformat(ended)
    assert rules.seconds_between(*span) == hours * 3600
    assert rules.day_of(span[0], "Europe/London") == day


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def code(act: object) -> str:
    with pytest.raises(DomainError) as refused:
        act()  # type: ignore[operator]  # a lambda each
    return refused.value.code


def test_a_start_lies_within_the_last_day() -> None:
    assert rules.begin(None, NOW) == NOW
    assert rules.begin(NOW - HOUR, NOW) == NOW - HOUR
    assert rules.begin(NOW + timedelta(minutes=4), NOW) == NOW  # a browser's clock that is ahead
    assert code(lambda: rules.begin(NOW + HOUR, NOW)) == "start_in_future"
    assert code(lambda: rules.begin(NOW - 25 * HOUR, NOW)) == "start_too_old"


def test_an_end_lies_between_start_and_now_and_a_day_is_the_most() -> None:
    assert rules.end(NOW - HOUR, None, NOW) == NOW
    assert rules.end(NOW - HOUR, NOW - HOUR, NOW) == NOW - HOUR
    assert rules.end(NOW - 24 * HOUR, None, NOW) == NOW
    assert code(lambda: rules.end(NOW, NOW - HOUR, NOW)) == "end_before_start"
    assert code(lambda: rules.end(NOW - HOUR, NOW + HOUR, NOW)) == "end_in_future"
    assert code(lambda: rules.end(NOW - 25 * HOUR, None, NOW)) == "timer_too_long"
    assert rules.end(NOW - 48 * HOUR, NOW - 40 * HOUR, NOW) == NOW - 40 * HOUR


def test_a_timer_that_would_start_before_the_running_one_is_refused() -> None:
    rules.check_order(NOW, NOW)
    assert code(lambda: rules.check_order(NOW, NOW - HOUR)) == "timer_overlap"


@pytest.mark.parametrize(
    ("day", "seconds", "began", "ended", "refusal"),
    [
        (None, None, None, None, "time_missing"),
        (NOW.date(), None, None, None, "time_missing"),
        (None, 60, None, None, "time_missing"),
        (NOW.date(), -60, None, None, "seconds_out_of_range"),
        (NOW.date(), 60, NOW, NOW + HOUR, "time_twice"),
        (None, None, NOW, None, "time_twice"),
        (None, None, NOW, NOW - HOUR, "end_before_start"),
        (None, None, NOW, NOW, "end_before_start"),
        (None, None, NOW, NOW + 25 * HOUR, "seconds_out_of_range"),
        (None, None, datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, 1, tzinfo=UTC), "day_out_of_range"),
        (None, None, datetime(9999, 12, 31, 1, tzinfo=UTC), datetime(9999, 12, 31, 2, tzinfo=UTC), "day_out_of_range"),
        (None, None, NOW, NOW + timedelta(milliseconds=9), "seconds_out_of_range"),
    ],
)
def test_impossible_times_are_refused(
    day: date | None, seconds: int | None, began: datetime | None, ended: datetime | None, refusal: str
) -> None:
    assert code(lambda: time.when(day, seconds, began, ended, "Europe/London")) == refusal
