"""`./praxis up` and `./praxis down`."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from tools.launcher import parts, processes, seeding
from tools.launcher.area import PROJECT, Area, run_area
from tools.launcher.console import Console
from tools.launcher.errors import LauncherError
from tools.launcher.platform import Platform
from tools.launcher.supervisor import RECORD, STATE, Supervisor

_STOP_PATIENCE = 60


def up(detach: bool = False, fresh: bool = False, demo: bool = True) -> int:
    """Run the platform in the foreground, or see it ready and leave it running. Returns the exit code."""
    area = run_area()
    area.create()
    running = processes.find(area, RECORD)
    if running:
        print(f"Praxis is running already (process {running.pid}). `./praxis down` stops it.")
        return 0 if detach and _state(area).get("up") else 1
    return _in_background(area, fresh, demo) if detach else _in_foreground(area, fresh, demo)


def _in_foreground(area: Area, fresh: bool, demo: bool) -> int:
    console = Console()
    with area.lock(patience=5):
        _clean(area, console)
        if fresh:
            area.wipe()
        area.create()
        processes.record(area, RECORD, os.getpid())
        try:
            return _run(area, demo, console)
        finally:
            processes.forget(area, RECORD)


def _clean(area: Area, console: Console) -> None:
    """What a launcher that was killed left running can't be taken over: nobody has watched it since."""
    left = processes.stop_area(area)
    (area.path / STATE).unlink(missing_ok=True)
    if left:
        console.line(f"  stopped {len(left)} processes that a launcher which was killed had left running")


def _run(area: Area, demo: bool, console: Console) -> int:
    began = time.monotonic()
    console.line("Starting Praxis. Ctrl-C stops it.")
    platform = Platform(area)
    addresses = {"app": platform.public_url, "files": platform.files_url}
    if "mail" not in platform.external:
        addresses["mail"] = platform.mail_url
    nodes = parts.plan(platform, console.line)
    if demo:
        nodes.append(seeding.step(platform, after=tuple(node.name for node in nodes)))
    supervisor = Supervisor(area, nodes, addresses, console)

    def stop(number: int, frame: FrameType | None) -> None:
        supervisor.stopping = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        if supervisor.start():
            console.line(f"Ready after {time.monotonic() - began:.0f} s.\n")
            console.line(seeding.welcome(addresses, demo))
            supervisor.watch()
    finally:
        console.line("Stopping …")
        supervisor.stop()
    console.line("Stopped.")
    return 0


def _in_background(area: Area, fresh: bool, demo: bool) -> int:
    """The same in a process of its own; its lines are shown until all is ready."""
    log = area.log("up")
    command = [
        sys.executable,
        "-m",
        "tools.launcher",
        "up",
        *(["--fresh"] if fresh else []),
        *([] if demo else ["--no-demo"]),
    ]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return _follow(area, child, log)
        except KeyboardInterrupt:
            child.terminate()
            child.wait(_STOP_PATIENCE)
            return 130


def _follow(area: Area, child: subprocess.Popen[bytes], log: Path) -> int:
    """Show what the child says until it is ready (0) or has ended (its exit code)."""
    with log.open("rb") as lines:
        while True:
            ended = child.poll()
            ready = _state(area)
            sys.stdout.write(lines.read().decode(errors="replace"))
            sys.stdout.flush()
            if ended is not None:
                return ended or 1
            if ready.get("up") and ready.get("supervisor") == child.pid:
                return 0
            time.sleep(0.1)


def _state(area: Area) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((area.path / STATE).read_text())
    except (OSError, ValueError):
        return {}
    return state


def down() -> int:
    """Stop the platform, whoever supervises it, or nobody does."""
    area = run_area()
    area.create()
    supervisor = processes.find(area, RECORD)
    if supervisor:
        processes.stop(area, [supervisor], patience=_STOP_PATIENCE)
    with area.lock(patience=10):
        left = processes.stop_area(area)
        (area.path / STATE).unlink(missing_ok=True)
    print("Praxis is stopped." if supervisor or left else "Praxis was not running.")
    return 0


def require_running(area: Area) -> dict[str, Any]:
    """The state of the running platform. Raises LauncherError if it isn't up."""
    state = _state(area)
    if not state.get("up") or not processes.find(area, RECORD):
        raise LauncherError("Praxis is not running here: start it with `./praxis up --detach`.")
    return state
