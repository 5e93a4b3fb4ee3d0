"""Reads about API clients."""

from typing import Any

from sqlalchemy import text

from chassis import paging
from chassis.uow import Uow
from identity.api_clients.views import api_client_view


def list_api_clients(uow: Uow, limit: int, cursor: str | None) -> dict[str, Any]:
    """A page of API clients, by id (in order of their making), revoked ones among them."""
    after, parameters = paging.keyset(["id"], cursor, descending=True)
    rows = uow.session.execute(
        text(f"SELECT * FROM api_clients WHERE firm_id = :firm {after} ORDER BY id DESC LIMIT :n"),
        {"firm": uow.firm_id, "n": limit + 1, **parameters},
    ).all()
    page = paging.page(rows, limit, key=lambda row: (row.id,))
    return page | {"items": [api_client_view(row) for row in page["items"]]}
