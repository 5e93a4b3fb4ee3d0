"""Priority, watchers, comments and mentions: who is told, who isn't, and lists narrowed by them."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import GroupChanged
from praxis.workflow.v1.events_pb2 import CommentWritten, JobChanged, NoticeDue

TWO: dict[str, Any] = {"tasks": [{"key": "a", "title": "First"}, {"key": "b", "title": "Second"}]}


@pytest.fixture
def job(firm: Any) -> dict[str, Any]:
    return firm.apply(firm.publish(TWO, name="Two"))


@pytest.fixture
def secret(firm: Any) -> dict[str, Any]:
    """A job for a client that only Ada and Eve may know of."""
    client = firm.client_named("Secret GmbH", visible_to=[firm.ada, firm.eve])
    return firm.apply(firm.publish(TWO, name="Secret"), client_id=str(client))


def notices(firm: Any) -> list[tuple[str, list[str], str]]:
    return [(n.reason, list(n.staff_ids), n.subject_type) for n in firm.world.events(firm.id, NoticeDue)]


def state(firm: Any, job: dict[str, Any]) -> tuple[int, int, int]:
    """What must stay as it is when something was refused."""
    comments = firm.api.get(f"/jobs/{job['id']}/comments").json["items"]
    return firm.job(job["id"])["version"], len(comments), len(firm.world.events(firm.id))


# --- comments --------------------------------------------------------------------------------------------------------


def test_a_comment_stands_at_the_job_or_its_task_the_latest_first(firm: Any, job: dict[str, Any]) -> None:
    path, task = f"/jobs/{job['id']}/comments", job["tasks"][0]["id"]
    first = firm.api.post(path, {"body": " Called them. "}).expect(201)
    firm.as_(firm.ben, name="Ben").post(path, {"body": "Cash book is missing", "task_id": task}).expect(201)
    assert (first.json["body"], first.json["author_id"], first.json["task_id"]) == (
        "Called them.",
        str(firm.ada),
        None,
    )
    listed = firm.api.get(path).expect(200).json["items"]
    assert [c["body"] for c in listed] == ["Cash book is missing", "Called them."]
    assert [c["body"] for c in firm.api.get(path, params={"task_id": task}).json["items"]] == ["Cash book is missing"]
    page = firm.api.get(path, params={"limit": 1}).json
    rest = firm.api.get(path, params={"limit": 1, "cursor": page["next_cursor"]}).json
    assert [c["body"] for c in rest["items"]] == ["Called them."]
    assert firm.job(job["id"])["comments"] == 2
    assert [e.what for e in firm.world.events(firm.id, CommentWritten)] == ["added", "added"]


def test_who_is_mentioned_is_told_once(firm: Any, job: dict[str, Any]) -> None:
    path = f"/jobs/{job['id']}/comments"
    body = {"body": "@Ben, @Eve: please look", "mentions": [str(firm.ben), str(firm.eve), str(firm.ben)]}
    made = firm.api.post(path, body).expect(201)
    assert [m["name"] for m in made.json["mentions"]] == ["Ben", "Eve"]
    assert notices(firm) == [("mentioned", sorted([str(firm.ben), str(firm.eve)]), "job")]
    # An edit tells only who is newly mentioned; the author is never told of what they said themselves.
    edit = {"body": "@Eve, @Ada", "mentions": [str(firm.eve), str(firm.ada)]}
    changed = firm.api.patch(f"/comments/{made.json['id']}", edit, if_match=made.etag).expect(200)
    assert changed.json["edited_at"] is not None
    assert len(notices(firm)) == 1


def test_mention_of_a_stranger_is_refused_and_nothing_is_said(
    firm: Any, job: dict[str, Any], secret: dict[str, Any]
) -> None:
    gone = firm.staff("Gone", active=False)
    for where, staff in ((job, uuid4()), (job, gone), (secret, firm.ben)):
        before = state(firm, where)
        body = {"body": "see here", "mentions": [str(firm.eve), str(staff)]}
        refused = firm.api.post(f"/jobs/{where['id']}/comments", body).problem(422, "mention_of_stranger")
        assert refused.json["pointer"] == "/mentions/1"
        assert state(firm, where) == before


def test_only_who_wrote_a_comment_changes_it_or_takes_it_back(firm: Any, job: dict[str, Any]) -> None:
    made = firm.api.post(f"/jobs/{job['id']}/comments", {"body": "Mine"}).expect(201)
    path, other = f"/comments/{made.json['id']}", firm.as_(firm.ben)
    other.patch(path, {"body": "Yours"}, if_match=made.etag).problem(403, "not_your_comment")
    other.delete(path, if_match=made.etag).problem(403, "not_your_comment")
    firm.api.patch(path, {"body": "Ours"}).problem(428, "if_match_required")
    changed = firm.api.patch(path, {"body": "Ours"}, if_match=made.etag).expect(200)
    firm.api.delete(path, if_match=made.etag).problem(412, "version_conflict")
    firm.api.delete(path, if_match=changed.etag).expect(204)
    assert firm.api.get(f"/jobs/{job['id']}/comments").json["items"] == []
    assert [r.action for r in firm.world.audit(firm.id) if r.action.startswith("comment.")] == [
        "comment.added",
        "comment.changed",
        "comment.deleted",
    ]


def test_a_comment_on_another_job_s_task_or_without_words_is_refused(firm: Any, job: dict[str, Any]) -> None:
    other = firm.apply(firm.publish(TWO, name="Other"))
    path = f"/jobs/{job['id']}/comments"
    firm.api.post(path, {"body": "x", "task_id": other["tasks"][0]["id"]}).problem(404, "task_not_found")
    firm.api.post(path, {"body": "   "}).problem(400, "request_invalid")
    firm.api.post(path, {"body": "x", "mentions": [str(uuid4())] * 21}).problem(400, "request_invalid")
    firm.api.post(f"/jobs/{uuid4()}/comments", {"body": "x"}).problem(404, "job_not_found")
    assert firm.api.get(path).json["items"] == []


def test_a_private_client_s_comments_are_hidden_from_those_not_named(firm: Any, secret: dict[str, Any]) -> None:
    made = firm.api.post(f"/jobs/{secret['id']}/comments", {"body": "quiet"}).expect(201)
    stranger = firm.as_(firm.ben)
    stranger.get(f"/jobs/{secret['id']}/comments").problem(404, "job_not_found")
    stranger.post(f"/jobs/{secret['id']}/comments", {"body": "x"}).problem(404, "job_not_found")
    stranger.patch(f"/comments/{made.json['id']}", {"body": "x"}, if_match=1).problem(404, "comment_not_found")
    stranger.delete(f"/comments/{made.json['id']}", if_match=1).problem(404, "comment_not_found")
    foreign = firm.world.api(firm.world.firm())
    foreign.delete(f"/comments/{made.json['id']}", if_match=1).problem(404, "comment_not_found")


# --- watchers --------------------------------------------------------------------------------------------------------


def test_watchers_are_told_of_comments_finished_tasks_and_another_status(firm: Any, job: dict[str, Any]) -> None:
    ben = firm.as_(firm.ben)
    shown = ben.post(f"/jobs/{job['id']}/watch", {"watching": True}).expect(200).json
    assert [w["name"] for w in shown["watchers"]] == ["Ben"]
    ben.post(f"/jobs/{job['id']}/watch", {"watching": True}).expect(200)
    first, second = job["tasks"]
    body = {"watchers": [str(firm.eve)]}
    firm.api.patch(f"/tasks/{first['id']}", body, if_match=first["version"]).expect(200)
    firm.api.post(f"/jobs/{job['id']}/comments", {"body": "hello"}).expect(201)
    firm.api.post(f"/tasks/{first['id']}/done").expect(200)
    firm.api.post(f"/tasks/{second['id']}/done").expect(200)
    assert notices(firm) == [
        ("watching", [str(firm.ben)], "job"),  # the comment
        ("watching", [str(firm.eve)], "task"),  # the first is done
        ("watching", [str(firm.ben)], "job"),  # the job is
    ]
    assert firm.job(job["id"])["tasks"][0]["watchers"][0]["name"] == "Eve"


def test_who_does_something_is_not_told_of_it_and_who_no_longer_watches_neither(firm: Any, job: dict[str, Any]) -> None:
    firm.api.post(f"/jobs/{job['id']}/watch", {"watching": True}).expect(200)
    firm.as_(firm.ben).post(f"/jobs/{job['id']}/watch", {"watching": True}).expect(200)
    firm.as_(firm.ben).post(f"/jobs/{job['id']}/watch", {"watching": False}).expect(200)
    firm.api.post(f"/jobs/{job['id']}/cancel", {"reason": "not needed"}).expect(200)
    assert notices(firm) == []


def test_a_stranger_is_no_watcher_and_a_private_client_s_watchers_are_told_only_while_named(
    firm: Any, secret: dict[str, Any]
) -> None:
    version = secret["version"]
    for staff in (uuid4(), firm.ben):
        body = {"watchers": [str(staff)], "title": "Another"}
        firm.api.patch(f"/jobs/{secret['id']}", body, if_match=version).problem(422, "unknown_staff")
    assert firm.job(secret["id"])["title"] == secret["title"]
    firm.api.patch(f"/jobs/{secret['id']}", {"watchers": [str(firm.eve)]}, if_match=version).expect(200)
    firm.client_named(
        "Secret GmbH", id=secret["client"]["id"], version=2, visible_to=[firm.ada], manager_id=str(firm.ada)
    )
    firm.api.post(f"/jobs/{secret['id']}/comments", {"body": "hello"}).expect(201)
    assert notices(firm) == []
    firm.as_(firm.ben).post(f"/jobs/{secret['id']}/watch", {"watching": True}).problem(404, "job_not_found")
    firm.world.api(firm.id, audience="partner").post(
        f"/tasks/{secret['tasks'][0]['id']}/watch", {"watching": True}
    ).problem(404, "task_not_found")


def test_a_partner_system_watches_nothing(firm: Any, job: dict[str, Any]) -> None:
    system = firm.world.api(firm.id, audience="partner")
    system.post(f"/jobs/{job['id']}/watch", {"watching": True}).problem(403, "staff_only")


# --- priority and filters --------------------------------------------------------------------------------------------


def ad_hoc(firm: Any, title: str, **more: Any) -> dict[str, Any]:
    return firm.api.post("/jobs", {"client_id": str(firm.client), "title": title} | more).expect(201).json


def test_lists_are_sorted_by_priority_and_then_by_date(firm: Any) -> None:
    ad_hoc(firm, "Whenever", priority="low")
    ad_hoc(firm, "Usual", internal_due_on="2027-02-01")
    ad_hoc(firm, "Burning", priority="urgent", internal_due_on="2027-03-01")
    soon = ad_hoc(firm, "Hot", internal_due_on="2027-01-01")
    changed = firm.api.patch(f"/jobs/{soon['id']}", {"priority": "urgent"}, if_match=soon["version"]).expect(200)
    assert changed.json["priority"] == "urgent"
    assert firm.world.events(firm.id, JobChanged)[-1].priority == "urgent"

    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"sort": "priority", "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = firm.api.get("/jobs", params=params).expect(200).json
        seen += [j["title"] for j in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ["Hot", "Burning", "Usual", "Whenever"]
    board = firm.api.get("/board", params={"priority": "urgent,low"}).expect(200).json
    assert [c["title"] for c in board["columns"][0]["cards"]] == ["Hot", "Burning", "Whenever"]
    firm.api.get("/jobs", params={"priority": "asap"}).problem(400, "request_invalid")


def test_work_is_narrowed_to_the_clients_of_a_group(firm: Any) -> None:
    members = [firm.client_named(name) for name in ("Ann Jones", "Bob Jones")]
    secret = firm.client_named("Cleo Jones", visible_to=[firm.eve])
    group = str(new_id())
    state = {"group_id": group, "name": "Jones", "kind": "family"}
    firm.deliver(GroupChanged(**state, client_ids=[str(id) for id in (*members, secret)], version=1))
    for client in (*members, secret, firm.client):
        job = firm.as_(firm.eve).post("/jobs", {"client_id": str(client), "title": "Tax return"}).expect(201).json
        firm.as_(firm.eve).post(f"/jobs/{job['id']}/tasks", {"title": "Prepare"}).expect(201)
        asked = {"title": "Papers", "items": [{"kind": "file", "label": "Papers"}]}
        firm.as_(firm.eve).post(f"/jobs/{job['id']}/requests", asked).expect(201)

    def clients(path: str) -> list[str]:
        found = firm.api.get(path, params={"client_group_id": group}).expect(200).json
        return sorted(row["client"]["name"] for row in found["items"])

    for path in ("/jobs", "/tasks", "/requests"):
        assert clients(path) == ["Ann Jones", "Bob Jones"]
    counts = firm.api.get("/jobs/counts", params={"client_group_id": group}).expect(200).json
    board = firm.api.get("/board", params={"client_group_id": group}).expect(200).json
    assert counts["total"] == sum(column["count"] for column in board["columns"]) == 2
    firm.deliver(GroupChanged(**state, dissolved=True, version=2))
    assert clients("/jobs") == []


def test_tasks_are_narrowed_by_everything_that_is_known_of_them(firm: Any) -> None:
    tagged = firm.client_named("Jones", tags=["vip"])
    content = {
        "roles": [{"role": "preparer", "staff_id": str(firm.ben)}],
        "tasks": [{"key": "a", "title": "Prepare", "role": "preparer"}, {"key": "b", "title": "Look"}],
    }
    template = firm.publish(content, name="One")
    one = firm.apply(template, client_id=str(tagged))
    two = ad_hoc(firm, "Two", service="advice")
    other = firm.api.post(f"/jobs/{two['id']}/tasks", {"title": "Advise", "priority": "urgent"}).expect(201).json
    look = next(t for t in one["tasks"] if t["title"] == "Look")
    firm.as_(firm.ben).post(f"/tasks/{look['id']}/watch", {"watching": True}).expect(200)
    prepare = next(t for t in one["tasks"] if t["title"] == "Prepare")
    firm.api.post(f"/tasks/{prepare['id']}/start").expect(200)

    def titles(**params: Any) -> set[str]:
        return {t["title"] for t in firm.api.get("/tasks", params=params).expect(200).json["items"]}

    assert titles() == {"Prepare", "Look", "Advise"}
    assert titles(priority="urgent,high") == {"Advise"}
    assert titles(service="advice") == {"Advise"}
    assert titles(service="vat", template_id=template) == {"Prepare", "Look"}
    assert titles(tag="vip") == {"Prepare", "Look"}
    assert titles(role="preparer") == {"Prepare"}
    assert titles(watcher=str(firm.ben)) == {"Look"}
    assert titles(watcher="me") == set()
    assert titles(status="in_progress") == {"Prepare"}
    firm.api.post(f"/tasks/{other['tasks'][0]['id']}/done").expect(200)
    assert titles(status="in_progress,done") == {"Prepare", "Advise"}
    assert titles(status="done") == {"Advise"} == titles(open="false")
    assert titles(stage_id=one["stage"]["id"]) == {"Prepare", "Look"}
    assert [t["title"] for t in firm.api.get("/tasks", params={"sort": "-due_on"}).json["items"]] == [
        t["title"] for t in reversed(firm.api.get("/tasks").json["items"])
    ]
    firm.api.get("/tasks", params={"watcher": "somebody"}).problem(400, "watcher_invalid")
    jobs = firm.api.get("/jobs", params={"tag": "vip"}).expect(200).json["items"]
    assert [j["client"]["name"] for j in jobs] == ["Jones"]
