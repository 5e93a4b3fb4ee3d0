"""Reading conflict checks. What a check found of private clients is hidden from those who aren't named on them."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.uow import Uow

_CHECKS = """
WITH page AS MATERIALIZED (
    SELECT k.id, k.names, k.client_id, k.at, k.by_name AS by, k.found, k.decision, k.reason, k.decided_at, k.decided_by
    FROM conflict_checks k
    WHERE true {where}
    ORDER BY k.id DESC
    LIMIT :rows
)
SELECT p.*,
       CASE WHEN c.id IS NOT NULL THEN jsonb_build_object('id', c.id, 'number', c.number, 'name', c.name) END AS client,
       (SELECT coalesce(jsonb_agg(m.match ORDER BY m.likeness DESC, m.name, m.id), '[]') FROM (
           SELECT m.likeness, m.name, m.id, jsonb_build_object(
               'kind', m.kind, 'name', m.name, 'likeness', round(m.likeness::numeric, 2), 'status', m.status,
               'client', CASE WHEN o.id IS NOT NULL THEN jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) END,
               'contact', CASE WHEN h.id IS NOT NULL THEN jsonb_build_object('id', h.id, 'name', h.name) END) AS match
           FROM conflict_matches m
           LEFT JOIN clients o ON o.firm_id = m.firm_id AND o.id = m.client_id
           LEFT JOIN contacts h ON h.firm_id = m.firm_id AND h.id = m.contact_id
           WHERE m.check_id = p.id) m) AS matches
FROM page p
LEFT JOIN clients c ON c.id = p.client_id
ORDER BY p.id DESC
"""


def read_check(uow: Uow, check_id: UUID | str) -> dict[str, Any]:
    """One check. Errors: `conflict_check_not_found`."""
    items = _checks(uow, "AND k.id = CAST(:id AS uuid)", {"id": str(check_id)}, rows=1)
    if not items:
        raise NotFound("conflict_check_not_found", "There is no such conflict check.")
    return items[0]


def list_checks(uow: Uow, limit: int, cursor: str | None, client_id: str | None) -> dict[str, Any]:
    """A page of checks, latest first. Errors: `cursor_invalid`."""
    where, parameters = keyset(["k.id"], cursor, descending=True)
    if client_id is not None:
        where += " AND k.client_id = CAST(:client_id AS uuid)"
        parameters["client_id"] = client_id
    return page(_checks(uow, where, parameters, rows=limit + 1), limit, lambda check: (check["id"],))


def _checks(uow: Uow, where: str, parameters: dict[str, Any], rows: int) -> list[dict[str, Any]]:
    found = uow.session.execute(text(_CHECKS.format(where=where)), {**parameters, "rows": rows}).mappings()
    return [_shape(dict(row)) for row in found]


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    """A check as the API shows it: that something stays hidden is said, not how much."""
    del row["client_id"]
    hidden = row.pop("found") > len(row["matches"])
    return row | {"hidden": "There is a match you may not see." if hidden else None}
