"""Search over HTTP."""

from typing import Any

from chassis.uow import Uow
from clients.search import queries


def search(uow: Uow, q: str, limit: int = 10) -> dict[str, Any]:
    return queries.search(uow, q, limit)
