"""What of a name tells whom it means; who may do what with a note."""

import pytest

from chassis.errors import DomainError
from clients.conflicts import rules
from clients.notes import rules as notes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("smith & sons ltd", ["smith", "sons"]),
        ("the acme company", ["acme"]),
        ("co", ["co"]),
        ("muller gmbh & co. kg", ["muller"]),
        ("smith smith", ["smith"]),
        ("привет", ["привет"]),
        ("3m", ["3m"]),
        ("!!", []),
    ],
)
def test_legal_forms_and_titles_tell_nothing(name, words):
    assert rules.words(name) == words


def code(act, *arguments):
    with pytest.raises(DomainError) as refusal:
        act(*arguments)
    return refusal.value.code


def test_a_check_is_decided_once():
    rules.require_undecided(None)
    assert code(rules.require_undecided, "clear") == "conflict_check_decided"


def test_words_belong_to_their_author():
    notes.require_author("staff:1", "staff:1")
    assert code(notes.require_author, "staff:1", "staff:2") == "note_not_yours"


def test_only_those_who_see_a_client_are_mentioned():
    notes.require_all_see([1, 2], None)
    notes.require_all_see([1], [1, 2])
    assert code(notes.require_all_see, [1, 3], [1, 2]) == "mentioned_cannot_see"
