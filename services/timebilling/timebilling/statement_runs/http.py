"""Operations on statement runs."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.made_files import queries as made_files
from timebilling.statement_runs import queries, usecases


def list_statement_runs(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_runs(uow, limit, cursor)


def start_statement_run(uow: Uow, body: dict[str, Any]) -> Reply:
    run = usecases.start(uow, body)
    return created(queries.get_run(uow, run.id), f"/statement-runs/{run.id}")


def get_statement_run(uow: Uow, statement_run_id: str) -> dict[str, Any]:
    return queries.get_run(uow, UUID(statement_run_id))


def list_statements_of_run(
    uow: Uow, statement_run_id: str, limit: int = 50, cursor: str | None = None, state: str | None = None
) -> dict[str, Any]:
    queries.get_run(uow, UUID(statement_run_id))
    return made_files.list_files(uow, limit=limit, cursor=cursor, run_id=UUID(statement_run_id), state=state)
