"""Templates: contradictions are refused with their place, and plans settle what can be settled."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from workflow.dates.rules import Calendar
from workflow.templates.rules import (
    Content,
    Contradiction,
    Situation,
    check,
    check_publishable,
    job_title,
    normal,
    parse,
    plan,
    resolve_role,
)


def content(**more: Any) -> Content:
    raw = {"tasks": [{"key": "a", "title": "A"}, {"key": "b", "title": "B"}, {"key": "c", "title": "C"}]} | more
    return parse(normal(raw))


def refusal(found: Content) -> Contradiction:
    with pytest.raises(Contradiction) as caught:
        check_publishable(found)
    return caught.value


def test_a_cycle_is_refused_with_its_path() -> None:
    edges = [{"before": x, "after": y} for x, y in (("a", "b"), ("b", "c"), ("c", "a"))]
    error = refusal(content(dependencies=edges))
    assert error.code == "dependency_cycle"
    assert error.more["path"][0] == error.more["path"][-1]
    assert set(error.more["path"]) == {"a", "b", "c"}
    assert "→" in error.message


def test_dates_and_dependencies_together_must_not_go_in_circles() -> None:
    tasks = [
        {"key": "a", "title": "A", "due": {"anchor": "task_completion", "of": "b", "amount": 1}},
        {"key": "b", "title": "B"},
    ]
    assert refusal(content(tasks=tasks, dependencies=[{"before": "a", "after": "b"}])).code == "dependency_cycle"


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"tasks": []}, "template_without_tasks", "/tasks"),
        ({"tasks": [{"key": "a", "title": "A", "role": "wizard"}]}, "unknown_role", "/tasks/0/role"),
        ({"owner_role": "wizard"}, "unknown_role", "/owner_role"),
        ({"dependencies": [{"before": "a", "after": "nowhere"}]}, "dependency_unknown", "/dependencies/0/after"),
        ({"dependencies": [{"before": "a", "after": "a"}]}, "dependency_cycle", "/dependencies"),
        ({"tasks": [{"key": "a", "title": "A"}, {"key": "a", "title": "B"}]}, "key_taken", "/tasks/1/key"),
        ({"title": "{client} {year}"}, "placeholder_unknown", "/title"),
        ({"statutory_due": {"anchor": "task_completion", "of": "a"}}, "anchor_not_allowed", "/statutory_due/anchor"),
        (
            {
                "tasks": [
                    {"key": "a", "title": "A", "due": {"anchor": "request_completion", "of": "b"}},
                    {"key": "b", "title": "B"},
                ]
            },
            "anchor_unknown",
            "/tasks/0/due/of",
        ),
        (
            {"tasks": [{"key": "a", "title": "A", "due": {"anchor": "task_completion"}}]},
            "anchor_unknown",
            "/tasks/0/due/of",
        ),
        (
            {"tasks": [{"key": "a", "title": "A", "due": {"anchor": "period_end", "of": "a"}}]},
            "anchor_unknown",
            "/tasks/0/due/of",
        ),
        (
            {
                "requests": [
                    {"key": "r", "title": "R", "items": [{"kind": "choice", "label": "?", "choices": ["one", "one"]}]}
                ]
            },
            "choices_missing",
            "/requests/0/items/0/choices",
        ),
        (
            {"requests": [{"key": "r", "title": "R", "items": [{"kind": "text", "label": "?", "choices": ["one"]}]}]},
            "choices_not_allowed",
            "/requests/0/items/0/choices",
        ),
        (
            {"requests": [{"key": "a", "title": "R", "items": [{"kind": "text", "label": "?"}]}]},
            "key_taken",
            "/requests/0/key",
        ),
    ],
)
def test_a_contradiction_is_refused_at_its_place(change: dict[str, Any], code: str, pointer: str) -> None:
    error = refusal(content(**change))
    assert (error.code, error.pointer) == (code, pointer)


def test_a_draft_may_be_unfinished() -> None:
    check(content(tasks=[]))


def test_what_is_stored_reads_back_the_same() -> None:
    raw = {
        "tasks": [{"key": "a", "title": "A", "due": {"anchor": "period_end", "amount": 3}}],
        "requests": [],
        "roles": [{"role": "x"}],
    }
    assert normal(normal(raw)) == normal(raw)


# --- roles -----------------------------------------------------------------------------------------------------------

NAMED, ENGAGED, PARTNER, MANAGER, DEFAULT = (uuid4() for _ in range(5))


def situation(**more: Any) -> Situation:
    values: dict[str, Any] = {
        "client_name": "Smith Ltd",
        "template_name": "VAT return",
        "today": date(2026, 10, 1),
        "starts_on": date(2026, 10, 1),
        "calendar": Calendar("GB", "ENG"),
        "active_staff": {NAMED, ENGAGED, PARTNER, MANAGER, DEFAULT},
    }
    return Situation(**(values | more))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"named": {"reviewer": NAMED}, "engaged": {"reviewer": ENGAGED}, "manager_id": MANAGER}, NAMED),
        ({"engaged": {"reviewer": ENGAGED}, "manager_id": MANAGER}, ENGAGED),
        ({"manager_id": MANAGER, "partner_id": PARTNER}, MANAGER),
        ({"partner_id": PARTNER}, PARTNER),
        ({}, DEFAULT),
    ],
)
def test_a_role_is_resolved_in_the_documented_order(more: dict[str, Any], expected: UUID) -> None:
    person, warnings = resolve_role("reviewer", DEFAULT, situation(**more))
    assert person is not None
    assert person.staff_id == expected
    assert warnings == []


def test_the_client_s_people_stand_in_only_for_the_roles_of_the_responsible() -> None:
    person, warnings = resolve_role("preparer", None, situation(manager_id=MANAGER, partner_id=PARTNER))
    assert person is None
    assert [w.code for w in warnings] == ["role_unresolved"]


def test_someone_who_has_left_is_passed_over_with_a_warning() -> None:
    person, warnings = resolve_role(
        "reviewer", DEFAULT, situation(engaged={"reviewer": ENGAGED}, active_staff={DEFAULT})
    )
    assert person is not None
    assert person.staff_id == DEFAULT
    assert [w.code for w in warnings] == ["staff_inactive"]


# --- plans -----------------------------------------------------------------------------------------------------------


def test_a_plan_without_a_period_warns_instead_of_guessing() -> None:
    found = plan(content(tasks=[{"key": "a", "title": "A", "due": {"anchor": "period_end", "amount": 1}}]), situation())
    assert found.tasks[0].due_on is None
    assert [(w.code, w.key) for w in found.warnings] == [("date_unresolved", "a")]


def test_a_plan_warns_of_dates_past_and_behind_the_deadline() -> None:
    found = plan(
        content(
            statutory_due={"anchor": "period_end", "amount": 7},
            tasks=[
                {"key": "late", "title": "Late", "due": {"anchor": "period_start"}},
                {"key": "behind", "title": "Behind", "due": {"anchor": "period_end", "amount": 8}},
            ],
        ),
        situation(period_start=date(2026, 7, 1), period_end=date(2026, 9, 30)),
    )
    assert [(w.code, w.key) for w in found.warnings] == [("date_passed", "late"), ("due_after_deadline", "behind")]


def test_dates_follow_from_one_another_in_whatever_order_they_are_written() -> None:
    found = plan(
        content(
            tasks=[
                {"key": "c", "title": "C", "due": {"anchor": "task_completion", "of": "b", "amount": 1}},
                {"key": "b", "title": "B", "due": {"anchor": "task_completion", "of": "a", "amount": 1}},
                {"key": "a", "title": "A", "due": {"anchor": "job_start", "amount": 10}},
            ]
        ),
        situation(),
    )
    assert [p.due_on for p in found.tasks] == [date(2026, 10, 13), date(2026, 10, 12), date(2026, 10, 11)]


def test_the_client_s_year_end_is_an_anchor() -> None:
    rule = {"anchor": "client_year_end", "amount": 9, "unit": "months"}
    accounts = content(statutory_due=rule)
    with_year_end = situation(year_end="03-31", period_start=date(2025, 4, 1), period_end=date(2026, 3, 31))
    assert plan(accounts, with_year_end).statutory_due == date(2026, 12, 31)
    unknown = plan(accounts, situation())
    assert unknown.statutory_due is None
    assert [w.code for w in unknown.warnings] == ["date_unresolved"]


@pytest.mark.parametrize(
    ("pattern", "title"),
    [
        ("{template}, {period}", "VAT return, Q3 2026"),
        ("{client}: {template} {period}", "Smith Ltd: VAT return Q3 2026"),
        ("Quarterly VAT", "Quarterly VAT"),
    ],
)
def test_titles_name_the_period(pattern: str, title: str) -> None:
    assert job_title(pattern, "VAT return", "Smith Ltd", date(2026, 7, 1), date(2026, 9, 30)) == title


def test_a_title_without_a_period_leaves_nothing_dangling() -> None:
    assert job_title("{template}, {period}", "Advice", "Smith Ltd", None, None) == "Advice"
    assert job_title("{period}", "Advice", "Smith Ltd", None, None) == "Advice"
