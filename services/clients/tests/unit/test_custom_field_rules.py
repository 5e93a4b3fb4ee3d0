"""What a field of the firm's own may be and hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from clients.custom_fields import rules

FIELDS = {
    "region": rules.Field("region", "text"),
    "people": rules.Field("people", "number"),
    "founded": rules.Field("founded", "date"),
    "risk": rules.Field("risk", "choice", ("Low", "High")),
    "reviewer": rules.Field("reviewer", "staff"),
    "old": rules.Field("old", "text", active=False),
}
STAFF = "0197ffff-0000-7000-8000-000000000000"


def code(act, *arguments, **more):
    with pytest.raises(DomainError) as refusal:
        act(*arguments, **more)
    return refusal.value.code


@pytest.mark.parametrize(
    ("key", "said", "kept"),
    [
        ("region", " North  East ", "North East"),
        ("people", 12, 12),
        ("people", -0.5, -0.5),
        ("founded", "1999-12-31", "1999-12-31"),
        ("risk", "High", "High"),
        ("reviewer", STAFF.upper(), STAFF),
    ],
)
def test_a_value_is_kept_in_the_form_of_its_kind(key, said, kept):
    assert rules.values(FIELDS, {key: said}, {}) == {key: kept}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("region", 7),
        ("region", "  "),
        ("region", "x" * 1001),
        ("people", "12"),
        ("people", True),
        ("people", 10**15),
        ("founded", "1999-02-30"),
        ("founded", 1999),
        ("risk", "high"),
        ("reviewer", "Ada"),
        ("reviewer", 7),
    ],
)
def test_a_value_of_another_kind_is_refused(key, said):
    assert code(rules.values, FIELDS, {key: said}, {}) == "custom_value_invalid"


def test_null_empties_and_what_is_left_out_stays():
    assert rules.values(FIELDS, {"region": None, "people": 2}, {"region": "N", "risk": "Low"}) == {
        "people": 2,
        "risk": "Low",
    }


def test_an_unknown_field_is_refused():
    assert code(rules.values, FIELDS, {"colour": "red"}, {}) == "custom_field_unknown"


def test_an_inactive_field_keeps_its_value_but_takes_no_new_one():
    assert rules.values(FIELDS, {"old": "a"}, {"old": "a"}) == {"old": "a"}
    assert rules.values(FIELDS, {"old": None}, {"old": "a"}) == {}
    assert code(rules.values, FIELDS, {"old": "b"}, {"old": "a"}) == "custom_field_inactive"


@given(st.integers(-(10**14), 10**14) | st.floats(-1e9, 1e9).map(lambda n: round(n, 4)))
def test_a_number_written_as_text_is_the_number(number):
    written = f"{number:f}" if isinstance(number, float) else str(number)
    assert rules.typed(FIELDS["people"], written) == pytest.approx(number)


def test_text_that_is_no_number_is_refused():
    for said in ("", "twelve", "1e400", "nan", "inf"):
        assert code(rules.typed, FIELDS["people"], said) == "custom_value_invalid"


@pytest.mark.parametrize(
    ("label", "key"),
    [("Région (UK)", "region_uk"), ("2nd partner", "nd_partner"), ("Größe", "groe"), ("公司", "field")],
)
def test_a_key_is_made_of_the_label(label, key):
    assert rules.key(label).startswith(key[:3])
    assert rules.key(label) == rules.key(label).lower()


def test_choices_belong_to_choice_fields_only():
    assert rules.choices("choice", ["A", " A ", "B"]) == ["A", "B"]
    assert code(rules.choices, "choice", []) == "custom_choices_required"
    assert code(rules.choices, "text", ["A"]) == "custom_choices_unexpected"


def test_a_field_with_values_keeps_its_kind_its_choices_and_itself():
    rules.require_kind_changeable("text", "number", in_use=False)
    rules.require_kind_changeable("text", "text", in_use=True)
    assert code(rules.require_kind_changeable, "text", "number", in_use=True) == "custom_field_in_use"
    rules.require_choices_kept(["A", "B"], ["A"])
    assert code(rules.require_choices_kept, ["B"], ["A"]) == "custom_choice_in_use"
    assert code(rules.require_unused, in_use=True) == "custom_field_in_use"
