"""`./praxis up` and `./praxis down`."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tools.launcher import fork_client, parts, processes, seeding, servers
from tools.launcher.area import PROJECT, STATE, SUPERVISOR, Area, run_area
from tools.launcher.console import Console
from tools.launcher.errors import LauncherError
from tools.launcher.platform import Platform
from tools.launcher.supervisor import Supervisor

_STOP_PATIENCE = 60


@dataclass(frozen=True)
class Wish:
    """How `up` was asked for."""

    fresh: bool = False
    """Forget all data and secrets first."""
    servers: bool = False
    """Only what the services stand on, for running those by hand."""
    demo: bool = True

    def words(self) -> list[str]:
        flags = {"--fresh": self.fresh, "--servers": self.servers, "--no-demo": not self.demo}
        return [flag for flag, wanted in flags.items() if wanted]


def up(wish: Wish, detach: bool = False) -> int:
    """Run the platform in the foreground, or see it ready and leave it running. Returns the exit code."""
    area = run_area()
    area.create()
    running = processes.find(area, SUPERVISOR)
    if running:
        print(f"Praxis is running already (process {running.pid}). `./praxis down` stops it.")
        return 0 if detach and _state(area).get("up") else 1
    return _in_background(area, wish) if detach else _in_foreground(area, wish)


def _in_foreground(area: Area, wish: Wish) -> int:
    console = Console()
    with area.lock(patience=5):
        _clean(area, console)
        if wish.fresh:
            area.wipe()
        area.create()
        area.put_logs_aside()
        processes.record(area, SUPERVISOR, os.getpid())
        try:
            return _run(area, wish, console)
        finally:
            processes.forget(area, SUPERVISOR)


def _clean(area: Area, console: Console) -> None:
    """What a launcher that was killed left running can't be taken over: nobody has watched it since."""
    left = processes.stop_area(area)
    (area.path / STATE).unlink(missing_ok=True)
    if left:
        console.line(f"  stopped {len(left)} processes that a launcher which was killed had left running")


def _run(area: Area, wish: Wish, console: Console) -> int:
    began = time.monotonic()
    console.line("Starting Praxis. Ctrl-C stops it.")
    platform = Platform(area)
    # First, because a port that is taken ends it all.
    addresses = _addresses(platform, wish)
    nodes = (servers.plan if wish.servers else parts.plan)(platform, console.line)
    if wish.servers:
        addresses["servers"] = str(_write_server_settings(platform))
    elif wish.demo:
        nodes.append(seeding.step(platform, after=tuple(node.name for node in nodes)))
    supervisor = Supervisor(area, nodes, addresses, console)

    def stop(number: int, frame: FrameType | None) -> None:
        supervisor.stopping = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        if not wish.servers:
            # It loads while the servers start.
            fork_client.client_for(area)
        if supervisor.start():
            console.line(f"Ready after {time.monotonic() - began:.0f} s.\n")
            console.line(seeding.welcome(platform, addresses, wish.demo))
            supervisor.watch()
    finally:
        console.line("Stopping …")
        supervisor.stop()
    console.line("Stopped.")
    return 0


def _addresses(platform: Platform, wish: Wish) -> dict[str, str]:
    """What people open; finding them checks that their ports are free."""
    addresses = {} if wish.servers else {"app": platform.public_url, "files": platform.files_url}
    return addresses if "mail" in platform.external else {**addresses, "mail": platform.mail_url}


def _write_server_settings(platform: Platform) -> Path:
    """How to reach the servers: in a file, because passwords don't belong on a terminal."""
    target = platform.area.path / "servers.env"
    target.touch(mode=0o600)
    found = {"PRAXIS_POSTGRES_URL": platform.postgres_url, "PRAXIS_RABBITMQ_URL": platform.amqp_url}
    found |= {"PRAXIS_SMTP_URL": platform.smtp_url, **platform.object_store()}
    target.write_text("".join(f"{name}={value}\n" for name, value in found.items()))
    return target


def _in_background(area: Area, wish: Wish) -> int:
    """The same in a process of its own; its lines are shown until all is ready."""
    log = area.log("up")
    command = [sys.executable, "-m", "tools.launcher", "up", *wish.words()]
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
            # Whoever reads our lines may have seen enough (`… | head`); the start goes on.
            with contextlib.suppress(BrokenPipeError):
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
    supervisor = processes.find(area, SUPERVISOR)
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
    if not state.get("up") or not processes.find(area, SUPERVISOR):
        raise LauncherError("Praxis is not running here: start it with `./praxis up --detach`.")
    return state
