"""What holds for all tests."""

from collections.abc import Iterator

import pytest

from chassis.testing import dismiss_stand_ins


@pytest.fixture(autouse=True, scope="module")
def _stand_ins_leave_with_their_file() -> Iterator[None]:
    yield
    dismiss_stand_ins()
