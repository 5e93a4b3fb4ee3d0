"""Lists of rates."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.uow import Uow
from timebilling import money
from timebilling.rates.rules import LEVELS
from timebilling.taxes.usecases import last_day

_ORDER = "CASE r.level " + " ".join(f"WHEN '{level}' THEN {i}" for i, level in enumerate(LEVELS)) + " END"

# A private client's rates are not seen: those of a client, a job or an engagement join the policed copy.
_RATES = f"""
SELECT r.id, r.kind, r.level, {_ORDER} AS rank, r.key, r.job_id, r.engagement_id, r.client_id, r.staff_id, r.activity_id, r.grade,
       r.amount, r.currency, r.valid, r.version,
       concat_ws(' × ', c.name, j.title, e.title, s.name, a.name, r.grade) AS names
FROM rates r
LEFT JOIN job_copy j ON j.firm_id = r.firm_id AND j.id = r.job_id
LEFT JOIN engagement_copy e ON e.firm_id = r.firm_id AND e.id = r.engagement_id
LEFT JOIN client_copy c ON c.firm_id = r.firm_id AND c.id = coalesce(r.client_id, j.client_id, e.client_id)
LEFT JOIN staff_copy s ON s.firm_id = r.firm_id AND s.id = r.staff_id
LEFT JOIN activities a ON a.firm_id = r.firm_id AND a.id = r.activity_id
WHERE (num_nonnulls(r.client_id, r.job_id, r.engagement_id) = 0 OR c.id IS NOT NULL)
"""


def list_rates(
    uow: Uow,
    *,
    limit: int,
    cursor: str | None,
    kind: str | None,
    level: str | None,
    client_id: UUID | None,
    staff_id: UUID | None,
    on: date | None,
) -> dict[str, Any]:
    filters = {"kind": kind, "level": level, "client_id": client_id, "staff_id": staff_id}
    conditions = [f"AND r.{name} = :{name}" for name, value in filters.items() if value is not None]
    if on is not None:
        conditions.append("AND r.valid @> CAST(:on AS date)")
    after, values = paging.keyset(["rank", "key", "id"], cursor, casts=["int", "", "uuid"])
    sql = (
        f"SELECT * FROM ({_RATES} {' '.join(conditions)}) rates WHERE true {after} ORDER BY rank, key, id LIMIT :limit"
    )
    rows = uow.session.execute(text(sql), {**filters, "on": on, "limit": limit + 1, **values}).mappings().all()
    page = paging.page(rows, limit, lambda r: (r["rank"], r["key"], r["id"]))
    return {**page, "items": [_view(r) for r in page["items"]]}


def in_force(uow: Uow, day: date, body: dict[str, Any], limit: int) -> list[Any]:
    """The rates in force on a day, of a kind, level, client or person where the body names one."""
    filters = {n: body[n] for n in ("kind", "level", "client_id", "staff_id", "currency") if body.get(n)}
    conditions = [f"AND r.{n} = :{n}" for n in filters]
    sql = f"{_RATES} {' '.join(conditions)} AND r.valid @> CAST(:on AS date) ORDER BY rank, key, r.id LIMIT :limit"
    return list(uow.session.execute(text(sql), {**filters, "on": day, "limit": limit}).mappings())


def views(uow: Uow, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """The named rates, in that order."""
    rows = uow.session.execute(text(f"{_RATES} AND r.id = ANY(:ids)"), {"ids": list(ids)}).mappings()
    found = {r["id"]: _view(r) for r in rows}
    return [found[i] for i in ids]


def _view(row: Any) -> dict[str, Any]:
    keys = (
        "id",
        "kind",
        "level",
        "job_id",
        "engagement_id",
        "client_id",
        "staff_id",
        "activity_id",
        "grade",
        "version",
    )
    return {k: row[k] for k in keys} | {
        "names": row["names"] or "everyone",
        "rate": money.view(row["amount"], row["currency"]),
        "from": row["valid"].lower,
        "until": last_day(row["valid"]),
    }
