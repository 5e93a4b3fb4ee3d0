"""The launcher's side of the fork server: starts it when first needed, and again should it die."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.launcher import processes
from tools.launcher.area import FORK_SERVER, PROJECT, Area
from tools.launcher.errors import LauncherError

_PATIENCE = 60
_clients: dict[Path, "ForkClient"] = {}
_making = threading.Lock()


def client_for(area: Area) -> "ForkClient":
    with _making:
        client = _clients.get(area.path)
        if client is None or not client.alive:
            client = _clients[area.path] = ForkClient(area)
        return client


class ForkClient:
    """One running fork server. Safe to use from several threads."""

    def __init__(self, area: Area) -> None:
        self._area = area
        self._changed = threading.Condition()
        self._started: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._next = 0
        with area.log(FORK_SERVER).open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tools.launcher.fork_server"],
                env=processes.marked_environment(area, {}),
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        processes.adopt(area, FORK_SERVER, self._server, layer=1)
        threading.Thread(target=self._listen, name="fork-client", daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._server.poll() is None

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> int:
        """Have `python -m module words…` run; returns its process id."""
        with self._changed:
            self._next += 1
            number = self._next
            request = {
                "id": number,
                "name": name,
                "module": argv[2],
                "words": list(argv[3:]),
                "env": processes.marked_environment(self._area, env),
                "cwd": str(cwd),
                "log": str(processes.rotated_log(self._area, name)),
            }
            self._send(request)
            if not self._changed.wait_for(lambda: number in self._started or not self.alive, _PATIENCE):
                raise LauncherError(f"{name} could not be started: the fork server does not answer")
            if number not in self._started:
                raise LauncherError(f"the fork server ended; see {self._area.log(FORK_SERVER)}")
            return self._started.pop(number)

    def wait(self, pid: int, seconds: float) -> int | None:
        """The exit code of a process it started, or None if it still runs after that long."""
        with self._changed:
            self._changed.wait_for(lambda: pid in self._ended or not self.alive, seconds)
            return self._ended.get(pid)

    def _send(self, request: dict[str, Any]) -> None:
        assert self._server.stdin
        try:
            self._server.stdin.write(json.dumps(request).encode() + b"\n")
            self._server.stdin.flush()
        except OSError as error:
            raise LauncherError(f"the fork server ended; see {self._area.log(FORK_SERVER)}") from error

    def _listen(self) -> None:
        assert self._server.stdout
        for line in self._server.stdout:
            message = json.loads(line)
            with self._changed:
                if "started" in message:
                    self._started[message["started"]] = message["pid"]
                else:
                    self._ended[message["ended"]] = message["code"]
                self._changed.notify_all()
        self._server.wait()
        with self._changed:
            self._changed.notify_all()
