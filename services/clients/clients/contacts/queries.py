"""Reading contacts: SQL straight to the response's shape. A contact of private clients only is hidden like those are."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import selectinload

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.service import State
from chassis.uow import Uow
from clients.contacts.events import contact_changed
from clients.contacts.tables import Contact

_CONTACTS = """
WITH page AS MATERIALIZED (
    SELECT k.id, k.name, k.email, k.phone, k.language, k.portal_access, k.active, k.external_id, k.former_names, k.created_at, k.updated_at,
           k.version, k.sort_name
    FROM contacts k
    WHERE true {where}
    ORDER BY k.sort_name, k.id
    LIMIT :rows
)
SELECT p.*,
       (SELECT coalesce(jsonb_agg(served.client ORDER BY served.sort_name, served.id), '[]') FROM (
           SELECT c.sort_name, c.id, jsonb_build_object('id', c.id, 'number', c.number, 'name', c.name, 'status', c.status,
               'roles', jsonb_agg(r.role ORDER BY r.role)) AS client
           FROM contact_roles r JOIN clients c ON c.firm_id = r.firm_id AND c.id = r.client_id
           WHERE r.contact_id = p.id
           GROUP BY c.firm_id, c.id) served) AS clients
FROM page p
ORDER BY p.sort_name, p.id
"""

_FILTERS = {
    "client_id": (
        "AND k.id IN (SELECT r.contact_id FROM contact_roles r JOIN clients c ON c.firm_id = r.firm_id AND c.id = r.client_id "
        "WHERE r.client_id = CAST(:client_id AS uuid))"
    ),
    "active": "AND k.active = :active",
    "portal_access": "AND k.portal_access = :portal_access",
    "q": "AND k.id IN (SELECT id FROM search_contacts(:q, 500))",
}


def read_contact(uow: Uow, contact_id: UUID | str) -> dict[str, Any]:
    """One contact. Errors: `contact_not_found`."""
    items = _contacts(uow, "AND k.id = CAST(:id AS uuid)", {"id": str(contact_id)}, rows=1)
    if not items:
        raise NotFound("contact_not_found", "There is no such contact.")
    return _shape(items[0])


def list_contacts(uow: Uow, limit: int, cursor: str | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A page of contacts by name. `wanted` holds the filters by name; None means any. Errors: `cursor_invalid`."""
    after, parameters = keyset(["k.sort_name", "k.id"], cursor)
    given = {name: value for name, value in wanted.items() if value is not None}
    where = " ".join([*(_FILTERS[name] for name in given), after])
    rows = _contacts(uow, where, {**given, **parameters}, rows=limit + 1)
    listed = page(rows, limit, lambda row: (row["sort_name"], row["id"]))
    return listed | {"items": [_shape(row) for row in listed["items"]]}


def all_contact_states(uow: Uow) -> Iterator[State]:
    """The current state of every contact of the firm, to be sent again."""
    every = select(Contact).options(selectinload(Contact.roles)).order_by(Contact.id).execution_options(yield_per=500)
    for contact in uow.session.scalars(every):
        yield contact.id, contact.version, contact_changed(contact)


def _contacts(uow: Uow, where: str, parameters: Mapping[str, Any], rows: int) -> list[dict[str, Any]]:
    statement = text(_CONTACTS.format(where=where))
    return [dict(row) for row in uow.session.execute(statement, {**parameters, "rows": rows}).mappings()]


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the API shows it."""
    del row["sort_name"]
    return row
