"""Reads of one's own notices. What is about a private client is there only while one is named on it."""

from typing import Any

from sqlalchemy import text

from chassis import paging
from chassis.uow import Uow
from identity.notices.rules import COUNTED

MINE = """n.firm_id = :firm AND n.staff_id = :me AND NOT EXISTS (
    SELECT FROM client_audiences AS a
    WHERE a.firm_id = n.firm_id AND a.id = n.client_id AND NOT CAST(:me AS uuid) = ANY (a.visible_to))"""

_UNREAD = {None: "", True: "AND n.read_at IS NULL", False: "AND n.read_at IS NOT NULL"}


def me(uow: Uow) -> dict[str, Any]:
    """The parameters of `MINE`."""
    return {"firm": uow.firm_id, "me": uow.principal.uuid}


def list_notices(uow: Uow, limit: int, cursor: str | None, unread: bool | None) -> dict[str, Any]:
    """A page of my notices, newest first (ids are in order of their making)."""
    after, parameters = paging.keyset(["n.id"], cursor, descending=True)
    rows = uow.session.execute(
        text(f"SELECT n.* FROM notices AS n WHERE {MINE} {_UNREAD[unread]} {after} ORDER BY n.id DESC LIMIT :n"),
        {**me(uow), "n": limit + 1, **parameters},
    ).all()
    page = paging.page(rows, limit, key=lambda row: (row.id,))
    return page | {"items": [notice_view(row) for row in page["items"]]}


def count_unread(uow: Uow) -> int:
    """How many of mine are unread, up to `COUNTED`: the cost of the answer has an end."""
    some = f"SELECT FROM notices AS n WHERE {MINE} {_UNREAD[True]} LIMIT :most"
    found = uow.session.execute(text(f"SELECT count(*) FROM ({some}) AS unread"), {**me(uow), "most": COUNTED})
    return int(found.scalar_one())


def notice_view(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "reason": row.reason,
        "says": row.says,
        "subject_type": row.subject_type,
        "subject_id": str(row.subject_id),
        "job_id": str(row.job_id) if row.job_id else None,
        "client_id": str(row.client_id) if row.client_id else None,
        "at": row.at.isoformat(),
        "read_at": row.read_at.isoformat() if row.read_at else None,
    }
