"""The platform a scenario runs on: a state folder of its own, durable writes, free ports."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".praxis" / "bench" / "state"


def praxis(*words: str) -> subprocess.CompletedProcess[str]:
    """`./praxis …` on the benchmarks' own state."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PRAXIS_")}
    environment |= {f"PRAXIS_{name}_PORT": "0" for name in ("EDGE", "FILES", "MAIL")}
    environment |= {"PRAXIS_STATE_DIR": str(STATE), "PRAXIS_EDGE_RATE": "0", "PRAXIS_EDGE_SIGN_IN_RATE": "0"}
    command = [sys.executable, "-m", "tools.launcher", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def running(*flags: str) -> Iterator[dict[str, Any]]:
    """The platform, or with `--servers` only what services stand on; what `status` says of it."""
    print("starting servers …", flush=True)
    praxis("down")  # what a run that was interrupted has left
    started = praxis("up", "--detach", "--fresh", "--no-demo", *flags)
    if started.returncode:
        sys.exit(started.stdout[-3000:] + started.stderr[-2000:])
    try:
        yield json.loads(praxis("status", "--json").stdout)
    finally:
        praxis("down")


def server_settings() -> dict[str, str]:
    """How to reach the servers that `running("--servers")` started."""
    lines = (STATE / "run" / "servers.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@contextmanager
def bound(module: str, database: str) -> Iterator[int]:
    """A bound's HTTP server, a module of its own process; the port it listens on."""
    environment = {**os.environ, "BOUND_DATABASE_URL": database}
    command = [sys.executable, "-m", module]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        _wait_for(f"http://127.0.0.1:{port}/")
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str) -> None:
    for _ in range(100):
        try:
            httpx.get(address)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the bound did not start")
