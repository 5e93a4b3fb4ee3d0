"""Operations on debtors."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.uow import Uow
from timebilling.debtors import queries


def list_debtors(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_debtors(uow, limit=limit, cursor=cursor)


def get_statement(uow: Uow, client_id: str, first: str, last: str, currency: str | None = None) -> dict[str, Any]:
    return queries.statement(uow, UUID(client_id), date.fromisoformat(first), date.fromisoformat(last), currency)
