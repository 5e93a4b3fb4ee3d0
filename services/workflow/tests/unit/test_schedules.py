"""Recurrence: every period from the anchor, by RFC 5545 and as firms say it."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.dates.rules import Calendar, add_months
from workflow.schedules.rules import Ahead, Occurrence, Rule, RuleRefused, check, first, in_words, occurrences

LONDON = Calendar("GB", "ENG")


def iso(found: list[Occurrence]) -> list[tuple[str, str]]:
    return [(str(o.period_start), str(o.period_end)) for o in found]


def test_quarters_last_until_the_next_begins() -> None:
    assert iso(first(Rule("months", every=3), date(2026, 7, 1), LONDON, 3)) == [
        ("2026-07-01", "2026-09-30"),
        ("2026-10-01", "2026-12-31"),
        ("2027-01-01", "2027-03-31"),
    ]


def test_a_month_from_the_31st_is_counted_from_the_anchor_and_never_drifts() -> None:
    found = first(Rule("months"), date(2026, 1, 31), LONDON, 4)
    assert [str(o.period_start) for o in found] == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        (Rule("business_day_of_month", nth=-1), ["2026-11-30", "2026-12-31", "2027-01-29", "2027-02-26"]),
        (Rule("business_day_of_month", nth=1), ["2026-11-02", "2026-12-01", "2027-01-04", "2027-02-01"]),
        (Rule("weekday_of_month", nth=1, weekday=5), ["2026-11-06", "2026-12-04", "2027-01-01", "2027-02-05"]),
        (
            Rule("weekday_of_month", nth=1, weekday=5, roll="next"),
            ["2026-11-06", "2026-12-04", "2027-01-04", "2027-02-05"],
        ),
        (Rule("weekday_of_month", nth=5, weekday=1), ["2026-11-30", "2027-03-29", "2027-05-31", "2027-08-30"]),
        (Rule("business_day_of_month", nth=-1, every=3), ["2026-11-30", "2027-02-26", "2027-05-28", "2027-08-31"]),
    ],
)
def test_days_as_firms_say_them(rule: Rule, days: list[str]) -> None:
    found = first(rule, date(2026, 11, 1), LONDON, 4)
    assert [str(o.day) for o in found] == days
    assert found[0].period_start == date(2026, 11, 1)


def test_the_named_days_period_is_the_month() -> None:
    assert iso(first(Rule("business_day_of_month", nth=-1), date(2026, 11, 15), LONDON, 2)) == [
        ("2026-11-01", "2026-11-30"),
        ("2026-12-01", "2026-12-31"),
    ]


def test_twice_a_month_gives_its_halves_and_pays_before_the_weekend() -> None:
    found = first(Rule("days_of_month", days=(15, -1), roll="previous"), date(2027, 1, 1), LONDON, 4)
    assert iso(found) == [
        ("2027-01-01", "2027-01-15"),
        ("2027-01-16", "2027-01-31"),
        ("2027-02-01", "2027-02-15"),
        ("2027-02-16", "2027-02-28"),
    ]
    assert [str(o.day) for o in found] == ["2027-01-15", "2027-01-29", "2027-02-15", "2027-02-26"]


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("FREQ=WEEKLY;BYDAY=FR", ["2026-11-06", "2026-11-13", "2026-11-20"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["2026-11-27", "2026-12-25", "2027-01-29"]),
        ("FREQ=YEARLY;BYMONTH=4,10;BYMONTHDAY=6", ["2027-04-06", "2027-10-06", "2028-04-06"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["2026-11-30", "2026-12-31", "2027-01-29"]),
    ],
)
def test_rules_of_rfc_5545(text: str, starts: list[str]) -> None:
    assert [str(o.period_start) for o in first(Rule("rrule", rrule=text), date(2026, 11, 1), LONDON, 3)] == starts


@pytest.mark.parametrize(("text", "count"), [("FREQ=MONTHLY;COUNT=3", 3), ("FREQ=MONTHLY;UNTIL=20270101", 3)])
def test_a_rule_that_ends_gives_its_last_period_its_full_length(text: str, count: int) -> None:
    found = first(Rule("rrule", rrule=text), date(2026, 11, 1), LONDON, 10)
    assert len(found) == count
    assert found[-1] == Occurrence(date(2027, 1, 1), date(2027, 1, 31))


@pytest.mark.parametrize(
    ("rule", "ends_on", "code"),
    [
        (Rule("rrule", rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), None, "schedule_never_fires"),
        (Rule("rrule", rrule="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), None, "schedule_never_fires"),
        (Rule("rrule", rrule="FREQ=MONTHLY;UNTIL=20200101"), None, "schedule_never_fires"),
        (Rule("months"), date(2026, 10, 31), "schedule_never_fires"),
        (Rule("business_day_of_month", nth=1), date(2026, 10, 1), "schedule_never_fires"),
        (Rule("days_of_month"), None, "schedule_never_fires"),
        (Rule("rrule", rrule="FREQ=HOURLY"), None, "rrule_invalid"),
        (Rule("rrule", rrule="FREQ=DAILY;BYHOUR=3"), None, "rrule_invalid"),
        (Rule("rrule", rrule="FREQ=WEEKLY;BYDAY=XX"), None, "rrule_invalid"),
        (Rule("rrule", rrule="FREQ=WEEKLY\nEXDATE=20260101"), None, "rrule_invalid"),
        (Rule("rrule", rrule="FREQ=WEEKLY;COUNT=2;UNTIL=20270101"), None, "rrule_invalid"),
        (Rule("rrule", rrule=""), None, "rrule_invalid"),
    ],
)
def test_a_rule_that_can_t_be_meant_is_refused(rule: Rule, ends_on: date | None, code: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        check(rule, date(2026, 11, 1), ends_on, LONDON)
    assert refused.value.code == code


def test_a_job_is_made_so_many_days_before() -> None:
    quarter = Occurrence(date(2026, 7, 1), date(2026, 9, 30))
    assert quarter.made_on(Ahead(21, "period_end")) == date(2026, 9, 9)
    assert quarter.made_on(Ahead()) == date(2026, 7, 1)
    assert Occurrence(date(2026, 11, 1), date(2026, 11, 30), date(2026, 11, 27)).made_on(Ahead(5, "day")) == date(
        2026, 11, 22
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule("months", every=3), "every 3 months from 1 Jul 2026"),
        (Rule("weeks"), "every week from 1 Jul 2026"),
        (Rule("business_day_of_month", nth=-1), "the last business day of every month"),
        (Rule("weekday_of_month", nth=1, weekday=5), "the 1st Friday of every month"),
        (Rule("business_day_of_month", nth=-2), "the 2nd last business day of every month"),
        (Rule("days_of_month", days=(15, -1)), "the 15th and last day of every month"),
    ],
)
def test_rules_are_said_in_words(rule: Rule, words: str) -> None:
    assert in_words(rule, date(2026, 7, 1)) == words


anchors = st.dates(date(2020, 1, 1), date(2030, 12, 31))
some_rules = st.one_of(
    st.builds(Rule, st.just("months"), every=st.integers(1, 24)),
    st.builds(Rule, st.just("weeks"), every=st.integers(1, 8)),
    st.builds(
        Rule, st.just("business_day_of_month"), every=st.integers(1, 6), nth=st.sampled_from([1, 2, 5, 10, -1, -2, -5])
    ),
    st.builds(
        Rule, st.just("weekday_of_month"), every=st.integers(1, 6), nth=st.sampled_from([1, 2, 3, 4, -1]),
        weekday=st.integers(1, 7),
    ),
    st.builds(
        Rule, st.just("days_of_month"),
        days=st.lists(st.sampled_from([1, 5, 15, 28, 31, -1, -2]), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        Rule, st.just("rrule"),
        rrule=st.sampled_from(["FREQ=WEEKLY;BYDAY=MO,FR", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;INTERVAL=2", "FREQ=YEARLY"]),
    ),
)  # fmt: skip


@given(some_rules, anchors, st.integers(0, 30))
def test_looking_from_any_day_on_sees_the_same_series(rule: Rule, starts_on: date, n: int) -> None:
    """Occurrence n depends on the anchor alone: who asks later, or from further on, gets the same periods."""
    rule = Rule.parse(rule.as_json())
    series = first(rule, starts_on, LONDON, n + 5)
    assert first(rule, starts_on, LONDON, 5, since=series[n].period_start) == series[n : n + 5]
    after = first(rule, starts_on, LONDON, 1, since=series[n].period_start + timedelta(days=1))
    assert after == [series[n + 1]]


@given(some_rules, anchors)
def test_periods_follow_one_another_without_overlap(rule: Rule, starts_on: date) -> None:
    series = first(Rule.parse(rule.as_json()), starts_on, LONDON, 30)
    assert all(o.period_start <= o.period_end for o in series)
    assert all(a.period_end < b.period_start for a, b in pairwise(series))
    if rule.kind in ("months", "weeks", "rrule", "days_of_month"):
        assert all(a.period_end + timedelta(days=1) == b.period_start for a, b in pairwise(series))


@given(anchors, st.integers(1, 24), st.integers(0, 60))
def test_the_nth_period_begins_n_times_the_interval_after_the_anchor(starts_on: date, every: int, n: int) -> None:
    found = first(Rule("months", every=every), starts_on, LONDON, n + 1)[n]
    assert found.period_start == add_months(starts_on, n * every)


@given(some_rules, anchors, st.dates(date(2020, 1, 1), date(2032, 1, 1)))
def test_nothing_begins_after_the_end(rule: Rule, starts_on: date, ends_on: date) -> None:
    for found in occurrences(Rule.parse(rule.as_json()), starts_on, LONDON, ends_on=ends_on):
        assert found.period_start <= ends_on
