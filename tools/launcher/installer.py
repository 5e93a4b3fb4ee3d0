"""Installing Python packages with hashes checked: by uv where it works, else by pip.

Runs on the bare system Python: standard library only. uv is several times faster, but doesn't read pip's
configuration; what an organisation has set there (its index, its certificates) is handed over.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.launcher import debian


class InstallError(Exception):
    """A package could not be installed; the text holds what the installer said."""


def make_venv(venv: Path, cache: Path) -> None:
    """A virtual environment, with pip if this Python brings it."""
    if not _has_venv():
        raise InstallError("this Python has no venv module: install python3-venv")
    shutil.rmtree(venv, ignore_errors=True)
    _run(
        [
            sys.executable,
            "-m",
            "venv",
            *([] if _has_ensurepip() else ["--without-pip"]),
            str(venv),
        ]
    )
    if not (venv / "bin" / "pip").exists():
        _pip_wheel(cache)


def _has_venv() -> bool:
    return subprocess.run([sys.executable, "-c", "import venv"], check=False, capture_output=True).returncode == 0


def _has_ensurepip() -> bool:
    # Debian ships the venv module without ensurepip, in a package of its own.
    command = [sys.executable, "-c", "import ensurepip; ensurepip.version()"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _pip_wheel(cache: Path) -> Path:
    """pip as one file, from Debian's package, for a Python without ensurepip."""
    target = cache / "pip"
    if not target.exists():
        if not debian.available():
            raise InstallError("this Python has no ensurepip: install python3-venv, or pip")
        debian.unpack("python3-pip-whl", target, cache)
    return next(target.glob("usr/share/python-wheels/pip-*.whl"))


def install(venv: Path, lock: Path, cache: Path) -> None:
    """Install what `lock` names into `venv`, every file checked against its hash."""
    uv = venv / "bin" / "uv"
    if not uv.exists():
        _pip(venv, cache, ["--require-hashes", "-r", str(_only("uv", lock, cache))])
    words = [
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "-r",
        str(lock),
        "--python",
        str(venv / "bin" / "python"),
    ]
    done = _uv(uv, venv, words)
    if done.returncode:
        print(
            f"uv could not install; trying pip. It said:\n{done.stderr[-800:]}",
            file=sys.stderr,
        )
        _pip(venv, cache, ["--require-hashes", "-r", str(lock)])


def _only(package: str, lock: Path, cache: Path) -> Path:
    """A lock with one package's entry."""
    lines = lock.read_text().splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith(f"{package}==")), None)
    if start is None:
        raise InstallError(f"{lock} doesn't name {package}")
    end = next(
        (at for at in range(start, len(lines)) if not lines[at].rstrip().endswith("\\")),
        len(lines) - 1,
    )
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"{package}.lock"
    target.write_text("\n".join([*lines[start : end + 1], ""]))
    return target


def _pip(venv: Path, cache: Path, words: list[str]) -> None:
    env = dict(os.environ)
    if not (venv / "bin" / "pip").exists():
        env["PYTHONPATH"] = str(_pip_wheel(cache))
    _run(
        [
            str(venv / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *words,
        ],
        env,
    )


def _uv(uv: Path, venv: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    pip = pip_settings(venv)
    env = {**os.environ, "UV_NO_PROGRESS": "1"}
    if pip.get("cert"):
        env.setdefault("SSL_CERT_FILE", pip["cert"])
    if timeout := pip.get("default-timeout") or pip.get("timeout"):
        env.setdefault("UV_HTTP_TIMEOUT", timeout)
    command = [str(uv), *words, *index_flags(pip)]
    return subprocess.run(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def run_uv(venv: Path, words: list[str]) -> None:
    """Any uv command with pip's configuration handed over."""
    done = _uv(venv / "bin" / "uv", venv, words)
    if done.returncode:
        raise InstallError(f"uv {' '.join(words[:3])} failed:\n{done.stderr[-3000:]}")


def pip_settings(venv: Path) -> dict[str, str]:
    """What pip is configured to on this machine, environment last: index-url, extra-index-url, find-links, cert, …"""
    if not (venv / "bin" / "pip").exists():
        return _pip_environment()
    command = [str(venv / "bin" / "python"), "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in ("global", "install", ":env:"):
            found[name] = value.strip().strip("'\"").replace("\\n", " ")
    return found


def _pip_environment() -> dict[str, str]:
    prefix = "PIP_"
    return {k[len(prefix) :].lower().replace("_", "-"): v for k, v in os.environ.items() if k.startswith(prefix)}


def index_flags(pip: dict[str, str]) -> list[str]:
    """uv's flags for pip's indexes. Every file's hash is checked, so any index may serve any package."""
    flags: list[str] = []
    if pip.get("index-url"):
        flags += ["--default-index", pip["index-url"]]
    for url in pip.get("extra-index-url", "").split():
        flags += ["--index", url]
    for place in pip.get("find-links", "").split():
        # pip passes over a folder that isn't there, uv refuses it.
        if "://" in place or Path(place).is_dir():
            flags += ["--find-links", place]
    if "--index" in flags:
        flags += ["--index-strategy", "unsafe-best-match"]
    return flags


def _run(argv: list[str], env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InstallError(f"{' '.join(argv[:4])} … failed:\n{done.stdout[-1500:]}{done.stderr[-3000:]}")
