"""Processes we start: recorded with their start time, so that we end ours and never anyone else's.

A process id alone says nothing after a crash: the kernel gives it away again. A record therefore holds the
boot, the id and the start tick; and every process carries the area's path in its environment (PRAXIS_AREA), by which
what a killed leader left behind is found.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tools.launcher.area import Area

MARK = "PRAXIS_AREA"
_LOG_LIMIT = 10_000_000
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Record:
    """One process we started."""

    name: str
    pid: int
    started: int
    boot: str
    layer: int = 0
    """Higher layers stand on lower ones and are stopped first."""
    stop_signal: int = signal.SIGTERM

    @property
    def alive(self) -> bool:
        _reap(self.pid)
        return self.boot == _boot() and self.started == _start_tick(self.pid)


def _reap(pid: int) -> None:
    """Collect a dead child of ours, whose number would otherwise look taken."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_tick(pid: int) -> int | None:
    """The process's start in clock ticks since boot; None for none, and for one that is dead but not reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def base_environment() -> dict[str, str]:
    """What every part inherits: the caller's environment without settings of ours meant for somebody else."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PRAXIS_")}


def record(area: Area, name: str, pid: int, layer: int = 0, stop_signal: int = signal.SIGTERM) -> Record:
    entry = Record(name, pid, _start_tick(pid) or 0, _boot(), layer, int(stop_signal))
    draft = area.pids / f".{name}"
    draft.write_text(json.dumps(asdict(entry)))
    draft.rename(area.pids / f"{name}.json")
    return entry


def forget(area: Area, name: str) -> None:
    (area.pids / f"{name}.json").unlink(missing_ok=True)


def find(area: Area, name: str) -> Record | None:
    """The recorded process of this name, if it lives."""
    entry = _read(area.pids / f"{name}.json")
    return entry if entry and entry.alive else None


def recorded(area: Area) -> list[Record]:
    """Everything recorded, dead or alive."""
    return [entry for path in sorted(area.pids.glob("*.json")) if (entry := _read(path))]


def _read(path: Path) -> Record | None:
    try:
        return Record(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def spawn(
    area: Area,
    name: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path | None = None,
    user: str | None = None,
    layer: int = 0,
    stop_signal: int = signal.SIGTERM,
) -> Record:
    """Start a process in a session of its own (Ctrl-C reaches us alone), its output going to its log."""
    with rotated_log(area, name).open("ab") as output:
        child = subprocess.Popen(
            list(argv),
            env=marked_environment(area, env),
            cwd=cwd or area.path,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group="nogroup" if user else None,
            extra_groups=[] if user else None,
        )
    return adopt(area, name, child, layer, stop_signal)


def adopt(
    area: Area, name: str, child: subprocess.Popen[bytes], layer: int = 0, stop_signal: int = signal.SIGTERM
) -> Record:
    """Record a process that this launcher is the parent of."""
    _children[child.pid] = child
    return record(area, name, child.pid, layer, stop_signal)


def marked_environment(area: Area, env: Mapping[str, str]) -> dict[str, str]:
    """A part's whole environment: what all inherit, its own settings, and our mark."""
    return {**base_environment(), **env, MARK: str(area.path)}


def rotated_log(area: Area, name: str) -> Path:
    log = area.log(name)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return log


def wait(entry: Record) -> int | None:
    """The exit code of a process that this launcher is the parent of; None if somebody else saw it end."""
    child = _children.get(entry.pid)
    return child.wait() if child else None


def family(entry: Record, alone: bool = False) -> list[psutil.Process]:
    """The process and (unless `alone`) all it started that still hangs on it."""
    try:
        leader = psutil.Process(entry.pid)
        children = [] if alone else leader.children(recursive=True)
        return [leader, *children] if entry.alive else []
    except psutil.NoSuchProcess:
        return []


def stop(area: Area, entries: Sequence[Record], patience: float = 15) -> None:
    """Ask processes to end, together; after `patience` seconds end them and their families by force."""
    families = [family(entry) for entry in entries]
    for entry in entries:
        if entry.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(entry.pid, entry.stop_signal)
    _wait_gone([members[0] for members in families if members], patience)
    _kill(process for members in families for process in members)
    for entry in entries:
        forget(area, entry.name)


def stop_area(area: Area, keep: Sequence[str] = ()) -> list[str]:
    """Stop everything recorded, layer by layer, then whatever still carries the area's mark. Returns the names."""
    alive = [entry for entry in recorded(area) if entry.alive and entry.name not in keep]
    for layer in sorted({entry.layer for entry in alive}, reverse=True):
        stop(area, [entry for entry in alive if entry.layer == layer])
    stop_marked(area)
    for entry in recorded(area):
        if entry.name not in keep:
            forget(area, entry.name)
    return [entry.name for entry in alive]


def stop_session(area: Area, entry: Record) -> list[str]:
    """End by force what a dead leader of ours left in its session. Returns the names of what was ended."""
    members = [process for process in psutil.process_iter() if _in_session(process, entry.pid, area)]
    names = [process.name() for process in members if process.is_running()]
    _kill(members)
    return names


def _in_session(process: psutil.Process, leader: int, area: Area) -> bool:
    """Whether it is the dead leader's: of its session, and carrying our mark (the number alone may be reused)."""
    try:
        return os.getsid(process.pid) == leader and process.pid != leader and _mark(process) == str(area.path)
    except OSError:
        return False


def stop_marked(area: Area) -> list[str]:
    """End by force whatever still carries this area's mark: what a killed leader left behind. Returns their names."""
    members = [process for process in psutil.process_iter() if _mark(process) == str(area.path)]
    names = [process.name() for process in members if process.is_running()]
    _kill(members)
    return names


def _mark(process: psutil.Process) -> str | None:
    try:
        mark: str | None = process.environ().get(MARK)
        return mark
    except (psutil.Error, OSError):
        return None


def _kill(members: Iterable[psutil.Process]) -> None:
    members = list(members)
    for process in members:
        with contextlib.suppress(psutil.Error):
            process.kill()
    _wait_gone(members, 10)


def _wait_gone(members: Sequence[psutil.Process], patience: float) -> None:
    """Wait until all are gone; a dead process whose parent doesn't reap it counts as gone."""
    deadline = time.monotonic() + patience
    while any(_running(process) for process in members) and time.monotonic() < deadline:
        time.sleep(0.03)


def _running(process: psutil.Process) -> bool:
    _reap(process.pid)
    try:
        return process.is_running() and process.status() not in (
            psutil.STATUS_ZOMBIE,
            psutil.STATUS_DEAD,
        )
    except psutil.Error:
        return False
