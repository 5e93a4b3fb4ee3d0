"""Operations about one's own notices."""

from typing import Any
from uuid import UUID

from chassis.uow import Uow
from identity.notices import queries, usecases


def list_notices(uow: Uow, limit: int = 50, cursor: str | None = None, unread: bool | None = None) -> dict[str, Any]:
    return queries.list_notices(uow, limit, cursor, unread)


def count_unread(uow: Uow) -> dict[str, Any]:
    return {"count": queries.count_unread(uow)}


def read_notice(uow: Uow, notice_id: str) -> dict[str, Any]:
    return usecases.read_notice(uow, UUID(notice_id))


def read_all(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    usecases.read_all(uow, UUID(body["up_to"]))
    return count_unread(uow)
