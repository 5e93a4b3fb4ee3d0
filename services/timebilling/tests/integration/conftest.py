"""A world of the service, and a firm in it with what a firm has: settings, people, clients, jobs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.db import new_id
from chassis.testing import Api, World, service_world, worker_processes
from praxis.clients.v1.events_pb2 import ClientChanged, EngagementChanged
from praxis.common.v1.types_pb2 import Audience
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from praxis.workflow.v1.events_pb2 import JobChanged, TaskChanged
from timebilling.app import service

world = service_world(service)


@dataclass
class Firm:
    """A firm at work: Ada (senior) logs, Pat (partner) approves and bills."""

    world: World
    id: UUID
    ada: UUID = field(default_factory=new_id)
    pat: UUID = field(default_factory=new_id)
    client: UUID = field(default_factory=new_id)
    job: UUID = field(default_factory=new_id)
    task: UUID = field(default_factory=new_id)
    engagement: UUID = field(default_factory=new_id)
    branded: bool = True

    def __post_init__(self) -> None:
        deliver = self.world.deliver
        deliver(
            self.id,
            FirmUpdated(
                firm_id=str(self.id),
                name="Brook & Partners",
                time_zone="Europe/London",
                currency="GBP",
                country="GB",
                language="en",
                version=1,
            ),
        )
        for staff, name, grade in ((self.ada, "Ada Moss", "senior"), (self.pat, "Pat Brook", "partner")):
            deliver(self.id, StaffChanged(staff_id=str(staff), name=name, grade=grade, active=True, version=1))
        self.add_client(self.client)
        deliver(
            self.id,
            EngagementChanged(
                engagement_id=str(self.engagement),
                client_id=str(self.client),
                title="VAT",
                service="vat",
                status="open",
                version=1,
            ),
        )
        self.add_job(self.job, self.client, engagement=self.engagement)
        deliver(
            self.id,
            TaskChanged(
                task_id=str(self.task),
                job_id=str(self.job),
                client_id=str(self.client),
                title="Check the ledgers",
                version=1,
            ),
        )
        self.staff = self.world.api(
            self.id, staff=self.ada, permissions=["timebilling:time:read", "timebilling:time:write"]
        )
        self.partner: Api = self.world.api(self.id, staff=self.pat)

    def add_client(
        self,
        id: UUID | None = None,
        *,
        name: str = "Smith Ltd",
        currency: str = "GBP",
        only: list[UUID] | None = None,
        version: int = 1,
    ) -> UUID:
        id = id or new_id()
        self.world.deliver(
            self.id,
            ClientChanged(
                client_id=str(id),
                number="C-001",
                name=name,
                kind="organisation",
                status="active",
                currency=currency,
                language="en",
                country="GB",
                audience=Audience(private=only is not None, staff_ids=[str(s) for s in only or []]),
                version=version,
            ),
        )
        return id

    def add_job(
        self,
        id: UUID | None = None,
        client: UUID | None = None,
        *,
        title: str = "VAT return Q3",
        engagement: UUID | None = None,
    ) -> UUID:
        id = id or new_id()
        self.world.deliver(
            self.id,
            JobChanged(
                job_id=str(id),
                client_id=str(client or self.client),
                engagement_id=str(engagement or ""),
                title=title,
                service="vat",
                status="on_track",
                version=1,
            ),
        )
        return id

    @property
    def today(self) -> date:
        return datetime.now(UTC).date()

    def day(self, ago: int = 1) -> str:
        return str(self.today - timedelta(days=ago))

    def log(self, seconds: int = 3600, *, api: Api | None = None, status: int = 201, **more: Any) -> Any:
        body = {"job_id": str(self.job), "day": self.day(), "seconds": seconds, **more}
        return (api or self.staff).post("/time-entries", body).expect(status).json

    def rate(
        self,
        amount: str = "180.00",
        *,
        level: str = "firm",
        currency: str = "GBP",
        first: str = "2020-01-01",
        kind: str = "bill",
        **keys: Any,
    ) -> Any:
        body = {"kind": kind, "level": level, "rate": {"amount": amount, "currency": currency}, "from": first, **keys}
        return self.partner.post("/rates", body).expect(201).json

    def approved(self, *seconds: int, **more: Any) -> list[str]:
        """Entries logged, submitted and approved; their ids."""
        ids = [self.log(s, **more)["id"] for s in seconds]
        assert self.staff.post("/time-entries/submit", {"ids": ids}).expect(200).json["failed"] == 0
        answer = self.partner.post("/time-entries/approve", {"ids": ids}).expect(200).json
        assert answer["failed"] == 0, answer
        return ids

    def draft(self, client: UUID | None = None, **more: Any) -> Any:
        return self.partner.post("/invoices", {"client_id": str(client or self.client), **more}).expect(201).json

    def issued(self, **more: Any) -> Any:
        return self.partner.post(f"/invoices/{self.draft(**more)['id']}/issue", {}).expect(200).json

    def pay(
        self,
        amount: str,
        *allocations: tuple[str, str],
        status: int = 201,
        currency: str = "GBP",
        client: UUID | None = None,
    ) -> Any:
        body = {
            "client_id": str(client or self.client),
            "amount": {"amount": amount, "currency": currency},
            "received_on": self.day(0),
            "allocations": [{"invoice_id": i, "amount": {"amount": a, "currency": currency}} for i, a in allocations],
        }
        return self.partner.post("/payments", body).expect(status).json

    def holds(self) -> None:
        """Every invariant of the service holds for this firm."""
        with self.world.uow(self.id) as uow:
            broken = [f"{name}: {what}" for name, check in service.checks.items() for what in check(uow)]
        assert broken == []


@pytest.fixture
def firm(world: World) -> Firm:
    return Firm(world, world.firm())


@pytest.fixture
def new_firm(world: World) -> Callable[..., Firm]:
    return lambda **more: Firm(world, world.firm(), **more)


@pytest.fixture
def worker(world: World) -> Iterator[Callable[[], Any]]:
    """Starts a worker process as it is deployed: `with worker() as process`."""
    others = ("clients", "workflow", "documents", "portal")
    nowhere = {f"PRAXIS_{name.upper()}_GRPC": "127.0.0.1:1" for name in others}
    with worker_processes(world, **nowhere) as start:
        yield start
