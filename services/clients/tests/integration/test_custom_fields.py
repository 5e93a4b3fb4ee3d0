"""Fields of the firm's own: defined, held by clients, filtered by; a field with data in it stays what it is."""

import pytest

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import ClientChanged, CustomFieldChanged


def field(office, label, kind, **more):
    return office.api.post("/custom-fields", {"label": label, "kind": kind, **more}).expect(201).json


@pytest.fixture
def fields(office):
    return {
        "region": field(office, "Region", "text"),
        "people": field(office, "People", "number"),
        "founded": field(office, "Founded", "date"),
        "risk": field(office, "Risk", "choice", choices=["Low", "High"]),
        "reviewer": field(office, "Reviewer", "staff"),
    }


def test_a_field_is_made_with_a_key_of_its_label_and_announced(office):
    made = field(office, "Région (UK)", "text")
    assert (made["key"], made["position"], made["active"], made["choices"]) == ("region_uk", 1, True, [])
    assert office.api.get("/custom-fields").json["items"] == [made]
    assert office.api.get(f"/custom-fields/{made['id']}").expect(200).json == made
    (event,) = office.world.events(office.firm, CustomFieldChanged)
    assert (event.key, event.kind, event.version) == ("region_uk", "text", 1)


def test_a_client_holds_values_of_every_kind_and_tells_them(office, fields):
    custom = {"region": "North", "people": 12, "founded": "1999-12-31", "risk": "High", "reviewer": str(office.ben)}
    client = office.client(custom=custom)
    assert client["custom"] == custom
    changed = office.api.patch(f"/clients/{client['id']}", {"custom": {"people": 13.5, "risk": None}}, if_match=1)
    assert changed.expect(200).json["custom"] == {
        "region": "North",
        "people": 13.5,
        "founded": "1999-12-31",
        "reviewer": str(office.ben),
    }
    assert office.world.events(office.firm, ClientChanged)[1].custom["people"] == "13.5"


@pytest.mark.parametrize(
    ("custom", "status", "code"),
    [
        ({"colour": "red"}, 422, "custom_field_unknown"),
        ({"people": "many"}, 422, "custom_value_invalid"),
        ({"risk": "Middling"}, 422, "custom_value_invalid"),
        ({"founded": "1999-02-30"}, 422, "custom_value_invalid"),
        ({"reviewer": str(new_id())}, 422, "unknown_staff"),
        ({"region": ["North"]}, 400, "request_invalid"),
        ({"region": {"a": 1}}, 400, "request_invalid"),
        ([], 400, "request_invalid"),
    ],
)
def test_a_wrong_value_has_its_code_and_changes_nothing(office, fields, custom, status, code):
    client = office.client()
    before = office.traces()
    body = {"name": "Wrong", "kind": "person", "custom": custom}
    office.unchanged_by(office.api.post("/clients", body), status, code, before)
    office.unchanged_by(
        office.api.patch(f"/clients/{client['id']}", {"custom": custom}, if_match=1), status, code, before
    )


def test_clients_are_listed_by_what_they_hold(office, fields):
    north = office.client("North Ltd", custom={"region": "North", "people": 5})
    office.client("South Ltd", custom={"region": "South", "people": 50})

    def listed(custom):
        return [c["name"] for c in office.api.get("/clients", params={"custom": custom}).expect(200).json["items"]]

    assert listed("region:North") == [north["name"]]
    assert listed("people:5") == [north["name"]]
    assert listed("people:5.0") == [north["name"]]
    assert listed("region:Nor") == []
    office.api.get("/clients", params={"custom": "people:five"}).problem(422, "custom_value_invalid")
    office.api.get("/clients", params={"custom": "colour:red"}).problem(422, "custom_field_unknown")
    office.api.get("/clients", params={"custom": "red"}).problem(400, "request_invalid")


def test_a_field_with_data_in_it_keeps_its_kind_also_when_the_data_is_hidden(office, fields):
    office.client("Secret Ltd", visible_to=[str(office.ada)], custom={"region": "North", "risk": "High"})
    path = f"/custom-fields/{fields['region']['id']}"
    before = office.traces()
    office.unchanged_by(office.bens.patch(path, {"kind": "number"}, if_match=1), 409, "custom_field_in_use", before)
    office.unchanged_by(office.bens.delete(path, if_match=1), 409, "custom_field_in_use", before)
    fewer = office.bens.patch(f"/custom-fields/{fields['risk']['id']}", {"choices": ["Low"]}, if_match=1)
    office.unchanged_by(fewer, 409, "custom_choice_in_use", before)
    more = office.api.patch(f"/custom-fields/{fields['risk']['id']}", {"choices": ["Low", "High", "Top"]}, if_match=1)
    assert more.expect(200).json["choices"] == ["Low", "High", "Top"]
    office.api.patch(path, {"label": "Area", "active": False}, if_match=1).expect(200)
    new = office.api.post("/clients", {"name": "New", "kind": "person", "custom": {"region": "South"}})
    new.problem(422, "custom_field_inactive")


def test_an_unused_field_may_become_another_or_go(office, fields):
    path = f"/custom-fields/{fields['region']['id']}"
    office.api.patch(path, {"kind": "choice"}, if_match=1).problem(422, "custom_choices_required")
    changed = office.api.patch(path, {"kind": "choice", "choices": ["North"]}, if_match=1).expect(200).json
    assert (changed["kind"], changed["key"], changed["version"]) == ("choice", "region", 2)
    office.api.delete(path, if_match=1).problem(412, "version_conflict")
    office.api.delete(path, if_match=2).expect(204)
    office.api.get(path).problem(404, "custom_field_not_found")
    last = office.world.events(office.firm, CustomFieldChanged)[-1]
    assert (last.key, last.active, last.version) == ("region", False, 3)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"label": "Region", "kind": "text"}, 409, "custom_field_key_taken"),
        ({"label": "X", "kind": "colour"}, 400, "request_invalid"),
        ({"label": " ", "kind": "text"}, 400, "request_invalid"),
        ({"label": "X", "key": "X Y", "kind": "text"}, 400, "request_invalid"),
        ({"label": "X", "kind": "choice"}, 422, "custom_choices_required"),
        ({"label": "X", "kind": "date", "choices": ["A"]}, 422, "custom_choices_unexpected"),
    ],
)
def test_a_wrong_field_has_its_code_and_changes_nothing(office, fields, body, status, code):
    before = office.traces()
    office.unchanged_by(office.api.post("/custom-fields", body), status, code, before)
    assert len(office.api.get("/custom-fields").json["items"]) == len(fields)


def test_fields_are_the_firms_own_and_made_by_those_who_may(office, stranger, fields):
    assert stranger.api.get("/custom-fields").json["items"] == []
    stranger.api.get(f"/custom-fields/{fields['region']['id']}").problem(404, "custom_field_not_found")
    staff = office.world.api(
        office.firm, staff=office.ben, permissions=["clients:clients:read", "clients:clients:write"]
    )
    staff.post("/custom-fields", {"label": "X", "kind": "text"}).problem(403, "permission_missing")
