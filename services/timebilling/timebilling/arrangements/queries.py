"""Reading arrangements. Every row joins the policed client copy, which hides private clients."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from timebilling import money
from timebilling.arrangements import rules

_ARRANGEMENTS = """
SELECT a.*, (a.problem IS NOT NULL AND (a.problem->>'invoice_id' IS NULL OR p.state = 'draft')) AS stands, c.name AS client_name, c.currency AS client_currency,
    (SELECT coalesce(sum(b.amount), 0) FROM arrangement_bills b WHERE b.firm_id = a.firm_id AND b.arrangement_id = a.id AND b.live) AS billed,
    (SELECT coalesce(sum(l.net - l.discount_share - l.credited), 0) FROM invoice_lines l JOIN invoices i ON i.firm_id = l.firm_id
        AND i.id = l.invoice_id AND i.state <> 'void' AND i.kind = 'invoice'
        WHERE l.firm_id = a.firm_id AND l.arrangement_id = a.id AND l.kind = 'work') AS billed_time,
    (SELECT bool_or(b.kind = 'final') FROM arrangement_bills b WHERE b.firm_id = a.firm_id AND b.arrangement_id = a.id AND b.live) AS completed,
    (SELECT coalesce(sum(w.remaining), 0) FROM job_copy j JOIN wip_items w ON w.firm_id = j.firm_id AND w.job_id = j.id
        WHERE j.firm_id = a.firm_id AND j.engagement_id = a.id AND w.state = 'unbilled') AS unbilled
FROM arrangements a JOIN client_copy c ON c.firm_id = a.firm_id AND c.id = a.client_id
LEFT JOIN invoices p ON p.firm_id = a.firm_id AND p.id = (a.problem->>'invoice_id')::uuid
WHERE a.firm_id = :firm"""
# What somebody has issued by hand since is no problem any more.
_HELD = "AND a.problem IS NOT NULL AND (a.problem->>'invoice_id' IS NULL OR p.state = 'draft')"


def list_arrangements(
    uow: Uow, *, limit: int, cursor: str | None, client_id: UUID | None, problem: bool
) -> dict[str, Any]:
    after, values = paging.keyset(["a.id"], cursor, descending=True)
    condition = ("AND a.client_id = :client " if client_id else "") + (_HELD if problem else "")
    rows = (
        uow.session.execute(
            text(f"{_ARRANGEMENTS} {condition} {after} ORDER BY a.id DESC LIMIT :limit"),
            {"firm": uow.firm_id, "client": client_id, "limit": limit + 1, **values},
        )
        .mappings()
        .all()
    )
    page = paging.page(rows, limit, lambda r: (r["id"],))
    return {**page, "items": [_summary(r) for r in page["items"]]}


def get_arrangement(uow: Uow, arrangement_id: UUID) -> dict[str, Any]:
    """Errors: `arrangement_not_found` (404)."""
    values = {"firm": uow.firm_id, "id": arrangement_id}
    row = uow.session.execute(text(f"{_ARRANGEMENTS} AND a.id = :id"), values).mappings().first()
    if row is None:
        raise NotFound("arrangement_not_found", "There is no such arrangement.")
    currency = row["currency"] or row["client_currency"]
    bills = uow.session.execute(
        text(
            "SELECT b.kind, b.period, b.milestone_id, b.invoice_id, b.amount, i.number, i.state FROM arrangement_bills b "
            "JOIN invoices i ON i.firm_id = b.firm_id AND i.id = b.invoice_id "
            "WHERE b.firm_id = :firm AND b.arrangement_id = :id AND b.live ORDER BY b.id"
        ),
        values,
    ).mappings()
    milestones = uow.session.execute(
        text(
            "SELECT m.id, m.title, m.amount, m.reached_on, b.invoice_id FROM milestones m LEFT JOIN arrangement_bills b "
            "ON b.firm_id = m.firm_id AND b.milestone_id = m.id AND b.live WHERE m.firm_id = :firm AND m.arrangement_id = :id ORDER BY m.id"
        ),
        values,
    ).mappings()
    return _summary(row) | {
        "bills": [dict(b) | {"amount": money.view(b["amount"], currency)} for b in bills],
        "milestones": [dict(m) | {"amount": money.view(m["amount"], currency)} for m in milestones],
    }


def _summary(row: Mapping[Any, Any]) -> dict[str, Any]:
    currency = row["currency"] or row["client_currency"]
    billed = row["billed"] + row["billed_time"]
    limited = row["amount"] is not None and row["kind"] in (
        rules.CAPPED,
        rules.FIXED,
        rules.MILESTONE,
        rules.CONTINGENT,
    )
    names = (
        "id",
        "client_id",
        "client_name",
        "title",
        "kind",
        "starts_on",
        "ends_on",
        "bill_from",
        "in_advance",
        "issue",
        "send",
        "version",
    )
    return {n: row[n] for n in names} | {
        "problem": row["problem"] if row["stands"] else None,
        "amount": None if row["amount"] is None else money.view(row["amount"], currency),
        "interval": row["every"] or None,
        "status": "completed" if row["completed"] else "open" if row["open"] else "closed",
        "billed": money.view(billed, currency),
        "left": money.view(max(row["amount"] - billed, money.ZERO), currency) if limited else None,
        "unbilled_work": money.view(row["unbilled"], currency),
    }
