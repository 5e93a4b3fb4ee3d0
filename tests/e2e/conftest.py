"""A platform of its own for the journeys, started by the very command people use."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.support import Platform

ROOT = Path(__file__).resolve().parents[2]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All journeys share one platform, so they run in one process of a parallel run, one after another."""
    for item in items:
        if Path(str(item.path)).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("platform"))


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """`./praxis up --detach` in a state folder of its own on free ports; `PRAXIS_E2E_STATE` names one that is running already."""
    state = os.environ.get("PRAXIS_E2E_STATE")
    kept = state is not None
    folder = state or tempfile.mkdtemp(prefix="praxis-e2e-")
    Path(folder).chmod(0o755)
    ours = {f"PRAXIS_{name}_PORT": "0" for name in ("EDGE", "FILES", "MAIL")} | {"PRAXIS_STATE_DIR": folder}
    # All journeys come from one address: limits made for one person's browser are lifted.
    ours |= {"PRAXIS_EDGE_RATE": "0", "PRAXIS_EDGE_SIGN_IN_RATE": "0"}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PRAXIS_")} | ours
    command = [sys.executable, "-m", "tools.launcher"]

    def praxis(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=500
        )

    if not kept:
        started = praxis("up", "--detach", "--no-demo")
        if started.returncode:
            praxis("down")
            pytest.fail(
                f"the platform did not start:\n{started.stdout[-4000:]}\n{started.stderr[-2000:]}", pytrace=False
            )
    try:
        found = json.loads(praxis("status", "--json").stdout)["addresses"]
        yield Platform(app=found["app"], files=found["files"], mail=found["mail"], praxis=praxis)
    finally:
        if not kept:
            praxis("down")
