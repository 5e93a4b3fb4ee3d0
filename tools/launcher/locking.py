"""`./praxis lock`: resolve what the pyproject files ask for into hashed locks that name no registry.

dev.lock holds everything this machine needs; <service>.lock what one image holds, at the very same versions.
"""

from pathlib import Path

from tools.launcher import installer
from tools.launcher.area import PROJECT
from tools.launcher.setup import VENV

REQUIREMENTS = PROJECT / "requirements"
# A folder with a pyproject.toml of its own each.
CHASSIS = "chassis"
UNITS = ("services/*", "gateway/*")


def lock(upgrade: bool) -> int:
    """Write all locks. Versions already locked are kept unless `upgrade`."""
    projects = _projects()
    everything = [REQUIREMENTS / "dev.in", PROJECT / CHASSIS / "pyproject.toml", *projects.values()]
    dev = REQUIREMENTS / "dev.lock"
    _compile(everything, dev, ["--all-extras", *(["--upgrade"] if upgrade else [])])
    # Tools that live in an environment of their own.
    for source in sorted(REQUIREMENTS.glob("*.in")):
        if source.stem != "dev":
            _compile([source], source.with_suffix(".lock"), ["--upgrade"] if upgrade else [])
    for name, project in projects.items():
        stands_on = [PROJECT / CHASSIS / "pyproject.toml"] if project.with_name("openapi.yaml").exists() else []
        _compile([*stands_on, project], REQUIREMENTS / f"{name}.lock", ["-c", str(dev)])
    return 0


def _projects() -> dict[str, Path]:
    found = sorted(path for unit in UNITS for path in PROJECT.glob(f"{unit}/pyproject.toml"))
    return {path.parent.name: path for path in found}


def _compile(sources: list[Path], target: Path, more: list[str]) -> None:
    words = ["pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    words += [
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-annotate",
        "--custom-compile-command",
        "./praxis lock",
    ]
    relative = [str(path.relative_to(PROJECT)) for path in sources]
    installer.run_uv(VENV, [*words, *more, "--output-file", str(target.relative_to(PROJECT)), *relative])
    print(f"  {target.relative_to(PROJECT)}")
