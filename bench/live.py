"""live: from a change to the hints on a thousand open screens of one live process.

Each screen is a connection of its own, straight to the process. The time runs from sending the change to its service through the edge until a screen
has read the hint: commit, relay, broker and fan-out are all in it. There is no bound; a second is what a person is promised.
"""

import argparse
import asyncio
import resource
import time
from collections.abc import Callable

from bench import servers
from bench.log_time import port
from bench.report import Figure, Report
from tests.e2e.support import Platform, open_firm

PATH = "/api/identity/v1/live"


def main(words: list[str]) -> None:
    options = argparse.ArgumentParser(prog="./praxis bench live")
    options.add_argument("--screens", type=int, default=1000)
    options.add_argument("--changes", type=int, default=20)
    chosen = options.parse_args(words)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, chosen.screens + 1000), most))
    report = Report("live")
    with servers.running() as found:
        where = found["addresses"]
        firm = open_firm(Platform(where["app"], where["files"], where["mail"], servers.praxis))
        client = firm.owner.post("clients/v1/clients", {"name": "Bench Ltd", "kind": "organisation"}, status=201)

        def change() -> str:
            made = firm.owner.post("workflow/v1/jobs", {"client_id": client["id"], "title": "Bench"}, status=201)
            return str(made["id"])

        change()  # the copies are there from here on
        live = port("identity-live")
        asyncio.run(measure(report, live, firm.owner.token, change, chosen.screens, chosen.changes))
    report.keep()


async def measure(report: Report, port: int, token: str, change: Callable[[], str], screens: int, changes: int) -> None:
    """Opens the screens, makes the changes one after the other, and reports how long each hint took."""
    opened = [await _open(port, token) for _ in range(screens)]
    took: list[float] = []
    last: list[float] = []
    try:
        for _ in range(changes):
            started = time.perf_counter()
            hearing = [asyncio.create_task(_hears(reader)) for reader, _ in opened]
            await asyncio.to_thread(change)
            times = [at - started for at in await asyncio.wait_for(asyncio.gather(*hearing), 60)]
            took += times
            last.append(max(times))
            await asyncio.sleep(0.3)
    finally:
        for _, writer in opened:
            writer.close()
    took.sort()
    detail = {f"p{share}_ms": took[min(len(took) - 1, len(took) * share // 100)] * 1000 for share in (50, 95, 99)}
    what = f"a change on {screens:,} screens, the last of them"
    report.add(Figure(what, max(last) * 1000, None, "ms", "≤ 1000", detail))


async def _open(port: int, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {PATH} HTTP/1.1\r\nHost: live\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    await reader.readuntil(b"event: ready")
    return reader, writer


async def _hears(reader: asyncio.StreamReader) -> float:
    """When a screen has the hint of the next job."""
    while b"workflow.job.changed" not in await reader.readuntil(b"\n\n"):
        pass
    return time.perf_counter()
