"""HTTP operations on runs."""

from typing import Any
from uuid import UUID

from chassis.http import Reply
from chassis.uow import Uow
from workflow.runs import queries, usecases
from workflow.runs.tables import Run


def list_runs(uow: Uow, template_id: str | None = None, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_runs(uow, UUID(template_id) if template_id else None, limit=limit, cursor=cursor)


def get_run(uow: Uow, run_id: str) -> dict[str, Any]:
    return queries.run(uow, UUID(run_id))


def list_run_items(
    uow: Uow, run_id: str, status: str | None = None, limit: int = 50, cursor: str | None = None
) -> dict[str, Any]:
    return queries.list_items(uow, UUID(run_id), status, limit=limit, cursor=cursor)


def go_again(uow: Uow, run_id: str) -> Reply:
    return begun(uow, usecases.go_again(uow, UUID(run_id)))


def begun(uow: Uow, run: Run) -> Reply:
    """202: the worker goes on with it."""
    return Reply(queries.run(uow, run.id), 202, location=f"/runs/{run.id}")
