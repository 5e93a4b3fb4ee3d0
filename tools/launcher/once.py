"""Work that is done once for what it was made from: databases, migrations, builds."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tools.launcher import fork_client, processes
from tools.launcher.area import PROJECT, Area
from tools.launcher.errors import LauncherError
from tools.launcher.part import last_line, tail

_SKIPPED = {"__pycache__", "node_modules", "dist", "generated", "tests"}


def fingerprint(sources: Iterable[Path], env: Mapping[str, str] | None = None) -> str:
    """A hash of all files in these folders (or of these files), and of the settings the work gets."""
    digest = hashlib.sha256(repr(sorted((env or {}).items())).encode())
    for path in sorted(file for source in sources for file in _files(source)):
        digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _files(source: Path) -> Iterable[Path]:
    if source.is_file():
        yield source
        return
    for folder, folders, names in os.walk(source):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        yield from (Path(folder) / name for name in names)


def is_done(area: Area, name: str, key: str) -> bool:
    marker = area.path / "done" / name
    return marker.exists() and marker.read_text() == key


def mark_done(area: Area, name: str, key: str) -> None:
    marker = area.path / "done" / name
    marker.parent.mkdir(exist_ok=True)
    marker.write_text(key)


def command(
    area: Area,
    name: str,
    key: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    seconds: float = 300,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Run one of our Python modules to its end, unless it succeeded for this key before.

    Its output goes to the log of `name`; `say` is told the line it is at.
    """
    if is_done(area, name, key):
        return
    forks = fork_client.client_for(area)
    entry = processes.record(area, name, forks.start(name, argv, env, PROJECT), layer=2)
    deadline = time.monotonic() + seconds
    code = None
    while code is None and forks.alive and time.monotonic() < deadline:
        code = forks.wait(entry.pid, 0.5)
        say(last_line(area.log(name)))
    processes.stop(area, [entry])
    if code != 0:
        ended = "took too long and was ended" if code is None else f"failed (exit {code})"
        raise LauncherError(f"{name} {ended}.\n{tail(area.log(name))}")
    mark_done(area, name, key)


def tool(area: Area, name: str, argv: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> None:
    """Run a build tool to its end, as a process that is stopped with the rest. Its output goes to the log of `name`."""
    entry = processes.spawn(area, name, argv, env or {}, cwd, layer=2)
    code = processes.wait(entry)
    processes.stop(area, [entry])
    if code != 0:
        raise LauncherError(f"{' '.join(argv[:3])} failed in {cwd}.\n{tail(area.log(name), 40)}")
