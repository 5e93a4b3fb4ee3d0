"""Every change reaches open screens: each operation that writes announces something. Whatever is announced is a hint (identity's
`live` hears every event of the bus), so what announces nothing would leave screens as they were."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from chassis import openapi
from praxis.workflow.v1 import events_pb2
from praxis.workflow.v1.events_pb2 import ScheduleChanged, StageChanged
from praxis.workflow.v1.workflow_pb2 import AnswerRequestItemRequest, SubmitRequestRequest
from workflow.app import service

WRITING = ("post", "put", "patch", "delete")
OPERATIONS = {
    o["operationId"].removeprefix("workflow."): o
    for o in openapi.operations(openapi.load(service.root / "openapi.yaml"))
    if o["method"] in WRITING
}

# They answer and change nothing.
READS = {
    "templates.http.preview_template",
    "applications.http.preview",
    "rollouts.http.preview",
    "schedules.http.preview",
    "automations.http.dry_run",
    "capacity.http.what_if",
}


class Made:
    """A firm with one of everything; what a path or body names is made when it is first asked for."""

    def __init__(self, firm: Any, vat: dict[str, Any]) -> None:
        self.firm, self.api, self.vat = firm, firm.api, vat
        self._ids: dict[str, str] = {}
        self.etags: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._ids:
            self._ids[name] = MAKING[name](self)
        return self._ids[name]

    def post(self, path: str, **body: Any) -> str:
        answer = self.api.post(path, body).expect(201)
        if "etag" in answer.headers:
            self.etags[answer.json["id"]] = answer.etag
        return answer.json["id"]

    def job(self) -> dict[str, Any]:
        return self.firm.job(self["job_id"])

    def task(self, key: str) -> dict[str, Any]:
        return next(t for t in self.job()["tasks"] if t["key"] == key)

    def hand_in(self) -> None:
        request = self.firm.request(self.job())
        for item in request["items"]:
            given = {"file": ("", [self["client_id"]]), "yes_no": ("no", []), "text": ("no", [])}[item["kind"]]
            answer, documents = given
            self.firm.portal().call(
                "AnswerRequestItem",
                AnswerRequestItemRequest(
                    request_id=request["id"],
                    item_id=item["id"],
                    outcome="answered",
                    answer=answer,
                    document_ids=documents,
                ),
            )
        self.firm.portal().call("SubmitRequest", SubmitRequestRequest(request_id=request["id"]))

    def run_out(self) -> str:
        """A roll-out that is finished."""
        self["job_id"]
        self.new_version()
        run = self.api.post(f"/templates/{self['template_id']}/roll-out", {}).expect(202).json["id"]
        self.firm.world.run_due(self.firm.id)
        return str(run)

    def refused_run(self) -> str:
        """A run that is finished and has not done everything."""
        former = str(self.firm.client_named("Former Ltd", status="former"))
        body = {"clients": [{"client_id": former}]}
        run = self.api.post(f"/templates/{self['template_id']}/apply", body).expect(202).json["id"]
        self.firm.world.run_due(self.firm.id)
        return str(run)

    def new_version(self) -> None:
        path = f"/templates/{self['template_id']}"
        content = self.vat | {"title": "Another title"}
        self.api.put(f"{path}/draft", content, if_match=self.api.get(path).etag).expect(200)
        self.api.post(f"{path}/publish").expect(200)

    def scheduled(self) -> str:
        body = {
            "template_id": self["template_id"],
            "clients": [{"client_id": self["client_id"]}],
            "rule": {"kind": "months", "every": 3},
            "starts_on": "2099-01-01",
        }
        made = self.api.post("/schedules", body).expect(201).json["items"][0]["schedule"]
        return str(made["id"])


TELL = {"do": "notify", "who": [{"responsible": "job_owner"}], "text": "{job}"}
AUTOMATION = {"name": "A", "trigger": {"on": "job_made"}, "actions": [TELL]}
LEAVE = {"first_day": "2026-12-01"}
ASK = {"title": "More", "items": [{"kind": "text", "label": "?"}]}

MAKING: dict[str, Callable[[Made], str]] = {
    "client_id": lambda m: str(m.firm.client),
    "staff_id": lambda m: str(m.firm.ben),
    "template_id": lambda m: m.firm.publish(m.vat),
    "job_id": lambda m: m.firm.apply(m["template_id"])["id"],
    "other_job": lambda m: m.post("/jobs", client_id=m["client_id"], title="Other"),
    "task_id": lambda m: m.post(f"/jobs/{m['other_job']}/tasks", title="T", checklist=["x"]) and m["the_task"],
    "the_task": lambda m: m.firm.job(m["other_job"])["tasks"][0]["id"],
    "request_id": lambda m: m.firm.request(m.job())["id"],
    "item_id": lambda m: m.firm.request(m.job())["items"][1]["id"],
    "draft_request": lambda m: m.post(f"/jobs/{m['job_id']}/requests", **ASK, send=False),
    "dependency_id": lambda m: m.job()["dependencies"][0]["id"],
    "comment_id": lambda m: m.post(f"/jobs/{m['job_id']}/comments", body="Hello"),
    "stage_id": lambda m: m.post("/stages", name="Waiting room", kind="waiting"),
    "automation_id": lambda m: m.post("/automations", **AUTOMATION),
    "view_id": lambda m: m.post("/views", name="Mine", list="jobs"),
    "feed_id": lambda m: m.post("/feeds", kind="person"),
    "schedule_id": Made.scheduled,
    "run_id": Made.run_out,
    "practice": lambda _: "law",
    "closure_id": lambda m: m.post("/closures", first_day="2026-12-28", name="Closed"),
    "working_week_id": lambda m: m.post(
        "/working-weeks", staff_id=m["staff_id"], from_on="2026-12-01", minutes=[480] * 4 + [0] * 3
    ),
    "leave_id": lambda m: m.post("/leave", staff_id=m["staff_id"], **LEAVE),
}

# What each operation is asked; where something has to be so before, it is done by the function.
ASKED: dict[str, dict[str, Any] | Callable[[Made], dict[str, Any] | None]] = {
    "templates.http.create_template": {"name": "T"},
    "templates.http.change_template": {"name": "Other name"},
    "templates.http.save_draft": {"tasks": [{"key": "a", "title": "A"}]},
    "templates.http.publish_template": lambda m: _draft(m),
    "applications.http.apply": lambda m: {"clients": [{"client_id": m["client_id"]}]},
    "rollouts.http.roll_out": lambda m: (m["job_id"] and m.new_version()) or {},
    "rollouts.http.undo": lambda _: None,
    "runs.http.go_again": lambda m: m._ids.update(run_id=m.refused_run()),
    "schedules.http.create_schedules": lambda m: {
        "template_id": m["template_id"],
        "clients": [{"client_id": m["client_id"]}],
        "rule": {"kind": "months", "every": 3},
        "starts_on": "2099-01-01",
    },
    "schedules.http.change_schedule": {"status": "paused"},
    "schedules.http.decide_period": {"period_start": "2099-01-01", "decision": "skip"},
    "starters.http.take_over": lambda _: None,
    "jobs.http.create_job": lambda m: {"client_id": m["client_id"], "title": "J"},
    "bulk.http.change_jobs": lambda m: {"items": [{"id": m["job_id"]}], "change": {"priority": "high"}},
    "jobs.http.change_job": {"title": "Other"},
    "jobs.http.move_job": lambda m: {"stage_id": m["stage_id"]},
    "jobs.http.move_job_due_date": {"which": "internal", "due_on": "2026-12-24", "reason": "r"},
    "jobs.http.cancel_job": {"reason": "r"},
    "jobs.http.reinstate_job": lambda m: (
        m.api.post(f"/jobs/{m['job_id']}/cancel", {"reason": "r"}).expect(200) and None
    ),
    "tasks.http.add_task": {"title": "T"},
    "tasks.http.add_dependency": lambda m: {"before_id": m.task("prepare")["id"], "after_id": m.task("file")["id"]},
    "tasks.http.remove_dependency": lambda _: None,
    "watching.http.watch_job": {"watching": True},
    "comments.http.add_comment": {"body": "Hello"},
    "comments.http.change_comment": {"body": "Hello again"},
    "comments.http.delete_comment": lambda _: None,
    "requests.http.create_request": ASK,
    "automations.http.create_automation": AUTOMATION,
    "automations.http.change_automation": {"enabled": False},
    "views.http.create_view": {"name": "Mine", "list": "jobs"},
    "views.http.change_view": {"name": "Ours", "shared": True},
    "views.http.delete_view": lambda _: None,
    "stages.http.create_stage": {"name": "Waiting room", "kind": "waiting"},
    "stages.http.change_stage": {"position": 1},
    "stages.http.delete_stage": lambda _: None,
    "feeds.http.create_feed": {"kind": "person"},
    "feeds.http.revoke_feed": lambda _: None,
    "calendars.http.create_closure": {"first_day": "2026-12-28", "name": "Closed"},
    "calendars.http.change_closure": {"last_day": "2026-12-30"},
    "calendars.http.remove_closure": lambda _: None,
    "calendars.http.create_working_week": lambda m: {
        "staff_id": m["staff_id"],
        "from_on": "2026-12-01",
        "minutes": [480] * 7,
    },
    "calendars.http.remove_working_week": lambda _: None,
    "calendars.http.create_leave": lambda m: {"staff_id": m["staff_id"], **LEAVE},
    "calendars.http.change_leave": {"last_day": "2026-12-04"},
    "calendars.http.remove_leave": lambda _: None,
    "bulk.http.change_tasks": lambda m: {"items": [{"id": m["task_id"]}], "change": {"priority": "high"}},
    "tasks.http.change_task": {"title": "Other"},
    "tasks.http.start_task": {},
    "tasks.http.finish_task": lambda m: _ticked(m) and {},
    "tasks.http.reopen_task": lambda m: (
        _ticked(m) and m.api.post(f"/tasks/{m['task_id']}/done").expect(200) and {"reason": "r"}
    ),
    "tasks.http.skip_task": {"reason": "r"},
    "tasks.http.assign_task": lambda m: {"owner_id": m["staff_id"]},
    "tasks.http.move_task_due_date": {"due_on": "2026-12-24", "reason": "r"},
    "tasks.http.move_task": lambda m: {"job_id": m["job_id"]},
    "tasks.http.tick_checklist": lambda m: {
        "key": m.firm.job(m["other_job"])["tasks"][0]["checklist"][0]["key"],
        "done": True,
    },
    "watching.http.watch_task": {"watching": True},
    "requests.http.change_request": {"reminders": {"every_days": 9}},
    "requests.http.send_request": lambda m: m._ids.update(request_id=m["draft_request"]),
    "requests.http.accept_request": lambda m: m.hand_in(),
    "requests.http.return_request": lambda m: m.hand_in() or {"reason": "r"},
    "requests.http.waive_request": {"reason": "r"},
    "requests.http.cancel_request": {"reason": "r"},
    "requests.http.move_request_due_date": {"due_on": "2026-12-24", "reason": "r"},
    "requests.http.accept_item": lambda m: m.hand_in(),
    "requests.http.return_item": lambda m: m.hand_in() or {"reason": "r"},
}


def _draft(made: Made) -> None:
    path = f"/templates/{made['template_id']}"
    made.api.put(f"{path}/draft", made.vat | {"title": "New"}, if_match=made.api.get(path).etag).expect(200)


def _ticked(made: Made) -> bool:
    made["task_id"]
    line = made.firm.job(made["other_job"])["tasks"][0]["checklist"][0]["key"]
    made.api.post(f"/tasks/{made['the_task']}/checklist", {"key": line, "done": True}).expect(200)
    return True


def test_every_operation_that_writes_is_asked_here_or_said_to_change_nothing() -> None:
    assert set(ASKED) | READS == set(OPERATIONS)
    assert set(ASKED) & READS == set()


@pytest.mark.parametrize("name", sorted(ASKED))
def test_what_is_changed_is_told_to_open_screens(firm: Any, vat: dict[str, Any], name: str) -> None:
    made, asked = Made(firm, vat), ASKED[name]
    # What the path names has to be there before.
    path = OPERATIONS[name]["path"]
    for parameter in re.findall(r"{(\w+)}", path):
        made[parameter]
    body = asked(made) if callable(asked) else asked
    path = path.format_map(made)
    method = OPERATIONS[name]["method"].upper()
    subject = path.rpartition("/dependencies")[0] or path.removesuffix("/draft")
    etag = made.etags.get(subject.rpartition("/")[2]) or made.api.get(subject).headers.get("etag")
    before = len(firm.world.events(firm.id))

    answer = firm.api.request(method, path, body, if_match=etag if method != "POST" else None)

    assert answer.status in (200, 201, 202, 204), answer.json
    assert firm.world.events(firm.id)[before:], f"{name} changes something and no screen is told of it"


def test_a_hint_of_a_private_client_s_schedule_names_the_client(firm: Any, vat: dict[str, Any]) -> None:
    """So that only those named on it hear it."""
    made = Made(firm, vat)
    made["schedule_id"]
    (event,) = firm.world.events(firm.id, ScheduleChanged)
    assert (event.schedule_id, event.client_id) == (made["schedule_id"], made["client_id"])


def test_a_refused_change_tells_nobody(firm: Any) -> None:
    firm.api.post("/stages", {"name": "Planned", "kind": "planned"}).problem(409, "stage_name_taken")
    assert firm.world.events(firm.id, StageChanged) == []


def test_what_the_worker_does_is_told_too(firm: Any, vat: dict[str, Any]) -> None:
    """Runs that go on, automations that ran, jobs that come by themselves."""
    made = Made(firm, vat)
    made["automation_id"]
    run = (
        firm.api.post(f"/templates/{made['template_id']}/apply", {"clients": [{"client_id": made["client_id"]}]})
        .expect(202)
        .json
    )
    before = len(firm.world.events(firm.id))
    firm.world.run_due(firm.id)
    told = firm.world.events(firm.id)[before:]
    assert [e.run_id for e in told if isinstance(e, events_pb2.RunChanged)] == [run["id"]]
    assert [e.automation_id for e in told if isinstance(e, events_pb2.AutomationChanged)] == [made["automation_id"]]
