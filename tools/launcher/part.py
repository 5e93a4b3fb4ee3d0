"""A part: one process the launcher runs, and how to tell that it is ready."""

import os
import signal
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.launcher import fork_client, processes
from tools.launcher.area import SUPERVISOR, Area
from tools.launcher.errors import LauncherError


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process: how to make ready for it, start it, see it ready and stop it."""

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool]
    group: str = ""
    """What people are shown; several processes may make up one thing."""
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    after: tuple[str, ...] = ()
    cwd: Path | None = None
    user: str | None = None
    forked: bool = False
    """A Python module that shares the services' libraries: forked from a process that has them loaded."""
    layer: int = 2
    """Stopped from the highest down: 0 the port mapper, 1 servers, 2 services, 3 what faces people."""
    stop_signal: int = signal.SIGTERM
    patience: float = 60
    """Seconds within which it must be ready."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something done once on the way up: it gets a function to say what it is at."""

    name: str
    run: Callable[[Callable[[str], None]], None]
    group: str = ""
    after: tuple[str, ...] = ()


Node = Part | Step
# No proxy stands between us and our own loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def port_for(area: Area, part: str, name: str | None = None) -> int:
    """The port a running part has, or else a free one for it to take.

    Where another launcher watches over the area, its choice stands, also while the part is down for a moment.
    """
    known = area.last_port(name or part)
    supervisor = processes.find(area, SUPERVISOR)
    if known and (processes.find(area, part) or (supervisor and supervisor.pid != os.getpid())):
        return known
    return area.port(name or part)


def start(area: Area, part: Part) -> processes.Record:
    """Start the part unless it runs already."""
    entry = processes.find(area, part.name)
    if entry:
        return entry
    part.prepare()
    if part.forked:
        pid = fork_client.client_for(area).start(part.name, part.argv, part.env, part.cwd or area.path)
        return processes.record(area, part.name, pid, part.layer, part.stop_signal)
    return processes.spawn(
        area,
        part.name,
        part.argv,
        part.env,
        part.cwd,
        part.user,
        part.layer,
        part.stop_signal,
    )


def wait_ready(area: Area, part: Part, entry: processes.Record) -> None:
    deadline = time.monotonic() + part.patience
    while not part.ready():
        if not entry.alive:
            raise LauncherError(f"{part.name} ended while starting.\n{tail(area.log(part.name))}")
        if time.monotonic() > deadline:
            raise LauncherError(f"{part.name} was not ready after {part.patience:.0f} s.\n{tail(area.log(part.name))}")
        time.sleep(0.1)


def responds(url: str) -> bool:
    """Whether a GET is answered with success; what a readiness page says of its process."""
    try:
        with _opener.open(url, timeout=3):
            return True
    except OSError:
        return False


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented, under the log's name."""
    if not log.exists():
        return f"(no log at {log})"
    return "\n".join([f"The end of {log}:", *(f"  {line}" for line in _last_lines(log, lines))])


def last_line(log: Path) -> str:
    return next(iter(_last_lines(log, 1)), "") if log.exists() else ""


def _last_lines(log: Path, lines: int) -> list[str]:
    with log.open("rb") as handle:
        handle.seek(max(0, os.fstat(handle.fileno()).st_size - 20_000))
        return handle.read().decode(errors="replace").splitlines()[-lines:]
