"""Rates: the documented order, effective dates, never a silent zero."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.db import new_id
from chassis.errors import DomainError
from timebilling.rates import rules
from timebilling.rates.rules import LEVELS, Rate, Work

DAY = date(2026, 4, 1)
WORK = Work(DAY, new_id(), new_id(), new_id(), "senior", new_id(), new_id())
ORDER = ["job_staff", "job_grade", "engagement", "client_staff", "client_grade", "activity", "staff", "grade", "firm"]


def card(
    level: str,
    amount: int = 100,
    currency: str = "GBP",
    first: date = date(2026, 1, 1),
    last: date | None = None,
    work: Work = WORK,
) -> Rate:
    key = dict(rules.candidates(work))[level]
    return Rate(UUID(int=ORDER.index(level)), level, key, Decimal(amount), currency, first, last)


def by_key(*cards: Rate) -> dict[str, list[Rate]]:
    found: dict[str, list[Rate]] = {}
    for c in cards:
        found.setdefault(c.key, []).append(c)
    return found


def test_the_order_of_levels_is_the_documented_one() -> None:
    assert list(LEVELS) == ORDER == [level for level, _ in rules.candidates(WORK)]


@given(st.sets(st.sampled_from(ORDER), min_size=1))
def test_the_most_specific_level_wins(levels: set[str]) -> None:
    chosen = rules.choose(WORK, by_key(*(card(level, ORDER.index(level)) for level in levels)), "GBP")
    first = min(levels, key=ORDER.index)
    assert chosen is not None
    assert (chosen.rule["rule"], chosen.amount) == (first, ORDER.index(first))


def test_a_level_without_its_key_is_passed_over() -> None:
    bare = Work(DAY, WORK.staff_id, WORK.job_id, WORK.client_id)
    assert [level for level, _ in rules.candidates(bare)] == ["job_staff", "client_staff", "staff", "firm"]


def test_another_currency_is_no_rate() -> None:
    assert rules.choose(WORK, by_key(card("firm", currency="EUR")), "GBP") is None


def test_zero_is_a_rate() -> None:
    chosen = rules.choose(WORK, by_key(card("client_staff", 0), card("firm", 100)), "GBP")
    assert chosen is not None
    assert chosen.amount == 0


def test_cost_rates_know_staff_grade_and_firm_only() -> None:
    assert [level for level, _ in rules.candidates(WORK, "cost")] == ["staff", "grade", "firm"]
    with pytest.raises(DomainError) as refused:
        rules.check_key("cost", "engagement", {"engagement_id": str(new_id())})
    assert refused.value.code == "rate_level_unknown"


@given(st.integers(-400, 400), st.integers(-400, 400), st.integers(0, 400))
def test_a_rate_holds_from_its_first_day_to_its_last(day: int, first: int, length: int) -> None:
    rate = card("firm", first=DAY + timedelta(first), last=DAY + timedelta(first + length))
    assert rate.in_force(DAY + timedelta(day)) == (first <= day <= first + length)


def test_why_names_rule_version_and_inputs() -> None:
    chosen = rules.choose(WORK, by_key(card("client_grade", 180, first=DAY)), "GBP")
    assert chosen is not None
    assert chosen.rule["says"] == "GBP 180.00/h: client × grade rate of 2026-04-01"
    assert chosen.rule["inputs"] | {"rate_id": ""} == {
        "client_id": str(WORK.client_id),
        "grade": "senior",
        "day": "2026-04-01",
        "rate_id": "",
    }


def test_an_override_gives_its_reason() -> None:
    assert rules.overridden(Decimal(50), "GBP", "goodwill").rule["says"] == "GBP 50.00/h: entry override (goodwill)"


@pytest.mark.parametrize(
    ("level", "keys", "code"),
    [
        ("job_staff", {"job_id": "a"}, "rate_key_incomplete"),
        ("firm", {"staff_id": "a"}, "rate_key_superfluous"),
        ("grade", {"grade": "senior", "client_id": "a"}, "rate_key_superfluous"),
    ],
)
def test_a_rate_names_exactly_the_keys_of_its_level(level: str, keys: dict[str, str], code: str) -> None:
    with pytest.raises(DomainError) as refused:
        rules.check_key("bill", level, keys)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("seconds", "rate", "currency", "value"),
    [
        (5400, "180.00", "GBP", "270.00"),
        (360, "99.99", "GBP", "10.00"),
        (1, "18.00", "GBP", "0.01"),
        (1800, "333", "JPY", "167"),
        (0, "100", "GBP", "0.00"),
    ],
)
def test_standard_value_is_rounded_once_half_up(seconds: int, rate: str, currency: str, value: str) -> None:
    assert str(rules.value_of(seconds, Decimal(rate), currency)) == value


@pytest.mark.parametrize(
    ("amount", "percent", "step", "after"),
    [
        ("180.00", "5", "0.01", "189.00"),
        ("99.99", "5", "0.01", "104.99"),  # 104.9895
        ("125.00", "5", "5", "130.00"),  # 131.25 lies nearer to 130
        ("110.00", "2.5", "5", "115.00"),  # 112.75
        ("100.00", "-2.5", "0.01", "97.50"),
        ("0.00", "5", "0.01", "0.00"),  # zero is a rate, and stays one
    ],
)
def test_rates_are_raised_by_a_percentage_to_whole_steps(amount: str, percent: str, step: str, after: str) -> None:
    assert str(rules.raised(Decimal(amount), Decimal(percent), Decimal(step), "GBP")) == after


@pytest.mark.parametrize(
    ("percent", "step", "code"),
    [
        ("0", "1", "percent_out_of_range"),
        ("-100", "1", "percent_out_of_range"),
        ("1001", "1", "percent_out_of_range"),
        ("5", "0", "step_impossible"),
    ],
)
def test_an_impossible_raise_is_refused(percent: str, step: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        rules.check_raise(Decimal(percent), Decimal(step))
    assert refused.value.code == code


def test_a_gap_between_rates_is_told_from_a_rate_that_never_was() -> None:
    before = card("firm", first=date(2026, 1, 1), last=date(2026, 3, 1))
    later = card("firm", first=date(2026, 5, 1))
    other = card("staff", currency="EUR", last=date(2026, 2, 1))
    gap = rules.last_ended(WORK, by_key(before, later, other), "GBP")
    assert gap == before
    assert rules.last_ended(WORK, by_key(later), "GBP") is None
    refused = rules.missing(WORK, "GBP", gap)
    assert (refused.code, refused.more["ended_on"]) == ("rate_gap", "2026-03-01")
    assert rules.missing(WORK, "GBP").code == "rate_missing"
