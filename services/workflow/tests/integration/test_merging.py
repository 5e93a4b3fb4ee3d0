"""Clients that turn out to be one: jobs, tasks and requests follow."""

from sqlalchemy import text

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import ClientMerged, ClientRemoved, ContactChanged, ContactRole


def merge(firm, old, into):
    firm.deliver(ClientMerged(client_id=str(old), into_client_id=str(into)))


def named(firm, client):
    """How often each table names the client."""
    places = (
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'client_id' AND table_schema = 'public'"
    )
    with firm.world.uow(firm.id) as uow:
        tables = uow.session.execute(text(places)).scalars().all()
        counts = {
            t: uow.session.execute(text(f"SELECT count(*) FROM {t} WHERE client_id = :id"), {"id": client}).scalar_one()
            for t in tables
        }
    return {table: count for table, count in counts.items() if count}


def test_jobs_tasks_and_requests_follow_even_where_both_had_the_same_period(firm, vat):
    survivor = firm.client_named("Jones Ltd")
    template = firm.publish(vat)
    moved, stood = firm.apply(template), firm.apply(template, client_id=str(survivor))
    contact = new_id()
    roles = [ContactRole(client_id=str(c), role="director") for c in (firm.client, survivor)]
    firm.deliver(
        ContactChanged(contact_id=str(contact), name="Jo", portal_access=True, active=True, roles=roles, version=1)
    )
    before = named(firm, firm.client)
    assert {"jobs", "tasks", "requests", "contact_clients"} <= set(before)
    for _ in range(2):
        merge(firm, firm.client, survivor)
        assert named(firm, firm.client) == {}
    after = named(firm, survivor)
    assert (after["jobs"], after["tasks"], after["contact_clients"]) == (2, 2 * before["tasks"], 1)
    assert firm.job(moved["id"])["client"]["name"] == "Jones Ltd"
    assert {hit["id"] for hit in firm.api.get("/search?q=jones").expect(200).json["items"]} == {
        moved["id"],
        stood["id"],
    }
    firm.apply(template, client_id=str(firm.client), again=True)  # by the id given up
    assert named(firm, survivor)["jobs"] == 3


def test_what_was_said_before_a_merge_and_is_heard_after_it_finds_the_survivor(firm):
    survivor = firm.client_named("Jones Ltd")
    merge(firm, firm.client, survivor)
    firm.client_named("Smith Ltd", id=firm.client, version=9)
    engagement = firm.engagement(firm.client)
    job = (
        firm.api.post("/jobs", {"client_id": str(firm.client), "title": "Late", "engagement_id": str(engagement)})
        .expect(201)
        .json
    )
    assert job["client"]["id"] == str(survivor)
    assert named(firm, firm.client) == {}


def test_lists_are_asked_for_by_the_id_given_up(firm, vat):
    survivor = firm.client_named("Jones Ltd")
    template = firm.publish(vat)
    firm.apply(template)
    body = {"template_id": template, "clients": [{"client_id": str(firm.client)}]}
    series = {"rule": {"kind": "months", "every": 3}, "starts_on": "2099-01-01"}
    firm.api.post("/schedules", body | series).expect(201)
    merge(firm, firm.client, survivor)

    def read(path, client, part):
        answer = firm.api.get(path, params={"client_id": str(client), **part}).expect(200).json
        return answer.get("items") or answer.get("groups") or answer["columns"]

    by_owner = {"by": "owner"}
    for path, part in (("/jobs", {}), ("/tasks", {}), ("/requests", {}), ("/schedules", {}), ("/board", {}),
                       ("/jobs/groups", by_owner), ("/tasks/groups", by_owner)):  # fmt: skip
        assert read(path, firm.client, part) == read(path, survivor, part) != [], path
    asked = firm.api.get("/jobs", params={"client_id": str(firm.client)}, headers={"accept": "text/csv"}).expect(200)
    assert len(asked.response.text.splitlines()) == 2


def test_many_are_named_by_ids_given_up(firm, vat):
    survivor, template = firm.client_named("Jones Ltd"), firm.publish(vat)
    merge(firm, firm.client, survivor)
    body = {"clients": [{"client_id": str(firm.client)}]}
    run = firm.api.post(f"/templates/{template}/apply", body).expect(202).json
    firm.world.run_due(firm.id)
    (made,) = firm.api.get(f"/runs/{run['id']}/items").expect(200).json["items"]
    assert (made["status"], made["client"]["id"]) == ("done", str(survivor))
    both = {"clients": [{"client_id": str(client)} for client in (firm.client, survivor)]}
    firm.api.post(f"/templates/{template}/apply", both).problem(422, "client_twice")
    series = {"template_id": template, "rule": {"kind": "months", "every": 3}, "starts_on": "2099-01-01"}
    (planned,) = firm.api.post("/schedules", series | body).expect(201).json["items"]
    assert planned["schedule"]["client"]["id"] == str(survivor)


def test_an_automation_for_a_client_goes_on_for_the_one_that_stands(firm):
    survivor, other = firm.client_named("Jones Ltd"), firm.client_named("Other Ltd")
    condition = {"field": "client", "is": [str(firm.client)]}
    body = {"name": "Tag", "trigger": {"on": "job_made"}, "conditions": [condition]}
    firm.api.post("/automations", body | {"actions": [{"do": "apply_tag", "tag": "seen"}]}).expect(201)
    merge(firm, firm.client, survivor)
    made = [
        firm.api.post("/jobs", {"client_id": str(c), "title": "Advice"}).expect(201).json for c in (survivor, other)
    ]
    while firm.world.run_due(firm.id):
        pass
    assert [firm.job(job["id"])["tags"] for job in made] == [["seen"], []]


def test_a_removed_client_is_forgotten(firm):
    firm.deliver(ClientRemoved(client_id=str(firm.client)))
    with firm.world.uow(firm.id) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM client_copy")).scalar_one() == 0
