"""Requests and tasks: which act is possible when, and what answers are answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.requests.rules import (
    ACTS,
    ANSWERED,
    COMPLETE,
    SETTLED,
    STATUSES,
    UNSENT,
    WITH_CLIENT,
    ItemState,
    Refusal,
    all_accepted,
    check_act,
    check_answer,
    missing,
    next_reminder,
)
from workflow.tasks.rules import NotPossible, after, checklist_of, edited_checklist


def test_every_status_is_unsent_with_the_client_or_complete() -> None:
    assert sorted([*UNSENT, *WITH_CLIENT, *COMPLETE]) == sorted(STATUSES)


@pytest.mark.parametrize("status", SETTLED)
@pytest.mark.parametrize("act", ["send", "answer", "submit", "waive", "cancel"])
def test_a_settled_request_takes_no_more_acts(status: str, act: str) -> None:
    if (act, status) == ("send", "expired"):
        check_act(act, status)  # who missed the last day can be asked once more
        return
    with pytest.raises(Refusal) as caught:
        check_act(act, status)
    assert caught.value.code == f"request_{status}"


@pytest.mark.parametrize("status", UNSENT)
@pytest.mark.parametrize("act", sorted(set(ACTS) - {"send", "waive", "cancel"}))
def test_a_request_that_was_not_sent_can_only_be_sent_or_dropped(status: str, act: str) -> None:
    with pytest.raises(Refusal):
        check_act(act, status)


@pytest.mark.parametrize(
    ("kind", "answer", "documents", "good"),
    [
        ("file", "", ["d"], True),
        ("file", "see mail", [], False),
        ("text", "hello", [], True),
        ("text", "  ", [], False),
        ("text", "hello", ["d"], False),
        ("choice", "red", [], True),
        ("choice", "blue", [], False),
        ("number", "1234.56", [], True),
        ("number", "-3", [], True),
        ("number", "NaN", [], False),
        ("number", "12 apples", [], False),
        ("date", "2026-02-28", [], True),
        ("date", "2026-02-30", [], False),
        ("date", "1899-12-31", [], False),
        ("date", "20260228", [], False),
        ("yes_no", "yes", [], True),
        ("yes_no", "perhaps", [], False),
        ("approval", "approved", [], True),
        ("approval", "declined", [], True),
        ("approval", "", [], False),
    ],
)
def test_an_answer_fits_its_kind(kind: str, answer: str, documents: list[str], good: bool) -> None:
    if good:
        assert check_answer(kind, ["red", "green"], "answered", answer, documents) == answer
        return
    with pytest.raises(Refusal) as caught:
        check_answer(kind, ["red", "green"], "answered", answer, documents)
    assert caught.value.code == "answer_invalid"


@given(st.sampled_from(["file", "text", "choice", "number", "date", "yes_no", "approval"]), st.text(max_size=50))
def test_not_applicable_and_not_available_answer_anything(kind: str, remark: str) -> None:
    for outcome in ("not_applicable", "not_available"):
        assert check_answer(kind, [], outcome, remark, []) == remark.strip()


def test_an_unknown_outcome_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        check_answer("text", [], "maybe", "x", [])
    assert caught.value.code == "outcome_unknown"


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["open", *ANSWERED, "returned"]))))
def test_a_request_is_complete_when_everything_required_has_an_answer(items: list[tuple[bool, str]]) -> None:
    states = [ItemState(str(i), required, status) for i, (required, status) in enumerate(items)]
    left = missing(states)
    assert all(required and status in ("open", "returned") for required, status in (items[int(i)] for i in left))
    if all_accepted(states):
        assert left == []


POLICY = {"first_after_days": 3, "every_days": 4, "at_most": 3}


def test_reminders_come_first_after_some_days_then_at_intervals_then_no_more() -> None:
    assert [next_reminder(sent, POLICY) for sent in range(5)] == [3, 4, 4, None, None]


# --- tasks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "status", "leads_to"),
    [
        ("start", "not_started", "in_progress"),
        ("start", "in_progress", None),
        ("finish", "not_started", "done"),
        ("finish", "in_progress", "done"),
        ("finish", "done", None),
        ("skip", "not_started", "skipped"),
        ("reopen", "done", "not_started"),
        ("reopen", "skipped", "not_started"),
        ("reopen", "in_progress", None),
    ],
)
def test_acts_lead_where_they_say_and_a_second_time_nowhere(act: str, status: str, leads_to: str | None) -> None:
    assert after(act, status) == leads_to


@pytest.mark.parametrize(
    ("act", "status"),
    [("start", "done"), ("start", "cancelled"), ("finish", "skipped"), ("skip", "done"), ("reopen", "cancelled")],
)
def test_acts_that_do_not_go_with_the_status_are_refused(act: str, status: str) -> None:
    with pytest.raises(NotPossible):
        after(act, status)


def test_a_rewritten_checklist_keeps_the_ticks_of_lines_that_stay() -> None:
    lines = checklist_of(["one", "two"])
    lines[0]["done"] = True
    edited = edited_checklist(lines, [{"text": "new"}, {"key": "c1", "text": "one, renamed"}])
    assert edited == [{"key": "c3", "text": "new", "done": False}, {"key": "c1", "text": "one, renamed", "done": True}]
