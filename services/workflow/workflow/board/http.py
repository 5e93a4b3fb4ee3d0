"""HTTP operations on the board and the overview."""

from typing import Any
from uuid import UUID

from chassis.uow import Uow
from workflow.board import queries
from workflow.jobs.queries import Filters
from workflow.stages.tables import Stage


def get_board(uow: Uow, per_column: int = 50, **filters: Any) -> dict[str, Any]:
    return queries.board(uow, Filters(**filters), per_column)


def get_column(uow: Uow, stage_id: str, limit: int = 50, cursor: str | None = None, **filters: Any) -> dict[str, Any]:
    stage = uow.get(Stage, stage_id)
    return queries.column(uow, UUID(str(stage.id)), Filters(**filters), limit=limit, cursor=cursor)


def get_overview(uow: Uow) -> dict[str, Any]:
    return queries.overview(uow)
