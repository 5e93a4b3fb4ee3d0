"""Reading clients: SQL straight to the response's shape. Row-level security decides which rows there are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import selectinload

from chassis.errors import NotFound
from chassis.merged import standing
from chassis.paging import keyset, page
from chassis.service import State
from chassis.uow import Uow
from clients.custom_fields import queries as custom_fields
from clients.parties import rules
from clients.parties.events import client_changed
from clients.parties.tables import Client
from clients.settings import fields

# The page is cut first; what belongs to its rows is looked up for them only.
_CLIENTS = """
WITH page AS MATERIALIZED (
    SELECT c.id, c.number, c.name, c.kind, c.status, c.currency, c.language, c.country, c.year_end, c.born_on, c.address, c.tags,
           c.other_names, c.former_names, c.custom,
           c.partner_id, c.manager_id, c.visible_to, c.external_id, c.created_at, c.updated_at, c.version,
           {key} AS sort_key
    FROM clients c
    WHERE true {where}
    ORDER BY {order}
    LIMIT {rows}
)
SELECT p.*,
       CASE WHEN partner.id IS NOT NULL THEN jsonb_build_object('id', partner.id, 'name', partner.name) END AS partner,
       CASE WHEN manager.id IS NOT NULL THEN jsonb_build_object('id', manager.id, 'name', manager.name) END AS manager,
       CASE WHEN p.visible_to IS NOT NULL THEN (
           SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name) ORDER BY s.name, s.id), '[]')
           FROM staff_copy s WHERE s.id = ANY (p.visible_to)
       ) END AS seen_by,
       (SELECT coalesce(jsonb_object_agg(t.scheme, t.shown), '{{}}') FROM tax_numbers t WHERE t.client_id = p.id) AS tax_numbers,
       (SELECT jsonb_build_object('id', g.id, 'name', g.name)
        FROM client_group_members m JOIN client_groups g ON g.firm_id = m.firm_id AND g.id = m.group_id
        WHERE m.client_id = p.id) AS "group",
       (SELECT count(*) FROM engagements e WHERE e.client_id = p.id AND e.status = 'open') AS open_engagements,
       (SELECT coalesce(jsonb_agg(held.contact ORDER BY held.sort_name, held.id), '[]') FROM (
           SELECT k.sort_name, k.id, jsonb_build_object('id', k.id, 'name', k.name, 'email', k.email,
               'portal_access', k.portal_access, 'roles', jsonb_agg(r.role ORDER BY r.role)) AS contact
           FROM contact_roles r JOIN contacts k ON k.firm_id = r.firm_id AND k.id = r.contact_id
           WHERE r.client_id = p.id AND k.active
           GROUP BY k.firm_id, k.id) held) AS contacts
FROM page p
LEFT JOIN staff_copy partner ON partner.id = p.partner_id
LEFT JOIN staff_copy manager ON manager.id = p.manager_id
ORDER BY {order_again}
"""


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by: an indexed expression, and its type where a cursor's text would not do. Engagements too."""

    key: str
    cast: str = ""
    descending: bool = False

    def of(self, alias: str, key: str) -> str:
        way = " DESC" if self.descending else ""
        return f"{key}{way}, {alias}.id{way}"


_ORDERS = {
    "name": Order("c.sort_name"),
    "number": Order('(lower(c.number) COLLATE "C")'),
    "-created_at": Order("c.id", "uuid", descending=True),  # ids are sorted by the time they were made
    "-updated_at": Order("c.updated_at", "timestamptz", descending=True),
}

_FILTERS = {
    "status": "AND c.status = :status",
    "kind": "AND c.kind = :kind",
    "country": "AND c.country = :country",
    "group_id": "AND c.id IN (SELECT m.client_id FROM client_group_members m WHERE m.group_id = CAST(:group_id AS uuid))",
    "custom": "AND c.id IN (SELECT id FROM clients_holding(CAST(:custom AS jsonb)))",
    "partner_id": "AND c.partner_id = CAST(:partner_id AS uuid)",
    "manager_id": "AND c.manager_id = CAST(:manager_id AS uuid)",
    "external_id": "AND c.external_id = :external_id",
    "tag": "AND c.id IN (SELECT id FROM clients_tagged(:tag))",
    "q": "AND c.id IN (SELECT id FROM search_clients(:q, 500))",
}


def read_client(uow: Uow, client_id: UUID | str) -> dict[str, Any]:
    """One client, also by the id of one that was merged into it. Errors: `client_not_found`."""
    items = _clients(uow, "AND c.id = CAST(:id AS uuid)", {"id": str(client_id)}, rows=1)
    if not items and (into := standing(uow, client_id)) != UUID(str(client_id)):
        items = _clients(uow, "AND c.id = CAST(:id AS uuid)", {"id": str(into)}, rows=1)
    if not items:
        raise NotFound("client_not_found", "There is no such client.")
    return _shape(items[0])


_THERE = text(
    "SELECT c.id FROM clients c WHERE c.id = "
    "coalesce((SELECT m.into_id FROM merged_ids m WHERE m.id = CAST(:id AS uuid)), CAST(:id AS uuid))"
)


def require_client(uow: Uow, client_id: UUID | str) -> UUID:
    """The client's id, or that of the one it was merged into. Errors: `client_not_found`."""
    there = uow.session.execute(_THERE, {"id": str(client_id)}).mappings().first()
    if there is None:
        raise NotFound("client_not_found", "There is no such client.")
    return UUID(str(there["id"]))


def list_clients(
    uow: Uow, limit: int, cursor: str | None, wanted: Mapping[str, str | None], sort: str = "name"
) -> dict[str, Any]:
    """A page of clients. `wanted` holds the filters by name; None means any. Errors: `cursor_invalid`, those of a field's value."""
    order = _ORDERS[sort]
    after, parameters = keyset(["c.sort_key", "c.id"], cursor, descending=order.descending, casts=[order.cast, "uuid"])
    given = {name: value for name, value in wanted.items() if value is not None}
    if "custom" in given:
        given["custom"] = custom_fields.wanted(uow, given["custom"])
    where = " ".join([*(_FILTERS[name] for name in given), after.replace("c.sort_key", order.key)])
    rows = _clients(uow, where, {**given, **parameters}, rows=limit + 1, order=order)
    listed = page(rows, limit, lambda row: (row["sort_key"], row["id"]))
    return listed | {"items": [_shape(row) for row in listed["items"]]}


def find_by_tax_number(uow: Uow, number: str) -> dict[str, Any]:
    """The clients with exactly this tax number, by name, at most 50."""
    lookup = fields(uow).lookup(rules.tax_number(number), str(uow.firm_id))
    where = "AND c.id IN (SELECT t.client_id FROM tax_numbers t WHERE t.lookup = :lookup)"
    return {"items": [_shape(row) for row in _clients(uow, where, {"lookup": lookup}, rows=50)]}


def all_client_states(uow: Uow) -> Iterator[State]:
    """The current state of every client of the firm, to be sent again."""
    every = (
        select(Client).options(selectinload(Client.tax_numbers)).order_by(Client.id).execution_options(yield_per=500)
    )
    for client in uow.session.scalars(every):
        yield client.id, client.version, client_changed(client)


def _clients(
    uow: Uow, where: str, parameters: Mapping[str, Any], rows: int, order: "Order | None" = None
) -> list[dict[str, Any]]:
    by = order or _ORDERS["name"]
    # How many rows stands in the words: a plan for any limit would be made for a tenth of all clients, so the database would
    # plan every page anew.
    order_again = by.of("p", "p.sort_key")
    words = _CLIENTS.format(where=where, key=by.key, order=by.of("c", by.key), order_again=order_again, rows=rows)
    return [dict(row) for row in uow.session.execute(_statement(words), parameters).mappings()]


_statement = lru_cache(maxsize=1000)(text)  # put together once


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the API shows it."""
    row["visible_to"] = row.pop("seen_by")
    row["tax_numbers"] = {scheme: row["tax_numbers"].get(scheme) for scheme in rules.TAX_SCHEMES}
    for inner in ("sort_key", "partner_id", "manager_id"):
        del row[inner]
    return row
