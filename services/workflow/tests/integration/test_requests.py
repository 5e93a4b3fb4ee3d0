"""Requests: what the client is asked, what they may answer, what comes of it, and the reminders in between."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from praxis.workflow.v1.events_pb2 import NoticeDue, RequestChanged, RequestReminderDue
from praxis.workflow.v1.workflow_pb2 import (
    AnswerRequestItemRequest,
    GetJobRequest,
    MarkRequestViewedRequest,
    SubmitRequestRequest,
)
from workflow.jobs.tables import Job


@pytest.fixture
def job(firm: Any, vat: dict[str, Any]) -> dict[str, Any]:
    return firm.apply(firm.publish(vat))


def answer(
    firm: Any, request: dict[str, Any], label: str, answer: str = "", outcome: str = "answered", documents: int = 0
) -> Any:
    item = next(i for i in request["items"] if i["label"] == label)
    documents_ids = [str(new_id()) for _ in range(documents)]
    message = AnswerRequestItemRequest(
        request_id=request["id"], item_id=item["id"], answer=answer, outcome=outcome, document_ids=documents_ids
    )
    return firm.portal().call("AnswerRequestItem", message)


def submit(firm: Any, request: dict[str, Any]) -> Any:
    return firm.portal().call("SubmitRequest", SubmitRequestRequest(request_id=request["id"]))


def hand_in(firm: Any, request: dict[str, Any]) -> None:
    answer(firm, request, "Bank statements", documents=1)
    answer(firm, request, "Any sales abroad?", "no")
    submit(firm, request)


def refusal(kind: type[DomainError], code: str, call: Any) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code


# --- the client's side -----------------------------------------------------------------------------------------------


def test_an_incomplete_request_is_not_handed_in(firm: Any, job: dict[str, Any]) -> None:
    request = job["requests"][0]
    answer(firm, request, "Any sales abroad?", "yes")
    refusal(Conflict, "request_incomplete", lambda: submit(firm, request))
    assert firm.request(job)["status"] == "partly_answered"
    answer(firm, request, "Bank statements", "we have no bank account", outcome="not_applicable")
    assert submit(firm, request).request.status == "submitted"
    # Once more changes nothing.
    version = firm.request(job)["version"]
    assert submit(firm, request).request.version == version


@pytest.mark.parametrize(
    ("label", "text", "outcome", "documents", "code"),
    [
        ("Bank statements", "in the post", "answered", 0, "answer_invalid"),
        ("Any sales abroad?", "perhaps", "answered", 0, "answer_invalid"),
        ("Any sales abroad?", "yes", "answered", 1, "answer_invalid"),
        ("Any sales abroad?", "yes", "sort of", 0, "outcome_unknown"),
    ],
)
def test_an_answer_that_is_none_changes_nothing(
    firm: Any, job: dict[str, Any], label: str, text: str, outcome: str, documents: int, code: str
) -> None:
    request = job["requests"][0]
    refusal(Invalid, code, lambda: answer(firm, request, label, text, outcome, documents))
    assert firm.request(job)["version"] == request["version"]


def test_a_contact_sees_only_requests_of_their_clients_that_were_sent(firm: Any, job: dict[str, Any]) -> None:
    request = job["requests"][0]
    view = MarkRequestViewedRequest(request_id=request["id"])
    stranger = firm.portal([uuid4()])
    refusal(NotFound, "request_not_found", lambda: stranger.call("MarkRequestViewed", view))
    draft = firm.api.post(
        f"/jobs/{job['id']}/requests", {"title": "Draft", "items": [{"kind": "text", "label": "?"}], "send": False}
    )
    unsent = MarkRequestViewedRequest(request_id=draft.expect(201).json["id"])
    refusal(NotFound, "request_not_found", lambda: firm.portal().call("MarkRequestViewed", unsent))
    refusal(
        NotFound,
        "request_not_found",
        lambda: firm.portal().call("MarkRequestViewed", MarkRequestViewedRequest(request_id=str(uuid4()))),
    )
    refusal(
        Invalid, "id_invalid", lambda: firm.portal().call("MarkRequestViewed", MarkRequestViewedRequest(request_id="x"))
    )


def test_only_the_portal_on_behalf_of_a_contact_answers(firm: Any, job: dict[str, Any]) -> None:
    view = MarkRequestViewedRequest(request_id=job["requests"][0]["id"])
    staff = firm.world.grpc(firm.id, caller="portal", user=firm.world.staff_token(firm.id, firm.ada))
    refusal(Forbidden, "permission_missing", lambda: staff.call("MarkRequestViewed", view))
    other = firm.world.grpc(firm.id, caller="documents", user=firm.world.portal_token(firm.id, [firm.client]))
    refusal(Forbidden, "caller_not_allowed", lambda: other.call("MarkRequestViewed", view))
    refusal(Forbidden, "caller_not_allowed", lambda: firm.portal().call("GetJob", GetJobRequest(job_id=job["id"])))


def test_an_answer_sent_twice_under_one_key_takes_effect_once(firm: Any, job: dict[str, Any]) -> None:
    request = job["requests"][0]
    item = next(i for i in request["items"] if i["kind"] == "yes_no")
    message = AnswerRequestItemRequest(request_id=request["id"], item_id=item["id"], answer="yes", outcome="answered")
    portal = firm.portal()
    first = portal.call("AnswerRequestItem", message, key="a1")
    told = len(firm.world.events(firm.id, RequestChanged))
    again = portal.call("AnswerRequestItem", message, key="a1")
    assert again.request.version == first.request.version == firm.request(job)["version"]
    assert len(firm.world.events(firm.id, RequestChanged)) == told
    message.answer = "no"
    refusal(Conflict, "idempotency_key_reused", lambda: portal.call("AnswerRequestItem", message, key="a1"))
    assert [i["answer"] for i in firm.request(job)["items"]] == [None, "yes", None]


# --- the firm's side -------------------------------------------------------------------------------------------------


def test_what_was_handed_in_unblocks_and_a_return_blocks_again(firm: Any, job: dict[str, Any]) -> None:
    request = job["requests"][0]
    hand_in(firm, request)
    assert not firm.task(job, "prepare")["blocked"]
    bank = next(i for i in request["items"] if i["label"] == "Bank statements")
    body = {"reason": "one month is missing", "items": [{"item_id": bank["id"], "reason": "August is missing"}]}
    returned = firm.api.post(f"/requests/{request['id']}/return", body).expect(200).json
    assert (returned["status"], returned["return_reason"]) == ("returned", "one month is missing")
    assert [i["status"] for i in returned["items"]] == ["returned", "answered", "open"]
    assert firm.task(job, "prepare")["blocked"]
    last = firm.world.events(firm.id, RequestChanged)[-1]
    assert (last.status, last.items[0].return_reason) == ("returned", "August is missing")
    # The client hands in again, and now it is accepted.
    refusal(Conflict, "request_incomplete", lambda: submit(firm, request))
    answer(firm, request, "Bank statements", documents=2)
    submit(firm, request)
    accepted = firm.api.post(f"/requests/{request['id']}/accept").expect(200).json
    assert accepted["status"] == "accepted"
    assert [i["status"] for i in accepted["items"]] == ["accepted", "accepted", "open"]


def test_items_are_accepted_one_by_one_and_the_last_accepts_the_request(firm: Any, job: dict[str, Any]) -> None:
    request = job["requests"][0]
    bank, abroad, optional = (i["id"] for i in request["items"])
    path = f"/requests/{request['id']}/items"
    firm.api.post(f"{path}/{bank}/accept").problem(409, "item_not_answered")
    hand_in(firm, request)
    assert firm.api.post(f"{path}/{bank}/accept").expect(200).json["status"] == "submitted"
    assert firm.api.post(f"{path}/{abroad}/accept").expect(200).json["status"] == "accepted"
    firm.api.post(f"{path}/{optional}/return", {"reason": "?"}).problem(409, "item_not_answered")
    firm.api.post(f"{path}/{uuid4()}/return", {"reason": "?"}).problem(404, "item_not_found")
    returned = firm.api.post(f"{path}/{bank}/return", {"reason": "wrong year"}).expect(200).json
    assert (returned["status"], [i["status"] for i in returned["items"]]) == (
        "returned",
        ["returned", "accepted", "open"],
    )
    refusal(Conflict, "item_accepted", lambda: answer(firm, request, "Any sales abroad?", "yes"))


def test_acts_that_do_not_go_with_the_status_are_refused(firm: Any, job: dict[str, Any]) -> None:
    path = f"/requests/{job['requests'][0]['id']}"
    firm.api.post(f"{path}/send").problem(409, "request_sent")
    firm.api.post(f"{path}/accept").problem(409, "request_sent")
    firm.api.post(f"{path}/return", {"reason": "?"}).problem(409, "request_sent")
    firm.api.patch(path, {"title": "New"}, if_match=job["requests"][0]["version"]).problem(409, "request_already_sent")
    firm.api.post(f"{path}/waive", {"reason": "we have them"}).expect(200)
    firm.api.post(f"{path}/cancel", {"reason": "?"}).problem(409, "request_waived")
    refusal(NotFound, "request_not_found", lambda: answer(firm, job["requests"][0], "Any sales abroad?", "no"))


def test_waiving_or_cancelling_lets_the_waiting_task_go_on(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    for act, start in (("waive", "2025-07-01"), ("cancel", "2025-08-01")):
        job = firm.apply(template, period_start=start, period_end="2025-09-30")
        firm.api.post(f"/requests/{job['requests'][0]['id']}/{act}", {"reason": "we have them"}).expect(200)
        assert not firm.task(job, "prepare")["blocked"]


def test_a_request_waits_for_a_task_and_goes_out_when_it_is_done(firm: Any, vat: dict[str, Any]) -> None:
    vat["dependencies"] = [{"before": "prepare", "after": "papers"}]
    job = firm.apply(firm.publish(vat))
    assert job["requests"][0]["status"] == "scheduled"
    firm.api.post(f"/tasks/{job['tasks'][0]['id']}/done").expect(200)
    assert firm.request(job)["status"] == "sent"


def test_a_request_sent_by_hand_waits_for_the_hand(firm: Any, vat: dict[str, Any]) -> None:
    vat["requests"][0]["send"] = "by_hand"
    job = firm.apply(firm.publish(vat))
    request = job["requests"][0]
    assert request["status"] == "draft"
    new_items = [{"kind": "choice", "label": "Which?", "choices": ["a", "b"]}]
    changed = (
        firm.api.patch(f"/requests/{request['id']}", {"items": new_items}, if_match=request["version"]).expect(200).json
    )
    assert [(i["label"], i["choices"]) for i in changed["items"]] == [("Which?", ["a", "b"])]
    bad = [{"kind": "choice", "label": "Which?", "choices": ["a"]}]
    firm.api.patch(f"/requests/{request['id']}", {"items": bad}, if_match=changed["version"]).problem(
        422, "choices_missing"
    )
    assert firm.api.post(f"/requests/{request['id']}/send").expect(200).json["status"] == "sent"


def test_a_further_request_can_block_a_task(firm: Any, job: dict[str, Any]) -> None:
    review = job["tasks"][1]["id"]
    body = {
        "title": "One more thing",
        "items": [{"kind": "approval", "label": "Accounts"}],
        "blocks": [review],
        "due_on": "2026-12-24",
    }
    made = firm.api.post(f"/jobs/{job['id']}/requests", body).expect(201).json
    assert (made["status"], made["due_on"]) == ("sent", "2026-12-24")
    assert {b["title"] for b in firm.task(job, "review")["blocked_by"]} == {"Prepare", "One more thing"}
    firm.api.post(f"/jobs/{job['id']}/requests", body | {"blocks": [str(uuid4())]}).problem(422, "dependency_unknown")
    firm.api.post(f"/jobs/{job['id']}/requests", body | {"items": []}).problem(400, "request_invalid")
    firm.api.post(f"/jobs/{job['id']}/requests", body | {"due_on": "1850-01-01"}).problem(422, "date_out_of_range")


def test_the_client_s_time_is_counted_as_the_client_s(firm: Any, job: dict[str, Any]) -> None:
    request = job["requests"][0]
    assert request["waiting_since"] is not None
    hand_in(firm, request)
    handed_in = firm.request(job)
    assert handed_in["waiting_since"] is None
    firm.api.post(f"/requests/{request['id']}/return", {"reason": "again"}).expect(200)
    assert firm.request(job)["waiting_since"] is not None


def test_requests_are_listed_by_status_and_owner(firm: Any, job: dict[str, Any]) -> None:
    def found(**params: Any) -> int:
        return len(firm.api.get("/requests", params=params).expect(200).json["items"])

    assert found(status="sent,viewed") == 1
    assert found(status="submitted") == 0
    assert found(owner="me") == 1
    assert found(owner=str(firm.ben)) == 0
    assert found(client_id=str(firm.client), job_id=job["id"]) == 1
    firm.api.get("/requests", params={"status": "lost"}).problem(400, "request_invalid")


def test_moving_a_request_s_date_pins_it(firm: Any, job: dict[str, Any]) -> None:
    path = f"/requests/{job['requests'][0]['id']}/due_date"
    moved = firm.api.post(path, {"due_on": "2026-12-24", "reason": "holidays"}).expect(200).json
    assert (moved["due_on"], moved["original_due_on"], moved["due_pinned"], moved["due_moves"]) == (
        "2026-12-24",
        "2026-10-05",
        True,
        1,
    )


# --- reminders -------------------------------------------------------------------------------------------------------


def reminders(firm: Any) -> list[int]:
    return [event.number for event in firm.world.events(firm.id, RequestReminderDue)]


def test_each_reminder_is_announced_once_until_there_are_no_more(firm: Any, vat: dict[str, Any]) -> None:
    vat["requests"][0]["reminders"] = {"first_after_days": 2, "every_days": 3, "at_most": 2}
    job = firm.apply(firm.publish(vat))
    assert job["requests"][0]["next_reminder_at"] is not None
    now = datetime.now(UTC)
    firm.world.run_due(firm.id, at=now + timedelta(days=1))
    assert reminders(firm) == []
    firm.world.run_due(firm.id, at=now + timedelta(days=2, hours=1))
    assert reminders(firm) == [1]
    firm.world.run_due(firm.id, at=now + timedelta(days=2, hours=1))
    assert reminders(firm) == [1]
    for days in (10, 20, 30):
        firm.world.run_due(firm.id, at=now + timedelta(days=days))
    assert reminders(firm) == [1, 2]
    assert (firm.request(job)["reminders_sent"], firm.request(job)["next_reminder_at"]) == (2, None)


def test_two_workers_announce_a_reminder_once(firm: Any, vat: dict[str, Any]) -> None:
    firm.apply(firm.publish(vat))
    due = datetime.now(UTC) + timedelta(days=3, hours=1)
    workers = [threading.Thread(target=lambda: firm.world.run_due(firm.id, at=due)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert reminders(firm) == [1]


def test_reminders_stop_at_hand_in_and_begin_anew_at_a_return(firm: Any, job: dict[str, Any]) -> None:
    request, far = job["requests"][0], datetime.now(UTC) + timedelta(days=300)
    hand_in(firm, request)
    firm.world.run_due(firm.id, at=far)
    assert reminders(firm) == []
    assert firm.request(job)["next_reminder_at"] is None
    firm.api.post(f"/requests/{request['id']}/return", {"reason": "again"}).expect(200)
    assert firm.request(job)["next_reminder_at"] is not None
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(days=3, hours=1))
    assert reminders(firm) == [1]


def test_who_was_reminded_to_the_end_is_reminded_anew_after_a_return(firm: Any, vat: dict[str, Any]) -> None:
    vat["requests"][0]["reminders"] = {"first_after_days": 2, "every_days": 3, "at_most": 2, "escalate_after": 2}
    job = firm.apply(firm.publish(vat))
    request = job["requests"][0]

    def passed() -> None:
        """Days on which all there is to remind of is reminded of."""
        while firm.request(job)["next_reminder_at"]:
            firm.world.run_due(firm.id, at=datetime.fromisoformat(firm.request(job)["next_reminder_at"]))

    passed()
    hand_in(firm, request)
    assert (reminders(firm), firm.request(job)["escalated_at"]) == ([1, 2], None)
    firm.api.post(f"/requests/{request['id']}/return", {"reason": "blurred"}).expect(200)
    wait = datetime.fromisoformat(firm.request(job)["next_reminder_at"]) - datetime.now(UTC)
    assert timedelta(days=1, hours=23) < wait <= timedelta(days=2)
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(days=2, minutes=1))
    assert (reminders(firm), firm.request(job)["escalated_at"]) == ([1, 2, 3], None)
    passed()
    assert (reminders(firm), firm.request(job)["reminders_sent"]) == ([1, 2, 3, 4], 4)
    # The owner hears of it once each time, with the second reminder of that time.
    told = [notice.says for notice in firm.world.events(firm.id, NoticeDue)]
    assert told == ["“Papers for the quarter” was reminded of 2 times and is not answered."] * 2


def test_a_cancelled_job_reminds_nobody(firm: Any, job: dict[str, Any]) -> None:
    firm.api.post(f"/jobs/{job['id']}/cancel", {"reason": "client left"}).expect(200)
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(days=300))
    assert reminders(firm) == []


def test_what_was_handed_in_for_a_cancelled_job_does_not_go_back_to_the_client(firm: Any, job: dict[str, Any]) -> None:
    hand_in(firm, job["requests"][0])
    firm.api.post(f"/jobs/{job['id']}/cancel", {"reason": "lost client"}).expect(200)
    path = f"/requests/{job['requests'][0]['id']}"
    firm.api.post(f"{path}/return", {"reason": "blurred"}).problem(409, "job_cancelled")
    assert firm.api.get(path).json["status"] == "submitted"


def test_no_reminders_where_none_are_wanted(firm: Any, vat: dict[str, Any]) -> None:
    vat["requests"][0]["reminders"] = {"at_most": 0}
    assert firm.apply(firm.publish(vat))["requests"][0]["next_reminder_at"] is None


# --- by the calendar -------------------------------------------------------------------------------------------------


def day(offset: int) -> str:
    return (datetime.now(ZoneInfo("Europe/London")).date() + timedelta(days=offset)).isoformat()


def asked(firm: Any, job: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"title": "One more thing", "items": [{"kind": "text", "label": "?"}]} | more
    return firm.api.post(f"/jobs/{job['id']}/requests", body).expect(201).json


def current(firm: Any, request: dict[str, Any]) -> dict[str, Any]:
    return firm.api.get(f"/requests/{request['id']}").expect(200).json


def turn(firm: Any) -> None:
    """The next day on which the calendar changes a job begins."""
    planned = [row for row in firm.world.due(firm.id) if row.kind == "job_turn" and row.done_at is None]
    firm.world.run_due(firm.id, at=planned[0].run_at)


def test_a_request_is_scheduled_and_goes_out_on_its_day(firm: Any, job: dict[str, Any]) -> None:
    request = asked(firm, job, send_on=day(3))
    assert (request["status"], request["sent_at"], request["next_reminder_at"]) == ("scheduled", None, None)
    turn(firm)
    assert current(firm, request)["status"] == "sent"
    assert [e.status for e in firm.world.events(firm.id, RequestChanged) if e.request_id == request["id"]] == [
        "scheduled",
        "sent",
    ]
    assert asked(firm, job, send_on=day(-3))["status"] == "sent"


def test_a_request_expires_after_its_last_day_and_the_owner_knows(firm: Any, job: dict[str, Any]) -> None:
    request = asked(firm, job, expires_on=day(2), blocks=[job["tasks"][1]["id"]])
    assert request["status"] == "sent"
    turn(firm)
    gone = current(firm, request)
    assert (gone["status"], gone["waiting_since"], gone["next_reminder_at"]) == ("expired", None, None)
    assert "One more thing" not in {b["title"] for b in firm.task(job, "review")["blocked_by"]}
    (notice,) = firm.world.events(firm.id, NoticeDue)
    assert (notice.reason, list(notice.staff_ids)) == ("request_expired", [str(firm.ada)])
    refusal(
        NotFound,
        "request_not_found",
        lambda: firm.portal().call("SubmitRequest", SubmitRequestRequest(request_id=request["id"])),
    )
    # The client can be asked once more.
    again = firm.api.post(f"/requests/{request['id']}/send").expect(200).json
    assert (again["status"], again["expires_on"]) == ("sent", None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"expires_on": "2020-01-01"}, "expiry_passed"),
        ({"expires_on": "1899-12-31"}, "date_out_of_range"),
        ({"send_on": "1899-12-31"}, "date_out_of_range"),
    ],
)
def test_a_request_with_an_impossible_day_is_not_made(
    firm: Any, job: dict[str, Any], body: dict[str, Any], code: str
) -> None:
    full = {"title": "?", "items": [{"kind": "text", "label": "?"}]} | body
    firm.api.post(f"/jobs/{job['id']}/requests", full).problem(422, code)
    assert len(firm.job(job["id"])["requests"]) == 1
    assert firm.job(job["id"])["version"] == job["version"]


def test_what_the_client_has_can_be_prolonged_but_not_changed(firm: Any, job: dict[str, Any]) -> None:
    request = asked(firm, job, expires_on=day(2))
    path = f"/requests/{request['id']}"
    body = {"expires_on": day(9), "reminders": {"first_after_days": 1}}
    longer = firm.api.patch(path, body, if_match=request["version"]).expect(200).json
    assert longer["expires_on"] == day(9)
    assert longer["next_reminder_at"] < request["next_reminder_at"]
    both = {"expires_on": day(9), "title": "Another"}
    firm.api.patch(path, both, if_match=longer["version"]).problem(409, "request_already_sent")


def test_reminders_in_vain_are_told_to_the_owner_once(firm: Any, vat: dict[str, Any]) -> None:
    vat["requests"][0]["reminders"] = {"first_after_days": 1, "every_days": 3, "at_most": 5, "escalate_after": 2}
    job = firm.apply(firm.publish(vat))
    now = datetime.now(UTC)
    firm.world.run_due(firm.id, at=now + timedelta(days=1, hours=1))
    assert firm.world.events(firm.id, NoticeDue) == []
    for days in (4, 7):
        firm.world.run_due(firm.id, at=now + timedelta(days=days, hours=1))
    (notice,) = firm.world.events(firm.id, NoticeDue)
    assert (notice.reason, notice.subject_type, list(notice.staff_ids)) == (
        "request_unanswered",
        "request",
        [str(firm.ada)],
    )
    assert firm.request(job)["escalated_at"] is not None
    assert len(firm.api.get("/requests", params={"escalated": "true"}).expect(200).json["items"]) == 1
    hand_in(firm, firm.request(job))
    assert firm.request(job)["escalated_at"] is None
    assert firm.api.get("/requests", params={"escalated": "true"}).json["items"] == []


def test_a_private_client_s_escalation_reaches_only_who_may_see_them(firm: Any, vat: dict[str, Any]) -> None:
    client = firm.client_named("Secret GmbH", visible_to=[firm.eve], partner_id=str(firm.eve), manager_id=str(firm.ada))
    vat["requests"][0]["reminders"] = {"first_after_days": 1, "escalate_after": 1}
    template = firm.publish(vat)
    eve = firm.as_(firm.eve)
    body = {"template_id": template, "client_id": str(client), "owner_id": str(firm.ben)}
    body |= {"period_start": "2026-07-01", "period_end": "2026-09-30"}
    eve.post("/jobs", body).expect(201)
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(days=1, hours=1))
    (notice,) = firm.world.events(firm.id, NoticeDue)
    assert list(notice.staff_ids) == [str(firm.eve)]


def test_requests_are_narrowed_by_date_and_lateness(firm: Any, job: dict[str, Any]) -> None:
    asked(firm, job, due_on=day(30))

    def found(**params: Any) -> list[str]:
        return [r["title"] for r in firm.api.get("/requests", params=params).expect(200).json["items"]]

    assert found(overdue="true") == ["Papers for the quarter"]  # due in October
    assert found(overdue="false") == ["One more thing"]
    assert found(due_from=day(1)) == ["One more thing"]
    assert found(due_to=day(1)) == ["Papers for the quarter"]
    assert found(tag="vip") == []
    assert found(owner="nobody") == []


def test_requests_are_narrowed_by_their_job(firm: Any, job: dict[str, Any]) -> None:
    other = firm.api.post("/jobs", {"client_id": str(firm.client), "title": "Advice", "service": "advice"}).expect(201)
    asked(firm, other.json)
    review = next(s["id"] for s in firm.api.get("/stages").json["items"] if s["name"] == "Review")
    firm.api.post(f"/jobs/{other.json['id']}/move", {"stage_id": review}).expect(200)

    def found(**params: Any) -> list[str]:
        return [r["title"] for r in firm.api.get("/requests", params=params).expect(200).json["items"]]

    assert found(service="advice") == found(stage_id=review) == ["One more thing"]
    assert found(template_id=job["template"]["id"]) == found(service="vat") == ["Papers for the quarter"]
    assert found(service="vat", stage_id=review) == []


def test_requests_are_sorted_by_date_and_by_how_long_they_lie_with_the_client(firm: Any, job: dict[str, Any]) -> None:
    first, second = asked(firm, job, title="Second", due_on=day(9)), asked(firm, job, title="Third", due_on=day(9))
    draft = asked(firm, job, title="Unsent", due_on=day(10), send=False)
    with firm.world.uow(firm.id) as uow:
        older = "UPDATE requests SET waiting_since = waiting_since - interval '2 days' WHERE firm_id = :f AND id = :id"
        uow.session.execute(text(older), {"f": firm.id, "id": UUID(second["id"])})

    def titles(sort: str) -> list[str]:
        listed, cursor = [], None
        while True:
            params = {"sort": sort, "limit": 1} | ({"cursor": cursor} if cursor else {})
            found = firm.api.get("/requests", params=params).expect(200).json
            listed += [r["title"] for r in found["items"]]
            if (cursor := found["next_cursor"]) is None:
                return listed

    by_date = ["Papers for the quarter", "Second", "Third", "Unsent"]
    assert (titles("due_on"), titles("-due_on")) == (by_date, by_date[::-1])
    assert titles("waiting_since") == ["Third", "Papers for the quarter", "Second"]
    firm.api.post(f"/requests/{first['id']}/waive", {"reason": "known"}).expect(200)
    firm.api.post(f"/requests/{draft['id']}/send").expect(200)
    assert titles("waiting_since") == ["Third", "Papers for the quarter", "Unsent"]
    firm.api.get("/requests", params={"sort": "title"}).problem(400, "request_invalid")


def test_the_job_counts_the_client_s_time_once_however_much_lies_with_them(firm: Any, job: dict[str, Any]) -> None:
    second = asked(firm, job)
    with firm.world.uow(firm.id) as uow:
        # Both have lain there for five hours.
        uow.session.execute(
            text("UPDATE jobs SET client_since = client_since - interval '5 hours' WHERE firm_id = :f"), {"f": firm.id}
        )
    assert firm.job(job["id"])["client_hours"] == 5.0
    firm.api.post(f"/requests/{second['id']}/waive", {"reason": "not needed"}).expect(200)
    hand_in(firm, job["requests"][0])
    # From here on it is ours.
    assert firm.job(job["id"])["client_hours"] == 5.0
    with firm.world.uow(firm.id) as uow:
        ours = select(Job.client_since, Job.client_seconds).where(Job.id == UUID(job["id"]))
        since, seconds = uow.session.execute(ours).one()
    assert since is None
    assert 18_000 <= seconds < 18_100
