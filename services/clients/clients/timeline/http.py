"""The timeline over HTTP."""

from typing import Any

from chassis.uow import Uow
from clients.timeline import queries


def read_timeline(
    uow: Uow, client_id: str, limit: int = 50, cursor: str | None = None, kind: str | None = None
) -> dict[str, Any]:
    return queries.read_timeline(uow, client_id, limit, cursor, kind)
