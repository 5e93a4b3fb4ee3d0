"""Processes forked from the one that holds the shared libraries are like any others, and don't depend on it."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chassis.testing import eventually
from tools.launcher import fork_client, processes
from tools.launcher.area import FORK_SERVER, PROJECT, Area


@pytest.fixture(scope="module")
def area(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Area]:
    area = Area(tmp_path_factory.mktemp("state") / "area")
    area.create()
    yield area
    processes.stop_area(area)


def start(area: Area, name: str, *words: str, cwd: Path = PROJECT, **env: str) -> int:
    return fork_client.client_for(area).start(name, [sys.executable, "-m", *words], env, cwd)


def ended(area: Area, pid: int) -> int | None:
    return fork_client.client_for(area).wait(pid, 20)


def module(folder: Path, text: str) -> Path:
    (folder / "asked.py").write_text(text)
    return folder


def test_forked_module_gets_its_words_environment_folder_and_log(area: Area, tmp_path: Path) -> None:
    text = "import os, sys\nprint(__name__, sys.argv[1:], os.environ['PRAXIS_X'], os.getcwd())\n"
    folder = module(tmp_path, text)
    pid = start(area, "told", "asked", "http", "--now", cwd=folder, PRAXIS_X="7")
    assert ended(area, pid) == 0
    assert area.log("told").read_text() == f"__main__ ['http', '--now'] 7 {folder}\n"


def test_settings_of_one_process_do_not_reach_the_next(area: Area, tmp_path: Path) -> None:
    folder = module(tmp_path, "import os\nprint(os.environ.get('PRAXIS_X'))\n")
    for value in ({"PRAXIS_X": "first"}, {}):
        ended(area, start(area, "two-in-turn", "asked", cwd=folder, **value))
    assert area.log("two-in-turn").read_text() == "first\nNone\n"


@pytest.mark.parametrize(("text", "code"), [("raise SystemExit(3)", 3), ("1/0", 1), ("import nowhere", 1)])
def test_exit_code_of_a_failure_is_told(area: Area, tmp_path: Path, text: str, code: int) -> None:
    assert ended(area, start(area, "asked", "asked", cwd=module(tmp_path, text))) == code


def test_processes_outlive_a_killed_fork_server_and_a_new_one_takes_over(area: Area, tmp_path: Path) -> None:
    folder = module(tmp_path, "import time\ntime.sleep(60)\n")
    first = processes.record(area, "first", start(area, "first", "asked", cwd=folder))
    server = processes.find(area, FORK_SERVER)
    assert server
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: not server.alive)
    second = processes.record(area, "second", start(area, "second", "asked", cwd=folder))
    assert first.alive
    assert second.alive
    processes.stop_area(area)
    assert not first.alive
    assert not second.alive


def test_forked_process_has_a_session_of_its_own_and_carries_its_name(area: Area, tmp_path: Path) -> None:
    pid = start(area, "clients-http", "asked", cwd=module(tmp_path, "import time\ntime.sleep(60)\n"))
    eventually(lambda: psutil.Process(pid).name() == "clients-http")
    assert os.getsid(pid) == pid
