"""The launcher as its user meets it: real servers, started, killed and stopped."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable

import httpx
import psutil
import psycopg
import pytest

from chassis.testing import eventually
from tools.launcher.area import PROJECT

from .conftest import Launcher


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def query(launcher: Launcher, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(launcher.settings()["PRAXIS_POSTGRES_URL"], autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def test_status_in_json_says_what_the_table_says(launcher: Launcher) -> None:
    launcher.up()
    found, table = json.loads(launcher("status", "--json").stdout), launcher("status")
    assert table.returncode == 0
    assert found["ready"]
    assert all(f"{part['name']} " in table.stdout for part in found["parts"])
    launcher("down")
    assert launcher("status").returncode == 1


def test_up_returns_when_every_server_answers_and_down_stops_them_all(make_launcher: Callable[..., Launcher]) -> None:
    launcher = make_launcher(broker=True)
    launcher.up()
    status = launcher.status()
    assert status["ready"]
    assert {part["name"] for part in status["parts"]} == {"supervisor", "postgres", "epmd", "rabbitmq", "s3", "mail"}
    assert all(part["memory_mb"] > 0 for part in status["parts"])
    assert query(launcher, "SELECT 1") == [(1,)]
    assert httpx.get(f"{status['addresses']['mail']}/api/messages").json() == {"items": []}
    pids = launcher.pids()

    assert launcher("down").returncode == 0
    assert all(gone(pid) for pid in pids.values())
    assert not launcher.status()["ready"]


def test_servers_listen_on_the_loopback_alone(make_launcher: Callable[..., Launcher]) -> None:
    launcher = make_launcher(broker=True)
    launcher.up()
    family = [p for pid in launcher.pids().values() for p in (psutil.Process(pid), *psutil.Process(pid).children(True))]
    listening = {c.laddr.ip for p in family for c in p.net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening <= {"127.0.0.1", "::1"}
    assert "127.0.0.1" in listening


def test_port_taken_by_another_program_is_named(launcher: Launcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = launcher("up", "--servers", "--detach", PRAXIS_MAIL_PORT=str(port))
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stdout + done.stderr
    assert "PRAXIS_MAIL_PORT" in done.stdout + done.stderr
    assert launcher.pids() == {}


def test_up_after_a_killed_launcher_cleans_up_and_keeps_the_data(launcher: Launcher) -> None:
    launcher.up()
    query(launcher, "CREATE TABLE kept AS SELECT 7 AS n")
    left = launcher.pids()
    os.kill(left["supervisor"], signal.SIGKILL)
    eventually(lambda: gone(left["supervisor"]))
    assert not launcher.status()["ready"]
    assert not gone(left["postgres"])

    launcher.up()
    assert all(gone(pid) for pid in left.values())
    assert query(launcher, "SELECT n FROM kept") == [(7,)]


def test_down_after_a_killed_launcher_stops_what_it_left(launcher: Launcher) -> None:
    launcher.up()
    left = launcher.pids()
    os.kill(left["supervisor"], signal.SIGKILL)
    eventually(lambda: gone(left["supervisor"]))
    assert launcher("down").returncode == 0
    assert all(gone(pid) for pid in left.values())


@pytest.mark.parametrize("part", ["postgres", "s3", "mail"])
def test_killed_part_is_started_again(launcher: Launcher, part: str) -> None:
    launcher.up()
    before = launcher.pids()[part]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: launcher.pids().get(part, before) != before and launcher.status()["ready"])
    after = {found["name"]: found for found in launcher.status()["parts"]}
    assert after[part]["restarts"] == 1
    assert f"{part} died" in launcher("logs", "up").stdout


def test_processes_it_did_not_start_are_left_alone(make_launcher: Callable[..., Launcher]) -> None:
    ours, theirs = make_launcher(), make_launcher()
    ours.up()
    theirs.up()
    assert ours("down").returncode == 0
    ours.up("--fresh")
    assert ours("down").returncode == 0
    assert theirs.status()["ready"]
    assert query(theirs, "SELECT 1") == [(1,)]


def test_record_of_a_process_that_died_does_not_point_at_whoever_has_its_number_now(launcher: Launcher) -> None:
    launcher.up()
    records = launcher.state / "run" / "pids"
    text = (records / "mail.json").read_text()
    launcher("down")
    with subprocess.Popen(["sleep", "60"]) as innocent:
        mail = text.replace(f'"pid": {_pid(text)}', f'"pid": {innocent.pid}')
        (records / "mail.json").write_text(mail)
        launcher("down")
        launcher.up()
        still_there = innocent.poll() is None
        innocent.kill()
    assert still_there


def _pid(record: str) -> str:
    return record.partition('"pid": ')[2].partition(",")[0]


def test_ctrl_c_stops_everything(launcher: Launcher) -> None:
    child = subprocess.Popen(
        launcher.command("up", "--servers"), cwd=PROJECT, env=launcher.env, stdout=subprocess.PIPE, text=True
    )
    eventually(lambda: launcher.status()["ready"])
    pids = launcher.pids()
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=30)
    assert child.returncode == 0
    assert said.splitlines()[-1] == "Stopped."
    assert all(gone(pid) for pid in pids.values())


def test_second_up_says_that_it_runs_already(launcher: Launcher) -> None:
    launcher.up()
    before = launcher.pids()
    done = launcher("up", "--servers")
    assert done.returncode == 1
    assert "running already" in done.stdout
    assert launcher.pids() == before


def test_fresh_start_forgets_data_and_secrets(launcher: Launcher) -> None:
    launcher.up()
    query(launcher, "CREATE TABLE forgotten ()")
    before = launcher.settings()["PRAXIS_POSTGRES_URL"]
    launcher("down")
    launcher.up("--fresh")
    assert query(launcher, "SELECT to_regclass('forgotten')") == [(None,)]
    assert launcher.settings()["PRAXIS_POSTGRES_URL"] != before


def test_secrets_are_for_their_owner_alone(launcher: Launcher) -> None:
    launcher.up()
    secrets = launcher.state / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700
    files = [*secrets.iterdir(), launcher.state / "run" / "servers.env"]
    assert len(files) > 2
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_servers_refuse_whoever_has_no_password(launcher: Launcher) -> None:
    launcher.up()
    settings = launcher.settings()
    where = settings["PRAXIS_POSTGRES_URL"].rpartition("@")[2]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://postgres@{where}")
    assert httpx.get(settings["PRAXIS_S3_URL"]).status_code == 403


def test_part_that_cannot_start_is_named_with_the_end_of_its_log(launcher: Launcher) -> None:
    launcher.up()
    launcher("down")
    # A data folder of another release.
    (launcher.area.servant_home("postgres") / "PG_VERSION").write_text("9\n")
    done = launcher("up", "--servers", "--detach")
    assert done.returncode == 1
    assert "--fresh" in done.stdout
    assert launcher.pids() == {}


def test_logs_of_an_unknown_part_name_those_there_are(launcher: Launcher) -> None:
    launcher.up()
    done = launcher("logs", "nonsense")
    assert done.returncode == 1
    assert "postgres" in done.stderr
