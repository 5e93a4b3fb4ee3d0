"""A firm with people and clients, as every test of this service needs it."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from chassis.db import new_id
from chassis.testing import Api, World, service_world, worker_processes
from praxis.clients.v1.events_pb2 import ClientChanged, EngagementChanged, EngagementPerson
from praxis.common.v1.types_pb2 import Audience
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from workflow.app import service

world = service_world(service)


@dataclass
class Firm:
    """A firm in London with three people and a client, seen by one of them."""

    world: World
    id: UUID
    ada: UUID  # manager, who asks
    ben: UUID  # senior
    eve: UUID  # partner
    client: UUID
    api: Api

    def as_(self, staff: UUID, **more: Any) -> Api:
        return self.world.api(self.id, staff=staff, **more)

    def staff(
        self, name: str, grade: str = "senior", active: bool = True, version: int = 1, id: UUID | None = None
    ) -> UUID:
        staff_id = id or new_id()
        self.deliver(
            StaffChanged(
                staff_id=str(staff_id),
                name=name,
                grade=grade,
                weekly_capacity_minutes=2250,
                active=active,
                version=version,
            )
        )
        return staff_id

    def client_named(
        self, name: str, *, visible_to: list[UUID] | None = None, id: UUID | None = None, version: int = 1, **more: Any
    ) -> UUID:
        client_id = id or new_id()
        values = {"status": "active", "kind": "organisation"} | more
        audience = Audience(private=visible_to is not None, staff_ids=[str(s) for s in visible_to or []])
        self.deliver(ClientChanged(client_id=str(client_id), name=name, audience=audience, version=version, **values))
        return client_id

    def engagement(self, client: UUID, people: dict[str, UUID] | None = None) -> UUID:
        engagement_id = new_id()
        named = [EngagementPerson(job_role=role, staff_id=str(staff)) for role, staff in (people or {}).items()]
        self.deliver(
            EngagementChanged(
                engagement_id=str(engagement_id),
                client_id=str(client),
                title="VAT",
                service="vat",
                status="open",
                people=named,
                version=1,
            )
        )
        return engagement_id

    def deliver(self, event: Any) -> bool:
        return self.world.deliver(self.id, event)

    def publish(self, content: dict[str, Any], name: str = "VAT return") -> str:
        """A template with one published version; its id."""
        template = self.api.post("/templates", {"name": name, "service": "vat", "content": content}).expect(201).json
        self.api.post(f"/templates/{template['id']}/publish").expect(200)
        return template["id"]

    def apply(self, template: str, **more: Any) -> dict[str, Any]:
        """A job made from the template for the firm's client and Q3 2026."""
        body = {
            "template_id": template,
            "client_id": str(self.client),
            "period_start": "2026-07-01",
            "period_end": "2026-09-30",
        } | more
        return self.api.post("/jobs", body).expect(201).json

    def job(self, job_id: str) -> dict[str, Any]:
        return self.api.get(f"/jobs/{job_id}").expect(200).json

    def task(self, job: dict[str, Any], key: str) -> dict[str, Any]:
        return next(t for t in self.job(job["id"])["tasks"] if t["key"] == key)

    def request(self, job: dict[str, Any], key: str = "papers") -> dict[str, Any]:
        return next(r for r in self.job(job["id"])["requests"] if r["key"] == key)

    def portal(self, clients: list[UUID] | None = None) -> Any:
        """The gRPC server as the portal sees it on behalf of a contact of the firm's client."""
        return self.world.grpc(
            self.id, caller="portal", user=self.world.portal_token(self.id, clients or [self.client])
        )


@pytest.fixture
def firm(world: World) -> Firm:
    firm_id = world.firm()
    ada = new_id()
    made = Firm(world, firm_id, ada, new_id(), new_id(), new_id(), world.api(firm_id, staff=ada))
    made.deliver(
        FirmUpdated(
            firm_id=str(firm_id),
            name="Firm",
            time_zone="Europe/London",
            country="GB",
            holidays_region="ENG",
            week_start=1,
            version=1,
        )
    )
    made.staff("Ada", "manager", id=ada)
    made.staff("Ben", id=made.ben)
    made.staff("Eve", "partner", id=made.eve)
    made.client_named("Smith Ltd", id=made.client, manager_id=str(ada), partner_id=str(made.eve), year_end="12-31")
    return made


# A VAT return as a small practice does it: papers from the client, prepare, review, file.
VAT: dict[str, Any] = {
    "statutory_due": {"anchor": "period_end", "amount": 1, "unit": "months", "plus_days": 7},
    "internal_due": {"anchor": "period_end", "amount": 3, "unit": "weeks", "roll": "previous"},
    "roles": [{"role": "preparer", "staff_id": None}, {"role": "reviewer", "staff_id": None}],
    "tasks": [
        {
            "key": "prepare",
            "title": "Prepare",
            "role": "preparer",
            "budget_minutes": 120,
            "due": {"anchor": "period_end", "amount": 10, "unit": "business_days"},
        },
        {
            "key": "review",
            "title": "Review",
            "role": "reviewer",
            "budget_minutes": 30,
            "due": {"anchor": "task_completion", "of": "prepare", "amount": 2, "unit": "business_days"},
        },
        {
            "key": "file",
            "title": "File",
            "role": "preparer",
            "budget_minutes": 15,
            "due": {"anchor": "task_completion", "of": "review", "amount": 1, "roll": "next"},
        },
    ],
    "requests": [
        {
            "key": "papers",
            "title": "Papers for the quarter",
            "due": {"anchor": "period_end", "amount": 5},
            "items": [
                {"kind": "file", "label": "Bank statements"},
                {"kind": "yes_no", "label": "Any sales abroad?"},
                {"kind": "text", "label": "Anything else?", "required": False},
            ],
        }
    ],
    "dependencies": [
        {"before": "papers", "after": "prepare"},
        {"before": "prepare", "after": "review"},
        {"before": "review", "after": "file"},
    ],
}


@pytest.fixture
def vat() -> dict[str, Any]:
    return deepcopy(VAT)


@pytest.fixture
def worker(world: World) -> Iterator[Callable[[], Any]]:
    """Starts a worker process as it is deployed: `with worker() as process`."""
    with worker_processes(world, PRAXIS_CLIENTS_GRPC="127.0.0.1:1") as start:
        yield start
