"""Clients that turn out to be one: their files and jobs follow."""

import pytest
from sqlalchemy import text

from chassis.db import new_id
from chassis.testing import World
from praxis.clients.v1.events_pb2 import ClientChanged, ClientMerged, ClientRemoved
from praxis.workflow.v1.events_pb2 import JobChanged


class Firm:
    def __init__(self, world: World) -> None:
        self.world, self.id = world, world.firm()
        self.api = world.api(self.id, staff=new_id())

    def client(self, name, id=None, version=1):
        id = id or new_id()
        self.deliver(ClientChanged(client_id=str(id), name=name, version=version))
        return id

    def deliver(self, event):
        self.world.deliver(self.id, event)

    def start(self, client, **more):
        body = {"client_id": str(client), "name": "a.pdf", "size": 3, "sha256": "0" * 64, **more}
        return self.api.post("/uploads", body).expect(201).json


@pytest.fixture
def firm(world: World) -> Firm:
    return Firm(world)


def test_files_and_jobs_of_a_merged_client_follow(firm):
    old, stands = firm.client("Smith Ltd"), firm.client("Smith & Co")
    job = new_id()
    firm.deliver(JobChanged(job_id=str(job), client_id=str(old), title="VAT", version=1))
    upload = firm.start(old, job_id=str(job))
    for _ in range(2):
        firm.deliver(ClientMerged(client_id=str(old), into_client_id=str(stands)))
        document = firm.api.get(f"/documents/{upload['document_id']}").expect(200).json
        assert (document["client_id"], document["client_name"]) == (str(stands), "Smith & Co")
    firm.client("Smith Ltd", old, version=7)  # said before the merge, heard after it
    assert firm.start(old, job_id=str(job))  # by the id given up, at the job that moved
    with firm.world.uow(firm.id) as uow:
        left = "SELECT (SELECT count(*) FROM documents WHERE client_id = :id) + (SELECT count(*) FROM client_copy WHERE id = :id)"
        assert uow.session.execute(text(left), {"id": old}).scalar_one() == 0


def test_a_removed_client_is_forgotten(firm):
    gone = firm.client("Never")
    firm.deliver(ClientRemoved(client_id=str(gone)))
    with firm.world.uow(firm.id) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM client_copy")).scalar_one() == 0
