"""Reading notes. Those of private clients are hidden like those are."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.uow import Uow
from clients.parties.queries import require_client

_NOTES = """
SELECT n.id, n.client_id, n.said AS text, n.pinned, n.author_name AS author, n.author AS author_actor, n.created_at, n.updated_at, n.version,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name) ORDER BY s.name, s.id), '[]')
        FROM staff_copy s WHERE s.id = ANY (n.mentions)) AS mentions
FROM client_notes n
WHERE true {where}
ORDER BY n.id DESC
LIMIT :rows
"""


def read_note(uow: Uow, note_id: UUID | str) -> dict[str, Any]:
    """One note. Errors: `note_not_found`."""
    items = _notes(uow, "AND n.id = CAST(:id AS uuid)", {"id": str(note_id)}, rows=1)
    if not items:
        raise NotFound("note_not_found", "There is no such note.")
    return items[0]


def list_notes(uow: Uow, client_id: str, limit: int, cursor: str | None, pinned: bool | None) -> dict[str, Any]:
    """A page of a client's notes, newest first. Errors: `client_not_found`, `cursor_invalid`."""
    of = require_client(uow, client_id)
    after, parameters = keyset(["n.id"], cursor, descending=True)
    where = "AND n.client_id = CAST(:client_id AS uuid) " + after
    if pinned is not None:
        where += " AND n.pinned = :pinned"
        parameters["pinned"] = pinned
    return page(_notes(uow, where, {**parameters, "client_id": of}, rows=limit + 1), limit, lambda n: (n["id"],))


def _notes(uow: Uow, where: str, parameters: dict[str, Any], rows: int) -> list[dict[str, Any]]:
    found = uow.session.execute(text(_NOTES.format(where=where)), {**parameters, "rows": rows}).mappings()
    return [_shape(dict(row), uow.principal.actor) for row in found]


def _shape(row: dict[str, Any], actor: str) -> dict[str, Any]:
    return row | {"yours": row.pop("author_actor") == actor}
