"""Operations on billing runs."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.billing_runs import queries, usecases


def list_billing_runs(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_runs(uow, limit, cursor)


def start_billing_run(uow: Uow, body: dict[str, Any]) -> Reply:
    run = usecases.start(uow, body)
    return created(queries.get_run(uow, run.id), f"/billing-runs/{run.id}")


def get_billing_run(uow: Uow, billing_run_id: str) -> dict[str, Any]:
    return queries.get_run(uow, UUID(billing_run_id))


def list_billing_run_items(
    uow: Uow, billing_run_id: str, limit: int = 50, cursor: str | None = None, state: str | None = None
) -> dict[str, Any]:
    return queries.list_items(uow, UUID(billing_run_id), limit, cursor, state)
