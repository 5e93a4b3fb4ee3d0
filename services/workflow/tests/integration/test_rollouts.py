"""Versions compared, rolled out to jobs that nobody has begun, and taken back."""

from copy import deepcopy
from typing import Any

import pytest

from chassis.db import new_id


@pytest.fixture
def template(firm: Any, vat: dict[str, Any]) -> str:
    return firm.publish(vat)


def version_two(firm: Any, template: str, vat: dict[str, Any]) -> None:
    """Another step in between, one gone, a longer budget, other dates and questions."""
    content = deepcopy(vat)
    content["statutory_due"]["plus_days"] = 5
    content["tasks"][0] |= {"title": "Prepare the return", "budget_minutes": 180, "checklist": ["Tie out"]}
    content["tasks"][1] = {
        "key": "check",
        "title": "Check",
        "role": "reviewer",
        "due": {"anchor": "period_end", "amount": 20},
    }
    content["tasks"][2]["due"] = {"anchor": "period_end", "amount": 25}
    content["requests"][0]["items"] = [
        {"kind": "file", "label": "Bank statements"},
        {"kind": "file", "label": "Till rolls"},
    ]
    content["dependencies"] = [
        {"before": "papers", "after": "prepare"},
        {"before": "prepare", "after": "check", "lag_days": 1},
        {"before": "check", "after": "file"},
    ]
    etag = firm.api.get(f"/templates/{template}").etag
    firm.api.put(f"/templates/{template}/draft", content, if_match=etag).expect(200)
    firm.api.post(f"/templates/{template}/publish").expect(200)


def essence(job: dict[str, Any]) -> dict[str, Any]:
    names = ("key", "title", "budget_minutes", "due_on", "status", "blocked")
    tasks = {t["key"]: {n: t[n] for n in names} | {"list": [c["text"] for c in t["checklist"]]} for t in job["tasks"]}
    asked = {r["key"]: [i["label"] for i in r["items"]] for r in job["requests"]}
    keys = {s["id"]: s["key"] for s in [*job["tasks"], *job["requests"]]}
    edges = sorted((keys[d["before"]["id"]], keys[d["after"]["id"]], d["lag_days"]) for d in job["dependencies"])
    dates = (job["statutory_due_on"], job["internal_due_on"], job["template"]["version"], job["title"])
    return {"tasks": tasks, "asked": asked, "edges": edges, "dates": dates}


def standing(job: dict[str, Any]) -> dict[str, Any]:
    """Without what is cancelled."""
    found = essence(job)
    return found | {"tasks": {k: t for k, t in found["tasks"].items() if t["status"] != "cancelled"}}


def test_the_difference_between_versions_names_every_change(firm: Any, template: str, vat: dict[str, Any]) -> None:
    version_two(firm, template, vat)
    found = firm.api.get(f"/templates/{template}/difference?before=1&after=2").expect(200).json["differences"]
    said = {(d["part"], d["key"], d["kind"], d["field"]): (d["before"], d["after"]) for d in found}
    assert said["task", "prepare", "changed", "budget_minutes"] == ("120", "180")
    assert said["task", "check", "added", None] == (None, None)
    assert said["task", "review", "removed", None] == (None, None)
    assert ("request", "papers", "changed", "items") in said
    assert ("dependency", "review → file", "removed", None) in said
    assert ("template", "", "changed", "statutory_due") in said
    assert firm.api.get(f"/templates/{template}/difference?before=2").expect(200).json["differences"] == []
    assert firm.api.get(f"/templates/{template}/difference?before=1&after=1").json["differences"] == []
    firm.api.get(f"/templates/{template}/difference?before=1&after=7").problem(404, "template_version_not_found")


def test_more_jobs_than_a_roll_out_takes_are_refused_and_none_is_changed(
    firm: Any, template: str, vat: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [firm.apply(template), firm.apply(template, again=True)]
    version_two(firm, template, vat)
    monkeypatch.setattr("workflow.rollouts.usecases.MOST", 1)
    for path in ("roll-out/preview", "roll-out"):
        firm.api.post(f"/templates/{template}/{path}", {}).problem(422, "too_many_jobs")
    assert [firm.job(j["id"])["version"] for j in made] == [1, 1]
    assert [row for row in firm.world.due(firm.id) if row.kind == "run"] == []


def test_publishing_changes_no_job(firm: Any, template: str, vat: dict[str, Any]) -> None:
    job = firm.apply(template)
    version_two(firm, template, vat)
    shown = firm.job(job["id"])
    assert (shown["version"], shown["template"]["version"]) == (1, 1)


def test_a_version_is_shown_rolled_out_and_taken_back(firm: Any, template: str, vat: dict[str, Any]) -> None:
    job = firm.apply(template)
    before = essence(firm.job(job["id"]))
    version_two(firm, template, vat)
    shown = firm.api.post(f"/templates/{template}/roll-out/preview", {}).expect(200).json
    assert (shown["jobs"], shown["template_version"]) == (1, 2)
    changes = {
        (c["subject"], c["key"], c["kind"], c["field"]): (c["before"], c["after"]) for c in shown["items"][0]["changes"]
    }
    assert changes["job", "", "changed", "statutory_due"] == ("2026-11-07", "2026-11-05")
    assert ("task", "check", "added", None) in changes
    assert ("task", "review", "removed", None) in changes
    assert essence(firm.job(job["id"])) == before
    run = firm.api.post(f"/templates/{template}/roll-out", {}).expect(202).json
    firm.api.post(f"/runs/{run['id']}/undo").problem(409, "run_under_way")
    firm.world.run_due(firm.id)
    assert firm.api.get(f"/runs/{run['id']}").json["progress"]["done"] == 1
    now = firm.job(job["id"])
    assert [t["key"] for t in now["tasks"]] == ["prepare", "check", "file", "review"]
    assert {t["key"]: t["status"] for t in now["tasks"]} == {
        "prepare": "not_started", "review": "cancelled", "file": "not_started", "check": "not_started",
    }  # fmt: skip
    fresh = firm.apply(
        template,
        client_id=str(
            firm.client_named("Fresh Ltd", manager_id=str(firm.ada), partner_id=str(firm.eve), year_end="12-31")
        ),
    )
    assert standing(now) == standing(firm.job(fresh["id"]))
    undo = firm.api.post(f"/runs/{run['id']}/undo").expect(202).json
    assert undo["undoes"] == run["id"]
    firm.world.run_due(firm.id)
    assert firm.api.get(f"/runs/{run['id']}").json["undone_by"] == undo["id"]
    assert standing(firm.job(job["id"])) == before
    firm.api.post(f"/runs/{run['id']}/undo").problem(409, "run_undone")
    firm.api.post(f"/runs/{undo['id']}/undo").problem(409, "run_not_undoable")


def test_what_was_changed_by_hand_stays(firm: Any, template: str, vat: dict[str, Any]) -> None:
    job = firm.apply(template)
    prepare = firm.task(job, "prepare")
    firm.api.patch(f"/tasks/{prepare['id']}", {"budget_minutes": 60}, if_match=prepare["version"]).expect(200)
    move = {"which": "statutory", "due_on": "2026-11-30", "reason": "agreed"}
    firm.api.post(f"/jobs/{job['id']}/due_date", move).expect(200)
    firm.api.post(f"/jobs/{job['id']}/tasks", {"title": "By hand"}).expect(201)
    version_two(firm, template, vat)
    run = firm.api.post(f"/templates/{template}/roll-out", {"job_ids": [job["id"]]}).expect(202).json
    firm.world.run_due(firm.id)
    now = firm.job(job["id"])
    assert firm.task(job, "prepare")["budget_minutes"] == 60
    assert firm.task(job, "prepare")["title"] == "Prepare the return"
    assert now["statutory_due_on"] == "2026-11-30"
    assert "By hand" in {t["title"] for t in now["tasks"]}
    check = firm.task(job, "check")
    firm.api.patch(f"/tasks/{check['id']}", {"title": "Check twice"}, if_match=check["version"]).expect(200)
    firm.api.post(f"/runs/{run['id']}/undo").expect(202)
    firm.world.run_due(firm.id)
    assert (firm.task(job, "prepare")["title"], firm.task(job, "prepare")["budget_minutes"]) == ("Prepare", 60)
    assert firm.job(job["id"])["template"]["version"] == 1


def test_jobs_that_have_begun_are_left_alone_and_told(firm: Any, template: str, vat: dict[str, Any]) -> None:
    begun, closed = firm.apply(template), firm.apply(template, again=True)
    firm.api.post(f"/tasks/{firm.task(begun, 'prepare')['id']}/start", {"despite_block": "known"}).expect(200)
    firm.api.post(f"/jobs/{closed['id']}/cancel", {"reason": "no"}).expect(200)
    version_two(firm, template, vat)
    shown = firm.api.post(f"/templates/{template}/roll-out/preview", {}).expect(200).json
    assert [i["error"]["code"] for i in shown["items"]] == ["job_started"]
    before = firm.job(begun["id"])
    run = firm.api.post(f"/templates/{template}/roll-out", {"job_ids": [begun["id"], closed["id"]]}).expect(202).json
    firm.world.run_due(firm.id)
    codes = {r["code"] for r in firm.api.get(f"/runs/{run['id']}/items").json["items"]}
    assert codes == {"job_started", "job_closed"}
    assert firm.job(begun["id"]) == before


def test_bad_roll_outs_are_refused_and_nothing_begins(firm: Any, template: str, vat: dict[str, Any]) -> None:
    firm.api.post(f"/templates/{template}/roll-out", {}).problem(409, "nothing_to_roll_out")
    firm.api.post(f"/templates/{template}/roll-out", {"template_version": 9}).problem(404, "template_version_not_found")
    firm.api.post(f"/templates/{template}/roll-out", {"job_ids": [str(new_id())]}).problem(404, "job_not_found")
    hidden = firm.client_named("Hidden Ltd", visible_to=[firm.eve])
    body = {"template_id": template, "client_id": str(hidden)}
    secret = firm.as_(firm.eve).post("/jobs", body).expect(201).json
    version_two(firm, template, vat)
    firm.api.post(f"/templates/{template}/roll-out", {"job_ids": [secret["id"]]}).problem(404, "job_not_found")
    firm.api.post(f"/templates/{template}/roll-out", {}).problem(409, "nothing_to_roll_out")
    firm.api.post(f"/runs/{new_id()}/undo").problem(404, "run_not_found")
    assert firm.api.get("/runs").json["items"] == []


def test_a_job_that_has_the_version_already_or_another_one_since_is_left_alone(
    firm: Any, template: str, vat: dict[str, Any]
) -> None:
    job = firm.apply(template)
    version_two(firm, template, vat)
    first = firm.api.post(f"/templates/{template}/roll-out", {}).expect(202).json
    twice = firm.api.post(f"/templates/{template}/roll-out", {"job_ids": [job["id"]]}).expect(202).json
    firm.world.run_due(firm.id)
    (result,) = firm.api.get(f"/runs/{twice['id']}/items").json["items"]
    assert (result["status"], result["code"]) == ("refused", "job_current")
    etag = firm.api.get(f"/templates/{template}").etag
    firm.api.put(f"/templates/{template}/draft", vat | {"title": "Third"}, if_match=etag).expect(200)
    firm.api.post(f"/templates/{template}/publish").expect(200)
    firm.api.post(f"/templates/{template}/roll-out", {}).expect(202)
    firm.world.run_due(firm.id)
    before = firm.job(job["id"])
    undo = firm.api.post(f"/runs/{first['id']}/undo").expect(202).json
    firm.world.run_due(firm.id)
    (result,) = firm.api.get(f"/runs/{undo['id']}/items").json["items"]
    assert (result["status"], result["code"]) == ("refused", "job_changed_since")
    assert firm.job(job["id"]) == before
    firm.api.post(f"/runs/{first['id']}/undo").problem(409, "run_undone")
    firm.api.post(f"/runs/{first['id']}/again").problem(409, "run_undone")
