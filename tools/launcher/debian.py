"""Debian and Ubuntu packages without root: fetched by apt into a private folder and unpacked there.

Nothing is installed: apt keeps its lists, cache and lock under our own cache folder, and only reads the
machine's sources and its list of installed packages. Runs on the bare system Python: standard library only.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path


class AptError(Exception):
    """apt could not fetch a package; the text holds what it said."""


def available() -> bool:
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def unpack(
    package: str,
    target: Path,
    cache: Path,
    also: Callable[[str], bool] = lambda name: False,
) -> None:
    """Unpack `package` and what it needs beyond the installed packages into `target`.

    `also` names packages to take along even where they are installed, so that the folder stands by itself.
    """
    state = _private_state(cache, lambda name: name == package or also(name))
    _apt(state, "update")
    _apt(state, "--yes", "--no-install-recommends", "--download-only", "install", package)
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for archive in sorted((state / "cache" / "archives").glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(archive), str(draft)])
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    shutil.rmtree(state, ignore_errors=True)


def _private_state(cache: Path, hide: Callable[[str], bool]) -> Path:
    state = cache / "apt"
    shutil.rmtree(state, ignore_errors=True)
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    installed = Path("/var/lib/dpkg/status").read_text(errors="replace").split("\n\n")
    kept = [stanza for stanza in installed if not hide(_package_name(stanza))]
    (state / "status").write_text("\n\n".join(kept))
    return state


def _package_name(stanza: str) -> str:
    return stanza.lstrip().partition("\n")[0].removeprefix("Package:").strip()


def _apt(state: Path, *words: str) -> None:
    options = {
        "Dir::State": state / "state",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Debug::NoLocking": 1,
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
        "APT::Sandbox::User": "",
    }
    flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    # A source that can't be reached must not stop us while the others can: `install` says what is missing.
    _run(["apt-get", *flags, *words], tolerate=words[0] == "update")


def _run(argv: list[str], tolerate: bool = False) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and not tolerate:
        raise AptError(f"{argv[0]} {argv[-1]} failed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
