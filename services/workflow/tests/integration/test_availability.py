"""Closures, working weeks and leave: what they do to dates and to working time, who may enter and see them."""

from typing import Any
from uuid import uuid4

import pytest

from praxis.workflow.v1.events_pb2 import AvailabilityChanged

OWN = ["workflow:calendars:read", "workflow:calendars:write"]
WEEK = "?first_day=2026-11-23&last_day=2026-11-29"


def minutes(firm: Any, staff: Any, week: str = WEEK) -> list[int]:
    items = firm.api.get(f"/availability{week}&staff_id={staff}").expect(200).json["items"]
    return [day["minutes"] for day in items[0]["days"]]


def test_a_closure_moves_what_is_planned_afterwards_but_no_legal_date(firm: Any) -> None:
    rule = {"anchor": "job_start", "roll": "next"}
    template = firm.publish({"tasks": [{"key": "a", "title": "A", "due": rule}], "statutory_due": rule}, name="Rolled")

    def dates() -> tuple[str, str]:
        body = {"client_id": str(firm.client), "starts_on": "2026-12-29"}
        shown = firm.api.post(f"/templates/{template}/preview", body).expect(200).json
        return shown["tasks"][0]["due_on"], shown["statutory_due_on"]

    assert dates() == ("2026-12-29", "2026-12-29")
    closure = firm.api.post(
        "/closures", {"first_day": "2026-12-28", "last_day": "2026-12-31", "name": "Between the years"}
    ).expect(201)
    assert dates() == ("2027-01-04", "2026-12-29")
    off = firm.api.get("/days-off?first_day=2026-12-24&last_day=2027-01-02").expect(200).json["items"]
    assert [(d["day"], d["kind"]) for d in off if d["day"] < "2026-12-30"] == [
        ("2026-12-25", "holiday"),
        ("2026-12-26", "holiday"),
        ("2026-12-28", "holiday"),
        ("2026-12-28", "closure"),
        ("2026-12-29", "closure"),
    ]
    path = f"/closures/{closure.json['id']}"
    changed = firm.api.patch(path, {"last_day": "2026-12-28"}, if_match=closure.etag).expect(200)
    assert dates()[0] == "2026-12-29"
    firm.api.delete(path, if_match=closure.etag).problem(412, "version_conflict")
    firm.api.delete(path, if_match=changed.etag).expect(204)
    firm.api.delete(path, if_match=changed.etag).problem(412, "version_conflict")
    firm.api.delete(path, if_match=3).problem(404, "closure_not_found")
    assert firm.api.get("/closures?first_day=2026-01-01&last_day=2026-12-31").json["items"] == []
    told = firm.world.events(firm.id, AvailabilityChanged)
    assert [(e.kind, e.last_day, e.removed, e.version) for e in told] == [
        ("closure", "2026-12-31", False, 1),
        ("closure", "2026-12-28", False, 2),
        ("closure", "2026-12-28", True, 3),
    ]


def test_another_country_s_holidays_can_be_seen(firm: Any) -> None:
    off = firm.api.get("/days-off?first_day=2027-04-01&last_day=2027-04-30&calendar=US-DC").expect(200).json["items"]
    assert off == [{"day": "2027-04-16", "kind": "holiday", "name": "Emancipation Day"}]
    firm.api.get("/days-off?first_day=2027-04-01&last_day=2027-04-30&calendar=XX").problem(422, "calendar_unknown")
    known = {c["country"]: c["regions"] for c in firm.api.get("/holiday-calendars").expect(200).json["items"]}
    assert known["GB"] == ["ENG", "NIR", "SCT", "WLS"]
    assert "DC" in known["US"]


def test_working_weeks_and_leave_give_the_working_time(firm: Any) -> None:
    assert minutes(firm, firm.ben) == [450, 450, 450, 450, 450, 0, 0]
    week = {"staff_id": str(firm.ben), "from_on": "2026-11-25", "minutes": [480, 480, 240, 0, 0, 0, 0]}
    made = firm.api.post("/working-weeks", week).expect(201)
    firm.api.post("/working-weeks", week).problem(409, "working_week_exists")
    leave = {"staff_id": str(firm.ben), "first_day": "2026-11-24", "minutes": 150, "kind": "training"}
    firm.api.post("/leave", leave).expect(201)
    assert minutes(firm, firm.ben) == [450, 300, 240, 0, 0, 0, 0]
    firm.api.delete(f"/working-weeks/{made.json['id']}", if_match=made.etag).expect(204)
    assert minutes(firm, firm.ben) == [450, 300, 450, 450, 450, 0, 0]
    firm.api.post("/working-weeks", week).expect(201)
    assert len(firm.api.get(f"/working-weeks?staff_id={firm.ben}").json["items"]) == 1
    everybody = firm.api.get(f"/availability{WEEK}").expect(200).json["items"]
    assert [(p["staff"]["name"], p["minutes"]) for p in everybody] == [("Ada", 2250), ("Ben", 990), ("Eve", 2250)]


def test_staff_enter_their_own_leave_and_nobody_else_learns_why(firm: Any) -> None:
    ben = firm.as_(firm.ben, permissions=OWN)
    mine = {
        "staff_id": str(firm.ben),
        "first_day": "2026-11-23",
        "last_day": "2026-11-24",
        "kind": "sick",
        "note": "flu",
    }
    made = ben.post("/leave", mine).expect(201)
    ben.post("/leave", mine | {"staff_id": str(firm.eve)}).problem(403, "leave_of_another")
    by_ada = firm.api.post("/leave", mine | {"staff_id": str(firm.eve)}).expect(201)
    ben.patch(f"/leave/{by_ada.json['id']}", {"kind": "other"}, if_match=1).problem(403, "leave_of_another")
    ben.delete(f"/leave/{by_ada.json['id']}", if_match=1).problem(403, "leave_of_another")

    def seen(api: Any) -> dict[str, Any]:
        items = api.get(f"/leave{WEEK}").expect(200).json["items"]
        return {row["staff"]["name"]: (row["kind"], row["note"]) for row in items}

    assert seen(ben) == {"Ben": ("sick", "flu"), "Eve": (None, None)}
    assert seen(firm.api) == {"Ben": ("sick", "flu"), "Eve": ("sick", "flu")}
    told = firm.world.events(firm.id, AvailabilityChanged)[0]
    assert (told.staff_id, told.first_day, told.last_day) == (str(firm.ben), "2026-11-23", "2026-11-24")
    assert "sick" not in str(told)
    assert "flu" not in str(told)
    shorter = ben.patch(f"/leave/{made.json['id']}", {"last_day": "2026-11-23"}, if_match=made.etag).expect(200)
    assert minutes(firm, firm.ben)[:2] == [0, 450]
    ben.delete(f"/leave/{made.json['id']}", if_match=shorter.etag).expect(204)
    assert minutes(firm, firm.ben)[:2] == [450, 450]


def test_leave_pages_in_order(firm: Any) -> None:
    for day in ("2026-11-25", "2026-11-23", "2026-11-24"):
        firm.api.post("/leave", {"staff_id": str(firm.ben), "first_day": day}).expect(201)
    first = firm.api.get(f"/leave{WEEK}&limit=2").json
    rest = firm.api.get(f"/leave{WEEK}&limit=2&cursor={first['next_cursor']}").json
    assert [row["first_day"] for row in first["items"] + rest["items"]] == ["2026-11-23", "2026-11-24", "2026-11-25"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/closures", {"first_day": "2026-12-28", "last_day": "2026-12-24", "name": "x"}, "range_invalid"),
        ("/closures", {"first_day": "1899-12-31", "name": "x"}, "date_out_of_range"),
        ("/closures", {"first_day": "2026-01-01", "last_day": "2030-01-01", "name": "x"}, "range_invalid"),
        ("/leave", {"staff_id": str(uuid4()), "first_day": "2026-12-28"}, "unknown_staff"),
        ("/leave", {"staff_id": "{ben}", "first_day": "2026-12-28", "last_day": "2026-12-01"}, "range_invalid"),
        ("/working-weeks", {"staff_id": str(uuid4()), "from_on": "2026-12-28", "minutes": [0] * 7}, "unknown_staff"),
        ("/working-weeks", {"staff_id": "{ben}", "from_on": "1850-01-01", "minutes": [0] * 7}, "date_out_of_range"),
    ],
)
def test_bad_entries_are_refused_and_change_nothing(firm: Any, path: str, body: dict[str, Any], code: str) -> None:
    named = {k: str(firm.ben) if v == "{ben}" else v for k, v in body.items()}
    firm.api.post(path, named).problem(422, code)
    assert firm.world.events(firm.id, AvailabilityChanged) == []


def test_another_firm_sees_nothing_of_it(firm: Any) -> None:
    made = firm.api.post("/closures", {"first_day": "2026-12-28", "name": "Closed"}).expect(201)
    other = firm.world.api(firm.world.firm())
    assert other.get("/closures?first_day=2026-01-01&last_day=2026-12-31").json["items"] == []
    other.patch(f"/closures/{made.json['id']}", {"name": "Open"}, if_match=1).problem(404, "closure_not_found")


def test_an_unknown_calendar_is_refused_in_a_draft(firm: Any) -> None:
    content = {"statutory_due": {"anchor": "period_end", "roll": "next", "calendar": "US-ZZ"}}
    firm.api.post("/templates", {"name": "T", "content": content}).problem(422, "calendar_unknown")
    assert firm.api.get("/templates").json["items"] == []
