"""Tasks: block and unblock, reopen, dates that follow, and lists of them."""

import threading
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from praxis.workflow.v1.events_pb2 import TaskChanged
from workflow.dates.rules import Calendar, add_business_days

PLAIN: dict[str, Any] = {
    "tasks": [{"key": "a", "title": "First"}, {"key": "b", "title": "Second"}, {"key": "c", "title": "Third"}],
    "dependencies": [{"before": "a", "after": "b"}, {"before": "b", "after": "c"}],
}


@pytest.fixture
def job(firm: Any) -> dict[str, Any]:
    """A job of three tasks, one after the other, that nothing but each other holds up."""
    return firm.apply(firm.publish(PLAIN, name="Plain"))


def act(firm: Any, job: dict[str, Any], key: str, what: str, body: dict[str, Any] | None = None) -> Any:
    return firm.api.post(f"/tasks/{firm.task(job, key)['id']}/{what}", body)


def statuses(firm: Any, job: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(t["status"], t["blocked"]) for t in firm.job(job["id"])["tasks"]]


def test_a_blocked_task_is_neither_begun_nor_done(firm: Any, job: dict[str, Any]) -> None:
    refused = act(firm, job, "b", "start").problem(409, "task_blocked")
    assert [w["title"] for w in refused.json["waits_for"]] == ["First"]
    act(firm, job, "b", "done").problem(409, "task_blocked")
    assert statuses(firm, job) == [("not_started", False), ("not_started", True), ("not_started", True)]


def test_who_knows_better_goes_on_with_a_reason_that_is_audited(firm: Any, job: dict[str, Any]) -> None:
    begun = act(firm, job, "b", "start", {"despite_block": "papers seen at the client's"}).expect(200).json
    assert begun["status"] == "in_progress"
    assert begun["attention"] == "“First” is not done, though this has begun."
    assert firm.world.audit(firm.id)[-1].reason == "papers seen at the client's"


def test_done_unblocks_what_follows_and_so_does_skipped(firm: Any, job: dict[str, Any]) -> None:
    act(firm, job, "a", "done").expect(200)
    assert statuses(firm, job) == [("done", False), ("not_started", False), ("not_started", True)]
    act(firm, job, "b", "skip", {"reason": "not this time"}).expect(200)
    assert statuses(firm, job)[2] == ("not_started", False)
    changed = [(e.title, e.status, e.blocked) for e in firm.world.events(firm.id, TaskChanged)[-2:]]
    assert changed == [("Second", "skipped", False), ("Third", "not_started", False)]


def test_reopening_blocks_again_what_has_not_begun_and_flags_what_has(firm: Any, job: dict[str, Any]) -> None:
    act(firm, job, "a", "done").expect(200)
    act(firm, job, "b", "start").expect(200)
    act(firm, job, "a", "reopen", {"reason": "a mistake"}).expect(200)
    first, second, third = firm.job(job["id"])["tasks"]
    assert (first["status"], first["completed_at"], first["started_at"]) == ("not_started", None, None)
    assert (second["status"], second["blocked"]) == ("in_progress", False)
    assert second["attention"] == "“First” is not done, though this has begun."
    assert third["blocked"]
    act(firm, job, "b", "done").problem(409, "task_blocked")
    act(firm, job, "a", "done").expect(200)
    assert firm.task(job, "b")["attention"] is None


def test_reopening_reaches_through_what_is_done(firm: Any, job: dict[str, Any]) -> None:
    for key in ("a", "b", "c"):
        act(firm, job, key, "done").expect(200)
    assert firm.job(job["id"])["status"] == "done"
    act(firm, job, "a", "reopen", {"reason": "a mistake"}).expect(200)
    reopened = firm.job(job["id"])
    assert [bool(t["attention"]) for t in reopened["tasks"]] == [False, True, True]
    assert (reopened["status"], reopened["closed_at"], reopened["stage"]["name"]) == ("on_track", None, "Planned")


def test_doing_what_is_done_changes_nothing(firm: Any, job: dict[str, Any]) -> None:
    act(firm, job, "a", "done").expect(200)
    before = firm.job(job["id"])["version"]
    act(firm, job, "a", "done").expect(200)
    assert firm.job(job["id"])["version"] == before
    act(firm, job, "a", "start").problem(409, "task_closed")


def test_a_lag_runs_from_the_day_of_completion(firm: Any) -> None:
    content = {"tasks": PLAIN["tasks"][:2], "dependencies": [{"before": "a", "after": "b", "lag_days": 3}]}
    job = firm.apply(firm.publish(content, name="With a lag"))
    act(firm, job, "a", "done").expect(200)
    waiting = firm.task(job, "b")
    assert waiting["blocked"]
    until = date.fromisoformat(waiting["blocked_by"][0]["until"])
    assert waiting["blocked_by"][0]["title"] == "First"
    act(firm, job, "b", "start").problem(409, "task_blocked")
    assert firm.job(job["id"])["status"] == "blocked"
    # The day comes: the task is free, the job on track, and others hear of it without anybody's act.
    due = [row for row in firm.world.due(firm.id) if row.kind == "job_turn"]
    assert due[0].payload["day"] == until.isoformat()
    firm.world.run_due(firm.id, at=due[0].run_at)
    last = firm.world.events(firm.id, TaskChanged)[-1]
    assert (last.title, last.blocked) == ("Second", False)


def test_a_date_that_counts_from_a_step_follows_it(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    act(firm, job, "prepare", "due_date", {"due_on": "2026-10-20", "reason": "holiday"}).expect(200)
    tasks = {t["key"]: t for t in firm.job(job["id"])["tasks"]}
    assert [tasks[k]["due_on"] for k in ("prepare", "review", "file")] == ["2026-10-20", "2026-10-22", "2026-10-23"]
    assert (tasks["prepare"]["due_pinned"], tasks["prepare"]["due_moves"], tasks["prepare"]["original_due_on"]) == (
        True,
        1,
        "2026-10-14",
    )
    assert (tasks["file"]["due_pinned"], tasks["file"]["due_moves"]) == (False, 1)
    moves = firm.job(job["id"])["due_moves"]
    assert {(m["reason"], m["to"]) for m in moves} == {
        ("holiday", "2026-10-20"),
        ("“Prepare” was moved", "2026-10-22"),
        ("“Prepare” was moved", "2026-10-23"),
    }


def test_a_date_that_counts_from_a_request_follows_the_client(firm: Any, vat: dict[str, Any]) -> None:
    vat["tasks"][0]["due"] = {"anchor": "request_completion", "of": "papers", "amount": 2, "unit": "business_days"}
    job = firm.apply(firm.publish(vat))
    assert firm.request(job)["due_on"] == "2026-10-05"
    assert firm.task(job, "prepare")["due_on"] == "2026-10-07"  # as long as the client has not answered
    request = firm.request(job)["id"]
    firm.api.post(f"/requests/{request}/due_date", {"due_on": "2026-10-09", "reason": "agreed"}).expect(200)
    assert [firm.task(job, k)["due_on"] for k in ("prepare", "review")] == ["2026-10-13", "2026-10-15"]
    firm.api.post(f"/requests/{request}/waive", {"reason": "we have them"}).expect(200)
    today = firm.api.get("/board").json["today"]  # from the day it was settled
    assert firm.task(job, "prepare")["due_on"] == business_days_after(today, 2)
    assert {m["reason"] for m in firm.job(job["id"])["due_moves"]} == {
        "agreed",
        "“Papers for the quarter” is sent",
        "“Papers for the quarter” is waived",
    }


def business_days_after(day: str, count: int) -> str:
    return add_business_days(date.fromisoformat(day), count, Calendar("GB", "ENG")).isoformat()


def test_a_pinned_date_is_not_moved_by_others(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    act(firm, job, "review", "due_date", {"due_on": "2026-11-02", "reason": "Ada is away"}).expect(200)
    act(firm, job, "prepare", "due_date", {"due_on": "2026-10-20", "reason": "holiday"}).expect(200)
    assert firm.task(job, "review")["due_on"] == "2026-11-02"
    assert firm.task(job, "file")["due_on"] == "2026-11-03"


def test_a_task_that_is_done_pulls_the_dates_behind_it(firm: Any, vat: dict[str, Any]) -> None:
    vat["requests"], vat["dependencies"] = [], vat["dependencies"][1:]
    job = firm.apply(firm.publish(vat))
    act(firm, job, "prepare", "done").expect(200)
    done_on = date.fromisoformat(firm.task(job, "prepare")["completed_at"][:10])
    assert date.fromisoformat(firm.task(job, "review")["due_on"]) > done_on
    assert date.fromisoformat(firm.task(job, "review")["due_on"]) <= done_on + timedelta(days=6)


def test_a_step_is_pushed_behind_what_it_waits_for_and_pulled_back(firm: Any) -> None:
    due = {"anchor": "period_end", "amount": 7}  # Wednesday, 7 October
    content = {
        "tasks": [{"key": k, "title": k.title(), "due": due} for k in ("count", "check")],
        "dependencies": [{"before": "count", "after": "check", "lag_days": 1}],
    }
    template = firm.publish(content, name="Stock")
    body = {"client_id": str(firm.client), "period_start": "2026-07-01", "period_end": "2026-09-30"}
    planned = firm.api.post(f"/templates/{template}/preview", body).expect(200).json["tasks"]
    job = firm.apply(template)
    assert [t["due_on"] for t in planned] == [t["due_on"] for t in job["tasks"]] == ["2026-10-07", "2026-10-08"]
    assert planned[1]["due_why"].endswith("moved behind what it waits for")
    act(firm, job, "count", "due_date", {"due_on": "2026-10-09", "reason": "holiday"}).expect(200)
    assert firm.task(job, "check")["due_on"] == "2026-10-12"  # a day later is a Saturday
    act(firm, job, "count", "due_date", {"due_on": "2026-10-05", "reason": "earlier after all"}).expect(200)
    assert firm.task(job, "check")["due_on"] == "2026-10-07"
    assert [m["to"] for m in firm.job(job["id"])["due_moves"] if m["reason"] == "“Count” was moved"] == [
        "2026-10-12",
        "2026-10-07",
    ]


def test_a_checklist_is_ticked_before_its_task_is_done(firm: Any) -> None:
    content = {"tasks": [{"key": "a", "title": "First", "checklist": ["bank", "cash"]}]}
    job = firm.apply(firm.publish(content, name="Checked"))
    refused = act(firm, job, "a", "done").problem(409, "checklist_open")
    assert refused.json["open"] == ["bank", "cash"]
    act(firm, job, "a", "checklist", {"key": "c9", "done": True}).problem(404, "checklist_line_not_found")
    for key in ("c1", "c2"):
        act(firm, job, "a", "checklist", {"key": key, "done": True}).expect(200)
    act(firm, job, "a", "done").expect(200)


def test_a_task_is_added_behind_others(firm: Any, job: dict[str, Any]) -> None:
    first = job["tasks"][0]["id"]
    body = {"title": "Extra", "after": [first], "owner_id": str(firm.ben), "due_on": "2026-12-01", "budget_minutes": 20}
    changed = firm.api.post(f"/jobs/{job['id']}/tasks", body).expect(201).json
    added = changed["tasks"][-1]
    assert (added["title"], added["position"], added["blocked"], added["owner"]["name"]) == ("Extra", 4, True, "Ben")
    assert changed["tasks_total"] == 4
    firm.api.post(f"/jobs/{job['id']}/tasks", {"title": "X", "owner_id": str(uuid4())}).problem(422, "unknown_staff")
    firm.api.post(f"/jobs/{job['id']}/tasks", {"title": "X", "role": "wizard"}).problem(422, "unknown_role")
    firm.api.post(f"/jobs/{job['id']}/tasks", {"title": "X", "after": [str(uuid4())]}).problem(
        422, "dependency_unknown"
    )
    firm.api.post(f"/jobs/{job['id']}/tasks", {"title": "X", "due_on": "1899-01-01"}).problem(422, "date_out_of_range")
    assert firm.job(job["id"])["tasks_total"] == 4


def test_a_cycle_of_dependencies_is_refused_with_its_path(firm: Any, job: dict[str, Any]) -> None:
    first, _, third = (t["id"] for t in job["tasks"])
    path = f"/jobs/{job['id']}/dependencies"
    refused = firm.api.post(path, {"before_id": third, "after_id": first}).problem(422, "dependency_cycle")
    assert set(refused.json["path"]) == {"First", "Second", "Third"}
    firm.api.post(path, {"before_id": first, "after_id": first}).problem(422, "dependency_cycle")
    firm.api.post(path, {"before_id": first, "after_id": job["tasks"][1]["id"]}).problem(409, "dependency_exists")
    firm.api.post(path, {"before_id": first, "after_id": str(uuid4())}).problem(422, "dependency_unknown")
    assert firm.job(job["id"]) == firm.api.get(f"/jobs/{job['id']}").json
    assert len(firm.job(job["id"])["dependencies"]) == 2


def test_a_step_of_another_job_can_not_be_waited_for(firm: Any, job: dict[str, Any]) -> None:
    other = firm.apply(firm.publish(PLAIN, name="Other"))
    body = {"before_id": other["tasks"][0]["id"], "after_id": job["tasks"][0]["id"]}
    firm.api.post(f"/jobs/{job['id']}/dependencies", body).problem(422, "dependency_unknown")


def test_a_dependency_is_removed_and_what_waited_is_free(firm: Any, job: dict[str, Any]) -> None:
    dependency = job["dependencies"][0]["id"]
    path = f"/jobs/{job['id']}/dependencies/{dependency}"
    firm.api.delete(path).problem(428, "if_match_required")
    freed = firm.api.delete(path, if_match=job["version"]).expect(200).json
    assert [t["blocked"] for t in freed["tasks"]] == [False, False, True]
    firm.api.delete(path, if_match=freed["version"]).problem(404, "dependency_not_found")


def test_a_lost_update_of_a_task_is_refused(firm: Any, job: dict[str, Any]) -> None:
    task = job["tasks"][0]
    firm.api.patch(f"/tasks/{task['id']}", {"title": "One"}, if_match=task["version"]).expect(200)
    firm.api.patch(f"/tasks/{task['id']}", {"title": "Two"}, if_match=task["version"]).problem(412, "version_conflict")
    assert firm.task(job, "a")["title"] == "One"


def test_an_unknown_person_gets_no_task(firm: Any, job: dict[str, Any]) -> None:
    act(firm, job, "a", "assign", {"owner_id": str(uuid4())}).problem(422, "unknown_staff")
    act(firm, job, "a", "assign", {"owner_id": str(firm.ben)}).expect(200)
    assert act(firm, job, "a", "assign", {"owner_id": None}).expect(200).json["owner"] is None


def test_many_who_finish_tasks_at_once_leave_the_job_counted_right(firm: Any) -> None:
    content = {"tasks": [{"key": f"t{i}", "title": f"Task {i}"} for i in range(8)]}
    job = firm.apply(firm.publish(content, name="Parallel"))
    threads = [
        threading.Thread(target=lambda t=t: firm.api.post(f"/tasks/{t['id']}/done").expect(200)) for t in job["tasks"]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = firm.job(job["id"])
    assert (done["tasks_done"], done["status"]) == (8, "done")


# --- lists -----------------------------------------------------------------------------------------------------------


def test_my_week_is_my_open_tasks_by_due_date(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat), people=[{"role": "preparer", "staff_id": str(firm.ben)}])
    mine = firm.as_(firm.ben).get("/tasks", params={"owner": "me"}).expect(200).json["items"]
    assert [(t["title"], t["due_on"], t["job"]["title"], t["client"]["name"]) for t in mine] == [
        ("Prepare", "2026-10-14", "VAT return, Q3 2026", "Smith Ltd"),
        ("File", "2026-10-19", "VAT return, Q3 2026", "Smith Ltd"),
    ]
    assert mine[0]["blocked_by"] == [
        {"kind": "request", "id": job["requests"][0]["id"], "title": "Papers for the quarter", "until": None}
    ]

    def titles(**params: Any) -> list[str]:
        return [t["title"] for t in firm.api.get("/tasks", params=params).expect(200).json["items"]]

    assert titles(due_to="2026-10-14") == ["Prepare"]
    assert titles(due_from="2026-10-15", due_to="2026-10-18") == ["Review"]
    assert titles(blocked="false") == []
    assert titles(blocked="true", owner=str(firm.ada)) == ["Review"]
    assert titles(job_id=job["id"], open="false") == []
    assert titles(overdue="true") == titles()  # all of October has passed
    assert titles(owner="nobody") == []
    firm.api.get("/tasks", params={"owner": "someone"}).problem(400, "owner_invalid")


def test_tasks_are_paged_without_gaps_or_repeats(firm: Any) -> None:
    content = {
        "tasks": [
            {"key": f"t{i}", "title": f"Task {i}", "due": {"anchor": "job_start", "amount": i % 3}} for i in range(7)
        ]
    }
    firm.apply(firm.publish(content, name="Seven"))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = firm.api.get("/tasks", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).expect(200).json
        seen += [t["id"] for t in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
