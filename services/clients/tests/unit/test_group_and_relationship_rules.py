"""Groups are never part of themselves; relationships read from both sides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from clients.groups import rules as groups
from clients.parties.rules import former_names, no_longer_called
from clients.relationships import rules


def test_a_group_above_itself_is_refused_naming_the_way():
    groups.require_acyclic(1, [(2, "Two"), (3, "Three")])
    with pytest.raises(DomainError) as refusal:
        groups.require_acyclic(1, [(2, "Two"), (1, "One")])
    assert refusal.value.code == "group_contains_itself"
    assert "Two in One" in refusal.value.message


def test_who_is_billed_is_in_the_group():
    groups.require_bill_to_inside(None, [])
    groups.require_bill_to_inside(1, [1, 2])
    with pytest.raises(DomainError) as refusal:
        groups.require_bill_to_inside(3, [1, 2])
    assert refusal.value.code == "bill_to_not_in_group"


@given(st.sampled_from(sorted(rules.INVERSE)))
def test_the_inverse_of_the_inverse_is_the_kind(kind):
    assert rules.INVERSE[rules.INVERSE[kind]] == kind


@given(st.sampled_from(sorted(rules.INVERSE)), st.integers(), st.integers())
def test_a_relationship_is_kept_once_from_whichever_side_it_is_said(kind, client, other):
    if client == other:
        with pytest.raises(DomainError):
            rules.kept(client, kind, other)
        return
    assert rules.kept(client, kind, other) == rules.kept(other, rules.INVERSE[kind], client)


def test_former_names_are_kept_once_in_order():
    assert former_names([], "A", "B") == ["A"]
    assert former_names(["A"], "B", "A") == ["A", "B"]
    assert former_names(["A", "B"], "A", "C") == ["A", "B"]
    assert former_names(["A"], "B", None) == ["A"]
    assert no_longer_called(["A"], ["B", "Trading"], ["B"]) == ["A", "Trading"]
    assert no_longer_called(["A"], ["B"], ["C", "B"]) == ["A"]
