"""The overview for managers and partners."""

from typing import Any

from chassis.uow import Uow
from timebilling.overview import queries


def get_overview(uow: Uow) -> dict[str, Any]:
    return queries.overview(uow)
