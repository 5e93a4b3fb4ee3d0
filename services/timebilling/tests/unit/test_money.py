"""Money: exact, in the currency's own smallest unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from timebilling import money

CURRENCIES = st.sampled_from(["GBP", "JPY", "KWD", "EUR"])
AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=3)


@pytest.mark.parametrize(("currency", "places"), [("GBP", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_exponents_are_those_of_iso_4217(currency: str, places: int) -> None:
    assert money.exponent(currency) == places


@pytest.mark.parametrize("currency", ["XYZ", "gbp", "XAU", "XXX", ""])
def test_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(Invalid) as refused:
        money.exponent(currency)
    assert refused.value.code == "currency_unknown"


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [("0.125", "GBP", "0.13"), ("0.135", "GBP", "0.14"), ("2.5", "JPY", "3"), ("-0.125", "GBP", "-0.13")],
)
def test_halves_round_up_not_to_even(amount: str, currency: str, shown: str) -> None:
    assert str(money.rounded(Decimal(amount), currency)) == shown


def test_more_decimals_than_the_currency_has_are_refused() -> None:
    with pytest.raises(Invalid) as refused:
        money.parse({"amount": "10.5", "currency": "JPY"}, pointer="/amount")
    assert refused.value.code == "amount_precision"
    assert money.parse({"amount": "10.5", "currency": "GBP"}, pointer="/amount") == (Decimal("10.50"), "GBP")


@given(CURRENCIES, AMOUNTS, st.lists(AMOUNTS, min_size=1, max_size=40), st.booleans())
def test_parts_sum_exactly_to_the_whole(currency: str, total: Decimal, weights: list[Decimal], negative: bool) -> None:
    total = money.rounded(total, currency) * (-1 if negative else 1)
    weights = [money.rounded(w, currency) for w in weights]
    parts = money.spread(total, weights, currency)
    assert sum(parts) == total
    assert all(money.rounded(p, currency) == p for p in parts)


@given(CURRENCIES, AMOUNTS, st.lists(AMOUNTS, min_size=1, max_size=40))
def test_a_part_is_less_than_a_unit_from_its_exact_share(currency: str, total: Decimal, weights: list[Decimal]) -> None:
    total, weights = money.rounded(total, currency), [money.rounded(w, currency) for w in weights]
    whole = sum(weights)
    for part, weight in zip(money.spread(total, weights, currency), weights, strict=True):
        exact = total * weight / whole if whole else total / len(weights)
        assert abs(part - exact) < money.quantum(currency)


def test_weights_of_nothing_spread_evenly_and_the_earlier_gets_the_odd_cent() -> None:
    assert money.spread(Decimal("1.00"), [Decimal(0)] * 3, "GBP") == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]


def test_largest_remainders_get_the_units_left_over() -> None:
    assert money.spread(Decimal("0.05"), [Decimal("1.00"), Decimal("3.00"), Decimal("2.00")], "GBP") == [
        Decimal("0.01"),
        Decimal("0.02"),
        Decimal("0.02"),
    ]
