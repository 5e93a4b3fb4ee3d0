"""WIP: fixed amounts over items, and who may adjust how much."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebilling.money import ZERO
from timebilling.wip import rules

CENTS = st.integers(0, 10**7).map(lambda n: Decimal(n) / 100)
LIMITS = {
    ("manager", "GBP"): Decimal(500),
    ("partner", "GBP"): Decimal(5000),
    ("partner", "EUR"): Decimal(6000),
}


@given(CENTS, st.lists(CENTS, min_size=1, max_size=40))
def test_a_fixed_amount_is_spread_to_the_cent(total: Decimal, standards: list[Decimal]) -> None:
    parts = rules.allocate(total, standards, "GBP")
    assert sum(parts) == total
    assert all(p >= 0 for p in parts)
    whole = sum(standards)
    for part, standard in zip(parts, standards, strict=True):
        exact = total * standard / whole if whole else total / len(standards)
        assert abs(part - exact) < Decimal("0.01")


def test_the_largest_remainder_gets_the_cent() -> None:
    # 100.00 over three equal items, and over 1:2:3 (16.666…, 33.333…, 50).
    assert rules.allocate(Decimal(100), [Decimal(5)] * 3, "GBP") == [
        Decimal("33.34"),
        Decimal("33.33"),
        Decimal("33.33"),
    ]
    assert rules.allocate(Decimal(100), [Decimal(1), Decimal(2), Decimal(3)], "GBP") == [
        Decimal("16.67"),
        Decimal("33.33"),
        Decimal("50.00"),
    ]


def test_without_any_value_it_is_spread_evenly() -> None:
    assert rules.allocate(Decimal(10), [ZERO] * 4, "GBP") == [Decimal("2.50")] * 4


@pytest.mark.parametrize(
    ("roles", "currency", "limit"),
    [
        (["manager"], "GBP", "500"),
        (["manager", "partner"], "GBP", "5000"),  # the highest of several roles
        (["manager"], "EUR", "0"),  # a limit in pounds says nothing of euros: none may be adjusted
        (["staff"], "GBP", "0"),
        (["billing"], "GBP", None),  # nobody has said otherwise
        (["manager", "owner"], "GBP", None),
        ([], "GBP", None),  # a copy older than roles: the permission decides
    ],
)
def test_the_limit_of_a_person(roles: list[str], currency: str, limit: str | None) -> None:
    assert rules.limit_of(roles, LIMITS, currency) == (None if limit is None else Decimal(limit))


def test_a_limit_reaches_up_to_its_amount() -> None:
    assert rules.over_limit(Decimal(500), Decimal(500), "GBP") is None
    refused = rules.over_limit(Decimal("500.01"), Decimal(500), "GBP")
    assert refused is not None
    assert (refused.code, refused.more["limit"]) == (
        "adjustment_over_limit",
        {"amount": "500.00", "currency": "GBP"},
    )


@pytest.mark.parametrize(
    ("state", "remaining", "code"),
    [
        (None, 0, None),
        ("unbilled", 10, None),
        ("unbilled", 9, "entry_adjusted"),
        ("reserved", 10, "entry_reserved"),
        ("billed", 0, "entry_billed"),
        ("written_off", 0, "entry_written_off"),
    ],
)
def test_only_untouched_wip_can_be_taken_back_or_rated_anew(
    state: str | None, remaining: int, code: str | None
) -> None:
    refused = rules.refusal_to_touch(state, Decimal(remaining), Decimal(10))
    assert (refused.code if refused else None) == code
