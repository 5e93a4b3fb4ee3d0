"""The launcher's pieces by themselves: no servers, no processes to speak of."""

import os
import socket
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from tools.launcher import installer, once, ports, processes, pytest_groups
from tools.launcher.area import PROJECT, Area
from tools.launcher.debian import _package_name
from tools.launcher.errors import LauncherError
from tools.launcher.platform import MAIL, Platform
from tools.launcher.rabbitmq import _point_to_own_erlang
from tools.mail.store import Store


@pytest.fixture
def area(tmp_path: Path) -> Area:
    area = Area(tmp_path / "area")
    area.create()
    return area


def mail(text: str = "Your code is 123456.") -> bytes:
    message = EmailMessage()
    message["Subject"] = "Sign in"
    message.set_content(text)
    return message.as_bytes()


def test_port_is_remembered_while_it_is_free(area: Area) -> None:
    port = area.port("clients-http")
    assert area.port("clients-http") == port
    with socket.create_server(("127.0.0.1", port)):
        assert area.port("clients-http") != port


def test_two_names_never_get_the_same_port(area: Area) -> None:
    assert len({area.port(str(n)) for n in range(50)}) == 50


def test_port_that_is_no_number_is_refused(area: Area, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRAXIS_MAIL_PORT", "eighty")
    with pytest.raises(LauncherError, match="PRAXIS_MAIL_PORT must be a port number"):
        Platform(area).public_port(MAIL)


def test_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert str(os.getpid()) in ports.holder(server.getsockname()[1])


def test_secret_is_made_once(area: Area) -> None:
    first = area.secret("field-key")
    assert area.secret("field-key") == first
    assert area.secret("other") != first


def test_record_is_alive_only_while_its_very_process_is(area: Area) -> None:
    child = subprocess.Popen(["sleep", "30"])
    entry = processes.adopt(area, "sleeper", child)
    assert processes.find(area, "sleeper") == entry
    impostor = processes.Record("sleeper", os.getpid(), entry.started, entry.boot)
    assert not impostor.alive
    assert not processes.Record("sleeper", entry.pid, entry.started, "another boot").alive
    processes.stop(area, [entry])
    assert processes.find(area, "sleeper") is None
    assert not entry.alive


def test_process_that_ignores_being_asked_is_ended_by_force(area: Area) -> None:
    stubborn = ["sh", "-c", "trap '' TERM; echo deaf; sleep 30 & wait; sleep 30"]
    entry = processes.spawn(area, "stubborn", stubborn, {})
    while "deaf" not in area.log("stubborn").read_text():
        pass
    processes.stop(area, [entry], patience=0.3)
    assert not entry.alive


def test_work_is_done_again_when_its_source_changes(area: Area, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.sql").write_text("SELECT 1")
    first = once.fingerprint([source])
    once.mark_done(area, "migrate", first)
    assert once.is_done(area, "migrate", once.fingerprint([source]))
    (source / "a.sql").write_text("SELECT 2")
    assert not once.is_done(area, "migrate", once.fingerprint([source]))
    assert once.fingerprint([source], {"PRAXIS_S3_BUCKET": "b"}) != once.fingerprint([source])


def test_lock_of_one_package_holds_its_hashes_alone(tmp_path: Path) -> None:
    lock = tmp_path / "dev.lock"
    lock.write_text("a==1 \\\n    --hash=sha256:aa\nuv==2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\nz==3\n")
    assert (
        installer._only("uv", lock, tmp_path).read_text() == "uv==2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    )
    with pytest.raises(installer.InstallError, match="nope"):
        installer._only("nope", lock, tmp_path)


def test_pip_configuration_is_handed_to_uv(tmp_path: Path) -> None:
    pip = {"index-url": "https://index.example/simple", "extra-index-url": "https://a.example https://b.example"}
    flags = installer.index_flags({**pip, "find-links": f"{tmp_path} /not/there"})
    assert flags[:2] == ["--default-index", "https://index.example/simple"]
    assert flags.count("--index") == 2
    assert [str(tmp_path)] == [flags[at + 1] for at, flag in enumerate(flags) if flag == "--find-links"]


def test_locks_name_no_registry() -> None:
    for lock in (PROJECT / "requirements").glob("*.lock"):
        assert "://" not in lock.read_text(), lock.name


def test_erlang_unpacked_elsewhere_finds_itself(tmp_path: Path) -> None:
    script = tmp_path / "usr" / "lib" / "erlang" / "bin" / "erl"
    script.parent.mkdir(parents=True)
    script.write_text("ROOTDIR=/usr/lib/erlang\n    ROOTDIR=/usr/lib/erlang\n")
    _point_to_own_erlang(tmp_path)
    assert set(script.read_text().split()) == {f'ROOTDIR="{tmp_path}/usr/lib/erlang"'}


def test_package_name_of_a_status_stanza() -> None:
    assert _package_name("\nPackage: erlang-base\nStatus: install ok installed") == "erlang-base"


def test_journeys_share_one_platform_and_files_their_database() -> None:
    assert pytest_groups.group_of(PROJECT / "tests/e2e/test_main_job.py") == "e2e"
    assert pytest_groups.group_of(PROJECT / "tests/e2e/faults/test_relay.py") == "e2e"
    unit = PROJECT / "services/clients/tests/unit/test_rules.py"
    assert pytest_groups.group_of(unit) == str(unit)
    assert pytest_groups.group_of(PROJECT / "tests/launcher/test_up_and_down.py") is None


def test_mail_is_found_by_the_address_it_was_sent_to() -> None:
    store = Store()
    store.add("firm@example.com", ["Ada@Example.com"], mail())
    store.add("firm@example.com", ["bob@example.com"], mail())
    assert [m.recipients for m in store.list("ada@example.com")] == [("Ada@Example.com",)]
    assert store.list("ada@example.com")[0].text.strip() == "Your code is 123456."
    assert len(store.list()) == 2


def test_mail_kept_is_bounded_in_number_and_size() -> None:
    few = Store(most=3)
    small = Store(most_bytes=5000)
    for number in range(10):
        few.add("a@example.com", [f"{number}@example.com"], mail())
        small.add("a@example.com", [f"{number}@example.com"], mail("x" * 1500))
    assert [m.recipients[0] for m in few.list()] == ["9@example.com", "8@example.com", "7@example.com"]
    assert sum(m.size for m in small.list()) <= 5000
    assert small.list()[0].recipients == ("9@example.com",)


def test_what_a_build_generates_does_not_call_for_another_build(tmp_path: Path) -> None:
    (tmp_path / "app.ts").write_text("1")
    before = once.fingerprint([tmp_path])
    for folder in ("node_modules", "dist", "generated", "__pycache__"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "made.ts").write_text("2")
    assert once.fingerprint([tmp_path]) == before


def test_port_another_launcher_has_chosen_is_not_taken_though_nobody_listens_yet(area: Area, tmp_path: Path) -> None:
    choose = "import sys; from pathlib import Path; from tools.launcher.area import Area; a = Area(Path(sys.argv[1]))"
    rest = "a.create(); print(a.port('edge'), flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", f"{choose}; {rest}", str(tmp_path / "other")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        taken = int(other.stdout.readline())
        (area.path / "ports.json").write_text(f'{{"edge": {taken}}}')
        assert ports.is_free(taken)
        assert area.port("edge") != taken
        other.communicate()
    (area.path / "ports.json").write_text(f'{{"edge": {taken}}}')
    assert area.port("edge") == taken
