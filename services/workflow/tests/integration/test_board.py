"""The board, the lists, the counts, the overview and the search: what is shown, and to whom it isn't."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import NotFound
from praxis.workflow.v1.workflow_pb2 import GetJobRequest, GetTaskRequest

SIMPLE: dict[str, Any] = {
    "tasks": [{"key": "a", "title": "First", "budget_minutes": 60, "role": "preparer"}],
    "roles": [{"role": "preparer"}],
}


def day(offset: int) -> str:
    return (date.today() + timedelta(days=offset)).isoformat()  # noqa: DTZ011 (tests may be a day off at midnight; offsets allow for it)


def ad_hoc(firm: Any, title: str, due: str | None = None, **more: Any) -> dict[str, Any]:
    body = {"client_id": str(firm.client), "title": title, "internal_due_on": due} | more
    job = firm.api.post("/jobs", body).expect(201).json
    return firm.api.post(f"/jobs/{job['id']}/tasks", {"title": f"Work on {title}"}).expect(201).json


def cards(board: dict[str, Any], stage: str) -> list[str]:
    return next(
        [c["title"] for c in column["cards"]] for column in board["columns"] if column["stage"]["name"] == stage
    )


# --- stages ----------------------------------------------------------------------------------------------------------


def test_a_firm_begins_with_sensible_stages(firm: Any) -> None:
    stages = firm.api.get("/stages").expect(200).json["items"]
    assert [(s["name"], s["kind"]) for s in stages] == [
        ("Planned", "planned"),
        ("In progress", "active"),
        ("Review", "active"),
        ("With client", "waiting"),
        ("Done", "done"),
    ]
    # Also one that no event has told of yet.
    assert len(firm.world.api(firm.world.firm()).get("/stages").expect(200).json["items"]) == 5


def test_stages_are_as_the_firm_wants_them(firm: Any) -> None:
    made = firm.api.post("/stages", {"name": "Filing", "kind": "active", "position": 2}).expect(201)
    names = [s["name"] for s in firm.api.get("/stages").json["items"]]
    assert names == ["Planned", "Filing", "In progress", "Review", "With client", "Done"]
    stage = made.json["id"]
    firm.api.post("/stages", {"name": "Filing", "kind": "active"}).problem(409, "stage_name_taken")
    firm.api.patch(f"/stages/{stage}", {"name": "Review"}, if_match=made.etag).problem(409, "stage_name_taken")
    moved = firm.api.patch(f"/stages/{stage}", {"position": 6, "name": "Filed"}, if_match=made.etag).expect(200)
    assert [s["position"] for s in firm.api.get("/stages").json["items"]] == [1, 2, 3, 4, 5, 6]
    assert firm.api.get("/stages").json["items"][-1]["name"] == "Filed"
    firm.api.delete(f"/stages/{stage}", if_match=made.etag).problem(412, "version_conflict")
    firm.api.delete(f"/stages/{stage}", if_match=moved.etag).expect(204)


def test_a_stage_with_jobs_is_not_removed(firm: Any) -> None:
    ad_hoc(firm, "Advice")
    first = firm.api.get("/stages").json["items"][0]
    firm.api.delete(f"/stages/{first['id']}", if_match=first["version"]).problem(409, "stage_in_use")


def test_another_firm_s_stage_is_not_found(firm: Any) -> None:
    stage = firm.api.get("/stages").json["items"][0]
    stranger = firm.world.api(firm.world.firm())
    stranger.patch(f"/stages/{stage['id']}", {"name": "Mine"}, if_match=1).problem(404, "stage_not_found")
    stranger.get(f"/board/{stage['id']}").problem(404, "stage_not_found")


# --- board and lists -------------------------------------------------------------------------------------------------


def test_the_board_shows_jobs_by_stage_and_due_date(firm: Any) -> None:
    ad_hoc(firm, "Later", day(20))
    ad_hoc(firm, "Sooner", day(10))
    ad_hoc(firm, "Some day")
    board = firm.api.get("/board").expect(200).json
    assert cards(board, "Planned") == ["Sooner", "Later", "Some day"]
    assert [c["count"] for c in board["columns"]] == [3, 0, 0, 0, 0]


def test_a_column_goes_on_where_the_board_stopped(firm: Any) -> None:
    for i in range(5):
        ad_hoc(firm, f"Job {i}", day(i + 5))
    column = firm.api.get("/board", params={"per_column": 2}).expect(200).json["columns"][0]
    assert (column["count"], [c["title"] for c in column["cards"]]) == (5, ["Job 0", "Job 1"])
    path = f"/board/{column['stage']['id']}"
    second = firm.api.get(path, params={"cursor": column["next_cursor"], "limit": 2}).expect(200).json
    third = firm.api.get(path, params={"cursor": second["next_cursor"], "limit": 2}).expect(200).json
    assert [c["title"] for c in second["items"] + third["items"]] == ["Job 2", "Job 3", "Job 4"]
    assert third["next_cursor"] is None
    firm.api.get(path, params={"cursor": "nonsense"}).problem(400, "cursor_invalid")


def test_filters_narrow_board_list_and_counts_alike(firm: Any) -> None:
    other = firm.client_named("Jones")
    ad_hoc(firm, "Late", day(-3), owner_id=str(firm.ben))
    ad_hoc(firm, "Soon", day(3))
    ad_hoc(firm, "Jones's", day(30), client_id=str(other), service="vat", owner_id=str(firm.ben))

    def titles(**params: Any) -> list[str]:
        board = firm.api.get("/board", params=params).expect(200).json
        found = firm.api.get("/jobs", params=params).expect(200).json["items"]
        assert cards(board, "Planned") == [j["title"] for j in found]
        assert board["columns"][0]["count"] == len(found)
        if "status" not in params:
            assert firm.api.get("/jobs/counts", params=params).expect(200).json["total"] == len(found)
        return [j["title"] for j in found]

    assert titles() == ["Late", "Soon", "Jones's"]
    assert titles(owner=str(firm.ben)) == ["Late", "Jones's"]
    assert titles(owner="me") == ["Soon"]
    assert titles(client_id=str(other)) == ["Jones's"]
    assert titles(status="overdue") == ["Late"]
    assert titles(status="on_track,overdue") == ["Late", "Soon", "Jones's"]
    assert titles(service="vat") == ["Jones's"]
    assert titles(due_from=day(0), due_to=day(10)) == ["Soon"]
    firm.api.get("/jobs", params={"status": "lost"}).problem(400, "request_invalid")
    firm.api.get("/jobs", params={"surprise": "1"}).expect(400)


def test_lists_are_sorted_both_ways_and_paged_to_the_end(firm: Any) -> None:
    for i in range(5):
        ad_hoc(firm, f"Job {i}", day(i + 5))

    def titles(sort: str) -> list[str]:
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = (
                firm.api.get("/jobs", params={"sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {}))
                .expect(200)
                .json
            )
            seen += [j["title"] for j in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                return seen

    assert titles("due_on") == [f"Job {i}" for i in range(5)]
    assert titles("-due_on") == [f"Job {i}" for i in reversed(range(5))]
    assert titles("-created_at") == [f"Job {i}" for i in reversed(range(5))]


def test_a_list_is_exported_as_csv(firm: Any) -> None:
    ad_hoc(firm, "=1+1", day(5))
    got = firm.api.get("/jobs", headers={"accept": "text/csv"}).expect(200)
    header, row = got.response.text.strip().splitlines()
    assert header.startswith("id,title,")
    assert "'=1+1" in row


def test_a_finished_job_leaves_the_board_after_a_while(firm: Any) -> None:
    job = ad_hoc(firm, "Short", day(5))
    firm.api.post(f"/tasks/{job['tasks'][0]['id']}/done").expect(200)
    assert cards(firm.api.get("/board").json, "Done") == ["Short"]
    leaves = [row for row in firm.world.due(firm.id) if row.kind == "job_turn"][-1]
    firm.world.run_due(firm.id, at=leaves.run_at)
    assert cards(firm.api.get("/board").json, "Done") == []
    assert [j["title"] for j in firm.api.get("/jobs", params={"closed": "true"}).json["items"]] == ["Short"]
    assert [j["title"] for j in firm.api.get("/jobs", params={"status": "done"}).json["items"]] == ["Short"]
    assert firm.api.get("/jobs").json["items"] == []


def test_the_overview_tells_where_the_firm_stands(firm: Any, vat: dict[str, Any]) -> None:
    ad_hoc(firm, "Late", day(-3), owner_id=str(firm.ben))
    ad_hoc(firm, "Soon", day(30))
    waiting = firm.apply(firm.publish(vat), people=[{"role": "preparer", "staff_id": str(firm.ben)}])
    extend = {"which": "extended", "due_on": day(90), "reason": "granted"}
    firm.api.post(f"/jobs/{waiting['id']}/due_date", extend).expect(200)
    done = ad_hoc(firm, "Quick", day(5))
    firm.api.post(f"/tasks/{done['tasks'][0]['id']}/done").expect(200)

    seen = firm.api.get("/overview").expect(200).json
    assert seen["counts"] == {
        "on_track": 1,
        "at_risk": 0,
        "overdue": 1,
        "blocked": 0,
        "waiting_for_client": 1,
        "total": 3,
    }
    assert (seen["done_last_30_days"], seen["requests_waiting"], seen["requests_to_review"]) == (1, 1, 0)
    assert seen["unassigned_tasks"] == 2
    ben = next(o for o in seen["owners"] if o["staff"]["name"] == "Ben")
    assert (ben["open_jobs"], ben["overdue_jobs"], ben["open_tasks"], ben["due_this_week_minutes"]) == (1, 1, 2, 135)
    assert ben["weekly_capacity_minutes"] == 2250


# --- search ----------------------------------------------------------------------------------------------------------


def hits(api: Any, q: str) -> list[str]:
    return [
        f"{h['client']['name']}: {h['title']}" for h in api.get("/search", params={"q": q}).expect(200).json["items"]
    ]


def test_search_finds_by_parts_of_title_and_client_without_accents(firm: Any) -> None:
    other = firm.client_named("Müller & Söhne")
    ad_hoc(firm, "VAT return, Q3 2026", day(5))
    ad_hoc(firm, "VAT return, Q3 2026", day(5), client_id=str(other))
    ad_hoc(firm, "100% review", day(5))
    assert hits(firm.api, "vat muller") == ["Müller & Söhne: VAT return, Q3 2026"]
    assert hits(firm.api, "SÖHNE") == ["Müller & Söhne: VAT return, Q3 2026"]
    assert hits(firm.api, "smith q3") == ["Smith Ltd: VAT return, Q3 2026"]
    assert hits(firm.api, "100%") == ["Smith Ltd: 100% review"]
    assert hits(firm.api, "%%") == []
    assert hits(firm.api, "mullar") == ["Müller & Söhne: VAT return, Q3 2026"]  # nothing has it; this is most like it
    firm.api.get("/search", params={"q": "x"}).problem(400, "request_invalid")


def test_jobs_are_found_by_their_client_s_new_name_and_open_ones_first(firm: Any) -> None:
    done = ad_hoc(firm, "Accounts 2024", day(1))
    firm.api.post(f"/tasks/{done['tasks'][0]['id']}/done").expect(200)
    ad_hoc(firm, "Accounts 2025", day(50))
    firm.client_named("Brown PLC", id=firm.client, version=2)
    assert hits(firm.api, "brown accounts") == ["Brown PLC: Accounts 2025", "Brown PLC: Accounts 2024"]
    assert hits(firm.api, "smith") == []


def test_search_stays_within_the_firm(firm: Any) -> None:
    ad_hoc(firm, "Accounts 2025", day(50))
    assert hits(firm.world.api(firm.world.firm()), "accounts") == []


# --- private clients -------------------------------------------------------------------------------------------------


@pytest.fixture
def private(firm: Any) -> dict[str, Any]:
    """A job with a task and a request for a client that only Ada and Eve may know of."""
    client = firm.client_named("Secret GmbH", visible_to=[firm.ada, firm.eve])
    content = SIMPLE | {"requests": [{"key": "papers", "title": "Papers", "items": [{"kind": "text", "label": "?"}]}]}
    template = firm.publish(content, name="Secret work")
    return firm.apply(
        template,
        client_id=str(client),
        owner_id=str(firm.ben),
        people=[{"role": "preparer", "staff_id": str(firm.ben)}],
    )


def test_a_private_client_s_job_is_hidden_from_those_not_named(firm: Any, private: dict[str, Any]) -> None:
    task, request = private["tasks"][0]["id"], private["requests"][0]["id"]
    stranger = firm.as_(firm.ben)
    stranger.get(f"/jobs/{private['id']}").problem(404, "job_not_found")
    stranger.get(f"/tasks/{task}").problem(404, "task_not_found")
    stranger.get(f"/requests/{request}").problem(404, "request_not_found")
    for path in ("/jobs", "/tasks", "/requests"):
        assert stranger.get(path).expect(200).json["items"] == []
    assert stranger.get("/tasks", params={"owner": "me"}).json["items"] == []
    board = stranger.get("/board").json
    assert [(c["count"], c["cards"]) for c in board["columns"]] == [(0, [])] * 5
    assert stranger.get("/jobs/counts").json["total"] == 0
    seen = stranger.get("/overview").json
    assert (seen["counts"]["total"], seen["requests_waiting"], seen["unassigned_tasks"]) == (0, 0, 0)
    assert all(o["open_jobs"] == o["open_tasks"] == 0 for o in seen["owners"])
    assert hits(stranger, "secret") == []
    assert "secret" not in stranger.get("/jobs", headers={"accept": "text/csv"}).response.text.lower()


def test_a_private_client_s_job_can_not_be_acted_on_by_those_not_named(firm: Any, private: dict[str, Any]) -> None:
    task, request, job = private["tasks"][0]["id"], private["requests"][0]["id"], private["id"]
    stranger = firm.as_(firm.ben)
    before = firm.job(job)
    stage = firm.api.get("/stages").json["items"][1]["id"]
    stranger.patch(f"/jobs/{job}", {"title": "Mine"}, if_match=private["version"]).problem(404, "job_not_found")
    stranger.post(f"/jobs/{job}/move", {"stage_id": stage}).problem(404, "job_not_found")
    stranger.post(f"/jobs/{job}/cancel", {"reason": "?"}).problem(404, "job_not_found")
    stranger.post(f"/jobs/{job}/tasks", {"title": "?"}).problem(404, "job_not_found")
    stranger.post(f"/tasks/{task}/done").problem(404, "task_not_found")
    stranger.post(f"/requests/{request}/waive", {"reason": "?"}).problem(404, "request_not_found")
    stranger.post("/jobs", {"client_id": private["client"]["id"], "title": "?"}).expect(
        503
    )  # asked of its owner, who is away
    assert firm.job(job) == before


def test_every_filtered_board_counts_what_its_cards_show(firm: Any, private: dict[str, Any]) -> None:
    ad_hoc(firm, "Open to all", day(5))
    for api, seen in ((firm.as_(firm.ben), 1), (firm.api, 2), (firm.world.api(firm.id, audience="partner"), 1)):
        for params in ({}, {"status": "on_track,waiting_for_client,at_risk,overdue"}, {"priority": "normal"}):
            column = api.get("/board", params=params).expect(200).json["columns"][0]
            assert (column["count"], len(column["cards"])) == (seen, seen)
        tagged = api.get("/board", params={"tag": "vip"}).expect(200).json["columns"][0]
        assert (tagged["count"], tagged["cards"]) == (0, [])


def test_those_named_on_a_private_client_see_all_of_it(firm: Any, private: dict[str, Any]) -> None:
    for api in (firm.api, firm.as_(firm.eve)):
        assert api.get(f"/jobs/{private['id']}").expect(200).json["client"]["name"] == "Secret GmbH"
        assert api.get("/board").json["columns"][0]["count"] == 1
        assert api.get("/jobs/counts").json["total"] == 1
        assert hits(api, "secret") == ["Secret GmbH: Secret work, Q3 2026"]


def test_a_partner_system_sees_no_private_client_and_a_job_asked_over_grpc_is_hidden_too(
    firm: Any, private: dict[str, Any]
) -> None:
    system = firm.world.api(firm.id, audience="partner")
    assert system.get("/jobs").expect(200).json["items"] == []
    asking = firm.world.grpc(firm.id, caller="timebilling", user=firm.world.staff_token(firm.id, firm.ben))
    with pytest.raises(NotFound):
        asking.call("GetJob", GetJobRequest(job_id=private["id"]))
    with pytest.raises(NotFound):
        asking.call("GetTask", GetTaskRequest(task_id=private["tasks"][0]["id"]))
    itself = firm.world.grpc(firm.id, caller="timebilling")
    assert itself.call("GetJob", GetJobRequest(job_id=private["id"])).job.job_id == private["id"]


def test_a_client_made_private_takes_its_jobs_along(firm: Any) -> None:
    job = ad_hoc(firm, "Advice", day(5))
    stranger = firm.as_(firm.ben)
    stranger.get(f"/jobs/{job['id']}").expect(200)
    firm.client_named("Smith Ltd", id=firm.client, version=2, visible_to=[firm.ada])
    stranger.get(f"/jobs/{job['id']}").problem(404, "job_not_found")
    firm.client_named("Smith Ltd", id=firm.client, version=3)
    stranger.get(f"/jobs/{job['id']}").expect(200)


def test_an_unknown_id_is_no_different_from_a_hidden_one(firm: Any, private: dict[str, Any]) -> None:
    stranger = firm.as_(firm.ben)
    hidden = stranger.get(f"/jobs/{private['id']}").problem(404, "job_not_found").json
    absent = stranger.get(f"/jobs/{uuid4()}").problem(404, "job_not_found").json
    assert hidden == absent


def test_the_last_stage_stays(firm: Any) -> None:
    *others, last = firm.api.get("/stages").expect(200).json["items"]
    for stage in others:
        version = next(s["version"] for s in firm.api.get("/stages").json["items"] if s["id"] == stage["id"])
        firm.api.delete(f"/stages/{stage['id']}", if_match=version).expect(204)
    version = firm.api.get("/stages").json["items"][0]["version"]
    firm.api.delete(f"/stages/{last['id']}", if_match=version).problem(409, "stage_is_last")
