"""WIP lists and sums. Every sum joins the policed client copy: a private client's money is in nobody else's total."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from timebilling import money
from timebilling.copies.tables import JobCopy
from timebilling.copies.usecases import client, firm, today
from timebilling.wip.rules import BUCKETS

_AGES = """
  sum(w.remaining) FILTER (WHERE :today - w.day <= 30) AS days_0_30,
  sum(w.remaining) FILTER (WHERE :today - w.day BETWEEN 31 AND 60) AS days_31_60,
  sum(w.remaining) FILTER (WHERE :today - w.day BETWEEN 61 AND 90) AS days_61_90,
  sum(w.remaining) FILTER (WHERE :today - w.day > 90) AS days_over_90"""
_SUMS = f"""
  sum(w.remaining) FILTER (WHERE w.state = 'unbilled') AS unbilled, sum(w.remaining) FILTER (WHERE w.state = 'reserved') AS reserved,
  count(*) FILTER (WHERE w.state = 'unbilled') AS items, sum(w.seconds) AS seconds, sum(w.billable_seconds) AS billable_seconds,
  sum(w.remaining) AS remaining, min(w.day) AS oldest_day, {_AGES}"""
_OPEN = """FROM wip_items w JOIN client_copy c ON c.firm_id = w.firm_id AND c.id = w.client_id
WHERE w.firm_id = :firm AND w.state IN ('unbilled', 'reserved')"""


# What WIP is summed by: the column; the names of the group's columns, its id first; what they are; the join they need.
_GROUPS = {
    "client": ("client_id", ["client_id", "client_name"], "c.id AS client_id, c.name AS client_name", ""),
    "job": (
        "job_id",
        ["job_id", "job_title", "client_id", "client_name"],
        "s.job_id, coalesce(j.title, '') AS job_title, c.id AS client_id, c.name AS client_name",
        "LEFT JOIN job_copy j ON j.firm_id = c.firm_id AND j.id = s.job_id",
    ),
    "staff": (
        "staff_id",
        ["staff_id", "staff_name"],
        "s.staff_id, coalesce(p.name, '') AS staff_name",
        "LEFT JOIN staff_copy p ON p.firm_id = c.firm_id AND p.id = s.staff_id",
    ),
}


def list_wip(uow: Uow, limit: int, cursor: str | None, by: str = "client") -> dict[str, Any]:
    """WIP with its ageing per client, per job or per person, largest first, and what all of it comes to.

    What is open is summed once, from the index that holds it, for order and totals; names are joined to sums, not to items, and only
    what stands on the page is looked at for its age.
    """
    key, names, columns, join = _GROUPS[by]
    after, values = paging.keyset(
        ["remaining", key, "currency"], cursor, descending=True, casts=["numeric", "uuid", ""]
    )
    keys = ", ".join(dict.fromkeys(["client_id", key]))
    group = ", ".join(str(n) for n in range(1, len(names) + 2))
    sql = f"""WITH s AS MATERIALIZED (
            SELECT {keys}, currency, sum(remaining) AS remaining FROM wip_items
            WHERE firm_id = :firm AND state IN ('unbilled', 'reserved') GROUP BY {keys}, currency
        ), seen AS MATERIALIZED (
            SELECT {columns}, s.currency, sum(s.remaining) AS remaining
            FROM s JOIN client_copy c ON c.firm_id = :firm AND c.id = s.client_id {join} GROUP BY {group}
        ), totals AS (
            SELECT array_agg(currency ORDER BY currency) AS currencies, array_agg(total ORDER BY currency) AS totals
            FROM (SELECT currency, sum(remaining) AS total FROM seen GROUP BY currency) t
        )
        SELECT t.currencies, t.totals, p.* FROM totals t LEFT JOIN LATERAL (
            SELECT * FROM seen WHERE true {after} ORDER BY remaining DESC, {key} DESC, currency DESC LIMIT :limit) p ON true
        ORDER BY p.remaining DESC, p.{key} DESC, p.currency DESC"""
    base = {"firm": uow.firm_id, "today": today(uow)}
    found = uow.session.execute(text(sql), {**base, "limit": limit + 1, **values}).mappings().all()
    rows = [r for r in found if r[key] is not None]
    page = paging.page(rows, limit, lambda r: (r["remaining"], r[key], r["currency"]))
    ages = uow.session.execute(
        text(f"SELECT w.{key}, w.currency, {_SUMS} {_OPEN} AND w.{key} = ANY(:ids) GROUP BY 1, 2"),
        {**base, "ids": list({r[key] for r in page["items"]})},
    )
    aged = {(r[key], r["currency"]): r for r in ages.mappings()}
    page["items"] = [
        {n: r[n] for n in names} | {"oldest_day": age["oldest_day"]} | _open_figures(age) | _ages(age)
        for r in page["items"]
        for age in [aged[r[key], r["currency"]]]
    ]
    totals = zip(found[0]["currencies"] or [], found[0]["totals"] or [], strict=True)
    return page | {"totals": [money.view(total, currency) for currency, total in totals]}


def client_wip(uow: Uow, client_id: UUID) -> dict[str, Any]:
    """A client's WIP by job; the sums above are in the currency the client is billed in. Errors: `client_not_found` (404)."""
    of = client(uow, client_id)
    sql = f"""SELECT w.job_id, j.title AS job_title, w.currency, {_SUMS}
        FROM wip_items w LEFT JOIN job_copy j ON j.firm_id = w.firm_id AND j.id = w.job_id
        WHERE w.firm_id = :firm AND w.client_id = :client AND w.state IN ('unbilled', 'reserved')
        GROUP BY w.job_id, j.title, w.currency ORDER BY j.title, w.job_id, w.currency"""
    rows = (
        uow.session.execute(text(sql), {"firm": uow.firm_id, "client": client_id, "today": today(uow)}).mappings().all()
    )
    own = [r for r in rows if r["currency"] == of.currency]
    total = {name: sum((r[name] or 0 for r in own), money.ZERO) for name in ("unbilled", "reserved", *BUCKETS)} | {
        "currency": of.currency
    }
    return {
        "client_id": of.id,
        "client_name": of.name,
        **_open_figures(total),
        **_ages(total),
        "jobs": [
            {k: r[k] for k in ("job_id", "items", "seconds", "billable_seconds", "oldest_day")}
            | {"job_title": r["job_title"] or ""}
            | _open_figures(r)
            for r in rows
        ],
    }


def job_wip(uow: Uow, job_id: UUID) -> dict[str, Any]:
    """A job's figures in the currency its client is billed in. Errors: `job_not_found` (404)."""
    job = uow.get(JobCopy, job_id)
    try:
        of = client(uow, job.client_id)
    except NotFound:
        raise NotFound("job_not_found", "There is no such job.") from None
    values = {"firm": uow.firm_id, "job": job_id, "currency": of.currency}
    figures = ("standard", "billed", "written_down", "written_up", "written_off", "remaining")
    sums = ", ".join(f"sum({f}) AS {f}" for f in figures)
    wip = (
        uow.session.execute(
            text(
                f"SELECT {sums}, sum(remaining) FILTER (WHERE state = 'reserved') AS reserved FROM wip_items "
                "WHERE firm_id = :firm AND job_id = :job AND currency = :currency"
            ),
            values,
        )
        .mappings()
        .one()
    )
    # An approved entry whose cost nobody knows makes the job's cost unknown, not smaller.
    time = uow.session.execute(
        text(
            "SELECT sum(seconds) AS seconds, sum(billable_seconds) AS billable_seconds, "
            "sum(seconds) FILTER (WHERE status <> 'approved') AS draft_seconds, "
            "sum(seconds * cost_rate / 3600) FILTER (WHERE status = 'approved') AS cost, "
            "count(*) FILTER (WHERE status = 'approved' AND cost_rate IS NULL) AS unknown, max(cost_currency) AS cost_currency, "
            "count(DISTINCT cost_currency) AS cost_currencies FROM time_entries WHERE firm_id = :firm AND job_id = :job"
        ),
        values,
    ).one()
    knows_cost = (
        not time.unknown and time.cost_currencies <= 1 and "timebilling:rates:read" in uow.principal.permissions
    )
    return {
        "job_id": job.id,
        "job_title": job.title,
        "client_id": job.client_id,
        "seconds": time.seconds or 0,
        "billable_seconds": time.billable_seconds or 0,
        "draft_seconds": time.draft_seconds or 0,
        **{f: money.view(wip[f] or 0, of.currency) for f in (*figures, "reserved")},
        "cost": money.view(time.cost or 0, time.cost_currency or firm(uow).currency) if knows_cost else None,
    }


def list_items(
    uow: Uow, *, limit: int, cursor: str | None, client_id: UUID, job_id: UUID | None, state: str | None
) -> dict[str, Any]:
    """A client's WIP items, oldest day first. Errors: `client_not_found` (404)."""
    client(uow, client_id)
    conditions = ("AND w.job_id = :job " if job_id else "") + (
        "AND w.state = :state " if state else "AND w.state <> 'withdrawn' "
    )
    after, values = paging.keyset(["w.day", "w.id"], cursor, casts=["date", "uuid"])
    sql = f"""SELECT w.id, w.kind, w.job_id, j.title AS job_title, w.staff_id, s.name AS staff_name, a.name AS activity_name, w.day,
               coalesce(e.narrative, d.description, '') AS narrative, w.billable_seconds, w.standard, w.remaining, w.currency, w.state,
               w.invoice_id, w.carried_until, w.carry_reason
        FROM wip_items w JOIN client_copy c ON c.firm_id = w.firm_id AND c.id = w.client_id
        LEFT JOIN time_entries e ON w.kind = 'time' AND e.firm_id = w.firm_id AND e.id = w.id
        LEFT JOIN disbursements d ON w.kind = 'disbursement' AND d.firm_id = w.firm_id AND d.id = w.id
        LEFT JOIN job_copy j ON j.firm_id = w.firm_id AND j.id = w.job_id
        LEFT JOIN staff_copy s ON s.firm_id = w.firm_id AND s.id = w.staff_id
        LEFT JOIN activities a ON a.firm_id = w.firm_id AND a.id = w.activity_id
        WHERE w.firm_id = :firm AND w.client_id = :client {conditions} {after} ORDER BY w.day, w.id LIMIT :limit"""
    parameters = {"firm": uow.firm_id, "client": client_id, "job": job_id, "state": state, "limit": limit + 1, **values}
    page = paging.page(
        uow.session.execute(text(sql), parameters).mappings().all(), limit, lambda r: (r["day"], r["id"])
    )
    return {**page, "items": [_item(r) for r in page["items"]]}


def list_movements(uow: Uow, item_id: UUID, limit: int, cursor: str | None) -> dict[str, Any]:
    """What made an item worth what it is: each time one of its figures went up or down, oldest first. Errors: `wip_item_not_found` (404)."""
    known = text(
        "SELECT 1 FROM wip_items w JOIN client_copy c ON c.firm_id = w.firm_id AND c.id = w.client_id "
        "WHERE w.firm_id = :firm AND w.id = :item"
    )
    if uow.session.execute(known, {"firm": uow.firm_id, "item": item_id}).first() is None:
        raise NotFound("wip_item_not_found", "There is no such WIP item.")
    after, values = paging.keyset(["m.id"], cursor)
    # The number of an invoice billed to a client who may not be seen stays hidden.
    sql = f"""SELECT m.id, m.kind, m.amount, m.currency, m.reason, m.at, m.actor, s.name AS actor_name, i.id AS invoice_id, i.number
        FROM wip_movements m
        LEFT JOIN (invoices i JOIN client_copy b ON b.firm_id = i.firm_id AND b.id = i.client_id) ON i.firm_id = m.firm_id AND i.id = m.invoice_id
        LEFT JOIN staff_copy s ON s.firm_id = m.firm_id AND s.id = CASE WHEN m.actor LIKE 'staff:%' THEN CAST(substr(m.actor, 7) AS uuid) END
        WHERE m.firm_id = :firm AND m.item_id = :item {after} ORDER BY m.id LIMIT :limit"""
    rows = uow.session.execute(text(sql), {"firm": uow.firm_id, "item": item_id, "limit": limit + 1, **values})
    page = paging.page(rows.mappings().all(), limit, lambda r: (r["id"],))
    names = ("id", "kind", "reason", "at", "actor", "actor_name", "invoice_id", "number")
    items = [{n: r[n] for n in names} | {"amount": money.view(r["amount"], r["currency"])} for r in page["items"]]
    return {**page, "items": items}


def _item(row: Mapping[Any, Any]) -> dict[str, Any]:
    names = (
        "id",
        "kind",
        "job_id",
        "staff_id",
        "activity_name",
        "day",
        "narrative",
        "billable_seconds",
        "state",
        "invoice_id",
        "carried_until",
        "carry_reason",
    )
    return {n: row[n] for n in names} | {
        "job_title": row["job_title"] or "",
        "staff_name": row["staff_name"] or "",
        "standard": money.view(row["standard"], row["currency"]),
        "remaining": money.view(row["remaining"], row["currency"]),
    }


def _open_figures(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: money.view(row[name] or 0, row["currency"]) for name in ("unbilled", "reserved")}


def _ages(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {"ageing": {name: money.view(row[name] or 0, row["currency"]) for name in BUCKETS}}


def totals(uow: Uow, day: date) -> dict[str, dict[str, Any]]:
    """All WIP that may be seen, with its ageing, by currency."""
    rows = uow.session.execute(
        text(f"SELECT w.currency, sum(w.remaining) AS remaining, {_AGES} {_OPEN} GROUP BY w.currency"),
        {"firm": uow.firm_id, "today": day},
    ).mappings()
    return {
        r["currency"]: {"wip": money.view(r["remaining"], r["currency"]), "wip_ageing": _ages(r)["ageing"]}
        for r in rows
    }


# --- what must always hold (`check`) ----------------------------------------------------------------------------------


def broken_identities(uow: Uow) -> Iterator[str]:
    """Jobs whose items, or whose movements, break standard = billed + written down − written up + written off + remaining."""
    rows = uow.session.execute(
        text(
            """SELECT coalesce(i.job_id, m.job_id) AS job_id, coalesce(i.currency, m.currency) AS currency FROM (
                SELECT job_id, currency, sum(standard) AS standard, sum(billed) AS billed, sum(written_down) AS written_down,
                       sum(written_up) AS written_up, sum(written_off) AS written_off, sum(remaining) AS remaining
                FROM wip_items GROUP BY job_id, currency) i
            FULL JOIN (
                SELECT job_id, currency,
                       coalesce(sum(amount) FILTER (WHERE kind = 'standard'), 0) AS standard,
                       coalesce(sum(amount) FILTER (WHERE kind = 'billed'), 0) AS billed,
                       coalesce(sum(amount) FILTER (WHERE kind = 'written_down'), 0) AS written_down,
                       coalesce(sum(amount) FILTER (WHERE kind = 'written_up'), 0) AS written_up,
                       coalesce(sum(amount) FILTER (WHERE kind = 'written_off'), 0) AS written_off
                FROM wip_movements GROUP BY job_id, currency) m ON m.job_id = i.job_id AND m.currency = i.currency
            WHERE i.standard <> i.billed + i.written_down - i.written_up + i.written_off + i.remaining
               OR (coalesce(i.standard, 0), coalesce(i.billed, 0), coalesce(i.written_down, 0), coalesce(i.written_up, 0),
                   coalesce(i.written_off, 0)) IS DISTINCT FROM
                  (coalesce(m.standard, 0), coalesce(m.billed, 0), coalesce(m.written_down, 0), coalesce(m.written_up, 0),
                   coalesce(m.written_off, 0))"""
        )
    )
    for row in rows:
        yield f"job {row.job_id} ({row.currency})"


def misplaced_items(uow: Uow) -> Iterator[str]:
    """Items whose state and place on an invoice disagree, or that stand on more than one live invoice."""
    rows = uow.session.execute(
        text(
            """SELECT w.id, w.state, count(x.id) AS live FROM wip_items w
            LEFT JOIN (invoice_items x JOIN invoices i ON i.firm_id = x.firm_id AND i.id = x.invoice_id AND i.state <> 'void')
                ON x.firm_id = w.firm_id AND x.item_id = w.id AND x.live
            GROUP BY w.firm_id, w.id
            HAVING count(x.id) <> (CASE WHEN w.state IN ('reserved', 'billed') THEN 1 ELSE 0 END)
                OR bool_or(x.invoice_id IS DISTINCT FROM w.invoice_id AND x.id IS NOT NULL)
                OR bool_or(i.state = 'draft' AND w.state = 'billed') OR bool_or(i.state = 'issued' AND w.state = 'reserved')"""
        )
    )
    for row in rows:
        yield f"item {row.id} is {row.state} and on {row.live} live invoices"


def unapproved_items(uow: Uow) -> Iterator[str]:
    """Approved billable entries and disbursements without their item, and items whose entry or disbursement is not that."""
    rows = uow.session.execute(
        text(
            "SELECT coalesce(e.id, w.id) AS id FROM ("
            "SELECT firm_id, id, 'time' AS kind, currency, billable_seconds FROM time_entries WHERE status = 'approved' AND billable "
            "UNION ALL SELECT firm_id, id, 'disbursement', currency, 0 FROM disbursements WHERE status = 'approved' AND billable) e "
            "FULL JOIN (SELECT * FROM wip_items WHERE state <> 'withdrawn') w ON w.firm_id = e.firm_id AND w.id = e.id AND w.kind = e.kind "
            "WHERE e.id IS NULL OR w.id IS NULL OR e.currency <> w.currency OR e.billable_seconds <> w.billable_seconds"
        )
    )
    for row in rows:
        yield f"item {row.id}"


def wrong_values(uow: Uow) -> Iterator[str]:
    """Items whose standard value is not what their entry's frozen rate, or their disbursement's cost and markup, come to."""
    for currency in uow.session.execute(text("SELECT DISTINCT currency FROM wip_items")).scalars().all():
        rows = uow.session.execute(
            text(
                "SELECT w.id FROM wip_items w JOIN time_entries e ON e.firm_id = w.firm_id AND e.id = w.id "
                "WHERE w.kind = 'time' AND w.state <> 'withdrawn' AND w.currency = :currency "
                "AND w.standard IS DISTINCT FROM round(e.billable_seconds * e.bill_rate / 3600, :places) "
                "UNION ALL SELECT w.id FROM wip_items w JOIN disbursements d ON d.firm_id = w.firm_id AND d.id = w.id "
                "WHERE w.kind = 'disbursement' AND w.state <> 'withdrawn' AND w.currency = :currency AND w.standard IS DISTINCT FROM "
                "round((d.amount - CASE WHEN d.tax_recoverable THEN d.tax ELSE 0 END) * (100 + d.markup_percent) / 100, :places)"
            ),
            {"currency": currency, "places": money.exponent(currency)},
        )
        for row in rows:
            yield f"item {row.id}"
