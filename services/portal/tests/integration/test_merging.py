"""Clients that turn out to be one: who acted for the one sees what is asked of the other."""

from sqlalchemy import text

from praxis.clients.v1.events_pb2 import ClientMerged, ClientRemoved
from praxis.workflow.v1.events_pb2 import RequestItem

ITEMS = [
    RequestItem(
        item_id="0197ffff-0000-7000-8000-000000000001", kind="text", label="Turnover?", required=True, status="open"
    )
]


def test_what_was_asked_of_a_merged_client_is_seen_by_who_now_acts_for_the_survivor(firm):
    stands = firm.add_client("Ada & Co")
    firm.add_request(ITEMS, title="Papers of Ada Ltd")
    firm.world.deliver(firm.id, ClientMerged(client_id=str(firm.client), into_client_id=str(stands)))
    firm.add_contact("Ada Lovelace", firm.email, [stands], id=firm.contact, version=2)
    firm.world.deliver(firm.id, ClientMerged(client_id=str(firm.client), into_client_id=str(stands)))
    page = firm.signed_in().get("/portal")
    assert "Papers of Ada Ltd" in page.text
    firm.add_request(ITEMS, title="Asked before, heard after")
    with firm.world.uow(firm.id) as uow:
        held = uow.session.execute(text("SELECT DISTINCT client_id FROM request_copy")).scalars().all()
        assert held == [stands]
        assert (
            uow.session.execute(
                text("SELECT count(*) FROM client_copy WHERE id = :id"), {"id": firm.client}
            ).scalar_one()
            == 0
        )


def test_a_removed_client_is_forgotten(firm):
    firm.world.deliver(firm.id, ClientRemoved(client_id=str(firm.client)))
    with firm.world.uow(firm.id) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM client_copy")).scalar_one() == 0
