"""What this service hears and says: copies from events, states sent again, the schema it stands on."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import text

from chassis.db import new_id
from chassis.errors import Forbidden, NotFound
from clients.app import service
from praxis.clients.v1.clients_pb2 import GetClientRequest
from praxis.clients.v1.events_pb2 import ClientChanged, ContactChanged, EngagementChanged
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged


def test_a_staff_members_newest_state_is_kept_in_whatever_order_it_arrives(office):
    client = office.client(manager_id=str(office.ben))
    office.hire(office.ben, "Ben Newest", version=5)
    office.hire(office.ben, "Ben Older", active=False, version=4)
    assert office.api.get(f"/clients/{client['id']}").json["manager"]["name"] == "Ben Newest"
    office.api.post("/clients", {"name": "Next", "kind": "person", "manager_id": str(office.ben)}).expect(201)


def test_an_event_delivered_twice_takes_effect_once(office):
    event, id = StaffChanged(staff_id=str(new_id()), name="Cleo", active=True, version=1), new_id()
    assert office.world.deliver(office.firm, event, id=id) is True
    assert office.world.deliver(office.firm, event, id=id) is False


def test_new_clients_follow_the_firms_newest_settings(office):
    office.world.deliver(
        office.firm,
        FirmUpdated(firm_id=str(office.firm), name="Firm", currency="EUR", country="DE", language="de", version=2),
    )
    client = office.client()
    assert (client["currency"], client["country"], client["language"]) == ("EUR", "DE", "de")


def test_staff_of_another_firm_are_unknown(office, stranger):
    before = office.traces()
    named = {"name": "Smith Ltd", "kind": "organisation", "partner_id": str(stranger.ada)}
    office.unchanged_by(office.api.post("/clients", named), 422, "unknown_staff", before)


def test_a_dropped_copy_is_rebuilt_from_the_states_sent_again(office):
    """A listener that kept the newest state of each, and one that starts anew from republished states, know the same."""
    smith = office.client(
        "Smith Ltd",
        tags=["VIP"],
        tax_numbers={"vat": "GB200049136"},
        address={"line1": "1 High St", "city": "Leeds", "country": "GB"},
    )
    hidden = office.client("Secret Ltd", visible_to=[str(office.ada)])
    jo = office.contact("Jo Smith", smith, hidden, email="jo@example.com", portal_access=True)
    office.contact("Al Left")
    engagement = office.engagement(smith, people=[{"job_role": "preparer", "staff_id": str(office.ada)}])
    office.api.patch(f"/clients/{smith['id']}", {"name": "Smith & Co"}, if_match=1).expect(200)
    office.api.put(f"/contacts/{jo['id']}/clients/{smith['id']}", {"roles": ["owner", "director"]}, if_match=1).expect(
        200
    )
    office.api.post(f"/engagements/{engagement['id']}/close", {"ends_on": "2026-06-30", "reason": "done"}).expect(200)
    for event, key in (
        (ClientChanged, "client_id"),
        (ContactChanged, "contact_id"),
        (EngagementChanged, "engagement_id"),
    ):
        copy = {}
        for state in office.world.events(office.firm, event):
            copy[getattr(state, key)] = state
        with office.world.uow(office.firm) as uow:
            again = list(service.republish[event](uow))
        assert {str(subject) for subject, _, _ in again} == set(copy)
        assert all(version == state.version for _, version, state in again)
        assert {str(subject): state for subject, _, state in again} == copy, event


def test_other_services_get_a_clients_state_as_its_events_tell_it(office):
    client = office.client("Smith Ltd", tags=["VIP"])
    for caller in ("workflow", "timebilling", "documents"):
        answer = office.world.grpc(office.firm, caller=caller).call(
            "GetClient", GetClientRequest(client_id=client["id"])
        )
        assert answer.client == office.world.events(office.firm, ClientChanged)[0]


@pytest.mark.parametrize("asked", ["", "7", "0197ffff-0000-7000-8000-000000000000"])
def test_asking_for_no_client_is_not_found(office, asked):
    with pytest.raises(NotFound) as refusal:
        office.world.grpc(office.firm, caller="workflow").call("GetClient", GetClientRequest(client_id=asked))
    assert refusal.value.code == "client_not_found"


def test_a_strangers_client_and_a_stranger_service_get_nothing(office, stranger):
    request = GetClientRequest(client_id=office.client()["id"])
    with pytest.raises(NotFound):
        office.world.grpc(stranger.firm, caller="workflow").call("GetClient", request)
    with pytest.raises(Forbidden):
        office.world.grpc(office.firm, caller="portal").call("GetClient", request)


def test_the_check_names_an_open_engagement_of_a_former_client(office):
    client = office.client()
    engagement = office.engagement(client)
    with office.world.uow(office.firm) as uow:
        assert list(service.checks["former clients have no open engagement"](uow)) == []
        uow.session.execute(text("UPDATE clients SET status = 'former'"))  # past every rule, as a mistake would
        (line,) = service.checks["former clients have no open engagement"](uow)
    assert engagement["id"] in line
    assert client["number"] in line


@pytest.mark.parametrize(
    ("key", "said"), [("", "settings missing: PRAXIS_FIELD_KEY"), ("c2hvcnQ=", "PRAXIS_FIELD_KEY: ")]
)
def test_the_service_does_not_start_without_the_key_of_its_fields(world, key, said):
    url = world.runtime.settings.database_url
    env = os.environ | {
        "PRAXIS_DATABASE_URL": url,
        "PRAXIS_ISSUER": "http://i",
        "PRAXIS_JWKS_URL": "http://i",
        "PRAXIS_FIELD_KEY": key,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "clients", "http"], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert said in ended.stderr
