"""Search as you type. The functions find ids by index; the policed tables decide which of them the caller may see."""

from typing import Any

from sqlalchemy import text

from chassis.uow import Uow

_SEARCH = text("""
WITH hits AS MATERIALIZED (
    SELECT type, id, score FROM search_everybody(:q, :most)
)
SELECT h.type, h.id, coalesce(c.name, k.name) AS name, c.number,
       coalesce(c.status, CASE WHEN k.active THEN 'active' ELSE 'former' END) AS status, k.email,
       CASE h.type
           WHEN 'client' THEN (
               SELECT coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'name', n.name) ORDER BY n.sort_name, n.id), '[]') FROM (
                   SELECT DISTINCT ka.id, ka.name, ka.sort_name
                   FROM contact_roles r JOIN contacts ka ON ka.firm_id = r.firm_id AND ka.id = r.contact_id
                   WHERE r.client_id = h.id AND ka.active ORDER BY ka.sort_name LIMIT 3) n)
           ELSE (
               SELECT coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'name', n.name) ORDER BY n.sort_name, n.id), '[]') FROM (
                   SELECT DISTINCT ca.id, ca.name, ca.sort_name
                   FROM contact_roles r JOIN clients ca ON ca.firm_id = r.firm_id AND ca.id = r.client_id
                   WHERE r.contact_id = h.id ORDER BY ca.sort_name LIMIT 3) n)
       END AS related
FROM hits h
LEFT JOIN clients c ON h.type = 'client' AND c.id = h.id
LEFT JOIN contacts k ON h.type = 'contact' AND k.id = h.id
WHERE c.id IS NOT NULL OR k.id IS NOT NULL
ORDER BY h.score DESC, name, h.id
""")


def search(uow: Uow, q: str, limit: int) -> dict[str, Any]:
    """The best hits among clients and contacts, best first."""
    return {"items": [dict(hit) for hit in uow.session.execute(_SEARCH, {"q": q, "most": limit}).mappings()]}
