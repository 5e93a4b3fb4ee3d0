"""Many at once, moved to another job, grouped, kept as views: each holds by itself, and a private client stays hidden."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.db import new_id
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged
from praxis.workflow.v1.events_pb2 import JobChanged, TaskChanged
from workflow.jobs.usecases import tell_stage

CHAIN: dict[str, Any] = {
    "tasks": [
        {"key": "a", "title": "First", "budget_minutes": 60},
        {"key": "b", "title": "Second", "checklist": ["x"]},
    ],
    "dependencies": [{"before": "a", "after": "b"}],
}


def day(offset: int) -> str:
    return (date.today() + timedelta(days=offset)).isoformat()  # noqa: DTZ011 (offsets allow for a day at midnight)


@pytest.fixture
def job(firm: Any) -> dict[str, Any]:
    return firm.apply(firm.publish(CHAIN, name="Chain"))


def items(*things: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": thing["id"]} for thing in things]


def tasks(firm: Any, things: list[dict[str, Any]], **change: Any) -> dict[str, Any]:
    return firm.api.post("/tasks/bulk", {"items": things, "change": change}).expect(200).json


def jobs(firm: Any, things: list[dict[str, Any]], **change: Any) -> dict[str, Any]:
    return firm.api.post("/jobs/bulk", {"items": things, "change": change}).expect(200).json


def ad_hoc(firm: Any, title: str, api: Any = None, **more: Any) -> dict[str, Any]:
    body = {"client_id": str(firm.client), "title": title} | more
    return (api or firm.api).post("/jobs", body).expect(201).json


# --- tasks -----------------------------------------------------------------------------------------------------------


def test_many_tasks_change_and_each_says_what_became_of_it(firm: Any, job: dict[str, Any]) -> None:
    first, second = job["tasks"]
    absent = {"id": str(uuid4())}
    done = tasks(firm, items(second, first, absent), act={"what": "finish"}, owner_id=str(firm.ben), priority="high")
    assert (done["done"], done["failed"]) == (1, 2)
    assert [(i["id"], i["done"], i["code"]) for i in done["items"]] == [
        (second["id"], False, "checklist_open"),  # the first is done, so it may begin
        (first["id"], True, None),
        (absent["id"], False, "task_not_found"),
    ]
    now = {t["title"]: t for t in firm.job(job["id"])["tasks"]}
    assert (now["First"]["status"], now["First"]["owner"]["name"], now["First"]["priority"]) == ("done", "Ben", "high")
    assert done["items"][1]["version"] == now["First"]["version"]
    # What was refused has changed in nothing, though part of it would have been possible.
    assert (now["Second"]["owner"], now["Second"]["priority"], now["Second"]["blocked"]) == (None, "normal", False)


def test_dates_move_together_with_one_reason(firm: Any, job: dict[str, Any]) -> None:
    moved = tasks(firm, items(*job["tasks"]), due={"due_on": day(30), "reason": "the office is closed"})
    assert moved["failed"] == 0
    now = firm.job(job["id"])
    assert {(t["due_on"], t["due_pinned"], t["due_moves"]) for t in now["tasks"]} == {(day(30), True, 1)}
    assert {m["reason"] for m in now["due_moves"]} == {"the office is closed"}
    assert now["version"] == job["version"] + 1


def test_a_task_seen_in_an_older_version_is_refused_alone(firm: Any, job: dict[str, Any]) -> None:
    first, second = job["tasks"]
    firm.api.patch(f"/tasks/{first['id']}", {"title": "Renamed"}, if_match=first["version"]).expect(200)
    named = [{"id": t["id"], "version": t["version"]} for t in (first, second)]
    found = tasks(firm, named, priority="low")
    assert [(i["done"], i["code"]) for i in found["items"]] == [(False, "version_conflict"), (True, None)]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"owner_id": str(uuid4())}, 422, "unknown_staff"),
        ({"due": {"due_on": "1899-12-31", "reason": "slip"}}, 422, "date_out_of_range"),
        ({"due": {"due_on": "2026-02-30", "reason": "slip"}}, 400, "request_invalid"),
        ({"act": {"what": "reopen"}}, 422, "reason_missing"),
        ({"act": {"what": "explode"}}, 400, "request_invalid"),
        ({}, 400, "request_invalid"),
    ],
)
def test_what_is_wrong_for_all_refuses_the_whole(
    firm: Any, job: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    body = {"items": items(*job["tasks"]), "change": change}
    firm.api.post("/tasks/bulk", body).problem(status, code)
    assert firm.job(job["id"])["version"] == job["version"]


def test_more_than_500_at_once_and_one_named_twice_are_refused(firm: Any, job: dict[str, Any]) -> None:
    first = items(job["tasks"][0])
    many = [*first, *({"id": str(uuid4())} for _ in range(500))]
    for path in ("/tasks/bulk", "/jobs/bulk"):
        firm.api.post(path, {"items": many, "change": {"priority": "low"}}).problem(400, "request_invalid")
        firm.api.post(path, {"items": first * 2, "change": {"priority": "low"}}).problem(422, "item_repeated")
    assert firm.job(job["id"])["version"] == job["version"]


def test_500_tasks_change_in_one_call(firm: Any) -> None:
    content = {"tasks": [{"key": f"t{i}", "title": f"Task {i}"} for i in range(50)]}
    template = firm.publish(content, name="Fifty")
    made = [firm.apply(template, again=True) for _ in range(10)]
    every = [task for each in made for task in each["tasks"]]
    assert tasks(firm, items(*every), owner_id=str(firm.ben), act={"what": "finish"})["done"] == 500
    assert {firm.job(each["id"])["status"] for each in made} == {"done"}
    changed = [e.task_id for e in firm.world.events(firm.id, TaskChanged) if e.status == "done"]
    assert len(changed) == len(set(changed)) == 500


# --- jobs ------------------------------------------------------------------------------------------------------------


def test_many_jobs_move_and_those_that_can_not_say_why(firm: Any, job: dict[str, Any]) -> None:
    empty, cancelled = ad_hoc(firm, "Empty"), ad_hoc(firm, "Dropped")
    firm.api.post(f"/jobs/{cancelled['id']}/cancel", {"reason": "?"}).expect(200)
    done = next(s["id"] for s in firm.api.get("/stages").json["items"] if s["kind"] == "done")
    found = jobs(firm, items(job, empty, cancelled, {"id": str(uuid4())}), stage_id=done, owner_id=str(firm.ben))
    assert [i["code"] for i in found["items"]] == ["job_has_open_tasks", None, "job_cancelled", "job_not_found"]
    assert firm.job(empty["id"])["status"] == "done"
    assert firm.job(job["id"]) | {"forecast": None} == job | {"forecast": None}
    firm.api.post("/jobs/bulk", {"items": items(job), "change": {"stage_id": str(uuid4())}}).problem(
        404, "stage_not_found"
    )


def test_jobs_are_given_to_somebody_postponed_and_cancelled_at_once(firm: Any) -> None:
    made = [ad_hoc(firm, f"Job {i}") for i in range(3)]
    due = {"which": "internal", "due_on": day(40), "reason": "agreed"}
    assert jobs(firm, items(*made), owner_id=str(firm.eve), priority="urgent", due=due)["done"] == 3
    now = [firm.job(j["id"]) for j in made]
    assert {(j["owner"]["name"], j["priority"], j["due_on"]) for j in now} == {("Eve", "urgent", day(40))}
    assert jobs(firm, items(*made), cancel="the client has left")["done"] == 3
    assert {firm.job(j["id"])["cancel_reason"] for j in made} == {"the client has left"}


def test_a_private_client_s_jobs_and_tasks_are_not_there_for_who_is_not_named(firm: Any) -> None:
    client = firm.client_named("Secret GmbH", visible_to=[firm.ada])
    secret = firm.apply(firm.publish(CHAIN, name="Secret"), client_id=str(client))
    stranger = firm.as_(firm.ben)
    for path, thing, code in (
        ("/jobs/bulk", secret, "job_not_found"),
        ("/tasks/bulk", secret["tasks"][0], "task_not_found"),
    ):
        answer = stranger.post(path, {"items": items(thing), "change": {"priority": "low"}}).expect(200).json
        assert [i["code"] for i in answer["items"]] == [code]
    for path in ("/jobs/groups", "/tasks/groups"):
        for by in ("client", "owner", "status"):
            assert stranger.get(path, params={"by": by}).expect(200).json["total"] == 0
    assert firm.api.get("/tasks/groups", params={"by": "client"}).json["groups"][0]["label"] == "Secret GmbH"
    assert firm.job(secret["id"])["version"] == secret["version"]


# --- another job -----------------------------------------------------------------------------------------------------


def test_a_task_moves_to_another_job_of_the_client(firm: Any, job: dict[str, Any]) -> None:
    other = ad_hoc(firm, "Other")
    first = job["tasks"][0]
    firm.api.post(f"/jobs/{job['id']}/comments", {"body": "about it", "task_id": first["id"]}).expect(201)
    moved = firm.api.post(f"/tasks/{first['id']}/move", {"job_id": other["id"]}).expect(200).json
    assert (moved["job"]["id"], moved["position"]) == (other["id"], 1)
    left, gained = firm.job(job["id"]), firm.job(other["id"])
    assert ([t["title"] for t in left["tasks"]], left["dependencies"]) == (["Second"], [])
    assert not left["tasks"][0]["blocked"]
    assert (gained["tasks_total"], gained["budget_minutes"], gained["comments"]) == (1, 60, 1)
    assert firm.world.events(firm.id, TaskChanged)[-1].job_id == other["id"]


def test_moving_a_task_to_another_client_s_job_is_refused(firm: Any, job: dict[str, Any]) -> None:
    jones = firm.client_named("Jones")
    theirs = ad_hoc(firm, "Jones's", client_id=str(jones))
    secret = ad_hoc(firm, "Secret", client_id=str(firm.client_named("Secret GmbH", visible_to=[firm.ada])))
    task = job["tasks"][0]
    path = f"/tasks/{task['id']}/move"
    firm.api.post(path, {"job_id": theirs["id"]}).problem(409, "task_of_another_client")
    firm.as_(firm.ben).post(path, {"job_id": secret["id"]}).problem(404, "job_not_found")
    firm.api.post(path, {"job_id": str(uuid4())}).problem(404, "job_not_found")
    assert firm.job(job["id"])["version"] == job["version"]
    assert firm.job(theirs["id"])["version"] == theirs["version"]


def test_a_task_with_time_logged_stays_where_the_time_is(firm: Any, job: dict[str, Any]) -> None:
    task = job["tasks"][0]
    entry = TimeEntryChanged(
        time_entry_id=str(new_id()),
        job_id=job["id"],
        task_id=task["id"],
        staff_id=str(firm.ben),
        day=day(0),
        seconds=60,
        status="draft",
        version=1,
    )
    firm.deliver(entry)
    other = ad_hoc(firm, "Other")
    firm.api.post(f"/tasks/{task['id']}/move", {"job_id": other["id"]}).problem(409, "task_has_time")


# --- groups ----------------------------------------------------------------------------------------------------------


def test_jobs_and_tasks_are_grouped_under_the_same_filters_as_their_lists(firm: Any, job: dict[str, Any]) -> None:
    late = ad_hoc(firm, "Late", internal_due_on=day(-5), owner_id=str(firm.ben), service="advice", priority="high")
    ad_hoc(firm, "Nobody's", client_id=str(firm.client_named("Jones")))

    def groups(path: str, by: str, **more: Any) -> dict[Any, int]:
        found = firm.api.get(path, params={"by": by} | more).expect(200).json
        assert found["total"] == sum(g["count"] for g in found["groups"])
        assert found["group_count"] == len(found["groups"])
        return {g["label"]: g["count"] for g in found["groups"]}

    assert groups("/jobs/groups", "owner") == {"Ada": 1, "Ben": 1, "": 1}
    assert groups("/jobs/groups", "client") == {"Smith Ltd": 2, "Jones": 1}
    assert groups("/jobs/groups", "stage") == {"Planned": 3}
    assert groups("/jobs/groups", "status") == {"on_track": 2, "overdue": 1}
    assert groups("/jobs/groups", "priority") == {"normal": 2, "high": 1}
    assert groups("/jobs/groups", "service") == {"vat": 1, "advice": 1, "": 1}
    assert groups("/jobs/groups", "template") == {"Chain": 1, "": 2}
    assert groups("/jobs/groups", "due_month", service="advice") == {late["due_on"][:8] + "01": 1}
    assert groups("/jobs/groups", "owner", status="overdue") == {"Ben": 1}
    by_owner = firm.api.get("/jobs/groups", params={"by": "owner", "owner": str(firm.ben)}).json["groups"]
    assert [(g["key"], g["overdue"]) for g in by_owner] == [(str(firm.ben), 1)]
    assert groups("/tasks/groups", "job") == {job["title"]: 2}
    assert groups("/tasks/groups", "status", status="not_started,done") == {"not_started": 2}
    assert groups("/tasks/groups", "due_week") == {"": 2}
    firm.api.get("/tasks/groups", params={"by": "mood"}).problem(400, "request_invalid")
    firm.api.get("/tasks/groups").problem(400, "request_invalid")
    top = firm.api.get("/jobs/groups", params={"by": "owner", "limit": 1}).json
    assert (top["total"], top["group_count"], len(top["groups"])) == (3, 3, 1)


# --- views -----------------------------------------------------------------------------------------------------------


def test_a_view_is_one_s_own_until_it_is_shared(firm: Any) -> None:
    body = {
        "name": "My urgent ones",
        "list": "tasks",
        "filters": {"owner": "me", "priority": ["urgent"], "open": True},
        "sort": "priority",
        "group_by": "client",
    }
    made = firm.api.post("/views", body).expect(201)
    path, ben = f"/views/{made.json['id']}", firm.as_(firm.ben)
    assert made.json["filters"] == body["filters"]
    firm.api.post("/views", body).problem(409, "view_name_taken")
    assert ben.get("/views").expect(200).json["items"] == []
    ben.patch(path, {"name": "x"}, if_match=1).problem(404, "view_not_found")
    shared = firm.api.patch(path, {"shared": True}, if_match=made.etag).expect(200)
    assert [(v["name"], v["mine"]) for v in ben.get("/views", params={"list": "tasks"}).json["items"]] == [
        ("My urgent ones", False)
    ]
    assert ben.get("/views", params={"list": "jobs"}).json["items"] == []
    ben.patch(path, {"name": "x"}, if_match=shared.etag).problem(403, "not_your_view")
    ben.delete(path, if_match=shared.etag).problem(403, "not_your_view")
    firm.api.delete(path, if_match=made.etag).problem(412, "version_conflict")
    firm.api.delete(path, if_match=shared.etag).expect(204)
    assert firm.world.api(firm.world.firm()).get("/views").json["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"list": "board", "filters": {"blocked": True}}, 422, "view_misfit"),
        ({"list": "requests", "sort": "priority"}, 422, "view_misfit"),
        ({"list": "jobs", "group_by": "role"}, 422, "view_misfit"),
        ({"list": "jobs", "filters": {"mood": "good"}}, 400, "request_invalid"),
        ({"list": "clients"}, 400, "request_invalid"),
    ],
)
def test_a_view_that_does_not_fit_its_list_is_not_kept(firm: Any, body: dict[str, Any], status: int, code: str) -> None:
    firm.api.post("/views", {"name": "x"} | body).problem(status, code)
    firm.world.api(firm.id, audience="partner").post("/views", {"name": "x", "list": "jobs"}).problem(403, "staff_only")
    assert firm.api.get("/views").json["items"] == []


def test_views_are_paged_by_name(firm: Any) -> None:
    for name in ("b", "a", "c"):
        firm.api.post("/views", {"name": name, "list": "board"}).expect(201)
    first = firm.api.get("/views", params={"limit": 2}).json
    rest = firm.api.get("/views", params={"limit": 2, "cursor": first["next_cursor"]}).json
    assert [v["name"] for v in first["items"] + rest["items"]] == ["a", "b", "c"]


# --- stages ----------------------------------------------------------------------------------------------------------


def test_a_renamed_stage_is_told_with_its_jobs_by_the_worker(firm: Any) -> None:
    made = [ad_hoc(firm, f"Job {i}") for i in range(3)]
    stage = firm.api.get("/stages").json["items"][0]
    before = len(firm.world.events(firm.id, JobChanged))
    renamed = firm.api.patch(f"/stages/{stage['id']}", {"name": "To do"}, if_match=stage["version"]).expect(200)
    assert len(firm.world.events(firm.id, JobChanged)) == before  # nothing is told by who renames
    firm.world.run_due(firm.id)
    told = firm.world.events(firm.id, JobChanged)[before:]
    assert [(e.job_id, e.stage) for e in told] == [(j["id"], "To do") for j in made]
    assert [e.version for e in told] == [firm.job(j["id"])["version"] for j in made]
    # Another place on the board is nobody's business but the board's.
    firm.api.patch(f"/stages/{stage['id']}", {"position": 2}, if_match=renamed.etag).expect(200)
    assert firm.world.run_due(firm.id) == 0


def test_many_jobs_of_a_renamed_stage_are_told_some_at_a_time(firm: Any) -> None:
    made = [ad_hoc(firm, f"Job {i}") for i in range(5)]
    stage = firm.api.get("/stages").json["items"][0]["id"]
    before, behind, told = len(firm.world.events(firm.id, JobChanged)), "", []
    for _ in range(3):
        with firm.world.uow(firm.id) as uow:
            tell_stage(uow, stage, behind, at_once=2)
        told.append(len(firm.world.events(firm.id, JobChanged)) - before)
        planned = next(row for row in firm.world.due(firm.id) if row.kind == "stage_renamed")
        behind = planned.payload["behind"]
    assert told == [2, 4, 5]
    assert {e.job_id for e in firm.world.events(firm.id, JobChanged)[before:]} == {j["id"] for j in made}
