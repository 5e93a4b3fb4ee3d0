"""A launcher of its own for each test: state in a temporary folder, free ports, and only the servers."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tools.launcher.area import PROJECT, Area
from tools.launcher.status import collect

PORTS = {"PRAXIS_EDGE_PORT": "0", "PRAXIS_FILES_PORT": "0", "PRAXIS_MAIL_PORT": "0"}


class Launcher:
    """`./praxis` with a state folder of its own."""

    def __init__(self, state: Path, env: Mapping[str, str]) -> None:
        self.state = state
        self.area = Area(state / "run", state / "secrets")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PRAXIS_")}
        self.env = {**inherited, **PORTS, **env, "PRAXIS_STATE_DIR": str(state)}

    def __call__(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), cwd=PROJECT, env={**self.env, **env}, capture_output=True, text=True, timeout=500
        )

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "tools.launcher", *words]

    def up(self, *words: str) -> None:
        done = self("up", "--servers", "--detach", *words)
        assert done.returncode == 0, done.stdout + done.stderr

    def status(self) -> dict[str, Any]:
        return collect(self.area)

    def pids(self) -> dict[str, int]:
        return {part["name"]: part["pid"] for part in self.status()["parts"] if part["pid"]}

    def settings(self) -> dict[str, str]:
        lines = (self.state / "run" / "servers.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


# Starting a broker takes longer than all the rest, and most of these rules don't care which one it is.
def _without_broker() -> dict[str, str]:
    return {"PRAXIS_RABBITMQ_URL": "amqp://praxis@127.0.0.1:1/somebody-elses"}


@pytest.fixture
def make_launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Launcher]]:
    made: list[Launcher] = []

    def make(broker: bool = False) -> Launcher:
        state = tmp_path_factory.mktemp("state")
        made.append(Launcher(state, {} if broker else _without_broker()))
        return made[-1]

    yield make
    for launcher in made:
        launcher("down")
        launcher.area.wipe()


@pytest.fixture
def launcher(make_launcher: Callable[..., Launcher]) -> Launcher:
    return make_launcher()
