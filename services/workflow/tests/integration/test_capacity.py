"""Capacity: week by week, leave and skills included; what if; suggestions; nothing of private clients for strangers."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from praxis.identity.v1.events_pb2 import StaffChanged

TODAY = date.today()  # noqa: DTZ011 (as in test_board)
NEXT = TODAY + timedelta(days=7 - TODAY.weekday())  # next Monday


def skilled(firm: Any, staff: UUID, name: str, *skills: str, minutes: int = 2400) -> None:
    firm.deliver(
        StaffChanged(
            staff_id=str(staff), name=name, grade="senior", weekly_capacity_minutes=minutes, skills=skills, active=True, version=5
        )
    )  # fmt: skip


def work(
    firm: Any, minutes: int, *, owner: UUID | None, week: int = 0, client: Any = None, **job: Any
) -> dict[str, Any]:
    """A job with one task to be done in a week from the next one on."""
    monday = NEXT + timedelta(days=7 * week)
    body = {
        "client_id": str(client or firm.client),
        "title": f"Job of {minutes}",
        "service": "vat",
        "starts_on": monday.isoformat(),
    } | job
    made = firm.api.post("/jobs", body).expect(201).json
    task = {
        "title": "Work", "budget_minutes": minutes, "owner_id": str(owner) if owner else None,
        "due_on": (monday + timedelta(days=4)).isoformat(),
    }  # fmt: skip
    return firm.api.post(f"/jobs/{made['id']}/tasks", task).expect(201).json


def week_of(firm: Any, name: str, week: int = 1, api: Any = None) -> dict[str, int]:
    seen = (api or firm.api).get("/capacity", params={"weeks": 4}).expect(200).json
    return next(p["weeks"][week] for p in seen["items"] if p["staff"]["name"] == name)


def test_open_work_stands_against_working_time_week_by_week(firm: Any) -> None:
    work(firm, 600, owner=firm.ben)
    work(firm, 2000, owner=firm.ben)
    work(firm, 100, owner=firm.ben, week=1)
    work(firm, 50, owner=None)
    available = week_of(firm, "Ben")["available"]
    assert week_of(firm, "Ben") == {"available": available, "planned": 2600, "over": max(0, 2600 - available)}
    assert week_of(firm, "Ben", 2)["planned"] == 100
    assert week_of(firm, "Ada")["planned"] == 0
    seen = firm.api.get("/capacity", params={"weeks": 4}).json
    assert seen["unassigned"]["minutes"] == [0, 50, 0, 0]
    assert seen["weeks"][1]["first_day"] == NEXT.isoformat()


def test_leave_takes_from_what_is_available(firm: Any) -> None:
    before = week_of(firm, "Ben")["available"]
    monday, tuesday = NEXT.isoformat(), (NEXT + timedelta(days=1)).isoformat()
    leave = {"staff_id": str(firm.ben), "kind": "holiday", "first_day": monday, "last_day": tuesday}
    firm.api.post("/leave", leave).expect(201)
    assert before - week_of(firm, "Ben")["available"] >= 450


def test_time_logged_and_finished_work_are_not_planned_again(firm: Any) -> None:
    made = work(firm, 600, owner=firm.ben)
    firm.api.post(f"/tasks/{made['tasks'][0]['id']}/done").expect(200)
    assert week_of(firm, "Ben")["planned"] == 0


def test_what_waits_begins_when_what_it_waits_for_is_due(firm: Any) -> None:
    made = work(firm, 100, owner=firm.ben)
    second = {
        "title": "Then", "budget_minutes": 100, "owner_id": str(firm.ben), "after": [made["tasks"][0]["id"]],
        "due_on": (NEXT + timedelta(days=11)).isoformat(),
    }  # fmt: skip
    firm.api.post(f"/jobs/{made['id']}/tasks", second).expect(201)
    # The first is due on Friday, so a sixth of the second falls on that Friday and the rest in the week after.
    assert (week_of(firm, "Ben", 1)["planned"], week_of(firm, "Ben", 2)["planned"]) == (117, 83)
    # Moved to the Monday after, the first leaves nothing of the second to the week before.
    first = made["tasks"][0]
    later = {"due_on": (NEXT + timedelta(days=7)).isoformat(), "reason": "papers are late"}
    firm.api.post(f"/tasks/{first['id']}/due_date", later).expect(200)
    begun = week_of(firm, "Ben", 2)["planned"]
    firm.api.post(f"/tasks/{first['id']}/done").expect(200)
    # What it waited for is done, so it can be worked on from the job's first day on.
    assert (begun, week_of(firm, "Ben", 1)["planned"], week_of(firm, "Ben", 2)["planned"]) == (117, 50, 50)


# --- who could take it -----------------------------------------------------------------------------------------------


def test_who_could_take_a_task_has_the_skill_and_may_see_the_client(firm: Any) -> None:
    skilled(firm, firm.ben, "Ben", "vat")
    skilled(firm, firm.eve, "Eve", "VAT")
    work(firm, 1500, owner=firm.ben)
    task = work(firm, 600, owner=None)["tasks"][0]["id"]
    seen = firm.api.get(f"/tasks/{task}/candidates").expect(200).json
    assert [(c["staff"]["name"], c["over_minutes"]) for c in seen["items"]] == [("Eve", 0), ("Ben", 0)]
    assert seen["items"][0]["why"] == "Has the skill vat"
    secret = firm.client_named("Secret GmbH", visible_to=[firm.ada, firm.ben])
    hidden = work(firm, 600, owner=None, client=secret)["tasks"][0]["id"]
    assert [c["staff"]["name"] for c in firm.api.get(f"/tasks/{hidden}/candidates").json["items"]] == ["Ben"]
    firm.as_(firm.eve).get(f"/tasks/{hidden}/candidates").problem(404, "task_not_found")
    firm.api.get(f"/tasks/{uuid4()}/candidates").problem(404, "task_not_found")


# --- what if ---------------------------------------------------------------------------------------------------------


def heavy(firm: Any) -> str:
    due = {"anchor": "job_start", "amount": 4}
    task = {"key": "do", "title": "Do", "role": "preparer", "budget_minutes": 1000, "due": due}
    return firm.publish({"roles": [{"role": "preparer", "staff_id": str(firm.ben)}], "tasks": [task]}, name="Heavy")


def test_what_if_tells_who_breaks_when_and_makes_nothing(firm: Any) -> None:
    template = heavy(firm)
    clients = [firm.client_named(f"Client {n}") for n in range(4)]
    former = firm.client_named("Gone", status="former")
    body = {
        "template_id": template, "clients": [{"client_id": str(c)} for c in (*clients, former, uuid4())],
        "starts_on": NEXT.isoformat(), "weeks": 4,
    }  # fmt: skip
    seen = firm.api.post("/capacity/what-if", body).expect(200).json
    assert (seen["jobs"], seen["added_minutes"]) == (4, 4000)
    assert [r["code"] for r in seen["refused"]] == ["client_former", "client_not_found"]
    (broken,) = seen["breaks"]
    assert (broken["staff"]["name"], broken["week"], broken["planned_before"], broken["planned_after"]) == (
        "Ben", NEXT.isoformat(), 0, 4000,
    )  # fmt: skip
    assert "Ben would have" in broken["says"]
    assert firm.api.get("/jobs").json["items"] == []
    assert week_of(firm, "Ben")["planned"] == 0
    firm.apply(template, client_id=str(clients[0]), starts_on=NEXT.isoformat(), period_start=None, period_end=None)
    again = firm.api.post("/capacity/what-if", body).expect(200).json
    assert (again["jobs"], again["refused"][0]["code"]) == (3, "period_already_made")


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"template_id": str(uuid4())}, 404, "template_not_found"),
        ({"people": [{"role": "wizard", "staff_id": str(uuid4())}]}, 422, "unknown_role"),
        ({"people": [{"role": "preparer", "staff_id": str(uuid4())}]}, 422, "unknown_staff"),
        ({"clients": []}, 400, "request_invalid"),
        ({"weeks": 1000}, 400, "request_invalid"),
        ({"starts_on": "0001-01-01"}, 422, "date_out_of_range"),
    ],
)
def test_what_if_of_nonsense_is_refused(firm: Any, more: dict[str, Any], status: int, code: str) -> None:
    body = {"template_id": heavy(firm), "clients": [{"client_id": str(firm.client)}]} | more
    firm.api.post("/capacity/what-if", body).problem(status, code)


# --- suggestions -----------------------------------------------------------------------------------------------------


def test_suggestions_level_the_load_and_say_why(firm: Any) -> None:
    for staff, name, skills in ((firm.ben, "Ben", ["vat"]), (firm.eve, "Eve", ["vat"]), (firm.ada, "Ada", [])):
        skilled(firm, staff, name, *skills)
    for _ in range(4):
        work(firm, 800, owner=firm.ben)
    work(firm, 300, owner=None)
    seen = firm.api.get("/capacity/suggestions", params={"weeks": 3}).expect(200).json
    assert seen["over_before"] > 0
    assert seen["over_after"] < seen["over_before"]
    kinds = [step["kind"] for step in seen["items"]]
    assert (kinds[0], set(kinds[1:])) == ("assign", {"hand_over"})
    assert all(step["to"]["name"] == "Eve" for step in seen["items"])
    handed = seen["items"][1]
    assert (handed["from"]["name"], handed["minutes"], handed["week"]) == ("Ben", 800, NEXT.isoformat())
    assert handed["says"].startswith("Hand “Work” of Job of 800 for Smith Ltd (13 h 20 min) from Ben")
    assert "stays due on" in handed["says"]
    assert "Has the skill vat" in handed["says"]
    for step in seen["items"]:  # taking the advice does what it says
        firm.api.post(f"/tasks/{step['task']['id']}/assign", {"owner_id": step["to"]["id"]}).expect(200)
    assert firm.api.get("/capacity/suggestions", params={"weeks": 3}).json["over_before"] == seen["over_after"]


# --- private clients, permissions ------------------------------------------------------------------------------------


def test_a_private_client_s_work_is_in_no_figure_for_those_not_named(firm: Any) -> None:
    secret = firm.client_named("Secret GmbH", visible_to=[firm.ada])
    work(firm, 5000, owner=firm.ben, client=secret)
    work(firm, 100, owner=firm.ben)
    work(firm, 700, owner=None, client=secret)
    assert week_of(firm, "Ben")["planned"] == 5100
    stranger = firm.as_(firm.ben)
    assert week_of(firm, "Ben", api=stranger)["planned"] == 100
    assert stranger.get("/capacity").json["unassigned"]["minutes"][1] == 0
    assert stranger.get("/capacity/suggestions").json["items"] == []
    body = {"template_id": heavy(firm), "clients": [{"client_id": str(secret)}]}
    refused = stranger.post("/capacity/what-if", body).expect(200).json
    assert (refused["jobs"], refused["refused"][0]["code"]) == (0, "client_not_found")


def test_capacity_is_for_those_who_may_see_the_firm_at_a_glance(firm: Any) -> None:
    staff = firm.as_(firm.ben, permissions=["workflow:jobs:read"])
    staff.get("/capacity").problem(403, "permission_missing")
    staff.get("/capacity/suggestions").problem(403, "permission_missing")
