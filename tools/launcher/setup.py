"""Makes .venv and generates code, if that isn't done yet: what `./praxis` runs first, on the system's Python.

Standard library only. Each piece is keyed by a hash of what it is made from, so that later runs only compare.
"""

import fcntl
import hashlib
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable
from pathlib import Path

from tools.launcher import debian, installer

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
LOCK = PROJECT / "requirements" / "dev.lock"
CACHE = PROJECT / ".praxis" / "cache"
# Packages are run from their folders, as they are; nothing of ours is installed.
SOURCES = (
    "",
    "build/proto",
    "chassis",
    "services/*",
    "gateway/identity",
    "gateway/web",
    "gateway/edge",
)


def main() -> int:
    try:
        _set_up()
    except (installer.InstallError, debian.AptError) as error:
        print(f"Praxis could not be set up.\n{error}", file=sys.stderr)
        return 1
    return 0


def _set_up() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "setup.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        # A virtual environment holds its own path, so a moved folder needs a new one.
        packages = fingerprint([LOCK] if LOCK.exists() else [], salt=f"{sys.version} {PROJECT}")
        if LOCK.exists():
            _once(
                VENV / "praxis-packages",
                packages,
                "installing Python packages",
                _install,
            )
        _write_paths()
        contracts = fingerprint(
            [*(PROJECT / "proto").rglob("*.proto"), PROJECT / "tools" / "codegen.py"],
            packages,
        )
        _once(
            PROJECT / "build" / "proto.made",
            contracts,
            "generating code from the contracts",
            _generate,
        )


def _once(marker: Path, key: str, what: str, make: object) -> None:
    """Run `make` unless it was run for this very key, saying so."""
    if marker.exists() and marker.read_text() == key:
        return
    assert callable(make)
    print(f"  {what} …", flush=True)
    began = time.monotonic()
    make()
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(key)
    print(f"  {what}: done in {time.monotonic() - began:.0f} s", flush=True)


def _install() -> None:
    if not _is_ours(VENV):
        installer.make_venv(VENV, CACHE)
    installer.install(VENV, LOCK, CACHE)


def _is_ours(venv: Path) -> bool:
    """Whether it was made here and its Python is still there, of this version."""
    python = venv / "bin" / "python"
    if not python.exists() or str(PROJECT) not in (venv / "bin" / "activate").read_text():
        return False
    command = [str(python), "-c", "import sys; print(sys.version)"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == sys.version.strip()


def _write_paths() -> None:
    library = sysconfig.get_path("purelib", vars={"base": str(VENV), "platbase": str(VENV)}, scheme="venv")
    folders = [path for pattern in SOURCES for path in _folders(pattern)]
    text = "".join(f"{folder}\n" for folder in folders)
    target = Path(library) / "praxis.pth"
    if not target.exists() or target.read_text() != text:
        target.write_text(text)


def _folders(pattern: str) -> list[Path]:
    if "*" not in pattern:
        return [PROJECT / pattern]
    return sorted(path for path in PROJECT.glob(pattern) if path.is_dir())


def _generate() -> None:
    command = [str(VENV / "bin" / "python"), "-m", "tools.codegen"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise installer.InstallError(f"tools.codegen failed:\n{done.stdout}{done.stderr}")


def fingerprint(files: Iterable[Path], salt: str = "") -> str:
    """A hash of the files' names and contents."""
    digest = hashlib.sha256(salt.encode())
    for path in sorted(files):
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
