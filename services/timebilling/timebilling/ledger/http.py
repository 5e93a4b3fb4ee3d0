"""Operations on the ledger. It is only read: what is posted, money events post."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.uow import Uow
from timebilling.ledger import queries


def list_entries(
    uow: Uow,
    first: str,
    last: str,
    limit: int = 50,
    cursor: str | None = None,
    account: str | None = None,
    client_id: str | None = None,
) -> dict[str, Any]:
    return queries.list_entries(
        uow,
        date.fromisoformat(first),
        date.fromisoformat(last),
        limit=limit,
        cursor=cursor,
        account=account,
        client_id=UUID(client_id) if client_id else None,
    )


def get_balances(uow: Uow, last: str) -> dict[str, Any]:
    return {"accounts": queries.balances(uow, date.fromisoformat(last))}
