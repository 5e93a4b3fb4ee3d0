"""Automations: when, if, then; by the worker, once; logged; never for ever."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from chassis.testing import Api
from praxis.workflow.v1.events_pb2 import NoticeDue
from praxis.workflow.v1.workflow_pb2 import AnswerRequestItemRequest, SubmitRequestRequest
from workflow.automations import happenings
from workflow.automations.rules import CONDITIONS
from workflow.dates.rules import add_months

TWO: dict[str, Any] = {
    "roles": [{"role": "preparer", "staff_id": None}, {"role": "reviewer", "staff_id": None}],
    "tasks": [
        {"key": "prepare", "title": "Prepare", "role": "preparer"},
        {"key": "review", "title": "Review", "role": "reviewer"},
    ],
    "dependencies": [{"before": "prepare", "after": "review"}],
}
TELL = {"do": "notify", "who": [{"responsible": "job_owner"}], "text": "{step} of {job} for {client}"}
TAG = {"do": "apply_tag", "tag": "seen"}


def day(offset: int) -> str:
    return (date.today() + timedelta(days=offset)).isoformat()  # noqa: DTZ011 (as in test_board)


def automation(firm: Any, on: str, *actions: dict[str, Any], name: str = "Rule", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"name": name, "trigger": {"on": on} | more.pop("trigger", {}), "actions": list(actions)}
    return firm.api.post("/automations", body | more).expect(201).json


def job(firm: Any, title: str = "Advice", *tasks: str, **more: Any) -> dict[str, Any]:
    made = firm.api.post("/jobs", {"client_id": str(firm.client), "title": title} | more).expect(201).json
    for task in tasks:
        firm.api.post(f"/jobs/{made['id']}/tasks", {"title": task}).expect(201)
    return firm.job(made["id"])


def work(firm: Any) -> None:
    """The worker, until nothing is left."""
    while firm.world.run_due(firm.id):
        pass


def runs(firm: Any, api: Api | None = None, **params: Any) -> list[dict[str, Any]]:
    return (api or firm.api).get("/automation-runs", params=params).expect(200).json["items"]


def stage(firm: Any, name: str) -> str:
    return next(s["id"] for s in firm.api.get("/stages").json["items"] if s["name"] == name)


# --- when, if, then --------------------------------------------------------------------------------------------------


def test_what_happens_sets_an_automation_off_in_the_worker_and_is_logged(firm: Any) -> None:
    made = automation(firm, "task_done", TAG, TELL, name="Tell")
    done = job(firm, "Advice", "Write")
    firm.api.post(f"/tasks/{done['tasks'][0]['id']}/done").expect(200)
    assert firm.job(done["id"])["tags"] == []
    work(firm)
    assert firm.job(done["id"])["tags"] == ["seen"]
    (notice,) = firm.world.events(firm.id, NoticeDue)
    assert (list(notice.staff_ids), notice.says) == (
        [str(firm.ada)],
        "Write of Advice for Smith Ltd (automation “Tell”)",
    )
    (run,) = runs(firm)
    assert (run["automation_id"], run["outcome"], run["number"], run["on"], run["step"]) == (
        made["id"], "done", 1, "task_done", "Write",
    )  # fmt: skip
    assert [act["do"] for act in run["acts"]] == ["apply_tag", "notify"]
    tagged = [a for a in firm.world.audit(firm.id) if a.action == "job.changed"]
    assert (tagged[-1].actor_name, tagged[-1].after["tags"]) == ("automation “Tell”", ["seen"])


def test_each_action_does_what_people_could_do(firm: Any) -> None:
    template = firm.publish(TWO, name="Follow-up")
    asks = {"do": "send_request", "title": "More about {job}", "items": [{"kind": "text", "label": "What?"}]}
    automation(
        firm, "stage_entered",
        {"do": "assign", "who": [{"staff_id": str(firm.ben)}], "job": True},
        {"do": "assign", "who": [{"role": "reviewer"}], "task_key": "prepare"},
        {"do": "set_date", "which": "internal", "after": {"amount": 2, "unit": "weeks"}},
        {"do": "create_task", "title": "Call {client}", "who": [{"responsible": "client_partner"}], "due_after": {"amount": 1, "unit": "days"}},
        {"do": "create_job", "template_id": template},
        asks,
        trigger={"stage_id": stage(firm, "Review")},
    )  # fmt: skip
    first = firm.apply(firm.publish(TWO, name="Work"), people=[{"role": "reviewer", "staff_id": str(firm.eve)}])
    firm.api.post(f"/jobs/{first['id']}/move", {"stage_id": stage(firm, "Review")}).expect(200)
    work(firm)
    (run,) = runs(firm)
    assert run["outcome"] == "done", run
    now = firm.job(first["id"])
    assert now["owner"]["id"] == str(firm.ben)
    assert firm.task(first, "prepare")["owner"]["name"] == "Eve"
    assert now["internal_due_on"] == day(14)
    (call,) = [t for t in now["tasks"] if t["title"] == "Call Smith Ltd"]
    assert (call["owner"]["name"], call["due_on"]) == ("Eve", day(1))
    assert [r["title"] for r in now["requests"]] == [f"More about {first['title']}"]
    titles = {j["title"] for j in firm.api.get("/jobs").json["items"]}
    assert titles == {"Work, Q3 2026", "Follow-up, Q3 2026"}


def test_conditions_pass_over_what_they_do_not_mean_and_say_so(firm: Any) -> None:
    automation(firm, "job_made", TAG, conditions=[{"field": "service", "is": ["vat"]}])
    vat, other = job(firm, "A", service="vat"), job(firm, "B", service="audit")
    work(firm)
    assert (firm.job(vat["id"])["tags"], firm.job(other["id"])["tags"]) == (["seen"], [])
    assert [(r["job"]["title"], r["says"]) for r in runs(firm, outcome="not_met")] == [("B", "service is not vat.")]


def test_blocked_and_unblocked_are_told_apart(firm: Any) -> None:
    automation(firm, "task_unblocked", {"do": "apply_tag", "tag": "free"}, trigger={"task_key": "review"}, name="Free")
    automation(firm, "task_blocked", {"do": "apply_tag", "tag": "stuck"}, name="Stuck")
    made = firm.apply(firm.publish(TWO))
    work(firm)
    assert firm.job(made["id"])["tags"] == []  # made blocked is no news
    prepare = firm.task(made, "prepare")["id"]
    firm.api.post(f"/tasks/{prepare}/done").expect(200)
    work(firm)
    assert firm.job(made["id"])["tags"] == ["free"]
    firm.api.post(f"/tasks/{prepare}/reopen", {"reason": "?"}).expect(200)
    work(firm)
    assert firm.job(made["id"])["tags"] == ["free", "stuck"]


def answer(firm: Any, made: dict[str, Any]) -> None:
    """The client hands in the papers."""
    portal, request = firm.portal(), firm.request(made)
    bank, abroad, _ = (item["id"] for item in request["items"])
    portal.call(
        "AnswerRequestItem",
        AnswerRequestItemRequest(request_id=request["id"], item_id=bank, document_ids=[str(uuid4())]),
    )
    portal.call("AnswerRequestItem", AnswerRequestItemRequest(request_id=request["id"], item_id=abroad, answer="no"))
    portal.call("SubmitRequest", SubmitRequestRequest(request_id=request["id"]))


def test_requests_tasks_and_statuses_set_automations_off(firm: Any, vat: dict[str, Any]) -> None:
    kinds = ("request_sent", "request_submitted", "request_returned", "request_accepted", "task_started", "task_done")
    for on in kinds:
        automation(firm, on, {"do": "apply_tag", "tag": on}, name=on)
    turned = {"do": "apply_tag", "tag": "turned"}
    automation(firm, "status_turned", turned, trigger={"status": "done"}, name="Done")
    automation(firm, "status_turned", {"do": "apply_tag", "tag": "lost"}, trigger={"status": "cancelled"}, name="Lost")
    made = firm.apply(firm.publish(vat))
    path, seen = f"/requests/{firm.request(made)['id']}", []

    def now() -> list[str]:
        """What the automations have made of it: the tags that are new."""
        work(firm)
        tags = firm.job(made["id"])["tags"]
        new, seen[:] = [tag for tag in tags if tag not in seen], tags
        return new

    assert now() == ["request_sent"]
    answer(firm, made)
    assert now() == ["request_submitted"]
    firm.api.post(f"{path}/return", {"reason": "August is missing"}).expect(200)
    assert now() == ["request_returned"]
    answer(firm, made)
    firm.api.post(f"{path}/accept").expect(200)
    assert now() == ["request_accepted"]
    tasks = [task["id"] for task in made["tasks"]]
    firm.api.post(f"/tasks/{tasks[0]}/start").expect(200)
    assert now() == ["task_started"]
    firm.api.post(f"/tasks/{tasks[0]}/done").expect(200)
    assert now() == ["task_done"]
    for task in tasks[1:]:
        firm.api.post(f"/tasks/{task}/done").expect(200)
    assert now() == ["turned"]
    done = Counter(run["on"] for run in runs(firm, outcome="done"))
    assert done == Counter(kinds) + Counter(["request_submitted", "task_done", "task_done", "status_turned"])


def test_every_condition_tells_what_is_so_from_what_is_not(firm: Any, vat: dict[str, Any]) -> None:
    client = firm.client_named("Tagged Ltd", tags=["vip", "farm"], manager_id=str(firm.ada))
    template, other = firm.publish(vat), firm.publish(TWO, name="Other")
    made = firm.apply(template, client_id=str(client), owner_id=str(firm.ben))
    firm.api.patch(f"/jobs/{made['id']}", {"tags": ["late"]}, if_match=made["version"]).expect(200)
    firm.api.post(f"/requests/{firm.request(made)['id']}/waive", {"reason": "known"}).expect(200)
    firm.api.post(f"/tasks/{made['tasks'][0]['id']}/done").expect(200)
    status = firm.job(made["id"])["status"]
    pairs = {  # what is so, and what is not
        "service": ("vat", "audit"),
        "template": (template, other),
        "stage": (stage(firm, "Planned"), stage(firm, "Review")),
        "status": (status, next(s for s in ("blocked", "on_track") if s != status)),
        "owner": (str(firm.ben), str(firm.ada)),
        "client": (str(client), str(firm.client)),
        "client_status": ("active", "prospect"),
        "client_tag": ("farm", "quiet"),
        "job_tag": ("late", "early"),
        "task_key": ("prepare", "review"),
        "task_role": ("preparer", "reviewer"),
        "request_key": ("papers", "other"),
    }
    assert set(pairs) == set(CONDITIONS)
    for about, (so, not_so) in pairs.items():
        on = "request_sent" if about == "request_key" else "task_done"
        for condition, runs_then in (
            ({"is": [so]}, True), ({"is": [not_so]}, False), ({"is": [not_so, so]}, True),
            ({"is_not": [so]}, False), ({"is_not": [not_so]}, True), ({"is_not": [not_so, so]}, False),
        ):  # fmt: skip
            trial = {"trigger": {"on": on}, "conditions": [{"field": about} | condition], "actions": [TAG]}
            (seen,) = firm.api.post("/automation-dry-runs", trial).expect(200).json["items"]
            assert seen["would_run"] is runs_then, (about, condition, seen["why_not"])


def test_every_date_is_set_a_draft_is_sent_and_who_is_responsible_is_given_what_happened(
    firm: Any, vat: dict[str, Any]
) -> None:
    vat["requests"][0]["send"] = "by_hand"
    vat["dependencies"] = vat["dependencies"][1:]
    template = firm.publish(vat)

    def date_of(which: str, amount: int, unit: str, **more: Any) -> dict[str, Any]:
        return {"do": "set_date", "which": which, "after": {"amount": amount, "unit": unit}} | more

    automation(
        firm, "task_done",
        date_of("statutory", 1, "months"),
        date_of("extended", 2, "months"),
        date_of("task", 9, "days", task_key="file"),
        {"do": "send_request", "request_key": "papers"},
        {"do": "create_task", "title": "Look again", "role": "reviewer", "budget_minutes": 15},
        trigger={"task_key": "prepare"},
    )  # fmt: skip
    automation(
        firm, "task_unblocked",
        {"do": "assign", "who": [{"responsible": "client_partner"}]},
        date_of("task", 3, "days"),
        trigger={"task_key": "review"}, name="Next",
    )  # fmt: skip
    made = firm.apply(template)
    today = date.fromisoformat(firm.api.get("/board").json["today"])
    assert firm.request(made)["status"] == "draft"
    firm.api.post(f"/tasks/{firm.task(made, 'prepare')['id']}/done").expect(200)
    work(firm)
    assert {run["outcome"] for run in runs(firm)} == {"done"}, runs(firm)
    now = firm.job(made["id"])
    assert (now["statutory_due_on"], now["extended_due_on"]) == (
        add_months(today, 1).isoformat(),
        add_months(today, 2).isoformat(),
    )
    assert firm.request(made)["status"] == "sent"
    filed, review = firm.task(made, "file"), firm.task(made, "review")
    assert (filed["due_on"], filed["due_pinned"]) == ((today + timedelta(days=9)).isoformat(), True)
    assert (review["owner"]["name"], review["due_on"]) == ("Eve", (today + timedelta(days=3)).isoformat())
    (again,) = [task for task in now["tasks"] if task["title"] == "Look again"]
    assert (again["role"], again["owner"]["name"], again["budget_minutes"]) == ("reviewer", "Ada", 15)
    assert "automation “Rule”" in {move["reason"] for move in now["due_moves"]}
    # Done once more there is no draft left to send, and it says so.
    firm.api.post(f"/tasks/{firm.task(made, 'prepare')['id']}/reopen", {"reason": "?"}).expect(200)
    firm.api.post(f"/tasks/{firm.task(made, 'prepare')['id']}/done").expect(200)
    work(firm)
    assert "There is no such request left to send." in {act["says"] for run in runs(firm) for act in run["acts"]}


def test_a_failed_action_undoes_the_others_and_the_log_says_why(firm: Any) -> None:
    automation(firm, "task_done", TAG, TELL, {"do": "move_stage", "stage_id": stage(firm, "Done")}, trigger={})
    made = job(firm, "Advice", "One", "Two")
    firm.api.post(f"/tasks/{made['tasks'][0]['id']}/done").expect(200)
    before = firm.job(made["id"])
    work(firm)
    assert firm.job(made["id"]) == before
    assert firm.world.events(firm.id, NoticeDue) == []
    (run,) = runs(firm)
    assert (run["outcome"], run["acts"][0]["code"]) == ("failed", "job_has_open_tasks")


def test_one_switched_off_meanwhile_does_nothing(firm: Any) -> None:
    made = automation(firm, "job_made", TAG)
    waiting = job(firm)
    firm.api.patch(f"/automations/{made['id']}", {"enabled": False}, if_match=made["version"]).expect(200)
    work(firm)
    assert (firm.job(waiting["id"])["tags"], runs(firm)) == ([], [])


# --- the calendar ----------------------------------------------------------------------------------------------------


def test_a_date_that_comes_near_is_found_once_for_each_date(firm: Any) -> None:
    automation(firm, "due_near", TAG, trigger={"days": 3, "of": "job"}, name="Job near")
    automation(firm, "due_near", TELL, trigger={"days": 3, "of": "task"}, name="Task near")
    near = job(firm, "Near", "Write", internal_due_on=day(2))
    job(firm, "Far", internal_due_on=day(9))
    firm.api.post(f"/tasks/{near['tasks'][0]['id']}/due_date", {"due_on": day(3), "reason": "?"}).expect(200)
    work(firm)
    assert sorted((r["name"], r["job"]["title"]) for r in runs(firm, outcome="done")) == [
        ("Job near", "Near"), ("Task near", "Near"),
    ]  # fmt: skip
    for _ in range(2):  # looked for again, not found again
        with firm.world.uow(firm.id) as uow:
            uow.later("automation_calendar", firm.id)
        work(firm)
    assert len(runs(firm, outcome="done")) == 2
    move = {"which": "internal", "due_on": day(1), "reason": "sooner"}
    firm.api.post(f"/jobs/{near['id']}/due_date", move).expect(200)
    with firm.world.uow(firm.id) as uow:
        uow.later("automation_calendar", firm.id)
    work(firm)
    assert len(runs(firm, outcome="done")) == 3


def test_a_request_that_is_overdue_is_found(firm: Any, vat: dict[str, Any]) -> None:
    automation(firm, "request_overdue", TELL, trigger={"request_key": "papers"})
    firm.apply(firm.publish(vat))  # due on 5 October 2026
    work(firm)
    (notice,) = firm.world.events(firm.id, NoticeDue)
    assert notice.says == "Papers for the quarter of VAT return, Q3 2026 for Smith Ltd (automation “Rule”)"


def test_a_request_that_expires_sets_automations_off(firm: Any) -> None:
    automation(firm, "request_expired", TAG, name="Expired")
    made = job(firm, "Advice", "One")
    body = {"title": "One more thing", "items": [{"kind": "text", "label": "?"}], "expires_on": day(2)}
    assert firm.api.post(f"/jobs/{made['id']}/requests", body).expect(201).json["status"] == "sent"
    work(firm)
    assert firm.job(made["id"])["tags"] == []
    (turn,) = [row for row in firm.world.due(firm.id) if row.kind == "job_turn" and row.done_at is None]
    firm.world.run_due(firm.id, at=turn.run_at)
    work(firm)
    assert firm.job(made["id"])["tags"] == ["seen"]
    assert [(r["name"], r["on"]) for r in runs(firm, outcome="done")] == [("Expired", "request_expired")]


# --- in templates ----------------------------------------------------------------------------------------------------


def test_a_template_s_automations_are_its_jobs_and_stay_those_of_their_version(firm: Any) -> None:
    carried = {"key": "tag", "name": "Tag it", "trigger": {"on": "task_done", "task_key": "prepare"}, "actions": [TAG]}
    template = firm.publish(TWO | {"automations": [carried]})
    with_it = firm.apply(template)
    draft = firm.api.get(f"/templates/{template}").expect(200)
    assert draft.json["draft"]["automations"][0]["name"] == "Tag it"
    saved = firm.api.put(f"/templates/{template}/draft", TWO, if_match=draft.etag).expect(200)
    assert saved.json["draft_differs"] is True
    firm.api.post(f"/templates/{template}/publish").expect(200)
    without = firm.apply(template, again=True)
    unrelated = firm.apply(firm.publish(TWO, name="Other"))
    for made in (with_it, without, unrelated):
        firm.api.post(f"/tasks/{firm.task(made, 'prepare')['id']}/done").expect(200)
    work(firm)
    assert [firm.job(j["id"])["tags"] for j in (with_it, without, unrelated)] == [["seen"], [], []]
    (run,) = runs(firm)
    assert (run["template_id"], run["automation_id"], run["number"], run["name"]) == (template, None, 1, "Tag it")


@pytest.mark.parametrize(
    ("automation", "code", "pointer"),
    [
        ({"trigger": {"on": "task_done", "task_key": "gone"}, "actions": [TAG]}, "unknown_step", "/automations/0/trigger/task_key"),
        ({"trigger": {"on": "job_made"}, "actions": [TELL | {"who": [{"role": "gone"}]}]}, "unknown_role", "/automations/0/actions/0/who/0/role"),
        ({"trigger": {"on": "job_lost"}, "actions": [TAG]}, "unknown_trigger", "/automations/0/trigger/on"),
    ],
)  # fmt: skip
def test_a_template_s_automation_is_checked_with_it(firm: Any, automation: Any, code: str, pointer: str) -> None:
    content = TWO | {"automations": [{"key": "a", "name": "A"} | automation]}
    refused = firm.api.post("/templates", {"name": "T", "content": content}).problem(422, code)
    assert refused.json["pointer"] == pointer


def test_a_template_without_automations_is_saved_as_before(firm: Any) -> None:
    template = firm.publish(TWO)
    seen = firm.api.get(f"/templates/{template}").expect(200)
    saved = firm.api.put(f"/templates/{template}/draft", TWO, if_match=seen.etag).expect(200).json
    assert (saved["draft_differs"], "automations" in saved["draft"]) == (False, False)


# --- versions, trying ------------------------------------------------------------------------------------------------


def test_a_change_is_a_new_version_and_the_log_names_the_one_that_ran(firm: Any) -> None:
    made = automation(firm, "job_made", TAG)
    job(firm, "First")
    work(firm)
    changed = firm.api.patch(
        f"/automations/{made['id']}", {"actions": [{"do": "apply_tag", "tag": "other"}]}, if_match=made["version"]
    ).expect(200)
    assert (changed.json["number"], [v["number"] for v in changed.json["versions"]]) == (2, [2, 1])
    renamed = firm.api.patch(f"/automations/{made['id']}", {"name": "New"}, if_match=changed.etag).expect(200)
    assert renamed.json["number"] == 2
    second = job(firm, "Second")
    work(firm)
    assert firm.job(second["id"])["tags"] == ["other"]
    assert [r["number"] for r in runs(firm)] == [2, 1]
    firm.api.patch(f"/automations/{made['id']}", {"name": "Lost"}, if_match=made["version"]).problem(
        412, "version_conflict"
    )
    gone = firm.api.patch(f"/automations/{made['id']}", {"archived": True}, if_match=renamed.etag).expect(200)
    assert gone.json["enabled"] is False
    assert firm.api.get("/automations").json["items"] == []
    firm.api.patch(f"/automations/{made['id']}", {"enabled": True}, if_match=gone.etag).problem(
        409, "automation_archived"
    )


def test_a_dry_run_shows_what_would_have_been_done_and_does_nothing(firm: Any) -> None:
    done = job(firm, "Advice", "Write", service="vat")
    other = job(firm, "Else", "Write", service="audit")
    for each in (done, other):
        firm.api.post(f"/tasks/{each['tasks'][0]['id']}/done").expect(200)
    before, audited = firm.job(done["id"]), len(firm.world.audit(firm.id))
    move = {"do": "move_stage", "stage_id": stage(firm, "Review")}
    trial = {
        "trigger": {"on": "task_done"},
        "conditions": [{"field": "service", "is": ["vat"]}],
        "actions": [TELL, TAG, move],
    }
    seen = firm.api.post("/automation-dry-runs", trial).expect(200).json
    assert (seen["looked_at"], seen["would_run"], seen["more"]) == (2, 1, False)
    passed, would = seen["items"]
    assert (passed["would_run"], passed["why_not"]) == (False, "service is not vat.")
    assert [act["says"] for act in would["acts"]] == [
        "Tell Ada: Write of Advice for Smith Ltd", "Tag the job “seen”.", "Move the job to Review.",
    ]  # fmt: skip
    work(firm)
    assert (firm.job(done["id"]), len(firm.world.audit(firm.id)), runs(firm)) == (before, audited, [])
    saved = automation(firm, "task_done", TAG, enabled=False)
    again = firm.api.post("/automation-dry-runs", {"automation_id": saved["id"], "from": day(-1), "to": day(0)}).expect(
        200
    )
    assert again.json["would_run"] == 2


def test_a_dry_run_over_an_absurd_span_is_refused(firm: Any) -> None:
    trial = {"trigger": {"on": "job_made"}, "actions": [TAG]}
    firm.api.post("/automation-dry-runs", trial | {"from": "1999-01-01"}).problem(422, "span_too_long")
    firm.api.post("/automation-dry-runs", trial | {"from": day(1), "to": day(0)}).problem(422, "span_invalid")
    firm.api.post("/automation-dry-runs", trial | {"from": "0001-01-01"}).problem(422, "date_out_of_range")
    firm.api.post("/automation-dry-runs", {}).problem(422, "content_missing")
    firm.api.post("/automation-dry-runs", {"automation_id": str(uuid4())}).problem(404, "automation_not_found")


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"trigger": {"on": "job_sold"}, "actions": [TAG]}, "unknown_trigger"),
        ({"trigger": {"on": "job_made"}, "actions": [{"do": "explode"}]}, "unknown_action"),
        ({"trigger": {"on": "job_made"}, "actions": [{"do": "notify", "text": "x"}]}, "action_incomplete"),
        ({"trigger": {"on": "job_made"}, "actions": [TAG], "conditions": [{"field": "mood", "is": ["x"]}]}, "unknown_condition"),
        ({"trigger": {"on": "job_made"}, "actions": [TAG], "conditions": [{"field": "service"}]}, "condition_incomplete"),
        ({"trigger": {"on": "job_made"}, "actions": [TAG], "conditions": [{"field": "status", "is": ["lost"]}]}, "unknown_status"),
        ({"trigger": {"on": "job_made"}, "actions": [TAG], "conditions": [{"field": "owner", "is": ["ada"]}]}, "id_invalid"),
        ({"trigger": {"on": "job_made"}, "actions": [TELL | {"who": [{"staff_id": str(uuid4())}]}]}, "unknown_staff"),
        ({"trigger": {"on": "job_made"}, "actions": [TELL | {"who": [{"role": "wizard"}]}]}, "unknown_role"),
        ({"trigger": {"on": "stage_entered", "stage_id": str(uuid4())}, "actions": [TAG]}, "unknown_stage"),
        ({"trigger": {"on": "job_made"}, "actions": [{"do": "move_stage", "stage_id": str(uuid4())}]}, "unknown_stage"),
        ({"trigger": {"on": "task_done"}, "actions": [{"do": "create_job", "template_id": str(uuid4())}]}, "unknown_template"),
        ({"trigger": {"on": "job_made"}, "actions": [{"do": "send_request", "title": "?", "items": [{"kind": "choice", "label": "?"}]}]}, "choices_missing"),
    ],
)  # fmt: skip
def test_what_is_unknown_or_incomplete_is_refused_and_nothing_is_kept(
    firm: Any, body: dict[str, Any], code: str
) -> None:
    firm.api.post("/automations", {"name": "Bad"} | body).problem(422, code)
    assert firm.api.get("/automations").json["items"] == []
    assert not [a for a in firm.world.audit(firm.id) if a.action.startswith("automation")]
    firm.api.post("/automation-dry-runs", body).problem(422, code)


def test_whoever_may_not_change_automations_may_see_them(firm: Any) -> None:
    made = automation(firm, "job_made", TAG)
    staff = firm.as_(firm.ben, permissions=["workflow:automations:read"])
    staff.get(f"/automations/{made['id']}").expect(200)
    staff.post("/automations", {"name": "x", "trigger": {"on": "job_made"}, "actions": [TAG]}).problem(
        403, "permission_missing"
    )
    stranger = firm.world.api(firm.world.firm())
    stranger.get(f"/automations/{made['id']}").problem(404, "automation_not_found")


# --- loops -----------------------------------------------------------------------------------------------------------


def test_one_that_would_set_itself_off_is_refused_at_saving(firm: Any) -> None:
    review, planned = stage(firm, "Review"), stage(firm, "Planned")
    itself = {
        "name": "Again",
        "trigger": {"on": "stage_entered"},
        "actions": [TAG, {"do": "move_stage", "stage_id": review}],
    }
    refused = firm.api.post("/automations", itself).problem(422, "automation_triggers_itself")
    assert refused.json["pointer"] == "/actions/1"
    there = automation(
        firm, "stage_entered", {"do": "move_stage", "stage_id": planned}, trigger={"stage_id": review}, name="There"
    )
    back = {
        "name": "Back",
        "trigger": {"on": "stage_entered", "stage_id": planned},
        "actions": [{"do": "move_stage", "stage_id": review}],
    }
    refused = firm.api.post("/automations", back).problem(422, "automation_loop")
    assert refused.json["path"] == ["Back", "There", "Back"]
    off = firm.api.post("/automations", back | {"enabled": False}).expect(201)
    firm.api.patch(off.json and f"/automations/{off.json['id']}", {"enabled": True}, if_match=off.etag).problem(
        422, "automation_loop"
    )
    firm.api.patch(f"/automations/{there['id']}", {"enabled": False}, if_match=there["version"]).expect(200)
    firm.api.patch(f"/automations/{off.json['id']}", {"enabled": True}, if_match=off.etag).expect(200)


def test_one_that_the_calendar_would_set_off_for_ever_is_refused_at_saving(firm: Any) -> None:
    later = {"do": "set_date", "which": "extended", "after": {"amount": 1, "unit": "months"}}
    postpone = {
        "name": "Postpone",
        "trigger": {"on": "due_near", "days": 3, "of": "job"},
        "conditions": [{"field": "job_tag", "is_not": ["postponed"]}],
        "actions": [later],
    }
    refused = firm.api.post("/automations", postpone).problem(422, "automation_triggers_itself")
    assert refused.json["pointer"] == "/actions/0"
    assert firm.api.get("/automations").json["items"] == []
    carried = {"key": "chase", "name": "Chase", "trigger": {"on": "due_near", "days": 3, "of": "task"}}
    carried |= {"actions": [{"do": "create_task", "title": "Chase", "due_after": {"amount": 1, "unit": "days"}}]}
    content = TWO | {"automations": [carried]}
    firm.api.post("/templates", {"name": "T", "content": content}).problem(422, "automation_triggers_itself")
    # Once for a job it is what one would want: the tag that it gives keeps it from going on.
    once = postpone | {"actions": [later, {"do": "apply_tag", "tag": "postponed"}]}
    firm.api.post("/automations", once).expect(201)
    near = job(firm, "Near", internal_due_on=day(2))
    work(firm)
    assert (firm.job(near["id"])["extended_due_on"] is not None, firm.job(near["id"])["tags"]) == (True, ["postponed"])
    move = {"which": "internal", "due_on": day(1), "reason": "sooner"}
    firm.api.post(f"/jobs/{near['id']}/due_date", move).expect(200)
    with firm.world.uow(firm.id) as uow:
        uow.later("automation_calendar", firm.id)
    work(firm)
    assert [r["outcome"] for r in runs(firm)] == ["not_met", "done"]


def test_a_loop_that_could_not_be_seen_is_stopped_and_logged(firm: Any) -> None:
    template = firm.publish(TWO, name="Follow-up")
    automation(firm, "status_turned", {"do": "create_job", "template_id": template, "same_period": False}, name="B")
    made = job(firm, "Advice")
    with firm.world.uow(firm.id) as uow:  # as if a job made by B had turned again because of B
        row = uow.session.execute(text("SELECT id, client_id FROM jobs WHERE id = :id"), {"id": UUID(made["id"])}).one()
        b = uow.session.execute(text("SELECT id::text FROM automations WHERE name = 'B'")).scalar_one()
        facts = {"status": "overdue"}
        with happenings.caused_by([b]):
            happenings.note(uow, [(row.id, row.client_id, "status_turned", "job", row.id, facts)])
        with happenings.caused_by([str(uuid4()) for _ in range(5)]):
            happenings.note(uow, [(row.id, row.client_id, "status_turned", "job", row.id, facts)])
    work(firm)
    stopped = runs(firm, outcome="stopped")
    assert sorted((r["name"], r["depth"], r["says"]) for r in stopped) == [
        ("B", 1, "It has led to this itself."),
        ("B", 5, "5 automations have set each other off; the next one is stopped."),
    ]
    assert [j["title"] for j in firm.api.get("/jobs").json["items"]] == ["Advice"]


def test_what_one_automation_does_sets_others_off_and_carries_its_cause(firm: Any) -> None:
    review = stage(firm, "Review")
    automation(firm, "job_made", {"do": "move_stage", "stage_id": review}, name="First")
    automation(firm, "stage_entered", TAG, trigger={"stage_id": review}, name="Second")
    made = job(firm)
    work(firm)
    assert firm.job(made["id"])["tags"] == ["seen"]
    assert [(r["name"], r["depth"]) for r in runs(firm)] == [("Second", 1), ("First", 0)]


# --- private clients -------------------------------------------------------------------------------------------------


def test_a_private_client_s_runs_are_hidden_and_nobody_unnamed_is_told(firm: Any) -> None:
    secret = firm.client_named("Secret GmbH", visible_to=[firm.ada])
    automation(firm, "job_made", TELL | {"who": [{"staff_id": str(firm.ada)}, {"staff_id": str(firm.ben)}]})
    job(firm, "Hush", client_id=str(secret))
    work(firm)
    (notice,) = firm.world.events(firm.id, NoticeDue)
    assert list(notice.staff_ids) == [str(firm.ada)]
    assert len(runs(firm)) == 1
    stranger = firm.as_(firm.ben)
    assert runs(firm, stranger) == []
    trial = stranger.post("/automation-dry-runs", {"trigger": {"on": "job_made"}, "actions": [TAG]}).expect(200).json
    assert (trial["looked_at"], trial["items"]) == (0, [])
