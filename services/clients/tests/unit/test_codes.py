from decimal import Decimal

import pytest

from chassis.errors import Invalid
from clients import codes


@pytest.mark.parametrize("code", ["GBP", "JPY", "KWD", "CHF"])
def test_current_currencies_are_known(code):
    assert codes.currency(code) == code


@pytest.mark.parametrize("code", ["ABC", "DEM", "XXX", "XAU", "gbp"])
def test_what_cannot_be_billed_in_is_no_currency(code):
    with pytest.raises(Invalid) as refusal:
        codes.currency(code)
    assert refusal.value.code == "unknown_currency"


@pytest.mark.parametrize("code", ["UK", "EU", "ZZ", "XX"])
def test_countries_are_those_of_iso_3166(code):
    assert codes.country("GB") == "GB"
    with pytest.raises(Invalid) as refusal:
        codes.country(code, "/address/country")
    assert (refusal.value.code, refusal.value.pointer) == ("unknown_country", "/address/country")


@pytest.mark.parametrize("tag", ["xx", "en-UK", "zz-GB"])
def test_a_language_needs_an_existing_base_and_region(tag):
    assert [codes.language(t) for t in ("en", "en-GB", "zh", "pt-BR")] == ["en", "en-GB", "zh", "pt-BR"]
    with pytest.raises(Invalid) as refusal:
        codes.language(tag)
    assert refusal.value.code == "unknown_language"


@pytest.mark.parametrize(
    ("amount", "code", "kept"),
    [
        ("100", "GBP", "100.00"),
        ("0.01", "EUR", "0.01"),
        ("1500", "JPY", "1500"),
        ("1.234", "KWD", "1.234"),
        ("5.1000", "GBP", "5.10"),
    ],
)
def test_money_takes_the_currencys_own_decimals(amount, code, kept):
    value = codes.money(amount, code, "/fee/amount")
    assert value == Decimal(kept)
    assert codes.shown(value, code) == kept


@pytest.mark.parametrize(
    ("amount", "code"),
    [("0", "GBP"), ("-5", "GBP"), ("1.001", "GBP"), ("1.5", "JPY"), ("1000000000000", "GBP"), ("x", "GBP")],
)
def test_money_is_positive_and_exact(amount, code):
    with pytest.raises(Invalid) as refusal:
        codes.money(amount, code, "/fee/amount")
    assert (refusal.value.code, refusal.value.pointer) == ("amount_invalid", "/fee/amount/amount")
