"""Reading runs over many clients: their list, newest first, and one of them, as each kind of run counts what became of its clients."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow

View = Callable[[Mapping[Any, Any]], dict[str, Any]]


def listed(uow: Uow, runs: str, view: View, limit: int, cursor: str | None) -> dict[str, Any]:
    """A page of the runs that a statement over `r` selects."""
    after, values = paging.keyset(["r.id"], cursor, descending=True)
    rows = uow.session.execute(
        text(f"{runs} {after} ORDER BY r.id DESC LIMIT :limit"), {"firm": uow.firm_id, "limit": limit + 1, **values}
    )
    page = paging.page(rows.mappings().all(), limit, lambda r: (r["id"],))
    return {**page, "items": [view(r) for r in page["items"]]}


def one(uow: Uow, runs: str, view: View, run_id: UUID, missing: NotFound) -> dict[str, Any]:
    """One of them. Errors: `missing`."""
    row = uow.session.execute(text(f"{runs} AND r.id = :id"), {"firm": uow.firm_id, "id": run_id}).mappings().first()
    if row is None:
        raise missing
    return view(row)
