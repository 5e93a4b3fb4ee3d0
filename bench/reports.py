"""reports: standing, workload, delivery and capacity of a firm with a million tasks, against the very statements sent by the bare driver.

Ours: one request to the API, in the process (no socket), with its token, permission, unit of work and validation. The bound sends the statements
that this request had sent, in one transaction of the same login, and reads their rows; so the ratio is what stands around the SQL.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg

from bench import servers, work
from bench.report import Figure, Report, median, yardstick
from chassis.http import make_app
from chassis.testing import ISSUER, World, make_world, statements
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from workflow.app import service

ASKED = (
    ("standing by owner", "/reports/standing?by=owner"),
    ("standing by client", "/reports/standing?by=client"),
    ("standing by template", "/reports/standing?by=template"),
    ("workload by owner", "/reports/workload?by=owner"),
    ("workload by client", "/reports/workload?by=client"),
    ("delivery by month, 90 days", "/reports/delivery?by=month"),
    ("delivery by owner, 90 days", "/reports/delivery?by=owner"),
    ("delivery by client, 90 days", "/reports/delivery?by=client"),
    ("delivery by month, a year", "/reports/delivery?by=month&{year}"),
    ("capacity, 8 weeks", "/capacity?weeks=8"),
)


def main(words: list[str]) -> None:
    options = argparse.ArgumentParser(prog="./praxis bench reports")
    options.add_argument("--tasks", type=int, default=1_000_000)
    options.add_argument("--clients", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=15)
    chosen = options.parse_args(words)
    report = Report("reports")
    with servers.running("--servers"):
        os.environ["PRAXIS_TEST_POSTGRES_URL"] = servers.server_settings()["PRAXIS_POSTGRES_URL"]
        measure(report, chosen.tasks, chosen.clients, chosen.rounds)
    report.keep()


def measure(report: Report, tasks: int, clients: int, rounds: int) -> None:
    # As it runs outside tests: answers are not held against the specification.
    world, firm, me = make_world(service, validate_responses=False), uuid4(), uuid4()
    try:
        world.deliver(firm, FirmUpdated(firm_id=str(firm), time_zone="Europe/London", country="GB", version=1))
        world.deliver(
            firm, StaffChanged(staff_id=str(me), name="Me", weekly_capacity_minutes=2250, active=True, version=1)
        )
        api = world.api(firm, staff=me)
        api.get("/stages").expect(200)  # a firm's first look makes them
        work.fill(world.runtime.settings.owner_database_url, firm, me, tasks, clients)
        with _asking(world, firm, me) as ask:
            for what, path in ASKED:
                _measure(report, world, (firm, me), ask, what, path, rounds)
    finally:
        world.close()


@contextmanager
def _asking(world: World, firm: UUID, me: UUID) -> Iterator[Callable[[str], None]]:
    """What asks the service in this process for a path, and is content with an answer of 200."""
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(make_app(world.runtime)),
        base_url=f"{ISSUER}/api/workflow/v1",
        headers={"authorization": f"Bearer {world.staff_token(firm, me)}"},
    )
    with asyncio.Runner() as loop:

        def ask(path: str) -> None:
            loop.run(client.get(path)).raise_for_status()

        yield ask
        loop.run(client.aclose())


def _measure(
    report: Report, world: World, who: tuple[UUID, UUID], ask: Callable[[str], None], what: str, path: str, rounds: int
) -> None:
    path = path.format(year=f"first_day={datetime.now(UTC).date() - timedelta(days=364)}")

    def ours() -> None:
        ask(path)

    with statements() as seen:
        ours()
    sent = [asked for asked in seen if asked[0].lstrip().upper().startswith(("SELECT", "WITH"))]
    with psycopg.connect(world.runtime.settings.database_url, autocommit=True) as connection:

        def bound() -> None:
            with connection.transaction():
                connection.execute(
                    "SELECT set_config('app.firm_id', %s, true), set_config('app.viewer', %s, true)",
                    [str(id) for id in who],
                )
                for statement, parameters in sent:
                    connection.execute(statement, parameters).fetchall()

        speed = yardstick()
        took: dict[str, list[float]] = {"ours": [], "bound": []}
        for _ in range(rounds):
            took["bound"].append(_milliseconds(bound))
            took["ours"].append(_milliseconds(ours))
    speed = (speed + yardstick()) / 2
    detail: dict[str, Any] = {"yardstick_ms": speed} | {
        f"p{share}_ms": sorted(took["ours"])[min(rounds - 1, rounds * share // 100)] for share in (50, 95)
    }
    report.add(
        Figure(
            f"{what} (yardstick {speed:.0f})",
            median(took["ours"]),
            median(took["bound"]),
            "ms",
            "≤ 1.5 or ≤ 50 ms",
            detail,
        )
    )


def _milliseconds(act: Callable[[], None]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000
