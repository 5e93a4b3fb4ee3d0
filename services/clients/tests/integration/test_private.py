"""A private client does not exist for those who aren't named on it; nor does anything of it."""

import pytest

from chassis.db import new_id
from chassis.errors import NotFound
from praxis.clients.v1.clients_pb2 import GetClientRequest
from praxis.clients.v1.events_pb2 import ClientChanged


@pytest.fixture
def secret(office):
    """Ada's private client with a tax number, a contact of its own, one shared with an open client, and an engagement."""
    client = office.client(
        "Secret Ltd", visible_to=[str(office.ada)], tags=["hush"], tax_numbers={"vat": "GB200049136"}, number="SEC-1"
    )
    open_client = office.client("Open Ltd")
    own = office.contact("Olive Own", client, email="olive@example.com")
    shared = office.contact("Sam Shared", client, open_client)
    return {
        "client": client,
        "open": open_client,
        "own": own,
        "shared": shared,
        "engagement": office.engagement(client),
    }


def ids(answer):
    return {item["id"] for item in answer.expect(200).json["items"]}


def test_the_named_see_everything_of_it(office, secret):
    assert ids(office.api.get("/clients")) == {secret["client"]["id"], secret["open"]["id"]}
    assert ids(office.api.get("/contacts")) == {secret["own"]["id"], secret["shared"]["id"]}
    assert ids(office.api.get("/search?q=secret")) == {secret["client"]["id"]}
    assert [s["name"] for s in office.api.get(f"/clients/{secret['client']['id']}").json["visible_to"]] == ["Ada Byron"]


def test_the_unnamed_find_it_in_no_list_search_or_lookup(office, secret):
    bens = office.bens
    assert ids(bens.get("/clients")) == {secret["open"]["id"]}
    for query in ("tag=hush", "q=secret", "q=SEC-1", "q=se", "external_id=x&status=active"):
        assert ids(bens.get(f"/clients?{query}")) == set(), query
    assert ids(bens.get("/contacts")) == {secret["shared"]["id"]}
    for query in (f"client_id={secret['client']['id']}", "q=olive", "q=ol"):
        assert ids(bens.get(f"/contacts?{query}")) == set(), query
    assert ids(bens.get("/engagements")) == set()
    for q in ("secret", "se", "hush", "SEC-1", "olive", "olive@example.com"):
        assert ids(bens.get(f"/search?q={q}")) == set(), q
    assert ids(bens.post("/tax-number-lookups", {"tax_number": "GB200049136"})) == set()
    assert "Secret" not in bens.get("/clients", headers={"accept": "text/csv"}).response.text


def test_the_unnamed_see_a_shared_contact_without_the_private_client(office, secret):
    shared = office.bens.get(f"/contacts/{secret['shared']['id']}").expect(200).json
    assert [c["name"] for c in shared["clients"]] == ["Open Ltd"]
    hit = office.bens.get("/search?q=shared").json["items"][0]
    assert [c["name"] for c in hit["related"]] == ["Open Ltd"]


def test_the_unnamed_can_do_nothing_with_it(office, secret, terms):
    client, own, engagement = (
        f"/{kind}/{secret[name]['id']}"
        for kind, name in (("clients", "client"), ("contacts", "own"), ("engagements", "engagement"))
    )
    bens, before = office.bens, office.traces()
    role = {"roles": ["director"]}
    for answer, code in [
        (bens.get(client), "client_not_found"),
        (bens.patch(client, {"name": "Found"}, if_match=1), "client_not_found"),
        (bens.patch(client, {"name": "Found"}, if_match=9), "client_not_found"),
        (bens.post(f"{client}/archive", {"reason": "x"}), "client_not_found"),
        (bens.post(f"{client}/activate"), "client_not_found"),
        (bens.get(own), "contact_not_found"),
        (bens.patch(own, {"name": "Found"}, if_match=1), "contact_not_found"),
        (bens.put(f"{own}{client}", role, if_match=1), "contact_not_found"),
        (bens.put(f"/contacts/{secret['shared']['id']}{client}", role, if_match=1), "client_not_found"),
        (bens.delete(f"/contacts/{secret['shared']['id']}{client}", if_match=1), "client_not_found"),
        (
            bens.post("/contacts", {"name": "Al", "clients": [{"client_id": secret["client"]["id"], **role}]}),
            "client_not_found",
        ),
        (bens.post("/engagements", terms(secret["client"])), "client_not_found"),
        (bens.get(engagement), "engagement_not_found"),
        (bens.patch(engagement, {"title": "Found"}, if_match=1), "engagement_not_found"),
        (bens.post(f"{engagement}/close", {"ends_on": "2026-06-30", "reason": "x"}), "engagement_not_found"),
    ]:
        office.unchanged_by(answer, 404, code, before)


def test_what_one_may_not_see_looks_like_what_is_not_there(office, secret):
    hidden = office.bens.get(f"/clients/{secret['client']['id']}")
    absent = office.bens.get(f"/clients/{new_id()}")
    assert (hidden.status, hidden.json) == (absent.status, absent.json)


def test_partner_systems_see_no_private_clients(office, secret):
    partner = office.world.api(office.firm, audience="partner")
    assert ids(partner.get("/clients")) == {secret["open"]["id"]}
    partner.get(f"/clients/{secret['client']['id']}").problem(404, "client_not_found")


def test_changing_a_shared_contact_keeps_the_roles_one_cannot_see(office, secret):
    path = f"/contacts/{secret['shared']['id']}"
    office.bens.patch(path, {"name": "Sam S."}, if_match=1).expect(200)
    office.bens.put(f"{path}/clients/{secret['open']['id']}", {"roles": ["owner"]}, if_match=2).expect(200)
    names = {c["name"]: c["roles"] for c in office.api.get(path).json["clients"]}
    assert names == {"Secret Ltd": ["director"], "Open Ltd": ["owner"]}


def test_a_contact_unlinked_from_the_last_client_one_can_see_disappears(office, secret):
    path = f"/contacts/{secret['shared']['id']}"
    office.bens.delete(f"{path}/clients/{secret['open']['id']}", if_match=1).expect(204)
    office.bens.get(path).problem(404, "contact_not_found")
    assert [c["name"] for c in office.api.get(path).json["clients"]] == ["Secret Ltd"]


def test_a_client_made_private_disappears_and_comes_back_when_opened(office):
    client = office.client("Soon Secret")
    path = f"/clients/{client['id']}"
    office.bens.get(path).expect(200)
    office.api.patch(path, {"visible_to": [str(office.ada)]}, if_match=1).expect(200)
    office.bens.get(path).problem(404, "client_not_found")
    office.api.patch(path, {"visible_to": [str(office.ada), str(office.ben)]}, if_match=2).expect(200)
    office.bens.get(path).expect(200)
    office.api.patch(path, {"visible_to": None}, if_match=3).expect(200)
    audiences = [
        (e.audience.private, list(e.audience.staff_ids)) for e in office.world.events(office.firm, ClientChanged)
    ]
    ada, ben = str(office.ada), str(office.ben)
    assert audiences == [(False, []), (True, [ada]), (True, [ada, ben]), (False, [])]


def test_whoever_makes_a_client_private_must_be_named(office):
    client = office.client("Open Ltd")
    before = office.traces()
    alone = office.api.patch(f"/clients/{client['id']}", {"visible_to": [str(office.ben)]}, if_match=1)
    office.unchanged_by(alone, 422, "private_without_you", before)
    unknown = office.api.patch(f"/clients/{client['id']}", {"visible_to": [str(office.ada), str(new_id())]}, if_match=1)
    office.unchanged_by(unknown, 422, "unknown_staff", before)
    partner = office.world.api(office.firm, audience="partner")
    hiding = partner.patch(f"/clients/{client['id']}", {"visible_to": [str(office.ada)]}, if_match=1)
    office.unchanged_by(hiding, 422, "private_without_you", before)


def test_hidden_hits_do_not_use_up_the_places_of_visible_ones(office):
    for n in range(5):
        office.client(f"Falcon {n}", visible_to=[str(office.ada)])
    seen = office.client("Falcon Zebra")
    assert ids(office.bens.get("/search?q=falcon&limit=1")) == {seen["id"]}
    assert ids(office.bens.get("/search?q=fa&limit=1")) == {seen["id"]}


def test_other_services_get_it_for_those_who_are_named_only(office, secret):
    request = GetClientRequest(client_id=secret["client"]["id"])
    world, firm = office.world, office.firm
    for user in (None, world.staff_token(firm, office.ada), world.portal_token(firm, [secret["client"]["id"]])):
        answer = world.grpc(firm, caller="workflow", user=user).call("GetClient", request)
        assert answer.client.name == "Secret Ltd"
    with pytest.raises(NotFound) as refusal:
        world.grpc(firm, caller="workflow", user=world.staff_token(firm, office.ben)).call("GetClient", request)
    assert refusal.value.code == "client_not_found"
