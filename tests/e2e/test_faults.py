"""Bad days: processes killed in the middle of the main job, the broker gone. The job completes, nothing is lost, nothing doubled."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import psutil
import pytest

from chassis.testing import eventually
from tests.e2e.support import Firm, Platform, open_firm
from tests.e2e.test_main_job import main_job

# Each process of a service dies at the step in which it has most to do.
DEATHS = {
    "identity": {"client": "worker", "portal": "grpc", "tasks": "live", "time": "http"},
    "clients": {"client": "http", "job": "grpc", "portal": "worker"},
    "workflow": {"job": "http", "request": "grpc", "tasks": "worker"},
    "timebilling": {"approval": "http", "invoice": "worker", "pdf": "grpc"},
    "documents": {"request": "grpc", "tasks": "http", "pdf": "worker"},
    "portal": {"portal": "worker", "request": "http", "pdf": "grpc"},
}


@pytest.fixture
def firm(platform: Platform) -> Firm:
    firm = open_firm(platform)
    firm.hire("manager", roles=["manager"], grade="manager")
    firm.hire("senior", roles=["staff"], grade="senior")
    return firm


@pytest.fixture
def patience(platform: Platform) -> Iterator[None]:
    """People and partner systems try again when no answer comes."""
    platform.patience[0] = 45
    yield
    platform.patience[0] = 0


def kill(platform: Platform, part: str) -> None:
    """kill -9 of a part with its children; of one that is still being started after the kill before, as soon as it is there."""
    parent = psutil.Process(eventually(lambda: pid_of(platform, part)))
    children = parent.children(recursive=True)
    parent.kill()
    for child in children:  # some end by themselves when their parent is gone
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def pid_of(platform: Platform, part: str) -> int | None:
    """None while it is being started."""
    return next(p["pid"] for p in platform.status()["parts"] if p["name"] == part)


def all_ready(platform: Platform) -> bool:
    return bool(platform.status()["ready"])


@pytest.mark.parametrize("service", DEATHS)
def test_the_job_completes_though_each_process_of_a_service_is_killed(
    platform: Platform, firm: Firm, service: str, patience: None
) -> None:
    killers: list[threading.Timer] = []
    killed: list[str] = []

    def deal_death(process: str) -> None:
        kill(platform, f"{service}-{process}")
        killed.append(process)

    def before(step: str) -> None:
        if process := DEATHS[service].get(step):
            killers.append(threading.Timer(0.1, deal_death, (process,)))
            killers[-1].start()

    main_job(platform, firm, before)
    for killer in killers:
        killer.join()
    assert sorted(killed) == sorted(DEATHS[service].values())
    eventually(lambda: all_ready(platform))
    assert_nothing_doubled(firm)


def assert_nothing_doubled(firm: Firm) -> None:
    owner = firm.owner
    assert len(owner.get("clients/v1/clients?q=Marlow")["items"]) == 1
    assert len(owner.get("workflow/v1/jobs?closed=any")["items"]) == 1
    assert len(owner.get("timebilling/v1/time-entries")["items"]) == 2
    assert [i["number"] for i in owner.get("timebilling/v1/invoices")["items"]] == ["INV-000001"]
    assert len(owner.get("timebilling/v1/payments")["items"]) == 1
    names = sorted(d["name"] for d in owner.get("documents/v1/documents")["items"] if d["status"] == "stored")
    assert names == ["Bank statements.pdf", "INV-000001.pdf"]
    invited = [m for m in firm.platform.messages(firm.address("mina")) if "invites" in m["subject"]]
    assert len({m["message_id"] for m in invited}) == 1


def test_time_is_logged_while_the_broker_is_away_and_arrives_when_it_is_back(platform: Platform, firm: Firm) -> None:
    owner = firm.owner
    client = owner.post("clients/v1/clients", {"name": "Marlow Pottery Ltd", "kind": "organisation"}, status=201)
    job = owner.post("workflow/v1/jobs", {"client_id": client["id"], "title": "Advice"}, status=201)
    entry = {"job_id": job["id"], "day": datetime.now(UTC).date().isoformat(), "seconds": 600}
    eventually(lambda: owner.request("POST", "timebilling/v1/time-entries", entry).status == 201)
    kill(platform, "rabbitmq")
    for _ in range(20):
        owner.post("timebilling/v1/time-entries", entry, status=201)
    eventually(lambda: all_ready(platform))
    logged = len(owner.get("timebilling/v1/time-entries")["items"]) * 10
    assert logged >= 210
    eventually(lambda: owner.get(f"workflow/v1/jobs/{job['id']}")["logged_minutes"] == logged)


def test_every_service_finds_its_books_right(platform: Platform) -> None:
    """Runs last: the invariants of every service over all that the journeys and faults have done."""
    checked = platform.praxis("check")
    assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr[-1000:]
