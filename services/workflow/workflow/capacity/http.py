"""HTTP operations on capacity."""

from typing import Any
from uuid import UUID

from chassis.uow import Uow
from workflow.capacity import queries


def get_capacity(uow: Uow, weeks: int = 8) -> dict[str, Any]:
    return queries.capacity(uow, weeks)


def list_candidates(uow: Uow, task_id: str) -> dict[str, Any]:
    return queries.candidates(uow, UUID(task_id))


def what_if(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return queries.what_if(uow, body)


def list_suggestions(uow: Uow, weeks: int = 8) -> dict[str, Any]:
    return queries.suggestions(uow, weeks)
