"""Time: what may be logged, by whom, when; the way to approval; refusals change nothing."""

from typing import Any

import pytest
from sqlalchemy import text

from chassis.db import new_id
from chassis.errors import Conflict, NotFound
from praxis.clients.v1.clients_pb2 import GetClientResponse
from praxis.clients.v1.events_pb2 import ClientChanged
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged
from praxis.workflow.v1.events_pb2 import JobChanged, TaskChanged
from praxis.workflow.v1.workflow_pb2 import GetJobResponse, GetTaskResponse

HOUR = {"amount": "180.00", "currency": "GBP"}


def entries(firm: Any) -> list[dict[str, Any]]:
    return firm.partner.get("/time-entries").expect(200).json["items"]


def test_raw_seconds_are_kept_and_the_billable_figure_is_its_own(firm: Any) -> None:
    rounding = {"increment_seconds": 360, "direction": "up", "minimum_seconds": 0}
    firm.partner.patch("/settings", {"rounding": rounding}, if_match=0).expect(200)
    logged = firm.log(7 * 60 + 1, narrative="Called about the ledgers", task_id=str(firm.task))
    assert (logged["seconds"], logged["billable_seconds"], logged["status"]) == (421, 720, "draft")
    assert (logged["client_name"], logged["job_title"], logged["task_title"], logged["staff_name"]) == (
        "Smith Ltd",
        "VAT return Q3",
        "Check the ledgers",
        "Ada Moss",
    )
    assert firm.partner.get(f"/time-entries/{logged['id']}").expect(200).json == logged
    (event,) = firm.world.events(firm.id, TimeEntryChanged)
    assert (event.seconds, event.status, event.version, event.task_id) == (421, "draft", 1, str(firm.task))


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"seconds": 0}, 422, "seconds_out_of_range"),
        ({"seconds": -60}, 422, "seconds_out_of_range"),
        ({"seconds": 86_401}, 422, "seconds_out_of_range"),
        ({"seconds": 1.5}, 400, "request_invalid"),
        ({"seconds": "3600"}, 400, "request_invalid"),
        ({"day": "2026-02-30"}, 400, "request_invalid"),
        ({"day": "1899-12-31"}, 422, "day_out_of_range"),
        ({"day": "2126-01-01"}, 422, "day_out_of_range"),
        ({"status": "approved"}, 400, "request_invalid"),
        ({"client_id": "018f0000-0000-7000-8000-000000000000"}, 400, "request_invalid"),
        ({"activity_id": "018f0000-0000-7000-8000-000000000000"}, 404, "activity_not_found"),
        ({"job_id": "nonsense"}, 400, "request_invalid"),
    ],
)
def test_bad_time_is_refused_and_nothing_is_logged(firm: Any, change: dict[str, Any], status: int, code: str) -> None:
    body = {"job_id": str(firm.job), "day": firm.day(), "seconds": 3600} | change
    firm.staff.post("/time-entries", body).problem(status, code)
    assert entries(firm) == []
    assert firm.world.events(firm.id, TimeEntryChanged) == []


def test_another_jobs_task_is_not_found(firm: Any) -> None:
    other = firm.add_job(title="Payroll")
    body = {"job_id": str(other), "task_id": str(firm.task), "day": firm.day(), "seconds": 60}
    firm.staff.post("/time-entries", body).problem(404, "task_not_found")


def test_a_job_the_copy_lacks_is_asked_for_once_and_kept(firm: Any, world: Any) -> None:
    job, client = new_id(), new_id()
    asked = world.answers(
        "workflow",
        {
            "GetJob": lambda r: GetJobResponse(
                job=JobChanged(job_id=r.job_id, client_id=str(client), title="New job", version=1)
            )
        },
    )
    known = world.answers(
        "clients",
        {
            "GetClient": lambda r: GetClientResponse(
                client=ClientChanged(client_id=r.client_id, name="New client", currency="GBP", version=1)
            )
        },
    )
    for _ in range(2):
        logged = firm.log(60, job_id=str(job))
        assert (logged["job_title"], logged["client_name"]) == ("New job", "New client")
    assert len(asked) == len(known) == 1


def test_a_task_made_a_moment_ago_is_asked_for_once_and_kept(firm: Any, world: Any) -> None:
    task = new_id()
    state = TaskChanged(task_id=str(task), job_id=str(firm.job), title="New task", version=1)
    asked = world.answers("workflow", {"GetTask": lambda _: GetTaskResponse(task=state)})
    for _ in range(2):
        assert firm.log(60, task_id=str(task))["task_title"] == "New task"
    assert [name for name, _ in asked] == ["GetTask"]


def test_a_task_nobody_knows_is_not_found(firm: Any, world: Any) -> None:
    def unknown(_: Any) -> GetTaskResponse:
        raise NotFound("task_not_found", "There is no such task.")

    world.answers("workflow", {"GetTask": unknown})
    firm.log(60, task_id=str(new_id()), status=404)
    assert entries(firm) == []


def test_a_job_nobody_knows_is_not_found(firm: Any, world: Any) -> None:
    def unknown(_: Any) -> GetJobResponse:
        raise NotFound("job_not_found", "There is no such job.")

    world.answers("workflow", {"GetJob": unknown})
    firm.log(60, job_id=str(new_id()), status=404)
    assert entries(firm) == []


def test_another_firms_time_is_not_found(firm: Any, new_firm: Any) -> None:
    entry, stranger = firm.log(), new_firm()
    path = f"/time-entries/{entry['id']}"
    stranger.partner.get(path).problem(404, "time_entry_not_found")
    stranger.partner.patch(path, {"seconds": 1}, if_match=1).problem(404, "time_entry_not_found")
    stranger.partner.delete(path, if_match=1).problem(404, "time_entry_not_found")
    stranger.partner.get(path + "/why").problem(404, "time_entry_not_found")
    for act in ("submit", "approve"):
        answer = stranger.partner.post(f"/time-entries/{act}", {"ids": [entry["id"]]}).expect(200).json
        assert answer["items"][0]["code"] == "time_entry_not_found"
    assert firm.partner.get(path).json == entry


def test_own_time_only_unless_one_may_act_for_others(firm: Any, world: Any) -> None:
    entry = firm.log()
    colleague = world.api(firm.id, permissions=["timebilling:time:read", "timebilling:time:write"])
    colleague.patch(f"/time-entries/{entry['id']}", {"seconds": 1}, if_match=1).problem(403, "not_your_time")
    colleague.delete(f"/time-entries/{entry['id']}", if_match=1).problem(403, "not_your_time")
    body = {"job_id": str(firm.job), "day": firm.day(), "seconds": 60, "staff_id": str(firm.ada)}
    colleague.post("/time-entries", body).problem(403, "not_your_time")
    assert firm.partner.post("/time-entries", body).expect(201).json["staff_name"] == "Ada Moss"
    firm.partner.post("/time-entries", body | {"staff_id": str(new_id())}).problem(404, "staff_member_not_found")
    partner_system = world.api(firm.id, audience="partner")
    partner_system.post("/time-entries", {k: v for k, v in body.items() if k != "staff_id"}).problem(
        403, "not_your_time"
    )
    world.api(firm.id, permissions=["timebilling:time:read"]).post("/time-entries", body).problem(
        403, "permission_missing"
    )
    world.api(firm.id, audience="portal", permissions=["timebilling:time:read"]).get("/time-entries").problem(
        403, "audience_not_allowed"
    )


def test_a_lost_update_is_refused(firm: Any) -> None:
    entry = firm.log()
    path = f"/time-entries/{entry['id']}"
    firm.staff.patch(path, {"seconds": 1800}).problem(428, "if_match_required")
    assert firm.staff.patch(path, {"seconds": 1800}, if_match=1).expect(200).etag == '"2"'
    firm.staff.patch(path, {"seconds": 900}, if_match=1).problem(412, "version_conflict")
    assert firm.staff.get(path).json["seconds"] == 1800


def test_the_same_key_logs_once(firm: Any) -> None:
    body = {"job_id": str(firm.job), "day": firm.day(), "seconds": 60}
    first, again = (firm.staff.post("/time-entries", body, key="one").expect(201) for _ in range(2))
    assert first.json == again.json
    firm.staff.post("/time-entries", body | {"seconds": 61}, key="one").problem(409, "idempotency_key_reused")
    assert len(entries(firm)) == 1


def test_deleting_keeps_what_it_said_in_the_audit(firm: Any, world: Any) -> None:
    entry = firm.log(narrative="mistake")
    firm.staff.delete(f"/time-entries/{entry['id']}", if_match=1).expect(204)
    firm.staff.get(f"/time-entries/{entry['id']}").problem(404, "time_entry_not_found")
    assert [(e.status, e.version) for e in world.events(firm.id, TimeEntryChanged)] == [("draft", 1), ("deleted", 2)]
    row = world.audit(firm.id)[-1]
    assert (row.action, row.before["narrative"]) == ("time.deleted", "mistake")


def test_my_day_sums_my_entries(firm: Any) -> None:
    firm.log(3600)
    firm.log(1800, billable=False)
    firm.log(60, day=firm.day(2))
    firm.log(999, api=firm.partner, staff_id=str(firm.pat))
    day = firm.staff.get(f"/my-day?day={firm.day()}").expect(200).json
    assert (day["seconds"], day["billable_seconds"], len(day["entries"]), day["locked"]) == (5400, 3600, 2, False)
    assert firm.staff.get("/my-day").expect(200).json["day"]


def test_lists_page_and_filter(firm: Any) -> None:
    other = firm.add_job(title="Payroll")
    for ago in range(5):
        firm.log(60 + ago, day=firm.day(ago + 1), job_id=str(other if ago % 2 else firm.job))
    seen, cursor = [], ""
    while True:
        page = firm.partner.get(f"/time-entries?limit=2{cursor}").expect(200).json
        seen += [e["seconds"] for e in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [60, 61, 62, 63, 64]
    assert [e["seconds"] for e in firm.partner.get(f"/time-entries?job_id={other}").json["items"]] == [61, 63]
    only = firm.partner.get(
        f"/time-entries?day_from={firm.day(3)}&day_to={firm.day(2)}&staff_id={firm.ada}&status=draft"
    ).json["items"]
    assert [e["seconds"] for e in only] == [61, 62]
    assert firm.partner.get(f"/time-entries?client_id={new_id()}").json["items"] == []
    assert firm.partner.get("/time-entries?cursor=junk").problem(400, "cursor_invalid")
    assert (
        "seconds"
        in firm.partner.get("/time-entries", headers={"accept": "text/csv"}).expect(200).response.text.splitlines()[0]
    )


# --- the way to approval ----------------------------------------------------------------------------------------------


def test_submit_return_change_submit_approve(firm: Any, world: Any) -> None:
    firm.rate()
    entry = firm.log()
    ids = {"ids": [entry["id"]]}
    assert firm.staff.post("/time-entries/submit", ids).json["done"] == 1
    assert firm.staff.post("/time-entries/submit", ids).json["items"][0]["code"] == "entry_not_draft"
    assert firm.partner.post("/time-entries/return", ids | {"reason": "which client?"}).json["done"] == 1
    shown = firm.staff.get(f"/time-entries/{entry['id']}").json
    assert (shown["status"], shown["return_reason"]) == ("returned", "which client?")
    changed = (
        firm.staff.patch(f"/time-entries/{entry['id']}", {"narrative": "Smith"}, if_match=shown["version"])
        .expect(200)
        .json
    )
    assert (changed["status"], changed["return_reason"]) == ("draft", None)
    firm.staff.post("/time-entries/submit", ids)
    assert firm.partner.post("/time-entries/approve", ids).json == {
        "done": 1,
        "failed": 0,
        "items": [{"id": entry["id"], "ok": True, "code": None, "message": None}],
    }
    statuses = [e.status for e in world.events(firm.id, TimeEntryChanged)]
    assert statuses == ["draft", "submitted", "returned", "draft", "submitted", "approved"]
    firm.holds()


def test_an_approved_entry_does_not_change(firm: Any) -> None:
    firm.rate()
    (id,) = firm.approved(3600)
    before = firm.partner.get(f"/time-entries/{id}").json
    firm.partner.patch(f"/time-entries/{id}", {"seconds": 60}, if_match=before["version"]).problem(
        409, "entry_approved"
    )
    firm.partner.delete(f"/time-entries/{id}", if_match=before["version"]).problem(409, "entry_approved")
    for act in ("submit", "approve"):
        assert firm.partner.post(f"/time-entries/{act}", {"ids": [id]}).json["failed"] == 1
    assert firm.partner.get(f"/time-entries/{id}").json == before


def test_a_draft_can_not_be_approved(firm: Any) -> None:
    firm.rate()
    entry = firm.log()
    answer = firm.partner.post("/time-entries/approve", {"ids": [entry["id"]]}).expect(200).json
    assert answer["items"][0]["code"] == "entry_not_submitted"
    assert firm.partner.get(f"/time-entries/{entry['id']}").json == entry


def test_approval_without_a_rate_is_refused_per_entry_never_a_silent_zero(firm: Any) -> None:
    firm.rate(
        "100.00",
        level="activity",
        activity_id=(activity := firm.partner.post("/activities", {"name": "Advice"}).expect(201).json["id"]),
    )
    rated, unrated, unpaid = firm.log(activity_id=activity), firm.log(), firm.log(billable=False)
    ids = [e["id"] for e in (rated, unrated, unpaid)]
    firm.staff.post("/time-entries/submit", {"ids": ids})
    answer = firm.partner.post("/time-entries/approve", {"ids": ids}).expect(200).json
    assert [i["code"] for i in answer["items"]] == [None, "rate_missing", None]
    assert firm.partner.get(f"/time-entries/{unrated['id']}").json["status"] == "submitted"
    not_billable = firm.partner.get(f"/time-entries/{unpaid['id']}").json
    assert (not_billable["status"], not_billable["wip"], not_billable["value"], not_billable["billable_seconds"]) == (
        "approved",
        None,
        None,
        0,
    )
    firm.holds()


def test_approval_freezes_the_rate_against_later_change(firm: Any) -> None:
    firm.rate("180.00")
    firm.rate("60.00", kind="cost")
    (id,) = firm.approved(3600)
    firm.partner.post(
        "/rates/set",
        {
            "from": "2020-01-01",
            "rates": [{"kind": "bill", "level": "firm", "rate": {"amount": "999.00", "currency": "GBP"}}],
        },
    ).expect(200)
    firm.partner.patch(
        "/settings", {"rounding": {"increment_seconds": 7200, "direction": "up", "minimum_seconds": 0}}, if_match=0
    ).expect(200)
    entry = firm.partner.get(f"/time-entries/{id}").json
    assert (entry["rate"], entry["value"], entry["billable_seconds"]) == (HOUR, HOUR, 3600)
    why = firm.partner.get(f"/time-entries/{id}/why").expect(200).json
    assert why["frozen"] is True
    assert why["rate"]["says"] == "GBP 180.00/h: firm default rate of 2020-01-01"
    assert (why["cost_rate"]["figure"], why["value"]["figure"], why["billable_seconds"]["figure"]) == (
        "60.00",
        "180.00",
        "3600",
    )
    assert firm.partner.get(f"/wip/jobs/{firm.job}").json["cost"] == {"amount": "60.00", "currency": "GBP"}


def test_a_cost_rate_holds_from_its_own_day_on(firm: Any) -> None:
    firm.rate("180.00")
    firm.rate("60.00", kind="cost")
    change = {"kind": "cost", "level": "firm", "rate": {"amount": "70.00", "currency": "GBP"}}
    firm.partner.post("/rates/set", {"from": firm.day(4), "rates": [change]}).expect(200)
    before, after = firm.approved(3600, day=firm.day(5)) + firm.approved(3600, day=firm.day(4))
    why = [firm.partner.get(f"/time-entries/{i}/why").json for i in (before, after)]
    assert [w["cost_rate"]["figure"] for w in why] == ["60.00", "70.00"]
    assert [w["rate"]["figure"] for w in why] == ["180.00", "180.00"]
    assert firm.partner.get(f"/wip/jobs/{firm.job}").json["cost"] == {"amount": "130.00", "currency": "GBP"}


def test_why_before_approval_says_what_approval_would_freeze(firm: Any) -> None:
    entry = firm.log(3600)
    assert firm.partner.get(f"/time-entries/{entry['id']}/why").expect(200).json["rate"] is None
    firm.rate("120.00", level="grade", grade="senior")
    why = firm.partner.get(f"/time-entries/{entry['id']}/why").expect(200).json
    assert (why["frozen"], why["rate"]["rule"], why["value"]["figure"]) == (False, "grade", "120.00")


def test_an_override_needs_an_approver_and_a_reason_and_wins(firm: Any) -> None:
    firm.rate("180.00")
    override = {"rate": {"amount": "50.00", "currency": "GBP"}, "reason": "goodwill"}
    assert firm.log(3600, rate_override=override, status=403)["code"] == "rate_override_forbidden"
    firm.partner.post(
        "/time-entries",
        {
            "job_id": str(firm.job),
            "day": firm.day(),
            "seconds": 60,
            "rate_override": {"rate": {"amount": "50.00", "currency": "EUR"}, "reason": "why"},
        },
    ).problem(422, "currency_mismatch")
    entry = firm.log(3600, api=firm.partner, rate_override=override)
    ids = {"ids": [entry["id"]]}
    firm.partner.post("/time-entries/submit", ids)
    firm.partner.post("/time-entries/approve", ids)
    why = firm.partner.get(f"/time-entries/{entry['id']}/why").json
    assert (why["rate"]["rule"], why["value"]["figure"]) == ("override", "50.00")


# --- the locked period ------------------------------------------------------------------------------------------------


def lock(firm: Any, ago: int, **more: Any) -> Any:
    return firm.partner.post("/settings/lock", {"locked_until": firm.day(ago), **more})


def test_locked_period_refuses_new_time(firm: Any) -> None:
    lock(firm, 5).expect(200)
    firm.log(day=firm.day(5), status=409)
    firm.log(day=firm.day(9), status=409)
    firm.log(day=firm.day(4))
    assert len(entries(firm)) == 1


def test_locked_period_refuses_change_delete_and_moves_in_and_out(firm: Any) -> None:
    inside, outside = firm.log(day=firm.day(9)), firm.log(day=firm.day(1))
    lock(firm, 5).expect(200)
    for entry, change in ((inside, {"seconds": 60}), (inside, {"day": firm.day(1)}), (outside, {"day": firm.day(9)})):
        problem = firm.staff.patch(f"/time-entries/{entry['id']}", change, if_match=1).problem(409, "period_locked")
        assert problem.json["locked_until"] == firm.day(5)
    firm.staff.delete(f"/time-entries/{inside['id']}", if_match=1).problem(409, "period_locked")
    assert (
        firm.staff.post("/time-entries/submit", {"ids": [inside["id"], outside["id"]]}).json["items"][0]["code"]
        == "period_locked"
    )
    assert firm.staff.get(f"/time-entries/{inside['id']}").json == inside


def test_locked_period_refuses_approval(firm: Any) -> None:
    firm.rate()
    entry = firm.log(day=firm.day(9))
    ids = {"ids": [entry["id"]]}
    firm.staff.post("/time-entries/submit", ids)
    lock(firm, 5).expect(200)
    assert firm.partner.post("/time-entries/approve", ids).json["items"][0]["code"] == "period_locked"
    reason = {"lock_override_reason": "late timesheet"}
    assert firm.partner.post("/time-entries/approve", ids | reason).json["done"] == 1


def test_override_of_a_lock_needs_permission_and_is_audited_with_its_reason(firm: Any, world: Any) -> None:
    lock(firm, 5).expect(200)
    body = {"job_id": str(firm.job), "day": firm.day(9), "seconds": 60, "lock_override_reason": "late timesheet"}
    firm.staff.post("/time-entries", body).problem(403, "lock_override_forbidden")
    firm.partner.post("/time-entries", body).expect(201)
    row = world.audit(firm.id)[-1]
    assert (row.action, row.reason) == ("time.logged", "late timesheet")
    firm.log(day=firm.day(9), status=409)


def test_opening_a_locked_period_needs_a_reason(firm: Any, world: Any) -> None:
    lock(firm, 5).expect(200)
    lock(firm, 9).problem(422, "lock_reason_missing")
    firm.partner.post("/settings/lock", {"locked_until": None}).problem(422, "lock_reason_missing")
    firm.log(day=firm.day(6), status=409)
    lock(firm, 9, reason="auditor's correction").expect(200)
    firm.log(day=firm.day(6))
    assert [r.reason for r in world.audit(firm.id) if r.action == "period.locked"] == [None, "auditor's correction"]


def test_the_database_itself_refuses_a_locked_day(firm: Any, world: Any) -> None:
    entry = firm.log(day=firm.day(9))
    lock(firm, 5).expect(200)
    with pytest.raises(Conflict, match="period_locked"), world.uow(firm.id) as uow:
        uow.session.execute(text("UPDATE time_entries SET seconds = 1 WHERE id = :id"), {"id": entry["id"]})
