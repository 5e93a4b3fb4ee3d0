"""Operations on imports of time."""

from typing import Any
from uuid import UUID

from chassis.uow import Uow
from timebilling.imports import usecases


def import_time(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.run(uow, body)


def list_imports(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return usecases.listed(uow, limit, cursor)


def undo_import(uow: Uow, import_id: str) -> dict[str, Any]:
    return usecases.undo(uow, UUID(import_id))
