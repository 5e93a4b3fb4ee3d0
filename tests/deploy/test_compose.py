"""compose.yaml: valid, hardened, ordered, with no secret of its own. What Docker itself makes of it needs Docker."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.world import ROOT, SERVICES, Object, compose

ALL = compose()["services"]
JOBS = {name for name, service in ALL.items() if service["restart"] == "on-failure"}
# A new volume belongs to root; this job gives it to MinIO's user and ends.
ROOT_ONCE = {"minio-volume"}
SETTING = re.compile(r"\$\{(\w+)(:[?-][^}]*)?\}")


def test_is_valid_by_the_schema_of_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ALL)
def test_every_container_is_bounded_and_without_rights(name: str) -> None:
    service = ALL[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["deploy"]["resources"]["limits"].keys() >= {"cpus", "memory", "pids"}
    if name in ROOT_ONCE:
        assert service["user"] == "0:0"
        assert service["cap_add"] == ["CHOWN"]
        assert name in JOBS
    else:
        assert not str(service["user"]).startswith(("0", "root"))
        assert "cap_add" not in service


@pytest.mark.parametrize("name", sorted(ALL.keys() - JOBS))
def test_every_server_says_whether_it_is_well(name: str) -> None:
    if "build" in ALL[name]:  # the image brings its check along
        assert "healthcheck" not in ALL[name]
        assert re.search(r"^HEALTHCHECK .*healthcheck\.py", (ROOT / "Dockerfile").read_text(), re.M)
    else:
        assert ALL[name]["healthcheck"]["test"][0] == "CMD"


def before(name: str) -> dict[str, str]:
    """What must have happened before that container starts: its name -> the condition."""
    return {other: how["condition"] for other, how in ALL[name].get("depends_on", {}).items()}


def all_before(name: str, path: tuple[str, ...] = ()) -> set[str]:
    assert name not in path, f"a circle: {path}"
    return {name}.union(*(all_before(other, (*path, name)) for other in before(name)))


@pytest.mark.parametrize("name", ALL)
def test_order_is_a_line_and_waits_for_the_right_thing(name: str) -> None:
    all_before(name)
    for other, condition in before(name).items():
        assert condition == ("service_completed_successfully" if other in JOBS else "service_healthy")


@pytest.mark.parametrize("service", SERVICES)
def test_databases_then_migrations_then_processes_then_the_edge(service: str) -> None:
    assert {"bootstrap", "rabbitmq"} <= before(f"{service}-migrate").keys()
    for mode in ("http", "grpc", "worker"):
        assert f"{service}-migrate" in before(f"{service}-{mode}")
    assert f"{service}-http" in before("edge")
    assert "postgres" in all_before(f"{service}-http")


def test_the_store_is_there_before_its_bucket() -> None:
    assert "minio" in before("documents-migrate")


def used(text: str) -> dict[str, str]:
    return {name: default or "" for name, default in SETTING.findall(text)}


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_setting_asked_for_is_in_the_example_and_the_other_way_round() -> None:
    asked = used((ROOT / "compose.yaml").read_text())
    optional = {name for name, default in asked.items() if default.startswith(":-")}
    assert asked.keys() - optional <= example().keys()
    assert example().keys() <= asked.keys()


def test_no_secret_has_a_value_or_a_default() -> None:
    secret = re.compile(r"PASSWORD|SECRET|FIELD_KEY|ACCESS_KEY|TOKEN$")
    assert not {name: value for name, value in example().items() if secret.search(name) and value}
    asked = used((ROOT / "compose.yaml").read_text())
    assert not {name: default for name, default in asked.items() if secret.search(name) and default != ":?"}


def test_secrets_are_made_once_each_its_own_and_only_for_their_owner(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text((ROOT / ".env.example").read_text())
    command = [sys.executable, ROOT / "deploy" / "make_secrets.py", "--root", tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    made = (tmp_path / ".env").read_text()
    values = dict(line.split("=", 1) for line in made.splitlines() if line and not line.startswith("#"))
    assert all(values.values())
    filled = [values[name] for name, value in example().items() if not value]
    assert len(filled) == len(set(filled))
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert (tmp_path / ".praxis/compose").stat().st_mode & 0o077 == 0
    assert (tmp_path / ".praxis/compose/keys").stat().st_mode & 0o005 == 0o005, "mounted, read by the containers' user"
    assert "PRIVATE KEY" in (tmp_path / ".praxis/compose/keys/signing.pem").read_text()
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / ".env").read_text() == made


def test_only_the_edge_and_the_mail_viewer_are_reached_from_outside() -> None:
    doors = {name: service["ports"] for name, service in ALL.items() if "ports" in service}
    assert doors.keys() == {"edge", "mail"}
    assert all(port.startswith("${PRAXIS_LISTEN:-127.0.0.1}:") for ports in doors.values() for port in ports)
    inside: Object = compose()["networks"]["inside"]
    assert inside["internal"] is True
    assert {name for name, service in ALL.items() if "outside" in service["networks"]} == doors.keys()
