"""Reading groups: SQL straight to the response's shape. Clients one may not see are missing from them."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import selectinload

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.service import State
from chassis.uow import Uow
from clients.groups.events import group_changed
from clients.groups.tables import ClientGroup

_GROUPS = """
WITH page AS MATERIALIZED (
    SELECT g.id, g.name, g.kind, g.note, g.parent_id, g.bill_to_id, g.created_at, g.updated_at, g.version, g.sort_name
    FROM client_groups g
    WHERE true {where}
    ORDER BY g.sort_name, g.id
    LIMIT :rows
)
SELECT p.*,
       CASE WHEN above.id IS NOT NULL THEN jsonb_build_object('id', above.id, 'name', above.name) END AS parent,
       CASE WHEN billed.id IS NOT NULL THEN jsonb_build_object('id', billed.id, 'number', billed.number, 'name', billed.name) END AS bill_to,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'number', c.number, 'name', c.name, 'status', c.status)
                                  ORDER BY c.sort_name, c.id), '[]')
        FROM client_group_members m JOIN clients c ON c.firm_id = m.firm_id AND c.id = m.client_id
        WHERE m.group_id = p.id) AS clients
FROM page p
LEFT JOIN client_groups above ON above.id = p.parent_id
LEFT JOIN clients billed ON billed.id = p.bill_to_id
ORDER BY p.sort_name, p.id
"""

_FILTERS = {
    "parent_id": "AND g.parent_id = CAST(:parent_id AS uuid)",
    "client_id": (
        "AND g.id IN (SELECT m.group_id FROM client_group_members m JOIN clients c ON c.firm_id = m.firm_id AND c.id = m.client_id "
        "WHERE m.client_id = CAST(:client_id AS uuid))"
    ),
}


def read_group(uow: Uow, group_id: UUID | str) -> dict[str, Any]:
    """One group. Errors: `group_not_found`."""
    items = _groups(uow, "AND g.id = CAST(:id AS uuid)", {"id": str(group_id)}, rows=1)
    if not items:
        raise NotFound("group_not_found", "There is no such group.")
    return _shape(items[0])


def list_groups(uow: Uow, limit: int, cursor: str | None, wanted: Mapping[str, str | None]) -> dict[str, Any]:
    """A page of groups by name. Errors: `cursor_invalid`."""
    after, parameters = keyset(["g.sort_name", "g.id"], cursor)
    given = {name: value for name, value in wanted.items() if value is not None}
    where = " ".join([*(_FILTERS[name] for name in given), after])
    rows = _groups(uow, where, {**given, **parameters}, rows=limit + 1)
    listed = page(rows, limit, lambda row: (row["sort_name"], row["id"]))
    return listed | {"items": [_shape(row) for row in listed["items"]]}


def all_group_states(uow: Uow) -> Iterator[State]:
    """The current state of every group of the firm, to be sent again."""
    every = select(ClientGroup).options(selectinload(ClientGroup.members)).order_by(ClientGroup.id)
    for group in uow.session.scalars(every.execution_options(yield_per=500)):
        yield group.id, group.version, group_changed(group)


def _groups(uow: Uow, where: str, parameters: Mapping[str, Any], rows: int) -> list[dict[str, Any]]:
    statement = text(_GROUPS.format(where=where))
    return [dict(row) for row in uow.session.execute(statement, {**parameters, "rows": rows}).mappings()]


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the API shows it."""
    for inner in ("sort_name", "parent_id", "bill_to_id"):
        del row[inner]
    return row
