"""Automations: what may be said, when one applies, and which would go on for ever."""

from typing import Any
from uuid import uuid4

import pytest

from workflow.automations import rules

REVIEW, FILED = str(uuid4()), str(uuid4())
VAT, PAYROLL = str(uuid4()), str(uuid4())
SERVICES = {VAT: "vat", PAYROLL: "payroll"}


def automation(on: str, *actions: dict[str, Any], conditions: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    return rules.normal({"trigger": {"on": on, **more}, "conditions": conditions or [], "actions": list(actions)})


def move(stage: str) -> dict[str, Any]:
    return {"do": "move_stage", "stage_id": stage}


def make(template: str) -> dict[str, Any]:
    return {"do": "create_job", "template_id": template}


TELL = {"do": "notify", "who": [{"responsible": "job_owner"}], "text": "Look"}


def loop(own: str, **all_of_them: Any) -> tuple[str, ...] | None:
    found = rules.find_loop(own, all_of_them, lambda template: SERVICES.get(template, ""))
    return found.path if found else None


# --- what may be said ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "pointer"),
    [
        (automation("job_sold", TELL), "unknown_trigger", "/trigger/on"),
        (automation("job_made", TELL, stage_id=REVIEW), "trigger_incomplete", "/trigger/stage_id"),
        (automation("due_near", TELL), "trigger_incomplete", "/trigger"),
        (automation("due_near", TELL, days=3, of="client"), "trigger_incomplete", "/trigger"),
        (automation("status_turned", TELL, status="lost"), "unknown_status", "/trigger/status"),
        (automation("job_made", {"do": "explode"}), "unknown_action", "/actions/0/do"),
        (automation("job_made", TELL, {"do": "move_stage"}), "action_incomplete", "/actions/1/stage_id"),
        (automation("job_made", TELL | {"tag": "x"}), "action_incomplete", "/actions/0/tag"),
        (automation("job_made", TELL | {"who": [{}]}), "action_incomplete", "/actions/0/who/0"),
        (automation("job_made", TELL | {"who": [{"responsible": "cat"}]}), "action_incomplete", "/actions/0/who/0"),
        (automation("job_made", {"do": "assign", "who": [{"role": "r"}]}), "action_incomplete", "/actions/0/task_key"),
        (automation("job_made", {"do": "send_request"}), "action_incomplete", "/actions/0"),
        (automation("job_made", TELL, conditions=[{"field": "mood", "is": ["x"]}]), "unknown_condition", "/conditions/0/field"),
        (automation("job_made", TELL, conditions=[{"field": "service"}]), "condition_incomplete", "/conditions/0"),
    ],
)  # fmt: skip
def test_what_can_not_be_meant_is_refused_at_its_place(content: Any, code: str, pointer: str) -> None:
    with pytest.raises(rules.Contradiction) as refused:
        rules.check(content)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_a_task_may_be_meant_by_what_happened_or_by_its_key() -> None:
    rules.check(automation("task_unblocked", {"do": "assign", "who": [{"role": "reviewer"}]}))
    rules.check(automation("job_made", {"do": "assign", "who": [{"role": "reviewer"}], "task_key": "review"}))
    rules.check(automation("job_made", {"do": "assign", "who": [{"role": "reviewer"}], "job": True}))


# --- when one applies ------------------------------------------------------------------------------------------------


def test_it_applies_when_trigger_and_all_conditions_hold() -> None:
    content = automation(
        "stage_entered", TELL, stage_id=REVIEW,
        conditions=[{"field": "service", "is": ["vat", "payroll"]}, {"field": "client_tag", "is_not": ["quiet"]}],
    )  # fmt: skip
    facts = {"stage": REVIEW, "service": "vat", "client_tag": ["big"]}
    assert rules.why_not(content, "stage_entered", facts) is None
    assert "stage_id" in (rules.why_not(content, "stage_entered", facts | {"stage": FILED}) or "")
    assert rules.why_not(content, "stage_entered", facts | {"service": "audit"}) == "service is not vat or payroll."
    assert rules.why_not(content, "stage_entered", facts | {"client_tag": ["quiet", "big"]}) == "client_tag is quiet."
    assert rules.why_not(content, "job_made", facts) == "It waits for stage_entered."


def test_a_fact_that_is_missing_is_none_of_the_values() -> None:
    assert rules.why_not(automation("job_made", TELL, conditions=[{"field": "task_key", "is": ["x"]}]), "job_made", {})
    content = automation("job_made", TELL, conditions=[{"field": "task_key", "is_not": ["x"]}])
    assert rules.why_not(content, "job_made", {}) is None


# --- loops -----------------------------------------------------------------------------------------------------------


def test_one_that_sets_itself_off_is_seen() -> None:
    assert loop("a", a=automation("stage_entered", TELL, move(REVIEW))) == ("a", "a")
    assert loop("a", a=automation("stage_entered", move(REVIEW), stage_id=REVIEW)) == ("a", "a")
    assert loop("a", a=automation("job_made", make(VAT))) == ("a", "a")
    assert loop("a", a=automation("request_sent", {"do": "send_request", "title": "More", "items": [{}]})) == ("a", "a")


SOON = {"amount": 2, "unit": "days"}
LATER = {"do": "set_date", "which": "task", "after": {"amount": 1, "unit": "weeks"}}
CHASE = {"do": "create_task", "title": "Chase", "due_after": SOON}
ASK = {"do": "send_request", "title": "Where is it?", "items": [{}], "due_after": SOON}


def near(*actions: dict[str, Any], of: str = "task", **more: Any) -> Any:
    return automation("due_near", *actions, days=3, of=of, **more)


@pytest.mark.parametrize(
    "endless",
    [
        near(TELL, LATER),
        near(LATER, task_key="file"),
        near(LATER | {"task_key": "file"}, task_key="file"),
        near(LATER | {"which": "extended"}, of="job"),
        near(CHASE),
        near(CHASE, conditions=[{"field": "task_role", "is_not": ["reviewer"]}]),
        automation("request_overdue", ASK),
    ],
)
def test_one_that_the_calendar_would_set_off_again_and_again_is_seen(endless: Any) -> None:
    """A chain ends when the calendar takes over: nothing that runs would stop these."""
    assert loop("a", a=endless) == ("a", "a")


@pytest.mark.parametrize(
    "ends",
    [
        near(LATER, of="job"),
        near(LATER | {"which": "internal"}),
        near(LATER | {"task_key": "review"}, task_key="file"),
        near(CHASE, task_key="file"),
        near(CHASE, of="job"),
        near(CHASE, conditions=[{"field": "task_role", "is": ["preparer"]}]),
        near({name: value for name, value in CHASE.items() if name != "due_after"}),
        automation("request_overdue", ASK, request_key="papers"),
        automation("request_overdue", TELL, CHASE),
    ],
)
def test_what_no_calendar_brings_back_is_no_loop(ends: Any) -> None:
    assert loop("a", a=ends) is None


def test_a_tag_that_an_automation_gives_and_passes_over_ends_it() -> None:
    tag, once = {"do": "apply_tag", "tag": " extended"}, [{"field": "job_tag", "is_not": ["extended"]}]
    extend = LATER | {"which": "extended"}
    assert loop("a", a=near(extend, tag, of="job", conditions=once)) is None
    assert loop("a", a=near(extend, of="job", conditions=once)) == ("a", "a")
    assert loop("a", a=near(extend, tag, of="job", conditions=[{"field": "job_tag", "is": ["big"]}])) == ("a", "a")
    # What happens at once sees only the tags given before it.
    assert loop("a", a=automation("stage_entered", tag, move(REVIEW), conditions=once)) is None
    assert loop("a", a=automation("stage_entered", move(REVIEW), tag, conditions=once)) == ("a", "a")


def test_a_loop_through_the_calendar_and_others_is_seen_with_its_path() -> None:
    makes, moves = near(CHASE, task_key="file"), near(LATER)
    assert loop("a", a=makes, b=near(LATER, task_key="file")) is None
    assert loop("b", a=makes, b=moves) == ("b", "b")
    asks = automation("request_overdue", CHASE, ASK, request_key="papers")
    chases = near(ASK, conditions=[{"field": "task_role", "is_not": ["reviewer"]}])
    again = automation("request_overdue", CHASE)
    assert loop("a", a=asks, b=chases) is None
    assert loop("a", a=again, b=chases) == ("a", "b", "a")


def test_one_whose_doing_is_something_else_than_it_waits_for_is_no_loop() -> None:
    assert loop("a", a=automation("stage_entered", move(FILED), stage_id=REVIEW)) is None
    assert loop("a", a=automation("task_done", move(FILED))) is None
    assert loop("a", a=automation("job_made", make(PAYROLL), conditions=[{"field": "template", "is": [VAT]}])) is None
    assert loop("a", a=automation("job_made", make(PAYROLL), conditions=[{"field": "service", "is": ["vat"]}])) is None
    assert loop("a", a=automation("job_made", make(VAT), conditions=[{"field": "service", "is": ["vat"]}])) == (
        "a",
        "a",
    )


def test_a_loop_through_others_is_seen_with_its_path() -> None:
    there = automation("stage_entered", move(FILED), stage_id=REVIEW)
    back = automation("stage_entered", move(REVIEW), stage_id=FILED)
    assert loop("a", a=there, b=back) == ("a", "b", "a")
    assert loop("b", a=there, b=back) == ("b", "a", "b")


def test_two_that_never_concern_the_same_job_are_no_loop() -> None:
    there = automation("stage_entered", move(FILED), stage_id=REVIEW, conditions=[{"field": "service", "is": ["vat"]}])
    back = automation("stage_entered", move(REVIEW), stage_id=FILED, conditions=[{"field": "service", "is": ["tax"]}])
    assert loop("a", a=there, b=back) is None
    # Jobs that are made are others than those they are made for.
    makes = automation(
        "stage_entered", make(PAYROLL), stage_id=REVIEW, conditions=[{"field": "service", "is": ["vat"]}]
    )
    moves = automation("job_made", move(REVIEW), conditions=[{"field": "service", "is": ["payroll"]}])
    assert loop("a", a=makes, b=moves) is None


def test_the_search_ends_though_others_go_in_circles() -> None:
    circle = {
        "x": automation("stage_entered", move(FILED), stage_id=REVIEW),
        "y": automation("stage_entered", move(REVIEW), stage_id=FILED),
    }
    assert loop("a", a=automation("task_done", move(REVIEW)), **circle) is None


def test_what_was_not_seen_is_stopped_by_its_cause_and_by_depth() -> None:
    assert rules.stopped_by("a", []) is None
    assert rules.stopped_by("a", ["b", "c"]) is None
    assert rules.stopped_by("a", ["a", "b"])
    assert rules.stopped_by("f", ["a", "b", "c", "d", "e"])
