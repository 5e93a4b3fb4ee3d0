"""Reading bank statements. A line that is a private client's payment is hidden with the client."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from timebilling import money
from timebilling.bank import rules
from timebilling.bank.rules import Candidate

_LINES = """
SELECT b.id, b.account, b.booked_on, b.amount, b.currency, b.counterparty, b.reference, b.state, b.reason, b.payment_id,
       c.id AS client_id, c.name AS client_name, b.version
FROM bank_lines b LEFT JOIN payments p ON p.firm_id = b.firm_id AND p.id = b.payment_id
LEFT JOIN client_copy c ON c.firm_id = p.firm_id AND c.id = p.client_id
WHERE b.firm_id = :firm AND (b.payment_id IS NULL OR c.id IS NOT NULL)"""
MOST_CANDIDATES = 20_000


def list_lines(uow: Uow, *, limit: int, cursor: str | None, state: str | None, account: str | None) -> dict[str, Any]:
    """Lines, the newest first; open ones with what they may pay."""
    conditions = ("AND b.state = :state " if state else "") + ("AND b.account = :account" if account else "")
    after, values = paging.keyset(["b.booked_on", "b.id"], cursor, descending=True)
    rows = (
        uow.session.execute(
            text(f"{_LINES} {conditions} {after} ORDER BY b.booked_on DESC, b.id DESC LIMIT :limit"),
            {"firm": uow.firm_id, "state": state, "account": account, "limit": limit + 1, **values},
        )
        .mappings()
        .all()
    )
    page = paging.page(rows, limit, lambda r: (r["booked_on"], r["id"]))
    open_ = candidates(uow) if any(r["state"] == "open" for r in page["items"]) else []
    return {**page, "items": [_view(r, open_) for r in page["items"]]}


def get_line(uow: Uow, line_id: UUID) -> dict[str, Any]:
    """Errors: `bank_line_not_found` (404)."""
    row = uow.session.execute(text(f"{_LINES} AND b.id = :id"), {"firm": uow.firm_id, "id": line_id}).mappings().first()
    if row is None:
        raise NotFound("bank_line_not_found", "There is no such line.")
    return _view(row, candidates(uow) if row["state"] == "open" else [])


def visible(uow: Uow, line_id: UUID) -> bool:
    """Whether the line may be seen."""
    return (
        uow.session.execute(text(f"{_LINES} AND b.id = :id"), {"firm": uow.firm_id, "id": line_id}).first() is not None
    )


def candidates(uow: Uow) -> list[Candidate]:
    """All invoices with something open, the first due first."""
    rows = uow.session.execute(
        text(
            "SELECT i.id, i.client_id, c.name AS client_name, i.number, i.currency, i.total - i.paid - i.bad_debt - i.credited AS balance, i.due_on "
            "FROM invoices i JOIN client_copy c ON c.firm_id = i.firm_id AND c.id = i.client_id "
            "WHERE i.firm_id = :firm AND i.state = 'issued' AND i.kind = 'invoice' AND i.paid + i.bad_debt + i.credited < i.total ORDER BY i.due_on, i.id LIMIT :most"
        ),
        {"firm": uow.firm_id, "most": MOST_CANDIDATES},
    )
    return [Candidate(*r) for r in rows]


def list_imports(uow: Uow, *, limit: int, cursor: str | None) -> dict[str, Any]:
    after, values = paging.keyset(["b.id"], cursor, descending=True)
    rows = (
        uow.session.execute(
            text(f"SELECT b.* FROM bank_imports b WHERE b.firm_id = :firm {after} ORDER BY b.id DESC LIMIT :limit"),
            {"firm": uow.firm_id, "limit": limit + 1, **values},
        )
        .mappings()
        .all()
    )
    page = paging.page(rows, limit, lambda r: (r["id"],))
    return {**page, "items": [import_view(r) for r in page["items"]]}


def import_view(row: Mapping[Any, Any]) -> dict[str, Any]:
    names = ("id", "account", "file_name", "lines", "new", "imported_by", "at")
    return {n: row[n] for n in names} | {"known": row["lines"] - row["new"]}


def _view(row: Mapping[Any, Any], open_: list[Candidate]) -> dict[str, Any]:
    names = (
        "id",
        "account",
        "booked_on",
        "counterparty",
        "reference",
        "state",
        "reason",
        "payment_id",
        "client_id",
        "client_name",
        "version",
    )
    found = []
    if row["state"] == "open":
        found = rules.suggest(row["amount"], row["currency"], row["counterparty"], row["reference"], open_)
    return {n: row[n] for n in names} | {
        "amount": money.view(row["amount"], row["currency"]),
        "suggestions": [
            {
                "client_id": s.client_id,
                "client_name": s.client_name,
                "score": s.score,
                "says": s.says,
                "allocations": [
                    {"invoice_id": c.id, "number": c.number, "amount": money.view(a, c.currency)}
                    for c, a in s.allocations
                ],
            }
            for s in found
        ],
    }
