"""Duplicates become one client: seen before, done as one act, safe against others at work, and the id given up keeps leading on."""

import threading

import pytest
from sqlalchemy import text

from chassis.db import new_id
from clients.app import service
from praxis.clients.v1.clients_pb2 import GetClientRequest
from praxis.clients.v1.events_pb2 import (
    ClientChanged,
    ClientMerged,
    ContactChanged,
    EngagementChanged,
    RelationshipChanged,
)
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.timebilling.v1.events_pb2 import InvoiceChanged
from praxis.workflow.v1.events_pb2 import JobChanged


@pytest.fixture
def pair(office):
    """Smith twice: the survivor, and the duplicate that has a life of its own."""
    survivor = office.client("Smith Ltd", tags=["VIP"], tax_numbers={"vat": "GB980780684"})
    duplicate = office.client(
        "Smith Limited", tags=["farm"], year_end="03-31", tax_numbers={"vat": "GB434031494", "payroll": "123/AB456"}
    )
    return survivor, duplicate


def body(survivor, duplicate, **more):
    return {
        "merged_id": duplicate["id"],
        "version": survivor["version"],
        "merged_version": duplicate["version"],
        **more,
    }


def merge(office, survivor, duplicate, **more):
    return office.api.post(f"/clients/{survivor['id']}/merge", body(survivor, duplicate, **more))


def test_a_preview_says_what_would_stand_and_what_would_move_and_changes_nothing(office, pair):
    survivor, duplicate = pair
    office.contact("Jo", duplicate)
    office.engagement(duplicate)
    for n, event in enumerate(
        (
            JobChanged(job_id=str(new_id())),
            InvoiceChanged(invoice_id=str(new_id())),
            DocumentChanged(document_id=str(new_id())),
        )
    ):
        event.client_id, event.version = duplicate["id"], n + 1
        office.world.deliver(office.firm, event)
    before = office.traces()
    seen = (
        office.api.get(f"/clients/{survivor['id']}/merge-preview?merged_id={duplicate['id']}&take=name")
        .expect(200)
        .json
    )
    assert office.traces() == before
    fields = {field["name"]: field for field in seen["fields"]}
    assert fields["name"] == {
        "name": "name",
        "survivor": "Smith Ltd",
        "merged": "Smith Limited",
        "result": "Smith Limited",
        "differs": True,
    }
    assert (fields["year_end"]["result"], fields["tags"]["result"]) == ("03-31", ["farm", "VIP"])
    assert seen["tax_numbers"] == [
        {"scheme": "payroll", "survivor": None, "merged": "****B456"},
        {"scheme": "vat", "survivor": "*******0684", "merged": "*******1494"},
    ]
    assert seen["moves"] == {"contacts": 1, "engagements": 1, "jobs": 1, "invoices": 1, "documents": 1}
    assert (seen["version"], seen["merged_version"]) == (survivor["version"], duplicate["version"])


def test_a_merge_moves_everything_and_the_old_id_leads_to_the_survivor(office, pair):
    survivor, duplicate = pair
    jo = office.contact("Jo", duplicate, email="jo@example.com", portal_access=True)
    al = office.contact("Al", survivor, duplicate)
    engagement = office.engagement(duplicate)
    merged = merge(office, survivor, duplicate, take=["name"], reason="entered twice").expect(200).json
    assert (merged["id"], merged["name"], merged["year_end"], merged["tags"]) == (
        survivor["id"],
        "Smith Limited",
        "03-31",
        ["farm", "VIP"],
    )
    assert merged["tax_numbers"] == {"vat": "*******0684", "income_tax": None, "payroll": "****B456"}
    assert {c["name"] for c in merged["contacts"]} == {"Jo", "Al"}
    assert office.api.post("/tax-number-lookups", {"tax_number": "123/AB456"}).json["items"][0]["id"] == survivor["id"]

    assert office.api.get(f"/clients/{duplicate['id']}").expect(200).json == merged
    assert office.api.get(f"/engagements/{engagement['id']}").json["client"]["id"] == survivor["id"]
    assert len(office.api.get(f"/engagements?client_id={duplicate['id']}").json["items"]) == 1
    assert len(office.api.get(f"/contacts?client_id={duplicate['id']}").json["items"]) == 2
    assert [c["id"] for c in office.api.get("/clients").json["items"]] == [survivor["id"]]
    answer = office.world.grpc(office.firm, caller="workflow").call(
        "GetClient", GetClientRequest(client_id=duplicate["id"])
    )
    assert answer.client.client_id == survivor["id"]
    assert answer.client == office.world.events(office.firm, ClientChanged)[-1]

    (told,) = office.world.events(office.firm, ClientMerged)
    assert (told.client_id, told.into_client_id) == (duplicate["id"], survivor["id"])
    held = {e.contact_id: {r.client_id for r in e.roles} for e in office.world.events(office.firm, ContactChanged)}
    assert held == {jo["id"]: {survivor["id"]}, al["id"]: {survivor["id"]}}
    assert office.world.events(office.firm, EngagementChanged)[-1].client_id == survivor["id"]
    actions = [(row.action, row.reason) for row in office.world.audit(office.firm)]
    assert ("client.merged", "entered twice") in actions
    assert ("client.merged_away", None) in actions
    with office.world.uow(office.firm) as uow:
        assert [list(check(uow)) for check in service.checks.values()] == [[]] * len(service.checks)
        assert [(str(s), m) for s, _, m in service.republish[ClientMerged](uow)] == [(duplicate["id"], told)]


def test_groups_and_relationships_follow_each_once(office, pair):
    survivor, duplicate = pair
    third, fourth = office.client("Third"), office.client("Fourth")
    group = (
        office.api.post(
            "/groups", {"name": "Family", "client_ids": [duplicate["id"], third["id"]], "bill_to_id": duplicate["id"]}
        )
        .expect(201)
        .json
    )
    said = [
        {"client_id": duplicate["id"], "kind": "opposed_to", "other_client_id": third["id"]},
        {"client_id": survivor["id"], "kind": "opposed_to", "other_client_id": third["id"]},
        {"client_id": duplicate["id"], "kind": "related_to", "other_client_id": survivor["id"]},
        {"client_id": fourth["id"], "kind": "subsidiary_of", "other_client_id": duplicate["id"]},
        {"client_id": duplicate["id"], "kind": "advised_by", "other_name": "Old Bank"},
    ]
    for body_ in said:
        office.api.post("/relationships", body_).expect(201)
    merged = merge(office, survivor, duplicate).expect(200).json
    after = office.api.get(f"/groups/{group['id']}").expect(200).json
    assert after["version"] == group["version"] + 1
    with office.world.uow(office.firm) as uow:
        rows = uow.session.execute(
            text("SELECT client_id::text, kind, other_client_id::text, other_name FROM relationships")
        )
        pairs = {(frozenset(filter(None, (r[0], r[2], r[3]))), r[1]) for r in rows}
        bill_to = uow.session.execute(text("SELECT bill_to_id::text FROM client_groups")).scalar_one()
        assert [list(check(uow)) for check in service.checks.values()] == [[]] * len(service.checks)
    assert bill_to == merged["id"]
    assert pairs == {
        (frozenset({survivor["id"], third["id"]}), "opposed_to"),
        (frozenset({survivor["id"], fourth["id"]}), "subsidiary_of"),
        (frozenset({survivor["id"], "Old Bank"}), "advised_by"),
    }
    removed = [e for e in office.world.events(office.firm, RelationshipChanged) if e.removed]
    assert len(removed) == 2


def test_who_is_in_two_groups_stays_in_the_survivors(office, pair):
    survivor, duplicate = pair
    kept = office.api.post("/groups", {"name": "Kept", "client_ids": [survivor["id"]]}).expect(201).json
    left = (
        office.api.post("/groups", {"name": "Left", "client_ids": [duplicate["id"]], "bill_to_id": duplicate["id"]})
        .expect(201)
        .json
    )
    merge(office, survivor, duplicate).expect(200)
    with office.world.uow(office.firm) as uow:
        rows = uow.session.execute(text("SELECT group_id::text, client_id::text FROM client_group_members"))
        assert [tuple(row) for row in rows] == [(kept["id"], survivor["id"])]
    assert office.api.get(f"/groups/{left['id']}").expect(200).json["version"] == 2


def test_things_can_be_done_by_the_id_given_up(office, pair):
    survivor, duplicate = pair
    merged = merge(office, survivor, duplicate).expect(200).json
    assert office.engagement(duplicate)["client"]["id"] == survivor["id"]
    assert office.contact("Jo", duplicate)["clients"][0]["id"] == survivor["id"]
    changed = (
        office.api.patch(f"/clients/{duplicate['id']}", {"name": "New"}, if_match=merged["version"]).expect(200).json
    )
    assert changed["id"] == survivor["id"]
    assert office.api.post(f"/clients/{duplicate['id']}/activate").problem(409, "client_already_active")


def test_what_hangs_on_the_survivor_is_read_by_the_id_given_up(office, pair):
    survivor, duplicate = pair
    office.api.post(f"/clients/{duplicate['id']}/notes", {"text": "Theirs"}).expect(201)
    office.api.post(f"/clients/{survivor['id']}/notes", {"text": "Ours"}).expect(201)
    group = {"name": "Family", "client_ids": [duplicate["id"]]}
    office.api.post("/groups", group).expect(201)
    related = {"client_id": duplicate["id"], "kind": "advised_by", "other_name": "Old Bank"}
    office.api.post("/relationships", related).expect(201)
    office.api.post("/conflict-checks", {"names": ["Nobody"], "client_id": duplicate["id"]}).expect(201)
    office.contact("Jo", duplicate), office.engagement(duplicate)
    merge(office, survivor, duplicate).expect(200)

    def read(path):
        return office.api.get(path).expect(200).json["items"]

    for path in ("clients/{}/notes", "clients/{}/timeline", "groups?client_id={}", "relationships?client_id={}",
                 "conflict-checks?client_id={}", "contacts?client_id={}", "engagements?client_id={}"):  # fmt: skip
        by_either = [read("/" + path.format(client["id"])) for client in pair]
        assert by_either[0] == by_either[1] != [], path
    csv = office.api.get(f"/contacts?client_id={duplicate['id']}", headers={"accept": "text/csv"}).expect(200)
    assert len(csv.response.text.splitlines()) == 2
    written = office.api.post(f"/clients/{duplicate['id']}/notes", {"text": "By the old id"}).expect(201).json
    assert written["client_id"] == survivor["id"]
    office.bens.get(f"/clients/{new_id()}/timeline").problem(404, "client_not_found")


def test_a_chain_of_merges_leads_to_its_end(office):
    a, b, c = office.client("A"), office.client("B"), office.client("C")
    b = merge(office, b, a).expect(200).json
    merge(office, c, b).expect(200)
    assert [office.api.get(f"/clients/{x['id']}").json["id"] for x in (a, b, c)] == [c["id"]] * 3


def test_what_others_did_for_the_duplicate_counts_for_the_survivor_also_when_heard_late(office, pair):
    survivor, duplicate = pair
    merge(office, survivor, duplicate).expect(200)
    office.world.deliver(
        office.firm, JobChanged(job_id=str(new_id()), client_id=duplicate["id"], title="Late", version=1)
    )
    third = office.client("Smyth")
    now = office.api.get(f"/clients/{survivor['id']}").json
    seen = office.api.get(f"/clients/{third['id']}/merge-preview?merged_id={now['id']}").json
    assert seen["moves"]["jobs"] == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"version": 7}, 412, "version_conflict"),
        ({"merged_version": 7}, 412, "version_conflict"),
        ({"merged_id": str(new_id())}, 404, "client_not_found"),
        ({"take": ["status"]}, 400, "request_invalid"),
    ],
)
def test_a_merge_of_something_else_than_was_seen_is_refused(office, pair, change, status, code):
    before = office.traces()
    office.unchanged_by(merge(office, *pair, **change), status, code, before)


def test_two_currencies_two_audiences_and_one_client_are_not_merged(office, stranger, pair):
    survivor, _ = pair
    euro, secret = office.client("E", currency="EUR"), office.client("S", visible_to=[str(office.ada)])
    theirs = stranger.client("Theirs")
    before = office.traces()
    office.unchanged_by(merge(office, survivor, euro), 409, "merge_currency_differs", before)
    office.unchanged_by(merge(office, survivor, secret), 409, "merge_audience_differs", before)
    office.unchanged_by(merge(office, survivor, survivor), 422, "merge_with_itself", before)
    office.unchanged_by(merge(office, survivor, theirs), 404, "client_not_found", before)


def test_the_old_id_of_a_private_client_tells_nothing_to_others(office):
    a, b = (office.client(name, visible_to=[str(office.ada)]) for name in "AB")
    office.engagement(b)
    merge(office, a, b).expect(200)
    for what in ("", "/timeline", "/notes"):
        office.bens.get(f"/clients/{b['id']}{what}").problem(404, "client_not_found")
    assert office.bens.get(f"/engagements?client_id={b['id']}").expect(200).json["items"] == []
    assert office.api.get(f"/clients/{b['id']}").json["id"] == a["id"]


def test_a_repeated_merge_is_done_once(office, pair):
    survivor, duplicate = pair
    first = office.api.post(f"/clients/{survivor['id']}/merge", body(survivor, duplicate), key="m-1").expect(200)
    again = office.api.post(f"/clients/{survivor['id']}/merge", body(survivor, duplicate), key="m-1").expect(200)
    assert again.json == first.json
    merge(office, survivor, duplicate).problem(412, "version_conflict")
    assert len(office.world.events(office.firm, ClientMerged)) == 1


def test_merges_that_cross_each_other_and_others_at_work_end_in_one_whole_client(office):
    for _ in range(3):
        a, b = office.client("Smith"), office.client("Smith again")
        answers, start = [], threading.Barrier(6)

        def at_once(act, answers=answers, start=start):
            start.wait()
            answers.append(act())

        opened = []

        acts = [
            lambda a=a, b=b: merge(office, a, b),
            lambda a=a, b=b: merge(office, b, a),
            lambda b=b: office.api.patch(f"/clients/{b['id']}", {"name": "Changed"}, if_match=1),
            lambda b=b, opened=opened: (
                opened.append(
                    office.api.post(
                        "/engagements",
                        {
                            "client_id": b["id"],
                            "title": "T",
                            "service": "vat",
                            "starts_on": "2026-01-01",
                            "fee": {"kind": "hourly"},
                        },
                    )
                )
                or opened[0]
            ),
            lambda a=a: office.api.post(
                "/contacts", {"name": "Jo", "clients": [{"client_id": a["id"], "roles": ["director"]}]}
            ),
            lambda a=a, b=b: office.api.post(
                "/contacts", {"name": "Al", "clients": [{"client_id": b["id"], "roles": ["director"]}]}
            ),
        ]
        threads = [threading.Thread(target=at_once, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.status for answer in answers} <= {200, 201, 409, 412}, [x.response.text for x in answers]
        left = [office.api.get(f"/clients/{x['id']}").expect(200).json for x in (a, b)]
        merged = [e for e in office.world.events(office.firm, ClientMerged) if e.client_id in (a["id"], b["id"])]
        assert len({c["id"] for c in left}) == 2 - len(merged)
        refused = [x.json["code"] for x in answers if x.status in (409, 412)]
        assert set(refused) <= {"version_conflict", "client_gone", "already_merged"}
        assert sum(c["open_engagements"] for c in {c["id"]: c for c in left}.values()) == (opened[0].status == 201)
    with office.world.uow(office.firm) as uow:
        assert [list(check(uow)) for check in service.checks.values()] == [[]] * len(service.checks)
