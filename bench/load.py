"""Load over HTTP/1.1 with kept-alive connections, written to cost so little that the server is what is measured."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

Make = Callable[[int], bytes]  # number of the request -> its bytes


@dataclass(frozen=True)
class Result:
    """What one round gave."""

    requests: int
    seconds: float
    latencies: tuple[float, ...]  # sorted, seconds
    errors: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    def percentile(self, p: float) -> float:
        """Latency in milliseconds."""
        return (
            self.latencies[min(int(len(self.latencies) * p), len(self.latencies) - 1)] * 1000 if self.latencies else 0.0
        )


def request(
    method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, host: str = "bench"
) -> bytes:
    """The bytes of a request; the edge answers only to its own `host`."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
    if body:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(port: int, make: Make, *, connections: int, seconds: float) -> Result:
    """Sends requests one after another on each of some connections for some seconds."""
    return asyncio.run(_run(port, make, connections, seconds))


async def _run(port: int, make: Make, connections: int, seconds: float) -> Result:
    latencies: list[float] = []
    errors = 0
    number = 0
    started = time.perf_counter()
    deadline = started + seconds

    async def connection() -> None:
        nonlocal errors, number
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < deadline:
            number += 1
            sent = time.perf_counter()
            writer.write(make(number))
            status = await _answer(reader)
            latencies.append(time.perf_counter() - sent)
            errors += status >= 400
        writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    return Result(len(latencies), time.perf_counter() - started, tuple(sorted(latencies)), errors)


async def _answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    length = head.find(b"content-length:")
    if length >= 0:
        await reader.readexactly(int(head[length + 15 : head.index(b"\r\n", length)]))
    elif b"transfer-encoding: chunked" in head:
        while (size := int((await reader.readuntil(b"\r\n")).strip(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    return status
