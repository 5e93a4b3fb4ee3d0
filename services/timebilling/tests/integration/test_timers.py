"""Timers: one per person, through restarts, past midnight, never overlapping; and rounding by client and job."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from chassis.db import new_id
from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.timebilling.v1.events_pb2 import TimerChanged


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


def start(firm: Any, *, api: Any = None, status: int = 200, **more: Any) -> Any:
    return (api or firm.staff).post("/timer/start", {"job_id": str(firm.job), **more}).expect(status).json


def running_since(firm: Any, when: datetime) -> None:
    """As if Ada had started her timer then."""
    start(firm)
    with firm.world.uow(firm.id) as uow:
        uow.session.execute(text("UPDATE timers SET started_at = :at WHERE id = :id"), {"at": when, "id": firm.ada})


def entries(firm: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = firm.partner.get("/time-entries").expect(200).json["items"]
    return found


def test_a_timer_runs_and_becomes_an_entry(firm: Any, world: Any) -> None:
    assert firm.staff.get("/timer").expect(200).json == {"timer": None}
    moved = start(firm, narrative="Review", task_id=str(firm.task), started_at=ago(minutes=30))
    assert moved["logged"] is None
    timer = firm.staff.get("/timer").expect(200).json["timer"]
    assert (timer["job_title"], timer["task_title"], timer["narrative"]) == (
        "VAT return Q3",
        "Check the ledgers",
        "Review",
    )
    assert 1800 <= timer["seconds"] < 1860
    stopped = firm.staff.post("/timer/stop", {}).expect(200).json
    entry = stopped["logged"]
    assert stopped["timer"] is None
    assert 1800 <= entry["seconds"] < 1860
    assert (entry["narrative"], entry["status"], entry["task_id"]) == ("Review", "draft", str(firm.task))
    assert entries(firm) == [entry]
    firm.staff.post("/timer/stop", {}).problem(409, "timer_not_running")
    assert [(e.running, e.version) for e in world.events(firm.id, TimerChanged)] == [(True, 1), (False, 2)]
    assert [a.action for a in world.audit(firm.id) if a.subject_type == "timer"] == ["timer.started", "timer.stopped"]


def test_starting_another_stops_the_first_at_that_instant(firm: Any) -> None:
    other = firm.add_job(title="Payroll")
    start(firm, started_at=ago(hours=2))
    turn = ago(hours=1)
    moved = start(firm, job_id=str(other), started_at=turn)
    assert 3590 <= moved["logged"]["seconds"] <= 3600
    assert moved["timer"]["job_title"] == "Payroll"
    assert datetime.fromisoformat(moved["logged"]["ended_at"]) == datetime.fromisoformat(moved["timer"]["started_at"])
    assert len(entries(firm)) == 1


def test_a_timer_is_the_persons_own(firm: Any) -> None:
    start(firm, started_at=ago(minutes=5))
    start(firm, api=firm.partner, started_at=ago(minutes=5))
    assert firm.staff.get("/timer").json["timer"]["staff_name"] == "Ada Moss"
    firm.partner.post("/timer/stop", {}).expect(200)
    assert firm.staff.get("/timer").json["timer"] is not None
    assert [t["staff_name"] for t in firm.partner.get("/timers").expect(200).json["items"]] == ["Ada Moss"]
    firm.staff.get("/timers").problem(403, "permission_missing")
    firm.world.api(firm.id, audience="partner").get("/timer").problem(403, "audience_not_allowed")


def test_past_midnight_it_belongs_to_the_day_it_was_started_in_the_firms_zone(firm: Any, world: Any) -> None:
    world.deliver(
        firm.id,
        FirmUpdated(firm_id=str(firm.id), name="Brook", time_zone="Pacific/Auckland", currency="GBP", version=2),
    )
    today = datetime.now(ZoneInfo("Pacific/Auckland"))
    began = (today - timedelta(days=2)).replace(hour=23, minute=30, second=0, microsecond=0)
    running_since(firm, began)
    ended = began + timedelta(minutes=90)
    entry = firm.staff.post("/timer/stop", {"stopped_at": ended.isoformat()}).expect(200).json["logged"]
    assert entry["day"] == str(began.date())
    assert entry["seconds"] == 5400


def test_a_forgotten_timer_says_so_and_loses_nothing(firm: Any) -> None:
    began = datetime.now(UTC) - timedelta(hours=30)
    running_since(firm, began)
    for act, body in (("stop", {}), ("start", {"job_id": str(firm.job)})):
        problem = firm.staff.post(f"/timer/{act}", body).problem(409, "timer_too_long")
        assert datetime.fromisoformat(problem.json["started_at"]) == began
    assert entries(firm) == []
    firm.staff.post("/timer/stop", {"stopped_at": (began - timedelta(seconds=1)).isoformat()}).problem(
        422, "end_before_start"
    )
    ended = (began + timedelta(hours=8)).isoformat()
    assert firm.staff.post("/timer/stop", {"stopped_at": ended}).expect(200).json["logged"]["seconds"] == 8 * 3600


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"activity_id": "018f0000-0000-7000-8000-000000000000"}, 404, "activity_not_found"),
        ({"started_at": "2126-01-01T00:00:00Z"}, 422, "start_in_future"),
        ({"started_at": "2020-01-01T00:00:00Z"}, 422, "start_too_old"),
        ({"started_at": "yesterday"}, 400, "request_invalid"),
        ({"seconds": 5}, 400, "request_invalid"),
    ],
)
def test_a_bad_start_starts_and_stops_nothing(firm: Any, body: dict[str, Any], status: int, code: str) -> None:
    start(firm, narrative="first", started_at=ago(minutes=5))
    before = firm.staff.get("/timer").json["timer"]
    firm.staff.post("/timer/start", {"job_id": str(firm.job), **body}).problem(status, code)
    after = firm.staff.get("/timer").json["timer"]
    assert {**after, "seconds": 0} == {**before, "seconds": 0}
    assert entries(firm) == []


def test_a_timer_never_overlaps_other_work_by_the_clock(firm: Any) -> None:
    start(firm, started_at=ago(minutes=10))
    problem = firm.staff.post("/timer/start", {"job_id": str(firm.job), "started_at": ago(minutes=20)})
    problem.problem(409, "timer_overlap")
    body = {"job_id": str(firm.job), "started_at": ago(minutes=15), "ended_at": ago(minutes=5)}
    firm.staff.post("/time-entries", body).problem(409, "time_overlap")
    firm.staff.post("/timer/stop", {}).expect(200)
    firm.staff.post("/time-entries", body).problem(409, "time_overlap")
    firm.staff.post("/timer/start", {"job_id": str(firm.job), "started_at": ago(minutes=5)}).problem(
        409, "time_overlap"
    )
    assert len(entries(firm)) == 1
    early = {"job_id": str(firm.job), "started_at": ago(minutes=40), "ended_at": ago(minutes=20)}
    made = firm.staff.post("/time-entries", early).expect(201).json
    assert made["seconds"] == pytest.approx(1200, abs=1)
    change = {"started_at": ago(minutes=40), "ended_at": ago(minutes=5)}
    firm.staff.patch(f"/time-entries/{made['id']}", change, if_match=1).problem(409, "time_overlap")
    firm.staff.patch(f"/time-entries/{made['id']}", change | {"ended_at": ago(minutes=50)}, if_match=1).problem(
        422, "end_before_start"
    )
    by_hand = firm.staff.patch(f"/time-entries/{made['id']}", {"seconds": 600}, if_match=1).expect(200).json
    assert (by_hand["seconds"], by_hand["started_at"]) == (600, None)


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ({"day": "2026-11-02"}, "time_missing"),
        ({"seconds": 60}, "time_missing"),
        ({"started_at": "2026-11-02T10:00:00Z"}, "time_twice"),
        ({"started_at": "2026-11-02T10:00:00Z", "ended_at": "2026-11-02T11:00:00Z", "seconds": 60}, "time_twice"),
        ({"started_at": "2026-11-02T10:00:00Z", "ended_at": "2026-11-02T09:00:00Z"}, "end_before_start"),
        ({"started_at": "2026-11-02T10:00:00Z", "ended_at": "2026-11-04T09:00:00Z"}, "seconds_out_of_range"),
        ({"started_at": "2126-11-02T10:00:00Z", "ended_at": "2126-11-02T11:00:00Z"}, "day_out_of_range"),
    ],
)
def test_impossible_times_are_refused_and_nothing_is_logged(firm: Any, times: dict[str, Any], code: str) -> None:
    firm.staff.post("/time-entries", {"job_id": str(firm.job), **times}).problem(422, code)
    assert entries(firm) == []


def test_a_timer_changes_and_is_discarded_by_its_version(firm: Any, world: Any) -> None:
    other = firm.add_job(title="Payroll")
    start(firm, task_id=str(firm.task), started_at=ago(minutes=10))
    firm.staff.patch("/timer", {"narrative": "late"}, if_match=7).problem(412, "version_conflict")
    changed = firm.staff.patch("/timer", {"job_id": str(other), "started_at": ago(minutes=20)}, if_match=1).expect(200)
    timer = changed.json["timer"]
    assert (timer["job_title"], timer["task_id"], timer["version"]) == ("Payroll", None, 2)
    assert timer["seconds"] >= 1200
    firm.staff.delete("/timer", if_match=1).problem(412, "version_conflict")
    firm.staff.delete("/timer", if_match=2).expect(204)
    assert entries(firm) == []
    assert world.audit(firm.id)[-1].action == "timer.discarded"


def test_a_locked_period_keeps_the_timer_until_it_may_be_logged(firm: Any) -> None:
    running_since(firm, datetime.now(UTC) - timedelta(hours=23))
    firm.partner.post("/settings/lock", {"locked_until": str(firm.today)}).expect(200)
    firm.staff.post("/timer/stop", {}).problem(409, "period_locked")
    assert firm.staff.get("/timer").json["timer"] is not None
    firm.staff.post("/timer/stop", {"lock_override_reason": "late"}).problem(403, "lock_override_forbidden")


def test_running_timers_of_private_clients_are_hidden(firm: Any) -> None:
    secret = firm.add_client(name="Secret Ltd", only=[firm.pat])
    job = firm.add_job(client=secret, title="Secret job")
    start(firm, api=firm.partner, job_id=str(job))
    assert len(firm.partner.get("/timers").json["items"]) == 1
    assert firm.world.api(firm.id, staff=new_id()).get("/timers").json["items"] == []


# --- rounding by client and job ---------------------------------------------------------------------------------------


def rounding(increment: int, direction: str = "up") -> dict[str, Any]:
    return {"increment_seconds": increment, "direction": direction, "minimum_seconds": 0}


def test_a_jobs_rounding_goes_before_its_clients_and_that_before_the_firms(firm: Any) -> None:
    firm.rate()
    other = firm.add_job(title="Payroll")
    stranger = firm.add_job(client=firm.add_client(name="Jones"), title="Audit")
    firm.partner.patch("/settings", {"rounding": rounding(360)}, if_match=0).expect(200)
    for id, scope, increment in ((firm.client, "client", 900), (other, "job", 1800)):
        body = {"scope": scope, "rounding": rounding(increment)}
        made = firm.partner.put(f"/rounding-policies/{id}", body, if_match=0).expect(200)
        assert made.etag == '"1"'
    logged = [firm.log(61, job_id=str(j)) for j in (stranger, firm.job, other)]
    assert [e["billable_seconds"] for e in logged] == [360, 900, 1800]
    assert {e["billable_seconds"] for e in entries(firm)} == {360, 900, 1800}
    ids = firm.approved(61, job_id=str(other))
    firm.partner.delete(f"/rounding-policies/{other}", if_match=1).expect(204)
    why = firm.partner.get(f"/time-entries/{ids[0]}/why").json["billable_seconds"]
    assert (why["figure"], why["says"]) == ("1800", "61 s, up to 30 min (the job's policy): 1800 s")
    assert firm.log(61, job_id=str(other))["billable_seconds"] == 900
    assert [p["name"] for p in firm.partner.get("/rounding-policies").json["items"]] == ["Smith Ltd"]


def test_a_rounding_policy_is_changed_by_its_version_and_only_of_what_one_sees(firm: Any, new_firm: Any) -> None:
    path, body = f"/rounding-policies/{firm.client}", {"scope": "client", "rounding": rounding(900)}
    firm.partner.put(path, body, if_match=0).expect(200)
    firm.partner.put(path, body, if_match=0).problem(412, "version_conflict")
    firm.partner.put(path, body | {"rounding": rounding(600)}, if_match=1).expect(200)
    firm.partner.put(f"/rounding-policies/{new_id()}", {**body, "scope": "job"}, if_match=0).problem(
        404, "job_not_found"
    )
    firm.partner.put(path, body | {"rounding": rounding(0)}, if_match=2).problem(400, "request_invalid")
    firm.staff.put(path, body, if_match=2).problem(403, "permission_missing")
    stranger = new_firm()
    stranger.partner.delete(path, if_match=2).problem(404, "rounding_policy_not_found")
    assert firm.partner.get("/rounding-policies").json["items"][0]["says"] == "up to 10 min"
