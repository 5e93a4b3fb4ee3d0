"""Loads once what all services share, then forks into each process that is asked for.

A platform is some twenty Python processes with the same libraries. Started one by one they would read them twenty
times, and hold them in memory twenty times: here that costs seconds and a gigabyte. A forked process runs the
very same `python -m <module> <words>` that an image runs by itself.

Requests come as JSON lines on stdin, answers go as JSON lines to stdout; see tools.launcher.fork_client.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import sys
import threading
from pathlib import Path
from typing import Any

# Libraries and plumbing only: a service's own code is loaded by its processes, as it stands when they start.
SHARED = (
    "chassis.service",
    "chassis.http",
    "chassis.rpc",
    "chassis.worker",
    "alembic.command",
    "gunicorn.app.base",
    "gunicorn.arbiter",
    "psycopg_pool",
    "sqlalchemy.dialects.postgresql.psycopg",
    "uvicorn.lifespan.on",
    "uvicorn_worker",
)


def main() -> None:
    request = serve()
    if request is not None:
        become(request)


def serve() -> dict[str, Any] | None:
    """Fork on request, until the launcher is gone. Returns the request in the forked process, None in this one."""
    for name in SHARED:
        # What can't be loaded here will say so in the process that needs it.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if threading.active_count() > 1:
        sys.exit("a library has started a thread while loading: it would be missing in forked processes")
    # Collecting garbage writes to every object, and a page written to is shared no more.
    gc.collect()
    gc.freeze()
    pending = b""
    while True:
        readable, _, _ = select.select([0], [], [], 0.1)
        _reap()
        if not readable:
            continue
        received = os.read(0, 65536)
        if not received:
            return None
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            request: dict[str, Any] = json.loads(line)
            pid = os.fork()
            if pid == 0:
                return request
            _answer(started=request["id"], pid=pid)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _answer(ended=pid, code=os.waitstatus_to_exitcode(status))


def _answer(**message: int) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def become(request: dict[str, Any]) -> None:
    """Turn this fresh fork into `python -m module words…` with its own session, log, environment and folder."""
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.close(null)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    # Where `python -m` looks first.
    sys.path[0] = request["cwd"]
    # What `ps` and `top` show by default; at most 15 bytes.
    Path("/proc/self/comm").write_text(request["name"][:15])
    sys.argv = [request["module"], *request["words"]]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
