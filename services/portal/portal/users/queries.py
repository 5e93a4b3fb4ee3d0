"""Reads of portal users. A contact of private clients only is hidden with them."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.uow import Uow

_VISIBLE = "EXISTS (SELECT 1 FROM client_copy c WHERE c.firm_id = k.firm_id AND c.id = ANY (k.client_ids))"


def acts_for_somebody_visible(uow: Uow, contact_id: UUID) -> bool:
    """Whether the caller may know of the contact: it acts for a client they can see."""
    statement = f"SELECT 1 FROM contact_copy k WHERE k.firm_id = :firm AND k.id = :id AND {_VISIBLE}"
    return uow.session.execute(text(statement), {"firm": uow.firm_id, "id": contact_id}).first() is not None


def listed(uow: Uow, *, limit: int, cursor: str | None, client_id: str | None) -> dict[str, Any]:
    """A page of contacts who may use the portal, by name, each with the clients the caller can see."""
    after, parameters = paging.keyset(["k.name", "k.id"], cursor)
    of_client = f"AND {_VISIBLE[:-1]} AND c.id = CAST(:client AS uuid))" if client_id else ""
    statement = f"""
        SELECT k.id, k.name, k.email, u.invited_at, u.last_seen_at, clients.items AS clients
        FROM contact_copy k
        LEFT JOIN portal_users u ON u.firm_id = k.firm_id AND u.id = k.id
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name) ORDER BY c.name) AS items
            FROM client_copy c WHERE c.firm_id = k.firm_id AND c.id = ANY (k.client_ids)) clients
        WHERE k.firm_id = :firm AND k.active AND k.portal_access AND clients.items IS NOT NULL {of_client} {after}
        ORDER BY k.name, k.id LIMIT :most"""
    more = {"client": client_id} if client_id else {}
    rows = uow.session.execute(text(statement), {"firm": uow.firm_id, "most": limit + 1, **parameters, **more}).all()
    return paging.page(rows, limit, lambda r: [r.name, r.id])
