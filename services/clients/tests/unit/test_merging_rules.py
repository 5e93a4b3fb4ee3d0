"""What becomes of two clients that are one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from clients.merging import rules

FACTS = {
    "id": "1", "number": "C1", "name": "Smith", "kind": "organisation", "status": "active", "currency": "GBP", "language": "en",
    "country": "GB", "year_end": None, "address": None, "born_on": None, "tags": ["VIP"], "partner_id": None, "manager_id": None,
    "visible_to": None, "external_id": None, "other_names": [], "former_names": [], "custom": {},
}  # fmt: skip
OTHER = FACTS | {"id": "2", "number": "C2", "name": "Smith Ltd", "year_end": "03-31", "tags": ["vip", "farm"]}


def outcome(mine=FACTS, theirs=OTHER, take=()):
    return {field.name: field.result for field in rules.combined(mine, theirs, take)}


def test_what_the_survivor_says_stands_and_what_it_leaves_open_is_filled():
    assert outcome() | {} == outcome() | {"name": "Smith", "number": "C1", "year_end": "03-31", "tags": ["farm", "VIP"]}


def test_what_is_taken_comes_from_the_duplicate_unless_it_says_nothing():
    assert outcome(take=["name"])["name"] == "Smith Ltd"
    assert outcome(FACTS | {"year_end": "12-31"}, OTHER | {"year_end": None}, take=["year_end"])["year_end"] == "12-31"


@given(st.sampled_from(["prospect", "active", "former"]), st.sampled_from(["prospect", "active", "former"]))
def test_the_livelier_status_stands_whichever_survives(one, other):
    there = outcome(FACTS | {"status": one}, OTHER | {"status": other})["status"]
    assert there == outcome(FACTS | {"status": other}, OTHER | {"status": one})["status"]
    assert there == "active" if "active" in (one, other) else there in (one, other)


@pytest.mark.parametrize(
    ("theirs", "code"),
    [
        ({"id": "1"}, "merge_with_itself"),
        ({"currency": "EUR"}, "merge_currency_differs"),
        ({"visible_to": ["x"]}, "merge_audience_differs"),
    ],
)
def test_what_can_not_be_merged_is_refused(theirs, code):
    with pytest.raises(DomainError) as refusal:
        rules.require_mergeable(FACTS, OTHER | theirs)
    assert refusal.value.code == code


def test_only_what_can_be_chosen_is_taken():
    with pytest.raises(DomainError) as refusal:
        rules.combined(FACTS, OTHER, ["status"])
    assert refusal.value.code == "not_choosable"
