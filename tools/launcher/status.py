"""`./praxis status` and `./praxis logs`."""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tools.launcher import processes
from tools.launcher.area import HELPERS, STATE, SUPERVISOR, Area, run_area
from tools.launcher.errors import LauncherError


def status(as_json: bool) -> int:
    """Print each part's state; 0 if all are ready."""
    found = collect(run_area())
    print(json.dumps(found, indent=2) if as_json else _table(found))
    return 0 if found["ready"] else 1


def collect(area: Area) -> dict[str, Any]:
    """What runs, in which state and how large: memory is the proportional share (PSS), so that the parts add up."""
    path = area.path / STATE
    state = json.loads(path.read_text()) if path.exists() else {}
    supervised = processes.find(area, SUPERVISOR) is not None
    said = {part["name"]: part for part in state.get("parts", [])}
    entries = {entry.name: entry for entry in processes.recorded(area)}
    parts = [_part(area, name, said.get(name, {}), entries.get(name), supervised) for name in {**said, **entries}]
    return {
        "ready": bool(
            supervised and state.get("up") and all(part["state"] == "ready" for part in parts if part["name"] in said)
        ),
        "supervised": supervised,
        "addresses": state.get("addresses", {}),
        "memory_mb": round(sum(part["memory_mb"] for part in parts)),
        "parts": parts,
    }


def _part(
    area: Area, name: str, said: dict[str, Any], entry: processes.Record | None, supervised: bool
) -> dict[str, Any]:
    alive = entry is not None and entry.alive
    state = ("ready" if name in HELPERS else said.get("state", "starting")) if supervised else "not supervised"
    return {
        "name": name,
        "state": state if alive else "waiting" if said.get("state") == "waiting" else "down",
        "pid": entry.pid if entry and alive else None,
        "memory_mb": round(sum(map(_memory, processes.family(entry, alone=name in HELPERS))) / 1e6, 1) if entry else 0,
        "restarts": said.get("restarts", 0),
        "log": str(area.log(name)),
    }


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, OSError, AttributeError):
        return 0


def _table(found: dict[str, Any]) -> str:
    if not found["parts"]:
        return "Praxis is not running."
    lines = [f"{'part':<20} {'state':<15} {'process':>8} {'memory':>9}  restarts"]
    for part in found["parts"]:
        memory, pid = f"{part['memory_mb']:.0f} MB", part["pid"] or "-"
        lines.append(f"{part['name']:<20} {part['state']:<15} {pid:>8} {memory:>9}  {part['restarts'] or ''}".rstrip())
    lines.append(f"{'in all':<36} {'':>8} {found['memory_mb']:>6} MB"[:58])
    lines += ["", *(f"{name:<8} {address}" for name, address in found["addresses"].items())]
    if not found["supervised"]:
        lines.append("The launcher was killed and watches no more: `./praxis up` cleans up and starts anew.")
    return "\n".join(lines)


def logs(wanted: str | None, follow: bool) -> int:
    """Print the end of each log whose name is `wanted` or begins with it; go on as they grow if `follow`."""
    area = run_area()
    paths = [path for path in sorted(area.logs.glob("*.log")) if _fits(path.stem, wanted)]
    if not paths:
        names = ", ".join(sorted(path.stem for path in area.logs.glob("*.log"))) or "none yet"
        raise LauncherError(f"no log of {wanted!r}. There are: {names}")
    width = max(len(path.stem) for path in paths)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        for name, line in _lines(paths, 200 if len(paths) == 1 else 10, follow):
            print(line if len(paths) == 1 else f"{name:<{width}} | {line}", flush=follow)
    return 0


def _fits(name: str, wanted: str | None) -> bool:
    return wanted is None or name == wanted or name.startswith(f"{wanted}-")


def _lines(paths: list[Path], last: int, follow: bool) -> Iterator[tuple[str, str]]:
    with contextlib.ExitStack() as stack:
        open_logs = [(path.stem, stack.enter_context(path.open(errors="replace"))) for path in paths]
        for name, log in open_logs:
            yield from ((name, line.rstrip("\n")) for line in log.readlines()[-last:])
        while follow:
            for name, log in open_logs:
                yield from ((name, line.rstrip("\n")) for line in log)
            time.sleep(0.2)
