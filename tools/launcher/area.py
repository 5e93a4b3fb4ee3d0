"""A folder of state: where one set of parts keeps its data, ports, secrets, logs and process records.

`.praxis/run` belongs to `./praxis up`, `.praxis/test` to the servers that tests use. PRAXIS_STATE_DIR
moves all of it, so that several platforms run side by side without knowing each other.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.launcher.errors import LauncherError
from tools.launcher.ports import free_port, is_free, reserve

PROJECT = Path(__file__).resolve().parents[2]
# Downloads and builds are the same for every platform started from this checkout.
CACHE = PROJECT / ".praxis" / "cache"
# The record of the launcher that watches an area, and the file in which it says how things stand.
SUPERVISOR = "supervisor"
FORK_SERVER = "fork-server"
HELPERS = (SUPERVISOR, FORK_SERVER)
STATE = "state.json"


def state_dir() -> Path:
    return Path(os.environ.get("PRAXIS_STATE_DIR") or PROJECT / ".praxis").resolve()


class Area:
    """Paths and remembered facts of one set of parts."""

    def __init__(self, path: Path, secrets_path: Path | None = None) -> None:
        self.path = path
        self.logs = path / "logs"
        self.pids = path / "pids"
        self.secrets = secrets_path or path / "secrets"

    def create(self) -> None:
        for folder in (self.path, self.logs, self.pids):
            folder.mkdir(parents=True, exist_ok=True)
        self.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def put_logs_aside(self) -> None:
        """Each run writes logs of its own; the last run's are kept as .log.1."""
        for log in self.logs.glob("*.log"):
            if log != self.log("up"):
                log.replace(log.with_suffix(".log.1"))

    def secret_file(self, name: str, make: Callable[[], str]) -> Path:
        """The file of a generated secret, made once and readable by its owner alone."""
        path = self.secrets / name
        if not path.exists():
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(make())
            draft.rename(path)
        return path

    def secret(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
        return self.secret_file(name, make).read_text()

    def port(self, name: str) -> int:
        """A loopback port for `name`: last time's if it is still free, else another, remembered."""
        known = self._ports()
        port = known.get(name)
        if port is None or not (is_free(port) and reserve(port)):
            port = free_port(avoid=set(known.values()))
            self._ports_file.write_text(json.dumps(known | {name: port}, indent=2, sort_keys=True))
        return port

    def last_port(self, name: str) -> int | None:
        """The port `name` was last given, whether or not something listens there now."""
        return self._ports().get(name)

    @property
    def _ports_file(self) -> Path:
        return self.path / "ports.json"

    def _ports(self) -> dict[str, int]:
        return json.loads(self._ports_file.read_text()) if self._ports_file.exists() else {}

    @contextlib.contextmanager
    def lock(self, patience: float = 180) -> Iterator[None]:
        """One launcher at a time works on an area; the others wait their turn."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the folder, not in it: wiping the folder must not take the lock along.
        with self.path.with_suffix(".lock").open("w") as handle:
            deadline = time.monotonic() + patience
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise LauncherError(f"another launcher has been working on {self.path} for too long") from None
                    time.sleep(0.1)
            yield

    def servant_home(self, name: str) -> Path:
        """A folder for data of a server that may not run as root: in the area, or where nobody can reach it."""
        if reachable_by_all(self.path):
            return self.path / name
        return shared_folder(self.path) / name

    def wipe(self) -> None:
        """Forget everything, data too. The caller has stopped the area's processes, but may be writing to up.log."""
        if not reachable_by_all(self.path):
            shutil.rmtree(shared_folder(self.path), ignore_errors=True)
        shutil.rmtree(self.secrets, ignore_errors=True)
        for path in self.path.iterdir():
            if path.is_dir() and path != self.logs:
                shutil.rmtree(path)
            elif not path.is_dir():
                path.unlink()
        for path in self.logs.iterdir():
            if path != self.log("up"):
                path.unlink()


def reachable_by_all(path: Path) -> bool:
    """Whether a process without rights of its own can walk down to `path`; always so when we aren't root."""
    if os.geteuid() != 0:
        return True
    existing = next(p for p in (path, *path.parents) if p.exists())
    return all(p.stat().st_mode & stat.S_IXOTH for p in (existing, *existing.parents))


def shared_folder(path: Path) -> Path:
    """A folder of root's, readable by all, that stands in for a `path` under a closed home folder."""
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    folder = Path("/var/tmp") / f"praxis-{digest}"  # noqa: S108 - whose it is gets checked below
    folder.mkdir(mode=0o755, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise LauncherError(f"{folder} belongs to somebody else; set PRAXIS_STATE_DIR to a folder all users can reach")
    return folder


def run_area() -> Area:
    return Area(state_dir() / "run", state_dir() / "secrets")


def test_area() -> Area:
    return Area(state_dir() / "test")
