"""Contacts through the API: made, linked, invited, ended; and what is refused."""

import pytest

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import ContactChanged


def announced(office):
    return [
        (e.version, e.portal_access, e.active, [(r.client_id, r.role) for r in e.roles])
        for e in office.world.events(office.firm, ContactChanged)
    ]


def test_a_contact_is_made_with_the_clients_they_act_for(office):
    smith, jones = office.client("Smith Ltd"), office.client("Jones Ltd")
    links = [
        {"client_id": smith["id"], "roles": ["director", "Director", "shareholder"]},
        {"client_id": jones["id"], "roles": ["spouse"]},
    ]
    body = {
        "name": " Jo  Smith",
        "email": "Jo@Example.COM",
        "phone": "+44 20 7946 0000",
        "language": "fr",
        "clients": links,
    }
    made = office.api.post("/contacts", body).expect(201)
    assert made.headers["location"] == f"/api/clients/v1/contacts/{made.json['id']}"
    assert office.api.get(f"/contacts/{made.json['id']}").json == made.json
    expected = {
        "name": "Jo Smith",
        "email": "Jo@example.com",
        "phone": "+44 20 7946 0000",
        "language": "fr",
        "portal_access": False,
        "active": True,
        "version": 1,
        "clients": [
            {"id": jones["id"], "number": "C00002", "name": "Jones Ltd", "status": "active", "roles": ["spouse"]},
            {
                "id": smith["id"],
                "number": "C00001",
                "name": "Smith Ltd",
                "status": "active",
                "roles": ["director", "shareholder"],
            },
        ],
    }
    assert made.json.items() >= expected.items()
    assert office.contact("Al")["language"] == "en-GB"


def test_linking_and_unlinking_announce_the_contact(office):
    smith, jones = office.client("Smith Ltd"), office.client("Jones Ltd")
    contact = office.contact("Jo Smith", smith)
    path = f"/contacts/{contact['id']}/clients/{jones['id']}"
    linked = office.api.put(path, {"roles": ["director", "bookkeeper"]}, if_match=1).expect(200)
    assert linked.etag == '"2"'
    changed = office.api.put(path, {"roles": ["bookkeeper", "spouse"]}, if_match=2).expect(200)
    assert [(c["name"], c["roles"]) for c in changed.json["clients"]] == [
        ("Jones Ltd", ["bookkeeper", "spouse"]),
        ("Smith Ltd", ["director"]),
    ]
    office.api.delete(path, if_match=3).expect(204)
    at_smith = (smith["id"], "director")
    assert [(version, sorted(roles)) for version, _, _, roles in announced(office)] == [
        (1, [at_smith]),
        (2, sorted([at_smith, (jones["id"], "director"), (jones["id"], "bookkeeper")])),
        (3, sorted([at_smith, (jones["id"], "bookkeeper"), (jones["id"], "spouse")])),
        (4, [at_smith]),
    ]
    assert [c["name"] for c in office.api.get(f"/contacts/{contact['id']}").json["clients"]] == ["Smith Ltd"]


def test_a_link_that_says_nothing_new_leaves_no_trace(office):
    client = office.client()
    contact = office.contact("Jo Smith", client)
    before = office.traces()
    office.api.put(f"/contacts/{contact['id']}/clients/{client['id']}", {"roles": ["director"]}, if_match=1).expect(200)
    assert office.traces() == before


def test_a_contact_is_invited_to_the_portal_and_let_go(office):
    client = office.client()
    contact = office.contact("Jo Smith", client, email="jo@example.com")
    path = f"/contacts/{contact['id']}"
    assert office.api.patch(path, {"portal_access": True}, if_match=1).expect(200).json["portal_access"] is True
    gone = office.api.patch(path, {"active": False}, if_match=2).expect(200).json
    assert (gone["active"], gone["portal_access"]) == (False, False)
    role = [(client["id"], "director")]
    assert announced(office) == [(1, False, True, role), (2, True, True, role), (3, False, False, role)]


def test_portal_access_needs_an_address_and_an_active_contact(office):
    contact = office.contact("Jo Smith")
    invited = office.contact("Al Left", email="al@example.com", portal_access=True)
    before = office.traces()
    refused = office.api.post("/contacts", {"name": "Jo", "portal_access": True})
    office.unchanged_by(refused, 422, "portal_access_needs_email", before)
    refused = office.api.patch(f"/contacts/{contact['id']}", {"portal_access": True}, if_match=1)
    office.unchanged_by(refused, 422, "portal_access_needs_email", before)
    refused = office.api.patch(f"/contacts/{invited['id']}", {"email": None}, if_match=1)
    office.unchanged_by(refused, 422, "portal_access_needs_email", before)
    refused = office.api.patch(f"/contacts/{invited['id']}", {"active": False, "portal_access": True}, if_match=1)
    office.unchanged_by(refused, 422, "portal_access_needs_active", before)


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"colour": "red"}, 400, "request_invalid"),
        ({"name": ""}, 400, "request_invalid"),
        ({"portal_access": "yes"}, 400, "request_invalid"),
        ({"phone": "call me"}, 400, "request_invalid"),
        ({"email": "jo"}, 422, "email_invalid"),
        ({"email": "jo@nowhere"}, 422, "email_invalid"),
        ({"language": "xx"}, 422, "unknown_language"),
    ],
)
def test_bad_input_has_its_code_and_changes_nothing(office, wrong, status, code):
    contact = office.contact("Jo Smith")
    before = office.traces()
    office.unchanged_by(office.api.post("/contacts", {"name": "Al"} | wrong), status, code, before)
    office.unchanged_by(office.api.patch(f"/contacts/{contact['id']}", wrong, if_match=1), status, code, before)


def test_a_lost_update_is_told(office):
    client = office.client()
    contact = office.contact("Jo Smith", client)
    path = f"/contacts/{contact['id']}"
    office.api.patch(path, {"name": "Jo Jones"}, if_match=1).expect(200)
    before = office.traces()
    office.unchanged_by(office.bens.patch(path, {"name": "Jo Brown"}, if_match=1), 412, "version_conflict", before)
    link = f"{path}/clients/{client['id']}"
    office.unchanged_by(office.bens.put(link, {"roles": ["spouse"]}, if_match=1), 412, "version_conflict", before)
    office.unchanged_by(office.bens.delete(link, if_match=1), 412, "version_conflict", before)
    office.unchanged_by(office.bens.delete(link), 428, "if_match_required", before)


def test_strangers_clients_and_contacts_are_not_found(office, stranger):
    client, contact = stranger.client(), stranger.contact("Their Jo")
    mine, own = office.client("Mine"), office.contact("My Jo")
    before, theirs = office.traces(), stranger.traces()
    path = f"/contacts/{contact['id']}"
    link = {"client_id": client["id"], "roles": ["director"]}
    for answer, code in [
        (office.api.get(path), "contact_not_found"),
        (office.api.patch(path, {"name": "Mine"}, if_match=1), "contact_not_found"),
        (office.api.put(f"{path}/clients/{mine['id']}", {"roles": ["director"]}, if_match=1), "contact_not_found"),
        (
            office.api.put(f"/contacts/{own['id']}/clients/{client['id']}", {"roles": ["director"]}, if_match=1),
            "client_not_found",
        ),
        (office.api.delete(f"/contacts/{own['id']}/clients/{client['id']}", if_match=1), "client_not_found"),
        (office.api.delete(f"/contacts/{own['id']}/clients/{mine['id']}", if_match=1), "contact_not_linked"),
        (office.api.post("/contacts", {"name": "Al", "clients": [link]}), "client_not_found"),
    ]:
        office.unchanged_by(answer, 404, code, before)
    assert stranger.traces() == theirs
    assert office.api.get(f"/contacts?client_id={client['id']}").json["items"] == []


def test_the_same_client_named_twice_keeps_the_last_word(office):
    client = office.client()
    links = [{"client_id": client["id"], "roles": ["director"]}, {"client_id": client["id"], "roles": ["spouse"]}]
    made = office.api.post("/contacts", {"name": "Jo", "clients": links}).expect(201)
    assert [c["roles"] for c in made.json["clients"]] == [["spouse"]]


def test_the_list_is_filtered_by_what_one_asks_for(office):
    smith = office.client("Smith Ltd")
    jo = office.contact("Jo Smith", smith, email="jo@example.com", portal_access=True)
    al = office.contact("Al Left")
    office.api.patch(f"/contacts/{al['id']}", {"active": False}, if_match=1).expect(200)
    for query, expected in {
        "": [al, jo],
        f"client_id={smith['id']}": [jo],
        f"client_id={new_id()}": [],
        "active=false": [al],
        "active=true": [jo],
        "portal_access=true": [jo],
        "q=smyth": [jo],
        "q=jo@example.com": [jo],
    }.items():
        found = office.api.get(f"/contacts?{query}").expect(200).json["items"]
        assert [c["id"] for c in found] == [c["id"] for c in expected], query


def test_pages_of_contacts_meet(office):
    made = [office.contact(name)["id"] for name in ("Ann", "Bob", "Bob", "Cy")]
    first = office.api.get("/contacts?limit=2").json
    second = office.api.get("/contacts", params={"limit": 2, "cursor": first["next_cursor"]}).json
    assert [c["id"] for c in first["items"] + second["items"]] == made
    assert second["next_cursor"] is None


def test_every_act_is_audited_with_what_changed(office):
    client = office.client()
    contact = office.contact("Jo Smith")
    path = f"/contacts/{contact['id']}"
    office.api.put(f"{path}/clients/{client['id']}", {"roles": ["director"]}, if_match=1).expect(200)
    office.api.patch(path, {"phone": "020 7946 0000"}, if_match=2).expect(200)
    office.api.delete(f"{path}/clients/{client['id']}", if_match=3).expect(204)
    rows = [(r.action, r.before, r.after) for r in office.world.audit(office.firm) if r.subject_type == "contact"]
    assert rows[1:] == [
        ("contact.linked", {"clients": {}}, {"clients": {client["id"]: ["director"]}}),
        ("contact.changed", {"phone": None}, {"phone": "020 7946 0000"}),
        ("contact.unlinked", {"clients": {client["id"]: ["director"]}}, {"clients": {}}),
    ]
