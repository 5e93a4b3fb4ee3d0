"""Jobs through the API: making, changing, moving, cancelling, and what is refused."""

import threading
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import NotFound
from praxis.clients.v1.clients_pb2 import GetClientResponse
from praxis.clients.v1.events_pb2 import ClientChanged
from praxis.workflow.v1.events_pb2 import JobChanged, TaskChanged
from praxis.workflow.v1.workflow_pb2 import GetJobRequest, GetTaskRequest

# --- making ----------------------------------------------------------------------------------------------------------


def test_the_same_template_client_and_period_again_must_be_meant(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    job = firm.apply(template)
    body = {
        "template_id": template,
        "client_id": str(firm.client),
        "period_start": "2026-07-01",
        "period_end": "2026-09-30",
    }
    refused = firm.api.post("/jobs", body).problem(409, "period_already_made")
    assert refused.json["job_id"] == job["id"]
    preview = firm.api.post(f"/templates/{template}/preview", {k: v for k, v in body.items() if k != "template_id"})
    assert "period_already_made" in {w["code"] for w in preview.expect(200).json["warnings"]}
    again = firm.api.post("/jobs", body | {"again": True}).expect(201).json
    assert again["id"] != job["id"]
    firm.api.post("/jobs", body).problem(409, "period_already_made")


def test_a_cancelled_job_makes_room_for_another(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    job = firm.apply(template)
    firm.api.post(f"/jobs/{job['id']}/cancel", {"reason": "wrong client"}).expect(200)
    firm.apply(template)
    firm.api.post(f"/jobs/{job['id']}/reinstate").problem(409, "period_already_made")


def test_two_who_apply_at_once_make_one_job(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    body = {
        "template_id": template,
        "client_id": str(firm.client),
        "period_start": "2026-07-01",
        "period_end": "2026-09-30",
    }
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(firm.api.post("/jobs", body).status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409]


def test_a_double_click_makes_one_job(firm: Any, vat: dict[str, Any]) -> None:
    body = {"template_id": firm.publish(vat), "client_id": str(firm.client)}
    first = firm.api.post("/jobs", body, key="k1").expect(201)
    assert firm.api.post("/jobs", body, key="k1").expect(201).json == first.json
    firm.api.post("/jobs", body | {"again": True}, key="k1").problem(409, "idempotency_key_reused")
    assert len(firm.api.get("/jobs").json["items"]) == 1


def test_a_client_unknown_here_is_asked_of_its_owner_once_and_kept(firm: Any, vat: dict[str, Any]) -> None:
    new = uuid4()
    state = ClientChanged(client_id=str(new), name="Jones", status="active", version=3)
    calls = firm.world.answers("clients", {"GetClient": lambda _: GetClientResponse(client=state)})
    template = firm.publish(vat)
    firm.api.post(f"/templates/{template}/preview", {"client_id": str(new)}).expect(200)
    job = firm.apply(template, client_id=str(new))
    assert job["client"]["name"] == "Jones"
    assert [name for name, _ in calls] == ["GetClient"]
    # What arrives late is older and changes nothing.
    firm.client_named("Old name", id=new, version=2)
    assert firm.job(job["id"])["client"]["name"] == "Jones"


def test_a_client_nobody_knows_is_not_found_and_nothing_is_made(firm: Any, vat: dict[str, Any]) -> None:
    def unknown(_: Any) -> Any:
        raise NotFound("client_not_found", "There is no such client.")

    firm.world.answers("clients", {"GetClient": unknown})
    template = firm.publish(vat)
    announced = len(firm.world.events(firm.id))
    firm.api.post("/jobs", {"template_id": template, "client_id": str(uuid4())}).problem(404, "client_not_found")
    assert firm.api.get("/jobs", params={"closed": "any"}).json["items"] == []
    assert len(firm.world.events(firm.id)) == announced


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"period_start": "2026-07-01"}, 422, "period_invalid"),
        ({"period_start": "2026-09-30", "period_end": "2026-07-01"}, 422, "period_invalid"),
        ({"period_start": "1899-07-01", "period_end": "1899-09-30"}, 422, "date_out_of_range"),
        ({"starts_on": "1899-12-31"}, 422, "date_out_of_range"),
        ({"starts_on": "2026-02-30"}, 400, "request_invalid"),
        ({"owner_id": str(uuid4())}, 422, "unknown_staff"),
        ({"people": [{"role": "preparer", "staff_id": str(uuid4())}]}, 422, "unknown_staff"),
        ({"people": [{"role": "wizard", "staff_id": str(uuid4())}]}, 422, "unknown_role"),
        ({"engagement_id": str(uuid4())}, 404, "engagement_not_found"),
        ({"template_id": str(uuid4())}, 404, "template_not_found"),
        ({"template_version": 9}, 404, "template_version_not_found"),
        ({"stage_id": str(uuid4())}, 404, "stage_not_found"),
        ({"client_id": "smith"}, 400, "request_invalid"),
        ({"title": "   "}, 400, "request_invalid"),
        ({"template_version": 10**30}, 400, "request_invalid"),
        ({"status": "done"}, 400, "request_invalid"),
        ({"statutory_due_on": "2026-11-07"}, 422, "dates_from_template"),
    ],
)
def test_bad_input_makes_nothing(firm: Any, vat: dict[str, Any], more: dict[str, Any], status: int, code: str) -> None:
    template = firm.publish(vat)
    before = len(firm.world.audit(firm.id))
    firm.api.post("/jobs", {"template_id": template, "client_id": str(firm.client)} | more).problem(status, code)
    assert firm.api.get("/jobs", params={"closed": "any"}).json["items"] == []
    assert len(firm.world.audit(firm.id)) == before


def test_another_client_s_engagement_is_not_found(firm: Any, vat: dict[str, Any]) -> None:
    other = firm.engagement(firm.client_named("Jones"))
    body = {"template_id": firm.publish(vat), "client_id": str(firm.client), "engagement_id": str(other)}
    firm.api.post("/jobs", body).problem(404, "engagement_not_found")


def test_no_new_work_for_a_former_client_or_by_someone_who_has_left(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    gone, former = firm.staff("Gone", active=False), firm.client_named("Closed Ltd", status="former")
    body = {"template_id": template, "client_id": str(firm.client)}
    firm.api.post("/jobs", body | {"owner_id": str(gone)}).problem(422, "unknown_staff")
    firm.api.post("/jobs", body | {"client_id": str(former)}).problem(409, "client_former")


def test_a_job_without_a_template_begins_empty_and_is_done_when_it_is_put_with_the_done_ones(firm: Any) -> None:
    body = {"client_id": str(firm.client), "title": "Ad hoc advice", "internal_due_on": "2027-01-15"}
    firm.api.post("/jobs", {"client_id": str(firm.client)}).problem(422, "title_missing")
    job = firm.api.post("/jobs", body).expect(201).json
    assert (job["status"], job["due_on"], job["deadline_on"]) == ("on_track", "2027-01-15", "2027-01-15")
    done = next(s for s in firm.api.get("/stages").json["items"] if s["kind"] == "done")
    assert firm.api.post(f"/jobs/{job['id']}/move", {"stage_id": done["id"]}).expect(200).json["status"] == "done"


# --- changing --------------------------------------------------------------------------------------------------------


def stage(firm: Any, name: str) -> str:
    return next(s["id"] for s in firm.api.get("/stages").json["items"] if s["name"] == name)


def test_a_job_moves_through_stages_and_others_hear_of_it(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    assert job["stage"]["name"] == "Planned"
    moved = firm.api.post(f"/jobs/{job['id']}/move", {"stage_id": stage(firm, "Review")}).expect(200).json
    assert moved["stage"]["name"] == "Review"
    assert firm.world.events(firm.id, JobChanged)[-1].stage == "Review"


def test_moving_to_an_unknown_stage_changes_nothing(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    firm.api.post(f"/jobs/{job['id']}/move", {"stage_id": str(uuid4())}).problem(404, "stage_not_found")
    assert firm.job(job["id"])["version"] == job["version"]


def test_open_steps_keep_a_job_out_of_done_unless_they_are_skipped(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    done = stage(firm, "Done")
    refused = firm.api.post(f"/jobs/{job['id']}/move", {"stage_id": done}).problem(409, "job_has_open_tasks")
    assert (refused.json["open_tasks"], refused.json["open_requests"]) == (3, 1)
    moved = firm.api.post(f"/jobs/{job['id']}/move", {"stage_id": done, "skip_open_tasks": True}).expect(200).json
    assert moved["status"] == "done"
    assert {t["status"] for t in moved["tasks"]} == {"skipped"}
    assert moved["requests"][0]["status"] == "waived"


def test_a_lost_update_of_a_job_is_refused(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    firm.api.patch(f"/jobs/{job['id']}", {"title": "First"}, if_match=job["version"]).expect(200)
    firm.api.patch(f"/jobs/{job['id']}", {"title": "Second"}, if_match=job["version"]).problem(412, "version_conflict")
    firm.api.patch(f"/jobs/{job['id']}", {"title": "Second"}).problem(428, "if_match_required")
    seen = firm.api.post(f"/jobs/{job['id']}/move", {"stage_id": stage(firm, "Review")}, if_match=job["version"])
    seen.problem(412, "version_conflict")
    assert firm.job(job["id"])["title"] == "First"


def test_any_change_inside_a_job_is_a_new_version_of_the_job(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    firm.api.post(f"/tasks/{job['tasks'][1]['id']}/assign", {"owner_id": str(firm.ben)}).expect(200)
    assert firm.job(job["id"])["version"] == job["version"] + 1


def test_moves_of_a_due_date_are_kept_with_their_reasons(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    path = f"/jobs/{job['id']}/due_date"
    firm.api.post(path, {"which": "extended", "due_on": "2026-12-31", "reason": "extension granted"}).expect(200)
    moved = firm.api.post(path, {"which": "internal", "due_on": None, "reason": "not needed"}).expect(200).json
    assert (moved["statutory_due_on"], moved["extended_due_on"], moved["internal_due_on"]) == (
        "2026-11-07",
        "2026-12-31",
        None,
    )
    assert (moved["due_on"], moved["deadline_on"]) == ("2026-12-31", "2026-12-31")
    assert [(m["which"], m["from"], m["to"], m["reason"]) for m in moved["due_moves"]] == [
        ("extended", None, "2026-12-31", "extension granted"),
        ("internal", "2026-10-21", None, "not needed"),
    ]
    firm.api.post(path, {"which": "internal", "due_on": "1899-12-31", "reason": "slip"}).problem(
        422, "date_out_of_range"
    )
    firm.api.post(path, {"which": "internal", "due_on": "2026-02-30", "reason": "slip"}).problem(400, "request_invalid")
    firm.api.post(path, {"which": "internal", "due_on": "2026-02-27", "reason": ""}).problem(400, "request_invalid")


def test_cancelling_and_reinstating_brings_back_what_was_open(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    cancelled = firm.api.post(f"/jobs/{job['id']}/cancel", {"reason": "client left"}).expect(200).json
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("cancelled", "client left")
    assert {s["status"] for s in cancelled["tasks"] + cancelled["requests"]} == {"cancelled"}
    firm.api.post(f"/tasks/{job['tasks'][0]['id']}/start").problem(409, "job_cancelled")
    firm.api.post(f"/jobs/{job['id']}/cancel", {"reason": "again"}).problem(409, "job_cancelled")
    assert firm.world.events(firm.id, JobChanged)[-1].closed
    back = firm.api.post(f"/jobs/{job['id']}/reinstate").expect(200).json
    assert [t["status"] for t in back["tasks"]] == ["not_started"] * 3
    assert back["requests"][0]["status"] == "sent"
    firm.api.post(f"/jobs/{job['id']}/reinstate").problem(409, "job_not_cancelled")


def test_another_firm_s_job_is_not_found(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    stranger = firm.world.api(firm.world.firm())
    stranger.get(f"/jobs/{job['id']}").problem(404, "job_not_found")
    stranger.patch(f"/jobs/{job['id']}", {"title": "mine"}, if_match=1).problem(404, "job_not_found")
    stranger.post(f"/tasks/{job['tasks'][0]['id']}/done").problem(404, "task_not_found")
    stranger.post(f"/requests/{job['requests'][0]['id']}/send").problem(404, "request_not_found")
    assert stranger.get("/jobs").json["items"] == []


# --- for other services ----------------------------------------------------------------------------------------------


def test_other_services_can_ask_for_a_job(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    asking = firm.world.grpc(firm.id, caller="timebilling", user=firm.world.staff_token(firm.id, firm.ada))
    answer = asking.call("GetJob", GetJobRequest(job_id=job["id"])).job
    assert (answer.title, answer.client_id, answer.budget_minutes) == (job["title"], str(firm.client), 165)
    # The clock may have turned the status since, the state is the same otherwise.
    announced = firm.world.events(firm.id, JobChanged)[-1]
    answer.status = announced.status
    assert answer == announced
    with pytest.raises(NotFound):
        asking.call("GetJob", GetJobRequest(job_id=str(uuid4())))


def test_timebilling_can_ask_for_a_task_made_a_moment_ago(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    asking = firm.world.grpc(firm.id, caller="timebilling", user=firm.world.staff_token(firm.id, firm.ada))
    answer = asking.call("GetTask", GetTaskRequest(task_id=job["tasks"][0]["id"])).task
    assert answer == next(e for e in firm.world.events(firm.id, TaskChanged) if e.title == "Prepare")
    with pytest.raises(NotFound):
        asking.call("GetTask", GetTaskRequest(task_id=str(uuid4())))
