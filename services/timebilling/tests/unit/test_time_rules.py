"""Time: raw seconds stay, the billable figure is rounded by policy."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from timebilling.time_entries import rules
from timebilling.time_entries.rules import Rounding

SECONDS = st.integers(1, rules.DAY)
POLICIES = st.builds(Rounding, st.integers(1, 3600), st.sampled_from(["up", "down", "nearest"]), st.integers(0, 3600))


@pytest.mark.parametrize(("minutes", "billed"), [(1, 6), (5, 6), (6, 6), (7, 12), (12, 12), (54, 54), (55, 60)])
def test_six_minute_increments_round_up(minutes: int, billed: int) -> None:
    # Clio's rule of a tenth of an hour: 1 to 6 minutes are 0.1 h, 7 to 12 are 0.2 h.
    assert Rounding(360, "up").apply(minutes * 60) == billed * 60


# Clio's help, "How Does Time Rounding Work?" (support.clio.com, article 360007198414) and "Time Rounding" (article 203435410), as
# published in 2026: the increment, the time entered, the hours shown.
@pytest.mark.parametrize(
    ("increment", "minutes", "hours"),
    [
        (6, 5, "0.10"),
        (6, 7, "0.20"),
        (6, 9, "0.20"),
        (6, 70, "1.20"),
        (6, 45, "0.80"),  # entered as 0.75 h
        (15, 9, "0.25"),
        (1, 9, "0.15"),
    ],
)
def test_published_examples_of_clios_rounding(increment: int, minutes: int, hours: str) -> None:
    billed = Rounding(increment * 60, "up").apply(minutes * 60)
    assert Decimal(billed) / 3600 == Decimal(hours)


@pytest.mark.parametrize(
    ("direction", "seconds", "billed"),
    [("down", 719, 360), ("nearest", 539, 360), ("nearest", 540, 720), ("up", 361, 720)],
)
def test_directions(direction: str, seconds: int, billed: int) -> None:
    assert Rounding(360, direction).apply(seconds) == billed


def test_a_minimum_holds_for_short_work_only() -> None:
    policy = Rounding(360, "up", 900)
    assert [policy.apply(60), policy.apply(900), policy.apply(1000)] == [900, 1080, 1080]


@given(SECONDS, POLICIES)
def test_rounding_never_moves_time_by_a_whole_increment(seconds: int, policy: Rounding) -> None:
    billed = policy.apply(seconds)
    if billed > policy.minimum:
        assert billed % policy.increment == 0
        assert abs(billed - seconds) < policy.increment
        assert billed >= seconds or policy.direction != "up"
        assert billed <= seconds or policy.direction != "down"
    assert billed >= policy.minimum


@given(SECONDS, SECONDS, POLICIES)
def test_more_work_is_never_billed_as_less(a: int, b: int, policy: Rounding) -> None:
    assert (policy.apply(a) <= policy.apply(b)) or a > b


@given(SECONDS, POLICIES)
def test_rounding_what_is_rounded_changes_nothing(seconds: int, policy: Rounding) -> None:
    billed = policy.apply(seconds)
    if billed % policy.increment == 0 and billed:
        assert policy.apply(billed) == billed


@given(SECONDS, POLICIES)
def test_time_that_is_not_billable_is_billed_as_nothing(seconds: int, policy: Rounding) -> None:
    assert rules.billable_seconds(seconds, False, policy) == 0


@pytest.mark.parametrize("seconds", [-1, 0, rules.DAY + 1])
def test_impossible_seconds_are_refused(seconds: int) -> None:
    with pytest.raises(DomainError) as refused:
        rules.check_seconds(seconds)
    assert refused.value.code == "seconds_out_of_range"


@pytest.mark.parametrize("day", [date(1899, 12, 31), date(1989, 12, 31), date(2028, 1, 1)])
def test_days_far_away_are_refused(day: date) -> None:
    with pytest.raises(DomainError) as refused:
        rules.check_day(day, date(2026, 11, 24))
    assert refused.value.code == "day_out_of_range"


@given(st.dates(), st.dates())
def test_a_lock_closes_its_day_and_all_before(day: date, until: date) -> None:
    assert rules.is_locked(day, until) == (day <= until)
    assert not rules.is_locked(day, None)


def test_each_status_allows_exactly_its_steps() -> None:
    steps = {
        s: [bool(f(s)) for f in (rules.refusal_to_edit, rules.refusal_to_submit, rules.refusal_to_decide)]
        for s in ("draft", "submitted", "returned", "approved")
    }
    assert steps == {
        "draft": [False, False, True],
        "submitted": [False, True, False],
        "returned": [False, False, True],
        "approved": [True, True, True],
    }
