"""Disbursements: what the client is charged for what was paid."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from timebilling.disbursements import rules

CENTS = st.integers(1, 10**7).map(lambda n: Decimal(n) / 100)


@pytest.mark.parametrize(
    ("amount", "tax", "recoverable", "markup", "value"),
    [
        ("120.00", "20.00", True, "0", "100.00"),  # the firm gets the tax back and charges its own on 100
        ("120.00", "20.00", False, "0", "120.00"),  # it does not: the tax is part of its cost
        ("120.00", "20.00", True, "10", "110.00"),
        ("9.99", "0", True, "12.5", "11.24"),  # 11.23875
        ("0.01", "0", True, "50", "0.02"),  # half a penny goes up
    ],
)
def test_the_client_is_charged_the_cost_with_its_markup(
    amount: str, tax: str, recoverable: bool, markup: str, value: str
) -> None:
    assert rules.value_of(Decimal(amount), Decimal(tax), recoverable, Decimal(markup), "GBP") == Decimal(value)


@given(CENTS, st.integers(0, 100), st.booleans(), st.integers(0, 100_000).map(lambda n: Decimal(n) / 100))
def test_nobody_is_charged_less_than_the_cost(amount: Decimal, share: int, recoverable: bool, markup: Decimal) -> None:
    tax = (amount * share / 100).quantize(Decimal("0.01"))
    value = rules.value_of(amount, tax, recoverable, markup, "GBP")
    assert value >= rules.cost(amount, tax, recoverable)
    assert value == value.quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("amount", "tax", "markup", "code"),
    [
        ("0", "0", "0", "amount_missing"),
        ("1", "1.01", "0", "tax_over_amount"),
        ("1", "0", "1000.01", "markup_out_of_range"),
    ],
)
def test_impossible_amounts_are_refused(amount: str, tax: str, markup: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        rules.check(Decimal(amount), Decimal(tax), Decimal(markup))
    assert refused.value.code == code


def test_the_value_says_why() -> None:
    why = rules.why(Decimal("120"), Decimal("20"), True, Decimal("10.00"), "GBP")
    assert (why["figure"], why["says"]) == ("110.00", "GBP 120.00 less 20.00 tax recovered, with 10 % on it")
