"""Reading relationships, from the side that asks."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.service import State
from chassis.uow import Uow
from clients.relationships import rules
from clients.relationships.events import relationship_changed
from clients.relationships.tables import Relationship

_RELATED = """
WITH page AS MATERIALIZED (
    SELECT r.* FROM ({sides}) r WHERE true {where} ORDER BY r.id LIMIT :rows
)
SELECT p.id, p.turned, p.kind, p.other_name, p.since, p.until, p.note, p.created_at, p.updated_at, p.version,
       jsonb_build_object('id', a.id, 'number', a.number, 'name', a.name) AS client,
       CASE WHEN b.id IS NOT NULL THEN jsonb_build_object('id', b.id, 'number', b.number, 'name', b.name) END AS other_client
FROM page p
JOIN clients a ON a.id = p.client_id
LEFT JOIN clients b ON b.id = p.other_client_id
ORDER BY p.id
"""
_COLUMNS = "id, kind, other_name, since, until, note, created_at, updated_at, version, firm_id"
_AS_KEPT = f"SELECT {_COLUMNS}, client_id, other_client_id, false AS turned FROM relationships"
_TURNED = f"SELECT {_COLUMNS}, other_client_id, client_id, true FROM relationships"
_OF_CLIENT = (
    f"{_AS_KEPT} WHERE client_id = CAST(:client_id AS uuid) "
    f"UNION ALL {_TURNED} WHERE other_client_id = CAST(:client_id AS uuid)"
)


def read_relationship(uow: Uow, relationship_id: UUID | str) -> dict[str, Any]:
    """One relationship as it is kept. Errors: `relationship_not_found`."""
    items = _related(uow, _AS_KEPT, "AND r.id = CAST(:id AS uuid)", {"id": str(relationship_id)}, rows=1)
    if not items:
        raise NotFound("relationship_not_found", "There is no such relationship.")
    return items[0]


def list_relationships(uow: Uow, limit: int, cursor: str | None, client_id: str | None) -> dict[str, Any]:
    """A page of relationships, oldest first; those of one client read from its side. Errors: `cursor_invalid`."""
    after, parameters = keyset(["r.id"], cursor)
    sides = _AS_KEPT if client_id is None else _OF_CLIENT
    given = {} if client_id is None else {"client_id": client_id}
    return page(_related(uow, sides, after, {**parameters, **given}, rows=limit + 1), limit, lambda row: (row["id"],))


def all_relationship_states(uow: Uow) -> Iterator[State]:
    """The current state of every relationship of the firm, to be sent again."""
    every = select(Relationship).order_by(Relationship.id).execution_options(yield_per=500)
    for related in uow.session.scalars(every):
        yield related.id, related.version, relationship_changed(related)


def _related(uow: Uow, sides: str, where: str, parameters: dict[str, Any], rows: int) -> list[dict[str, Any]]:
    statement = text(_RELATED.format(sides=sides, where=where))
    return [_shape(dict(row)) for row in uow.session.execute(statement, {**parameters, "rows": rows}).mappings()]


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the API shows it, its kind read from the client's side."""
    row["kind"] = rules.INVERSE[row["kind"]] if row.pop("turned") else row["kind"]
    return row
