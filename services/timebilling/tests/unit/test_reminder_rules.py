"""Levels of reminding, interest, running balances."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from timebilling.debtors import rules as debtors
from timebilling.reminders import rules
from timebilling.reminders.rules import Level

D = Decimal
DUE = date(2026, 3, 1)
LEVELS = [Level(1, 7, None), Level(2, 14, D(4)), Level(3, 30, D(8))]


@pytest.mark.parametrize(
    ("late", "sent", "level"), [(6, 0, None), (7, 0, 1), (13, 1, None), (14, 1, 2), (40, 0, 3), (40, 3, None)]
)
def test_the_highest_level_whose_day_has_come_is_due_and_skipped_ones_never_are(
    late: int, sent: int, level: int | None
) -> None:
    found = rules.due_level(LEVELS, sent, DUE, DUE + timedelta(days=late))
    assert (found and found.level) == level


def test_the_next_level_has_its_day() -> None:
    assert rules.next_day(LEVELS, 1, DUE) == date(2026, 3, 15)
    assert rules.next_day(LEVELS, 3, DUE) is None
    assert rules.next_day([], 0, DUE) is None


def test_interest_is_simple_actual_over_365() -> None:
    assert rules.interest(D("1000.00"), D(8), DUE, DUE + timedelta(days=73), "GBP") == D("16.00")
    assert rules.interest(D("1000.00"), None, DUE, DUE + timedelta(days=73), "GBP") == 0
    assert rules.interest(D(1000), D(8), DUE, DUE + timedelta(days=1), "JPY") == 0


def test_levels_come_one_after_the_other() -> None:
    rules.check_levels(LEVELS)
    with pytest.raises(DomainError, match="Level 2 must come later"):
        rules.check_levels([Level(1, 7, None), Level(2, 7, None)])


@given(
    opening=st.decimals("-1e6", "1e6", places=2), amounts=st.lists(st.decimals("-1e5", "1e5", places=2), max_size=20)
)
def test_a_running_balance_ends_at_the_sum(opening: Decimal, amounts: list[Decimal]) -> None:
    rows = debtors.running(opening, [debtors.Movement(DUE, "x", "", a) for a in amounts])
    assert (rows[-1].balance if rows else opening) == opening + sum(amounts)


def test_a_period_is_a_period() -> None:
    debtors.check_period(DUE, DUE)
    for first, last, code in (
        (DUE, DUE - timedelta(days=1), "period_reversed"),
        (date(2000, 1, 1), DUE, "period_too_long"),
    ):
        with pytest.raises(DomainError) as refused:
            debtors.check_period(first, last)
        assert refused.value.code == code
