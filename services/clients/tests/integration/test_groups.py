"""Clients seen, and perhaps billed, together."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import GroupChanged


def group(office, name, *clients, **more):
    body = {"name": name, "client_ids": [c["id"] for c in clients], **more}
    return office.api.post("/groups", body).expect(201).json


@pytest.fixture
def smiths(office):
    return [office.client("John Smith", kind="person"), office.client("Mary Smith", kind="person")]


def test_a_group_holds_its_clients_and_says_who_is_billed(office, smiths):
    made = group(office, "Smith family", *smiths, kind="family", bill_to_id=smiths[0]["id"], note="since 1999")
    assert [c["name"] for c in made["clients"]] == ["John Smith", "Mary Smith"]
    assert (made["bill_to"]["name"], made["kind"], made["parent"]) == ("John Smith", "family", None)
    assert office.api.get(f"/groups/{made['id']}").expect(200).json == made
    assert office.api.get(f"/groups?client_id={smiths[1]['id']}").json["items"] == [made]
    in_group = office.api.get(f"/clients?group_id={made['id']}").json["items"]
    assert [c["group"] for c in in_group] == [{"id": made["id"], "name": "Smith family"}] * 2
    (event,) = office.world.events(office.firm, GroupChanged)
    assert event.bill_to_client_id == smiths[0]["id"]
    assert list(event.client_ids) == sorted(c["id"] for c in smiths)


def test_clients_come_and_go(office, smiths):
    made = group(office, "Smiths", smiths[0])
    path = f"/groups/{made['id']}"
    joined = office.api.put(f"{path}/clients/{smiths[1]['id']}", if_match=1).expect(200)
    assert (len(joined.json["clients"]), joined.etag) == (2, '"2"')
    assert office.api.put(f"{path}/clients/{smiths[1]['id']}", if_match=2).expect(200).etag == '"2"'
    office.api.delete(f"{path}/clients/{smiths[0]['id']}", if_match=1).problem(412, "version_conflict")
    office.api.delete(f"{path}/clients/{smiths[0]['id']}", if_match=2).expect(204)
    office.api.delete(f"{path}/clients/{smiths[0]['id']}", if_match=3).problem(404, "client_not_in_group")
    assert [len(e.client_ids) for e in office.world.events(office.firm, GroupChanged)] == [1, 2, 1]


def test_who_is_billed_is_one_of_the_group_and_stays_in_it(office, smiths):
    outside = office.client("Outside Ltd")
    body = {"name": "G", "client_ids": [smiths[0]["id"]], "bill_to_id": outside["id"]}
    office.api.post("/groups", body).problem(422, "bill_to_not_in_group")
    made = group(office, "G", *smiths, bill_to_id=smiths[0]["id"])
    path = f"/groups/{made['id']}"
    office.api.patch(path, {"bill_to_id": outside["id"]}, if_match=1).problem(422, "bill_to_not_in_group")
    office.api.delete(f"{path}/clients/{smiths[0]['id']}", if_match=1).problem(409, "client_is_bill_to")
    office.api.patch(path, {"bill_to_id": None}, if_match=1).expect(200)
    office.api.delete(f"{path}/clients/{smiths[0]['id']}", if_match=2).expect(204)


def test_a_client_is_in_one_group(office, smiths):
    group(office, "One", smiths[0])
    two = group(office, "Two", smiths[1])
    put = office.api.put(f"/groups/{two['id']}/clients/{smiths[0]['id']}", if_match=1)
    put.problem(409, "client_in_another_group")
    office.api.post("/groups", {"name": "Three", "client_ids": [smiths[0]["id"]]}).problem(
        409, "client_in_another_group"
    )


def test_a_group_never_contains_itself(office):
    top, middle, bottom = (group(office, name) for name in ("Top", "Middle", "Bottom"))
    office.api.patch(f"/groups/{middle['id']}", {"parent_id": top["id"]}, if_match=1).expect(200)
    office.api.patch(f"/groups/{bottom['id']}", {"parent_id": middle["id"]}, if_match=1).expect(200)
    for above in (top, bottom, middle):
        refused = office.api.patch(f"/groups/{top['id']}", {"parent_id": above["id"]}, if_match=1)
        refused.problem(422, "group_contains_itself")
    assert [g["name"] for g in office.api.get(f"/groups?parent_id={top['id']}").json["items"]] == ["Middle"]
    office.api.delete(f"/groups/{middle['id']}", if_match=2).problem(409, "group_holds_groups")


def test_two_moves_at_once_never_close_a_circle(office):
    for n in range(4):
        one, two = group(office, f"One {n}"), group(office, f"Two {n}")
        with ThreadPoolExecutor(2) as pool:
            moves = [(one, two), (two, one)]
            answers = list(
                pool.map(
                    lambda m: office.api.patch(f"/groups/{m[0]['id']}", {"parent_id": m[1]["id"]}, if_match=1), moves
                )
            )
        assert sorted(a.status for a in answers) == [200, 422]


def test_a_dissolved_group_leaves_its_clients(office, smiths):
    made = group(office, "Smiths", *smiths, bill_to_id=smiths[0]["id"])
    office.api.delete(f"/groups/{made['id']}", if_match=1).expect(204)
    office.api.get(f"/groups/{made['id']}").problem(404, "group_not_found")
    assert office.api.get(f"/clients/{smiths[0]['id']}").json["group"] is None
    last = office.world.events(office.firm, GroupChanged)[-1]
    assert (last.dissolved, last.version, last.bill_to_client_id, list(last.client_ids)) == (True, 2, "", [])


def test_private_clients_of_a_group_are_hidden_and_stay_in_it(office, smiths):
    secret = office.client("Secret Smith", visible_to=[str(office.ada)])
    mixed = group(office, "Smiths", *smiths, secret, bill_to_id=secret["id"])
    alone = office.client("Alone", visible_to=[str(office.ada)])
    hidden = group(office, "Hidden", alone)
    bens = office.bens
    assert [g["name"] for g in bens.get("/groups").json["items"]] == ["Smiths"]
    bens.get(f"/groups/{hidden['id']}").problem(404, "group_not_found")
    seen = bens.get(f"/groups/{mixed['id']}").expect(200).json
    assert ([c["name"] for c in seen["clients"]], seen["bill_to"]) == (["John Smith", "Mary Smith"], None)
    bens.patch(f"/groups/{mixed['id']}", {"name": "The Smiths"}, if_match=1).expect(200)
    assert len(office.world.events(office.firm, GroupChanged)[-1].client_ids) == 3
    bens.delete(f"/groups/{mixed['id']}/clients/{secret['id']}", if_match=2).problem(404, "client_not_found")
    for client, version in zip(smiths, (2, 3), strict=True):
        bens.delete(f"/groups/{mixed['id']}/clients/{client['id']}", if_match=version).expect(204)
    bens.get(f"/groups/{mixed['id']}").problem(404, "group_not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "request_invalid"),
        ({"name": "G", "kind": "gang"}, 400, "request_invalid"),
        ({"name": "G", "client_ids": [str(new_id())]}, 404, "client_not_found"),
        ({"name": "G", "parent_id": str(new_id())}, 404, "group_not_found"),
        ({"name": "G", "bill_to_id": str(new_id())}, 404, "client_not_found"),
    ],
)
def test_a_wrong_group_has_its_code_and_changes_nothing(office, body, status, code):
    before = office.traces()
    office.unchanged_by(office.api.post("/groups", body), status, code, before)
    assert office.api.get("/groups").json["items"] == []


def test_groups_are_the_firms_own_and_paged_by_name(office, stranger):
    for name in ("b", "a", "c"):
        group(office, name)
    first = office.api.get("/groups?limit=2").json
    rest = office.api.get(f"/groups?limit=2&cursor={first['next_cursor']}").json
    assert [g["name"] for g in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert "a" in office.api.get("/groups", headers={"accept": "text/csv"}).expect(200).response.text
    assert stranger.api.get("/groups").json["items"] == []
    stranger.api.get(f"/groups/{first['items'][0]['id']}").problem(404, "group_not_found")
