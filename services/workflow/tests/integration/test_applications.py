"""A template applied to many clients: previewed, made in the worker, told per client, once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from chassis.db import new_id
from chassis.due import Timers
from chassis.testing import statements
from praxis.workflow.v1.events_pb2 import JobChanged, RequestChanged, RunChanged, TaskChanged
from workflow.runs.usecases import CHUNK

PERIOD = {"period_start": "2026-07-01", "period_end": "2026-09-30"}


def named(*clients: Any) -> list[dict[str, str]]:
    return [{"client_id": str(client)} for client in clients]


def results(firm: Any, run_id: str, query: str = "") -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = firm.api.get(f"/runs/{run_id}/items?limit=200{query}{cursor}").expect(200).json
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def jobs(firm: Any) -> list[dict[str, Any]]:
    return firm.api.get("/jobs?closed=any&limit=200").expect(200).json["items"]


def test_many_get_what_one_would_get(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    jones = firm.client_named("Jones Ltd", partner_id=str(firm.eve))
    engagement = firm.engagement(jones, {"preparer": firm.ben})
    body = {"clients": [{"client_id": str(firm.client)}, {"client_id": str(jones), "engagement_id": str(engagement)}]}
    run = firm.api.post(f"/templates/{template}/apply", body | PERIOD).expect(202).json
    assert run["progress"] == {"total": 2, "waiting": 2, "done": 0, "refused": 0, "failed": 0}
    assert jobs(firm) == []
    firm.world.run_due(firm.id)
    run = firm.api.get(f"/runs/{run['id']}").expect(200).json
    assert run["progress"] == {"total": 2, "waiting": 0, "done": 2, "refused": 0, "failed": 0}
    assert run["finished_at"]
    made = {r["client"]["name"]: firm.job(r["job"]["id"]) for r in results(firm, run["id"])}
    assert {t["owner"]["name"] for t in made["Jones Ltd"]["tasks"] if t["owner"]} == {"Ben", "Eve"}
    # The same job by the single way, but for its ids and the instant.
    firm.api.post(f"/jobs/{made['Smith Ltd']['id']}/cancel", {"reason": "again"}).expect(200)
    alone = firm.apply(template)

    def same(job: dict[str, Any]) -> dict[str, Any]:
        tasks = [{k: t[k] for k in ("key", "title", "due_on", "blocked", "owner", "checklist")} for t in job["tasks"]]
        asked = [{k: r[k] for k in ("key", "status", "due_on", "reminders")} for r in job["requests"]]
        items = [[(i["kind"], i["label"], i["status"]) for i in r["items"]] for r in job["requests"]]
        names = ("title", "status", "statutory_due_on", "internal_due_on", "owner", "version", "template_version")
        return {k: job[k] for k in names if k in job} | {
            "tasks": tasks, "asked": asked, "items": items, "edges": len(job["dependencies"])
        }  # fmt: skip

    before = made["Smith Ltd"]
    assert same(before) == same(alone)


def test_all_is_announced_and_audited_as_for_one(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    before = len(firm.world.events(firm.id))
    others = [firm.client_named(f"Client {i}") for i in range(3)]
    firm.api.post(f"/templates/{template}/apply", {"clients": named(*others)} | PERIOD).expect(202)
    firm.world.run_due(firm.id)
    told = firm.world.events(firm.id)[before:]
    assert [sum(isinstance(e, kind) for e in told) for kind in (JobChanged, TaskChanged, RequestChanged)] == [3, 9, 3]
    assert {e.version for e in told if not isinstance(e, RunChanged)} == {1}
    reminders = [row for row in firm.world.due(firm.id) if row.kind == "request_reminder"]
    assert len(reminders) == 3
    made = [row for row in firm.world.audit(firm.id) if row.action == "job.created"]
    assert {row.actor for row in made} == {f"staff:{firm.ada}"}
    assert sum(row.action == "run.apply" for row in firm.world.audit(firm.id)) == 1


def test_each_client_is_told_apart_and_no_one_s_trouble_is_another_s(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    firm.apply(template)
    former = firm.client_named("Former Ltd", status="former")
    hidden = firm.client_named("Hidden Ltd", visible_to=[firm.eve])
    fine, unknown = firm.client_named("Fine Ltd"), new_id()
    body = {"clients": named(firm.client, former, hidden, unknown, fine)}
    body["clients"][4]["engagement_id"] = str(firm.engagement(firm.client))
    run = firm.api.post(f"/templates/{template}/apply", body | PERIOD).expect(202).json
    firm.world.run_due(firm.id)
    found = results(firm, run["id"])
    assert [(r["status"], r["code"]) for r in found] == [
        ("refused", "period_already_made"),
        ("refused", "client_former"),
        ("refused", "client_not_found"),
        ("refused", "client_not_found"),
        ("refused", "engagement_not_found"),
    ]
    assert found[0]["job"]["id"] == jobs(firm)[0]["id"]
    assert [r["client"]["name"] for r in found] == ["Smith Ltd", "Former Ltd", "", "", "Fine Ltd"]
    assert len(jobs(firm)) == 1
    del body["clients"][4]["engagement_id"]
    again = firm.api.post(f"/templates/{template}/apply", body | PERIOD | {"again": True}).expect(202).json
    firm.world.run_due(firm.id)
    assert [r["status"] for r in results(firm, again["id"])] == ["done", "refused", "refused", "refused", "done"]
    assert len(results(firm, again["id"], "&status=done")) == 2


def test_a_private_client_s_result_is_seen_by_those_named_only(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    hidden = firm.client_named("Hidden Ltd", visible_to=[firm.eve])
    eve = firm.as_(firm.eve)
    run = eve.post(f"/templates/{template}/apply", {"clients": named(hidden, firm.client)} | PERIOD).expect(202).json
    firm.world.run_due(firm.id)
    assert eve.get(f"/runs/{run['id']}").json["progress"]["done"] == 2
    assert firm.api.get(f"/runs/{run['id']}").json["progress"]["total"] == 1
    assert [r["client"]["name"] for r in results(firm, run["id"])] == ["Smith Ltd"]
    firm.world.api(firm.world.firm()).get(f"/runs/{run['id']}").problem(404, "run_not_found")


def test_the_same_key_is_one_run_and_a_second_run_makes_nothing_twice(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    body = {"clients": named(firm.client)} | PERIOD
    first = firm.api.post(f"/templates/{template}/apply", body, key="a").expect(202).json
    assert firm.api.post(f"/templates/{template}/apply", body, key="a").expect(202).json["id"] == first["id"]
    firm.api.post(f"/templates/{template}/apply", body, key="b").expect(202)
    firm.world.run_due(firm.id)
    assert len(jobs(firm)) == 1
    assert len(firm.api.get(f"/runs?template_id={template}").expect(200).json["items"]) == 2


def test_a_large_run_shows_its_progress_and_two_workers_make_each_job_once(firm: Any) -> None:
    template = firm.publish({"tasks": [{"key": "a", "title": "A"}]}, name="Small")
    clients = [firm.client_named(f"Client {i:03}") for i in range(CHUNK * 2 + 5)]
    run = firm.api.post(f"/templates/{template}/apply", {"clients": named(*clients)}).expect(202).json
    with firm.world.uow(firm.id) as uow:
        firm.world.service.timers["run"](uow, run["id"])
    shown = firm.api.get(f"/runs/{run['id']}").json
    assert shown["progress"] == {"total": len(clients), "waiting": CHUNK + 5, "done": CHUNK, "refused": 0, "failed": 0}
    assert shown["finished_at"] is None

    def work() -> None:
        # Each takes what is due, chunk after chunk, until there is nothing left.
        while Timers(firm.world.runtime).run_due(firm_id=firm.id):
            pass

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert firm.api.get(f"/runs/{run['id']}").json["progress"]["done"] == len(clients)
    with firm.world.uow(firm.id) as uow:
        made = uow.session.execute(text("SELECT count(*), count(DISTINCT client_id) FROM jobs")).one()
        steps = uow.session.execute(text("SELECT count(*) FROM tasks")).scalar_one()
    assert made == (len(clients), len(clients))
    assert steps == len(clients)


def test_a_chunk_is_all_or_nothing(firm: Any, vat: dict[str, Any]) -> None:
    """A worker that dies in the middle leaves the chunk to be made again, as if it had never begun."""
    template = firm.publish(vat)
    run = firm.api.post(f"/templates/{template}/apply", {"clients": named(firm.client)} | PERIOD).expect(202).json

    def half() -> None:
        with firm.world.uow(firm.id) as uow:
            firm.world.service.timers["run"](uow, run["id"])
            assert uow.session.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 1
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        half()
    assert jobs(firm) == []
    firm.world.run_due(firm.id)
    assert len(jobs(firm)) == 1


def test_what_has_changed_since_is_told_per_client(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    run = firm.api.post(f"/templates/{template}/apply", {"clients": named(firm.client)} | PERIOD).expect(202).json
    shown = firm.api.get(f"/templates/{template}")
    firm.api.patch(f"/templates/{template}", {"archived": True}, if_match=shown.etag).expect(200)
    firm.world.run_due(firm.id)
    assert [r["code"] for r in results(firm, run["id"])] == ["template_archived"]
    assert jobs(firm) == []


def test_a_preview_of_many_shows_all_and_makes_nothing(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    former = firm.client_named("Former Ltd", status="former")
    fine = firm.client_named("Fine Ltd", partner_id=str(firm.eve))
    body = {"clients": named(firm.client, former, fine)} | PERIOD
    shown = firm.api.post(f"/templates/{template}/apply/preview", body).expect(200).json
    assert (shown["clients"], shown["refused"], shown["template_version"]) == (3, 1, 1)
    assert shown["items"][1]["error"]["code"] == "client_former"
    for item, client in ((shown["items"][0], firm.client), (shown["items"][2], fine)):
        alone = firm.api.post(f"/templates/{template}/preview", {"client_id": str(client)} | PERIOD).expect(200).json
        assert item["preview"] == alone
    assert {w["code"]: w["count"] for w in shown["warnings"]}["portal_contact_missing"] == 2
    assert jobs(firm) == []
    assert firm.api.get("/runs").json["items"] == []


@pytest.mark.parametrize("path", ["apply", "apply/preview"])
def test_what_is_wrong_for_all_is_said_at_once_and_nothing_begins(firm: Any, vat: dict[str, Any], path: str) -> None:
    template, clients = firm.publish(vat), named(firm.client)
    draft = firm.api.post("/templates", {"name": "Draft"}).expect(201).json["id"]

    def refused(status: int, code: str, body: dict[str, Any], which: str = template) -> None:
        firm.api.post(f"/templates/{which}/{path}", {"clients": clients} | body).problem(status, code)

    refused(409, "template_not_published", {}, draft)
    refused(404, "template_not_found", {}, str(new_id()))
    refused(404, "template_version_not_found", {"template_version": 9})
    refused(422, "client_twice", {"clients": clients * 2})
    refused(422, "unknown_role", {"people": [{"role": "magician", "staff_id": str(firm.ben)}]})
    refused(422, "unknown_staff", {"people": [{"role": "preparer", "staff_id": str(new_id())}]})
    refused(422, "period_invalid", {"period_start": "2026-07-01"})
    refused(422, "date_out_of_range", {"starts_on": "1899-12-31"})
    refused(400, "request_invalid", {"clients": []})
    assert firm.api.get("/runs").json["items"] == []
    assert [row for row in firm.world.due(firm.id) if row.kind == "run"] == []


def test_a_chunk_of_many_takes_as_many_statements_as_one(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    go_on = firm.world.service.timers["run"]

    def taken(count: int) -> int:
        clients = [firm.client_named(f"Client {new_id()}") for _ in range(count)]
        run = firm.api.post(f"/templates/{template}/apply", {"clients": named(*clients)} | PERIOD).expect(202).json
        with firm.world.uow(firm.id) as uow, statements() as seen:
            go_on(uow, run["id"])
        assert firm.api.get(f"/runs/{run['id']}").json["progress"]["done"] == count
        return len(seen)

    assert taken(30) == taken(1)


# --- what goes wrong ---------------------------------------------------------------------------------------------------


@contextmanager
def impossible(firm: Any, client: Any) -> Iterator[None]:
    """The database refuses this client's jobs, as a defect would make it: nobody foresaw that."""
    engine = create_engine(firm.world.runtime.settings.owner_database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER TABLE jobs ADD CONSTRAINT ck_defect CHECK (client_id <> '{client}') NOT VALID"))
        try:
            yield
        finally:
            connection.execute(text("ALTER TABLE jobs DROP CONSTRAINT ck_defect"))
    engine.dispose()


def test_what_fails_for_one_client_ends_neither_the_others_nor_the_run(firm: Any, vat: dict[str, Any]) -> None:
    template, bad, good = firm.publish(vat), firm.client_named("Bad Ltd"), firm.client_named("Good Ltd")
    body = {"clients": named(firm.client, bad, good)} | PERIOD
    run = firm.api.post(f"/templates/{template}/apply", body).expect(202).json
    assert run["status"] == "under_way"
    with impossible(firm, bad):
        firm.world.run_due(firm.id)
    ended = firm.api.get(f"/runs/{run['id']}").expect(200).json
    assert ended["status"] == "failed"
    assert ended["finished_at"]
    assert ended["progress"] == {"total": 3, "waiting": 0, "done": 2, "refused": 0, "failed": 1}
    assert [(r["status"], r["code"]) for r in results(firm, run["id"])] == [
        ("done", None),
        ("failed", "unexpected_error"),
        ("done", None),
    ]
    assert [r["client"]["name"] for r in firm.api.get(f"/runs/{run['id']}/items?status=failed").json["items"]] == [
        "Bad Ltd"
    ]

    again = firm.api.post(f"/runs/{run['id']}/again").expect(202).json
    assert (again["id"], again["status"], again["progress"]["waiting"]) == (run["id"], "under_way", 1)
    firm.api.post(f"/runs/{run['id']}/again").problem(409, "run_under_way")
    firm.world.run_due(firm.id)
    assert firm.api.get(f"/runs/{run['id']}").json["status"] == "done"
    assert sorted(job["client"]["name"] for job in jobs(firm)) == ["Bad Ltd", "Good Ltd", "Smith Ltd"]
    firm.api.post(f"/runs/{run['id']}/again").problem(409, "nothing_left_to_do")


def test_what_was_refused_can_be_tried_again_but_not_what_is_hidden(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    former, hidden = (
        firm.client_named("Former Ltd", status="former"),
        firm.client_named("Hidden Ltd", visible_to=[firm.eve]),
    )
    run = firm.api.post(f"/templates/{template}/apply", {"clients": named(former, hidden)} | PERIOD).expect(202).json
    firm.world.run_due(firm.id)
    assert [r["code"] for r in results(firm, run["id"])] == ["client_former", "client_not_found"]
    firm.client_named("Former Ltd", id=former, version=2)
    firm.api.post(f"/runs/{run['id']}/again").expect(202)
    firm.world.run_due(firm.id)
    assert [(r["status"], r["code"]) for r in results(firm, run["id"])] == [
        ("done", None),
        ("refused", "client_not_found"),
    ]
    with firm.world.uow(firm.id) as uow:
        assert uow.session.execute(text("SELECT client_id FROM jobs")).scalars().all() == [former]


def test_a_run_that_the_worker_gave_up_goes_on_when_asked(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    run = firm.api.post(f"/templates/{template}/apply", {"clients": named(firm.client)} | PERIOD).expect(202).json
    with firm.world.uow(firm.id) as uow:  # after ten tries it lies with the dead letters
        uow.session.execute(text("UPDATE due SET done_at = now() WHERE firm_id = :f AND kind = 'run'"), {"f": firm.id})
    firm.api.post(f"/runs/{run['id']}/again").expect(202)
    firm.world.run_due(firm.id)
    assert firm.api.get(f"/runs/{run['id']}").json["status"] == "done"


def test_only_who_may_roll_out_may_try_a_roll_out_again(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    firm.apply(template)
    shown = firm.api.get(f"/templates/{template}")
    firm.api.put(f"/templates/{template}/draft", vat | {"title": "New"}, if_match=shown.etag).expect(200)
    firm.api.post(f"/templates/{template}/publish").expect(200)
    run = firm.api.post(f"/templates/{template}/roll-out", {}).expect(202).json
    firm.world.run_due(firm.id)
    staff = firm.as_(firm.ben, permissions=["workflow:jobs:read", "workflow:jobs:write"])
    staff.post(f"/runs/{run['id']}/again").problem(403, "permission_missing")
    firm.api.post(f"/runs/{run['id']}/again").problem(409, "nothing_left_to_do")
    firm.api.post(f"/runs/{new_id()}/again").problem(404, "run_not_found")
