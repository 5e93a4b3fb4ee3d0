"""Amounts as Stripe counts them."""

from decimal import Decimal

import pytest

from timebilling.card_payments import rules

D = Decimal


@pytest.mark.parametrize(
    ("amount", "currency", "count"),
    [("12.34", "GBP", 1234), ("1234", "JPY", 1234), ("1.234", "KWD", 1234), ("5", "ISK", 500), ("5", "UGX", 500)],
)
def test_amounts_are_counted_in_the_currencys_smallest_unit(amount: str, currency: str, count: int) -> None:
    assert rules.smallest(D(amount), currency) == count
    assert rules.amount_of(count, currency) == D(amount)
