"""Reading the timeline."""

from typing import Any

from sqlalchemy import text

from chassis.paging import keyset, page
from chassis.uow import Uow
from clients.parties.queries import require_client

_TIMELINE = """
SELECT t.id, t.at, t.kind, t.what, t.subject_id, t.title, t.details, t.actor_name AS by
FROM timeline t
WHERE t.client_id = CAST(:client_id AS uuid) {where}
ORDER BY t.at DESC, t.id DESC
LIMIT :rows
"""


def read_timeline(uow: Uow, client_id: str, limit: int, cursor: str | None, kind: str | None) -> dict[str, Any]:
    """A page of what happened with a client, latest first. Errors: `client_not_found`, `cursor_invalid`."""
    of = require_client(uow, client_id)
    where, parameters = keyset(["t.at", "t.id"], cursor, descending=True, casts=["timestamptz", "uuid"])
    if kind is not None:
        where += " AND t.kind = :kind"
        parameters["kind"] = kind
    rows = uow.session.execute(
        text(_TIMELINE.format(where=where)), {**parameters, "client_id": of, "rows": limit + 1}
    ).mappings()
    return page([dict(row) for row in rows], limit, lambda row: (row["at"].isoformat(), row["id"]))
