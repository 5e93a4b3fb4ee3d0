"""`./praxis test`: everything that can say "this is broken", from linters to journeys in a real browser."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.launcher import backing, processes, webapp
from tools.launcher.area import PROJECT, test_area
from tools.launcher.errors import LauncherError

BIN = Path(sys.executable).parent
# What people call a part -> where its tests are.
PLACES = {
    **{name: f"services/{name}" for name in ("clients", "workflow", "timebilling", "documents", "portal")},
    **{name: f"gateway/{name}" for name in ("identity", "edge", "web")},
    "chassis": "chassis",
    **{name: f"tests/{name}" for name in ("e2e", "contract", "architecture", "deploy", "launcher")},
}
EVERYTHING = ("chassis", "services", "gateway", "tests")
WEB = "gateway/web"
BROWSER_TESTS = "tests/e2e"


def test(parts: Sequence[str], expression: str | None, more: Sequence[str]) -> int:
    """Run the checks and the tests of some parts, or of all. Returns the exit code."""
    places = _places(parts)
    missing = _provide_browser(places)
    failed = _checks(places, whole=not parts)
    code = _pytest(places, expression, [*(["-m", "not browser"] if missing else []), *more])
    # pytest's own summary is the last line of a run in which all is well.
    if failed:
        print(f"\nFailed besides the tests: {', '.join(failed)} (see above).")
    for thing in missing:
        print(f"\nNot run: {thing}")
    return code or (1 if failed or missing else 0)


def _places(parts: Sequence[str]) -> list[str]:
    unknown = [part for part in parts if part not in PLACES and not (PROJECT / part).exists()]
    if unknown:
        raise LauncherError(f"no part is called {', '.join(unknown)}. There are: {', '.join(PLACES)}")
    wanted = [PLACES.get(part, part) for part in parts] or list(EVERYTHING)
    return [place for place in wanted if (PROJECT / place).exists()]


def _checks(places: Sequence[str], whole: bool) -> list[str]:
    """Run the linters and the web app's own checks; returns the names of those that found something."""
    commands: dict[str, Sequence[str]] = {}
    if whole:
        commands["ruff"] = [str(BIN / "ruff"), "check", "."]
        commands["ruff format"] = [str(BIN / "ruff"), "format", "--check", "."]
        commands["mypy"] = [str(BIN / "mypy"), *_packages()]
        if _import_linter_is_configured():
            commands["import-linter"] = [str(BIN / "lint-imports")]
    failed = [name for name, command in commands.items() if not _passes(name, command)]
    if whole or WEB in places:
        test_area().create()
        path = webapp.install(test_area(), lambda text: print(f"  web app: {text} …", flush=True))
        if not _passes("web app", ["npm", "run", "check"], webapp.APP, {"PATH": path}):
            failed.append("web app")
    return failed


def _passes(name: str, command: Sequence[str], cwd: Path = PROJECT, env: Mapping[str, str] | None = None) -> bool:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"  {name}: {'ok' if done.returncode == 0 else 'failed'}", flush=True)
    if done.returncode:
        print(f"{done.stdout[-8000:]}{done.stderr[-4000:]}", flush=True)
    return done.returncode == 0


def _pytest(places: Sequence[str], expression: str | None, more: Sequence[str]) -> int:
    area = test_area()
    area.create()
    were_running = all(processes.find(area, name) for name in backing.NAMES)
    env = backing.up(area, lambda text: print(f"  {text}", flush=True))
    workers = str(min(os.cpu_count() or 2, 4))
    command = [sys.executable, "-m", "pytest", *places, "-q", "-p", "tools.launcher.pytest_groups"]
    command += ["-n", workers, "--dist", "loadgroup", *(["-k", expression] if expression else []), *more]
    try:
        return subprocess.run(command, cwd=PROJECT, env={**os.environ, **env}, check=False).returncode
    finally:
        if not were_running:
            backing.down(area, lambda text: None)


def _provide_browser(places: Sequence[str]) -> list[str]:
    """A browser for the journeys: installed as root, named as missing otherwise. Returns what can't be run."""
    needed = any(place == "tests" or place.startswith(BROWSER_TESTS) for place in places)
    lacking = _lacking_for_browser() if needed else []
    if not lacking:
        return []
    reason = f"the tests in a browser: Debian and Ubuntu have what is missing here (apt install {' '.join(lacking)})"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return [reason]
    print(f"  installing {' and '.join(lacking)} …", flush=True)
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *lacking]):
        done = subprocess.run(
            ["apt-get", "-q", *words],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    return [f"{reason}; apt said: {done.stderr[-500:]}"] if _lacking_for_browser() else []


def _lacking_for_browser() -> list[str]:
    """The system's packages that are missing: the browser, and a library of the program that drives it."""
    driver = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True, check=False)
    chromium = [] if shutil.which("chromium") else ["chromium"]
    return chromium if driver.returncode == 0 else [*chromium, "libatomic1"]


def _packages() -> list[str]:
    """What is type-checked: our packages, not their tests."""
    found = [*PROJECT.glob("services/*/*/__init__.py"), *PROJECT.glob("gateway/*/*/__init__.py")]
    packages = sorted(str(path.parent.relative_to(PROJECT)) for path in found if path.parent.name != "tests")
    return ["tools", "chassis/chassis", *(["bench"] if (PROJECT / "bench").exists() else []), *packages]


def _import_linter_is_configured() -> bool:
    config = PROJECT / "pyproject.toml"
    return config.exists() and "importlinter" in tomllib.loads(config.read_text()).get("tool", {})
