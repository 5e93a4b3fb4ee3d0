import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Conflict, Invalid
from clients.parties import rules


def refusal(function, *arguments):
    with pytest.raises((Invalid, Conflict)) as raised:
        function(*arguments)
    return raised.value.code


@pytest.mark.parametrize("day", ["03-31", "12-31", "02-28", "01-01"])
def test_a_year_ends_on_a_day_of_every_year(day):
    assert rules.year_end(day) == day


@pytest.mark.parametrize("day", ["02-29", "02-30", "13-01", "00-10", "04-31", "3-31", "31-12"])
def test_an_impossible_year_end_is_refused(day):
    assert refusal(rules.year_end, day) == "year_end_invalid"


def test_tags_are_kept_once_whatever_their_case():
    assert rules.tags([" VIP ", "vip", "farm", "Big  farm"]) == ["Big farm", "farm", "VIP"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)))
def test_tidying_tags_again_changes_nothing(tags):
    once = rules.tags(tags)
    assert rules.tags(once) == once


def test_a_tax_number_is_compared_by_letters_and_digits():
    assert rules.tax_number(" gb 123-456/789 ") == "GB123456789"


@pytest.mark.parametrize(
    ("number", "shown"),
    [("GB123456789", "*******6789"), ("12345678", "****5678"), ("1234", "**34"), ("ABCDE", "***DE")],
)
def test_a_masked_tax_number_hides_at_least_half(number, shown):
    assert rules.masked(number) == shown


@given(st.text(min_size=1, alphabet="ABC0123456789"))
def test_masking_keeps_the_length_and_shows_no_more_than_four(number):
    shown = rules.masked(number)
    assert len(shown) == len(number)
    assert sum(c != "*" for c in shown) <= min(4, len(number) / 2)


def test_a_tax_number_has_four_letters_or_digits():
    assert refusal(rules.tax_numbers, {"vat": "A--/1"}, "BD") == "tax_number_invalid"
    assert rules.tax_numbers({"vat": "1234", "payroll": None}, "BD") == {"vat": "1234", "payroll": None}


@pytest.mark.parametrize(
    ("country", "scheme", "number", "fits"),
    [
        ("GB", "vat", "GB 980 7806 84", True),
        ("GB", "vat", "980780684", True),
        ("GB", "vat", "XI980780684", True),
        ("GB", "vat", "GB123456789", False),
        ("GB", "vat", "DE136695976", True),  # registered abroad
        ("GB", "vat", "DE136695977", False),
        ("US", "vat", "DE136695977", False),
        ("US", "vat", "GB980780684", True),
        ("US", "vat", "SALES-4711", True),  # a jurisdiction without a known form
        ("GR", "vat", "EL094259216", True),
        ("FR", "vat", "FR40303265045", True),
        ("CH", "vat", "CHE-107.787.577 IVA", True),
        ("GB", "income_tax", "1955839661", True),
        ("GB", "income_tax", "1955839662", False),
        ("US", "income_tax", "91-1144442", True),
        ("US", "payroll", "91-1144442", True),
        ("US", "payroll", "07-1144442", False),
        ("DE", "income_tax", "36 574 261 809", True),
        ("GB", "payroll", "123/AB456", True),
        ("BD", "income_tax", "4711", True),
    ],
)
def test_a_tax_number_has_the_form_of_its_jurisdiction(country, scheme, number, fits):
    given = {scheme: number}
    if fits:
        assert rules.tax_numbers(given, country)[scheme] == rules.tax_number(number)
    else:
        assert refusal(rules.tax_numbers, given, country) == "tax_number_invalid"


def test_the_tax_label_shows_the_masked_vat_number_only():
    assert rules.tax_label("GB", "*******6789") == "VAT GB *******6789"
    assert rules.tax_label("GB", None) == ""


def test_whoever_makes_a_client_private_must_be_named():
    rules.require_named(None, "ada")
    rules.require_named(["ada", "ben"], "ada")
    assert refusal(rules.require_named, ["ben"], "ada") == "private_without_you"
    assert refusal(rules.require_named, [], "ada") == "private_without_you"


def test_prospects_and_former_clients_become_active():
    rules.require_activatable("prospect")
    rules.require_activatable("former")
    assert refusal(rules.require_activatable, "active") == "client_already_active"


def test_a_client_becomes_former_once_nothing_is_open():
    rules.require_archivable("active", [])
    rules.require_archivable("prospect", [])
    assert refusal(rules.require_archivable, "former", []) == "client_already_former"
    assert refusal(rules.require_archivable, "active", ["VAT 2026"]) == "client_has_open_engagements"


@pytest.mark.parametrize(
    ("number", "position"),
    [("C00042", 42), ("c42", 42), ("C1000000", 1_000_000), ("SMI001", None), ("C0", None), ("C1A", None)],
)
def test_numbers_of_the_firms_own_series_are_recognised(number, position):
    assert rules.series_position(number) == position


@given(st.integers(1, 999_999_999))
def test_every_number_of_the_series_is_recognised_as_one(position):
    assert rules.series_position(rules.series_number(position)) == position


def test_an_address_loses_empty_lines_and_keeps_an_existing_country():
    given = {"line1": " 1  High St ", "line2": "  ", "city": "Leeds", "country": "GB"}
    assert rules.address(given) == {"line1": "1 High St", "city": "Leeds", "country": "GB"}
    assert refusal(rules.address, {**given, "country": "XX"}) == "unknown_country"


def test_only_given_fields_are_checked_and_kept():
    assert rules.checked({"name": "  Ada   Ltd "}) == {"name": "Ada Ltd"}
    assert rules.checked({"external_id": None, "year_end": None}) == {"external_id": None, "year_end": None}


def test_only_a_client_nothing_was_done_for_goes():
    rules.require_removable([])
    with pytest.raises(Conflict) as refused:
        rules.require_removable(["contacts", "invoices", "jobs"])
    assert refused.value.code == "client_in_use"
    assert "contacts, invoices and jobs" in refused.value.message
