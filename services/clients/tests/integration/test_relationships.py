"""What clients, and others, are to each other; read from both sides."""

import pytest

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import RelationshipChanged


@pytest.fixture
def ada_and_firm(office):
    return office.client("Ada Smith", kind="person"), office.client("Smith Ltd")


def relate(office, client, kind, other, **more):
    side = {"other_client_id": other["id"]} if isinstance(other, dict) else {"other_name": other}
    return office.api.post("/relationships", {"client_id": client["id"], "kind": kind, **side, **more})


def of(api, client):
    items = api.get(f"/relationships?client_id={client['id']}").expect(200).json["items"]
    return [(r["client"]["name"], r["kind"], (r["other_client"] or {}).get("name") or r["other_name"]) for r in items]


def test_a_relationship_reads_from_both_sides(office, ada_and_firm):
    ada, firm = ada_and_firm
    relate(office, ada, "director_of", firm, since="2020-01-01").expect(201)
    assert of(office.api, ada) == [("Ada Smith", "director_of", "Smith Ltd")]
    assert of(office.api, firm) == [("Smith Ltd", "has_director", "Ada Smith")]


def test_said_from_the_other_side_it_is_the_same(office, ada_and_firm):
    ada, firm = ada_and_firm
    made = relate(office, firm, "has_director", ada).expect(201).json
    assert (made["client"]["name"], made["kind"]) == ("Ada Smith", "director_of")
    relate(office, ada, "director_of", firm).problem(409, "already_related")
    relate(office, firm, "has_director", ada).problem(409, "already_related")
    relate(office, ada, "shareholder_of", firm).expect(201)
    ben = office.client("Ben Smith", kind="person")
    relate(office, ben, "spouse_of", ada).expect(201)
    relate(office, ada, "spouse_of", ben).problem(409, "already_related")
    assert of(office.api, ben) == [("Ben Smith", "spouse_of", "Ada Smith")]


def test_somebody_who_is_no_client_is_related_by_name(office, ada_and_firm):
    ada, _ = ada_and_firm
    relate(office, ada, "opposed_to", " Jones  Ltd ").expect(201)
    relate(office, ada, "opposed_to", "JONES LTD").problem(409, "already_related")
    assert of(office.api, ada) == [("Ada Smith", "opposed_to", "Jones Ltd")]


def test_it_changes_ends_and_goes(office, ada_and_firm):
    ada, firm = ada_and_firm
    made = relate(office, ada, "director_of", firm, since="2020-01-01").expect(201).json
    path = f"/relationships/{made['id']}"
    office.api.patch(path, {"until": "2019-01-01"}, if_match=1).problem(422, "ends_before_start")
    ended = office.api.patch(path, {"until": "2024-12-31", "note": "resigned"}, if_match=1).expect(200)
    assert (ended.json["until"], ended.json["note"], ended.etag) == ("2024-12-31", "resigned", '"2"')
    office.api.delete(path, if_match=1).problem(412, "version_conflict")
    office.api.delete(path, if_match=2).expect(204)
    office.api.get(path).problem(404, "relationship_not_found")
    events = office.world.events(office.firm, RelationshipChanged)
    assert [(e.version, e.until, e.removed) for e in events] == [
        (1, "", False),
        (2, "2024-12-31", False),
        (3, "2024-12-31", True),
    ]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({}, 422, "other_side_required"),
        ({"other_name": "X", "other_client_id": str(new_id())}, 422, "other_side_required"),
        ({"other_client_id": str(new_id())}, 404, "client_not_found"),
        ({"other_name": " "}, 400, "request_invalid"),
        ({"other_name": "X", "kind": "friend"}, 400, "request_invalid"),
        ({"other_name": "X", "since": "2020-01-02", "until": "2020-01-01"}, 422, "ends_before_start"),
    ],
)
def test_a_wrong_relationship_has_its_code_and_changes_nothing(office, more, status, code):
    client = office.client()
    before = office.traces()
    body = {"client_id": client["id"], "kind": "director_of", **more}
    office.unchanged_by(office.api.post("/relationships", body), status, code, before)


def test_a_client_is_not_related_to_itself(office, ada_and_firm):
    relate(office, ada_and_firm[0], "spouse_of", ada_and_firm[0]).problem(422, "related_to_itself")


def test_what_leads_to_a_private_client_is_hidden(office, ada_and_firm):
    ada, firm = ada_and_firm
    secret = office.client("Secret Ltd", visible_to=[str(office.ada)])
    relate(office, ada, "director_of", firm).expect(201)
    made = relate(office, ada, "director_of", secret).expect(201).json
    assert len(of(office.api, ada)) == 2
    assert of(office.bens, ada) == [("Ada Smith", "director_of", "Smith Ltd")]
    office.bens.get(f"/relationships/{made['id']}").problem(404, "relationship_not_found")
    office.bens.patch(f"/relationships/{made['id']}", {"note": "x"}, if_match=1).problem(404, "relationship_not_found")
    office.bens.get(f"/relationships?client_id={secret['id']}").expect(200)
    assert of(office.bens, secret) == []


def test_relationships_are_the_firms_own(office, stranger, ada_and_firm):
    made = relate(office, ada_and_firm[0], "opposed_to", "Jones").expect(201).json
    stranger.api.get(f"/relationships/{made['id']}").problem(404, "relationship_not_found")
    assert stranger.api.get("/relationships").json["items"] == []
    assert len(office.api.get("/relationships").json["items"]) == 1
