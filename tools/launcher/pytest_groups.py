"""Which tests share a process when they run side by side: a pytest plugin, used by `./praxis test`.

The journeys share one running platform. Elsewhere a file's tests share their database. The launcher's own tests
start everything themselves, and are the slowest: they spread.
"""

from pathlib import Path

import pytest

from tools.launcher.area import PROJECT

TOGETHER = PROJECT / "tests" / "e2e"
APART = PROJECT / "tests" / "launcher" / "test_up_and_down.py"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        group = group_of(item.path)
        if group and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group))


def group_of(path: Path) -> str | None:
    """The group of the tests in this file; None if each stands by itself."""
    if path.is_relative_to(TOGETHER):
        return "e2e"
    return None if path == APART else str(path)
