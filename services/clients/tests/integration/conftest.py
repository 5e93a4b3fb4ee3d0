"""The service on a real database, and a firm with staff to try it with."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

import pytest

from chassis.db import new_id
from chassis.testing import Answer, Api, World, service_world, worker_processes
from clients.app import service
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged

FIELD_KEY = base64.b64encode(bytes(range(32))).decode()
world = service_world(service, field_key=FIELD_KEY)


@dataclass
class Office:
    """A firm with two people, Ada and Ben; `api` is Ada's."""

    world: World
    firm: UUID
    ada: UUID = field(default_factory=new_id)
    ben: UUID = field(default_factory=new_id)

    def open(self) -> "Office":
        self.world.deliver(
            self.firm,
            FirmUpdated(firm_id=str(self.firm), name="Firm", currency="GBP", country="GB", language="en-GB", version=1),
        )
        self.hire(self.ada, "Ada Byron")
        self.hire(self.ben, "Ben Okri")
        return self

    def hire(self, staff: UUID, name: str, *, active: bool = True, version: int = 1) -> None:
        self.world.deliver(self.firm, StaffChanged(staff_id=str(staff), name=name, active=active, version=version))

    @cached_property
    def api(self) -> Api:
        return self.world.api(self.firm, staff=self.ada)

    @cached_property
    def bens(self) -> Api:
        return self.world.api(self.firm, staff=self.ben)

    def client(self, name: str = "Smith Ltd", **more: Any) -> dict[str, Any]:
        return self.api.post("/clients", {"name": name, "kind": "organisation", **more}).expect(201).json

    def contact(self, name: str = "Jo Smith", *clients: dict[str, Any], **more: Any) -> dict[str, Any]:
        links = [{"client_id": client["id"], "roles": ["director"]} for client in clients]
        return self.api.post("/contacts", {"name": name, "clients": links, **more}).expect(201).json

    def engagement(self, client: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.api.post("/engagements", engagement_terms(client, **more)).expect(201).json

    def unchanged_by(self, answer: Answer, status: int, code: str, before: "Traces") -> None:
        """The refusal has its code, and neither a row, an event nor an audit row came of it."""
        answer.problem(status, code)
        assert self.traces() == before

    def traces(self) -> "Traces":
        return Traces(
            events=len(self.world.events(self.firm)),
            audit=len(self.world.audit(self.firm)),
            clients=self.api.get("/clients?limit=200").json["items"],
            contacts=self.api.get("/contacts?limit=200").json["items"],
            engagements=self.api.get("/engagements?limit=200").json["items"],
        )


@dataclass
class Traces:
    """Everything a change would show in."""

    events: int
    audit: int
    clients: list[Any]
    contacts: list[Any]
    engagements: list[Any]


def engagement_terms(client: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The body of a request that opens an engagement."""
    fee = {"kind": "fixed", "amount": {"amount": "1200", "currency": "GBP"}}
    return {
        "client_id": client["id"],
        "title": "Accounts 2026",
        "service": "accounts",
        "starts_on": "2026-01-01",
        "fee": fee,
        **more,
    }


@pytest.fixture
def office(world: World) -> Office:
    return Office(world, world.firm()).open()


@pytest.fixture
def stranger(world: World) -> Office:
    """Another firm."""
    return Office(world, world.firm()).open()


@pytest.fixture
def terms() -> Any:
    return engagement_terms


@pytest.fixture
def worker(world: World) -> Iterator[Callable[[], Any]]:
    """Starts a worker process as it is deployed: `with worker() as process`."""
    with worker_processes(world, PRAXIS_FIELD_KEY=FIELD_KEY) as start:
        yield start
