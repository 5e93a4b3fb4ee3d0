"""Which tests share a process when they run side by side: a pytest plugin, used by `./praxis test`.

The journeys share one running platform. Elsewhere a file's tests share their database. The launcher's own tests
start everything themselves, and are the slowest: they spread.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = "tests/e2e/"
APART = "tests/launcher/test_up_and_down.py"


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Asked for by name: a group written to the tests' ids (`xdist_group`) is lost with pytest 9.2 and xdist 3.8."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    return ByGroup(config, log)


def group_of(nodeid: str) -> str:
    """The group of a test: its file, all journeys, or itself."""
    if nodeid.startswith(TOGETHER):
        return TOGETHER
    return nodeid if nodeid.startswith(APART) else nodeid.partition("::")[0]
