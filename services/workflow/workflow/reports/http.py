"""HTTP operations on reports."""

from typing import Any

from chassis.uow import Uow
from workflow.reports import queries


def standing(uow: Uow, by: str = "owner", limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.standing(uow, by=by, limit=limit, cursor=cursor)


def workload(uow: Uow, by: str = "owner", limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.workload(uow, by=by, limit=limit, cursor=cursor)


def delivery(
    uow: Uow,
    by: str = "month",
    first_day: str | None = None,
    last_day: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    return queries.delivery(uow, by=by, first=first_day, last=last_day, limit=limit, cursor=cursor)
