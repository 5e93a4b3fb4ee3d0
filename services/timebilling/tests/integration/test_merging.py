"""Clients that turn out to be one: time, WIP, invoices, payments and the ledger follow, and what an invoice froze stays."""

from datetime import timedelta

from sqlalchemy import text

from chassis.merged import guards
from praxis.clients.v1.events_pb2 import ClientMerged, ClientRemoved


def merge(firm, old, into):
    firm.world.deliver(firm.id, ClientMerged(client_id=str(old), into_client_id=str(into)))


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


def test_everything_of_a_merged_client_follows_and_the_books_hold(firm):
    survivor = firm.add_client(name="Smith & Co")
    firm.rate()
    firm.approved(3600, 7200)
    invoice = firm.issued()
    firm.pay("10.00", (invoice["id"], "10.00"))
    firm.approved(1800)
    firm.log(600)
    before = named(firm, firm.client)
    assert {
        "time_entries",
        "wip_items",
        "invoices",
        "payments",
        "ledger_postings",
        "job_copy",
        "engagement_copy",
    } <= set(before)
    for _ in range(2):
        merge(firm, firm.client, survivor)
        assert named(firm, firm.client) == {}
        assert named(firm, survivor) == before
    after = firm.partner.get(f"/invoices/{invoice['id']}").expect(200).json
    assert after["number"] == invoice["number"]
    assert after["total"] == invoice["total"]
    with firm.world.uow(firm.id) as uow:
        frozen = uow.session.execute(text("SELECT frozen::text FROM invoices WHERE number IS NOT NULL")).scalar_one()
    assert "Smith Ltd" in frozen
    firm.holds()
    assert firm.draft(client=survivor)["client_name"] == "Smith & Co"


def test_the_id_given_up_keeps_leading_to_the_client_that_stands(firm):
    survivor = firm.add_client(name="Smith & Co")
    merge(firm, firm.client, survivor)
    firm.add_client(firm.client, name="Smith Ltd", version=9)  # said before the merge, heard after it
    late = firm.add_job(client=firm.client, title="Late")
    firm.rate()
    entry = firm.log(job_id=str(late))
    assert entry["client_id"] == str(survivor)
    paid = firm.pay("5.00", client=firm.client)
    assert paid["client_id"] == str(survivor)


def test_what_was_written_at_the_same_moment_follows_a_little_later(firm):
    survivor = firm.add_client(name="Smith & Co")
    merge(firm, firm.client, survivor)
    with firm.world.uow(firm.id) as uow:
        uow.session.execute(text("UPDATE job_copy SET client_id = :old"), {"old": firm.client})
        uow.keep()
        soon = uow.now + timedelta(minutes=3)
    firm.world.run_due(firm.id, at=soon)
    assert named(firm, firm.client) == {}


def test_rates_follow_and_where_both_had_one_the_survivors_is_used(firm):
    survivor = firm.add_client(name="Smith & Co")
    firm.rate("100.00", level="client_grade", client_id=str(firm.client), grade="senior")
    firm.rate("120.00", level="client_grade", client_id=str(survivor), grade="senior")
    firm.rate("90.00", level="client_staff", client_id=str(firm.client), staff_id=str(firm.ada))
    merge(firm, firm.client, survivor)
    with firm.world.uow(firm.id) as uow:
        rates = uow.session.execute(
            text("SELECT level, amount::text FROM rates WHERE client_id = :id ORDER BY 1"), {"id": survivor}
        )
        assert [tuple(r) for r in rates] == [("client_grade", "120.00"), ("client_staff", "90.00")]
    assert [a.action for a in firm.world.audit(firm.id)].count("rate.dropped") == 1


def test_a_removed_client_is_forgotten(firm):
    gone = firm.add_client(name="Never")
    firm.world.deliver(firm.id, ClientRemoved(client_id=str(gone)))
    with firm.world.uow(firm.id) as uow:
        assert (
            uow.session.execute(text("SELECT count(*) FROM client_copy WHERE id = :id"), {"id": gone}).scalar_one() == 0
        )


def test_no_guard_of_the_books_stands_in_the_way_of_a_merge(world):
    """A trigger that refuses changes of a table with a client must let a merge pass: `chassis.merged.let_pass` in its migration."""
    with world.uow(world.firm()) as uow:
        assert [f"{g.place}.{g.name}" for g in uow.session.execute(text(guards("client_id")))] == []


def test_how_a_merged_clients_time_is_rounded_follows_unless_the_other_has_a_way_of_its_own(firm):
    survivor = firm.add_client(name="Smith & Co")

    def put(client, seconds):
        rounding = {"increment_seconds": seconds, "direction": "up", "minimum_seconds": 0}
        body = {"scope": "client", "rounding": rounding}
        firm.partner.put(f"/rounding-policies/{client}", body, if_match=0).expect(200)

    put(firm.client, 900)
    for _ in range(2):
        merge(firm, firm.client, survivor)
        assert [p["says"] for p in firm.partner.get("/rounding-policies").json["items"]] == ["up to 15 min"]
    third = firm.add_client(name="Smith & Sons")
    put(third, 360)
    merge(firm, third, survivor)
    assert [p["says"] for p in firm.partner.get("/rounding-policies").json["items"]] == ["up to 15 min"]
