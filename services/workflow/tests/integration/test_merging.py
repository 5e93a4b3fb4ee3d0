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


def test_a_removed_client_is_forgotten(firm):
    firm.deliver(ClientRemoved(client_id=str(firm.client)))
    with firm.world.uow(firm.id) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM client_copy")).scalar_one() == 0
