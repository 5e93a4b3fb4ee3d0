"""Reading the ledger, and what must always hold of it (`check`). Rows join the policed client copy, which hides private clients."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.uow import Uow
from timebilling import money
from timebilling.debtors.rules import check_period

_ENTRIES = """
SELECT e.id, e.posting_id, p.posted_on AS day, p.kind, e.account, e.debit, e.credit, p.currency, p.client_id, c.number AS client_number,
       c.name AS client_name, p.invoice_id, i.number, p.payment_id, m.reference, p.reverses_id, p.at AS posted_at
FROM ledger_postings p JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id
JOIN client_copy c ON c.firm_id = p.firm_id AND c.id = p.client_id
LEFT JOIN invoices i ON i.firm_id = p.firm_id AND i.id = p.invoice_id
LEFT JOIN payments m ON m.firm_id = p.firm_id AND m.id = p.payment_id
WHERE p.firm_id = :firm AND p.posted_on BETWEEN :first AND :last"""
_BALANCES = """
SELECT e.account, p.currency, sum(e.debit - e.credit) AS balance
FROM ledger_postings p JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id
JOIN client_copy c ON c.firm_id = p.firm_id AND c.id = p.client_id
WHERE p.firm_id = :firm AND p.posted_on <= :last
GROUP BY p.currency, e.account HAVING sum(e.debit - e.credit) <> 0 ORDER BY p.currency, e.account"""


def list_entries(
    uow: Uow, first: date, last: date, *, limit: int, cursor: str | None, account: str | None, client_id: UUID | None
) -> dict[str, Any]:
    """The journal of a period, posting by posting. Errors: `period_reversed`, `period_too_long` (422)."""
    check_period(first, last)
    after, values = paging.keyset(["p.posted_on", "p.id", "e.id"], cursor, casts=["date", "uuid", "uuid"])
    # Said once more of the posting alone, so that a later page begins where it begins in the index.
    from_here = "AND (p.posted_on, p.id) >= (CAST(:after_0 AS date), CAST(:after_1 AS uuid))" if cursor else ""
    conditions = ("AND e.account = :account " if account else "") + ("AND p.client_id = :client" if client_id else "")
    rows = uow.session.execute(
        text(f"{_ENTRIES} {conditions} {after} {from_here} ORDER BY p.posted_on, p.id, e.id LIMIT :limit"),
        {
            "firm": uow.firm_id,
            "first": first,
            "last": last,
            "account": account,
            "client": client_id,
            "limit": limit + 1,
            **values,
        },
    )
    page = paging.page(rows.mappings().all(), limit, lambda r: (r["day"], r["posting_id"], r["id"]))
    return {**page, "items": [_view(r) for r in page["items"]]}


def balances(uow: Uow, last: date) -> list[dict[str, Any]]:
    """What each account stands at at the end of a day, on the side it stands on."""
    rows = uow.session.execute(text(_BALANCES), {"firm": uow.firm_id, "last": last})
    return [
        {
            "account": r.account,
            "currency": r.currency,
            "debit": _amount(max(r.balance, money.ZERO), r.currency),
            "credit": _amount(max(-r.balance, money.ZERO), r.currency),
        }
        for r in rows
    ]


def _view(row: Mapping[Any, Any]) -> dict[str, Any]:
    sides = {side: _amount(row[side], row["currency"]) for side in ("debit", "credit")}
    return dict(row) | sides


def _amount(amount: Any, currency: str) -> str:
    return money.view(amount, currency)["amount"]


# --- what must always hold (`check`) ----------------------------------------------------------------------------------


def unbalanced(uow: Uow) -> Iterator[str]:
    """Postings whose debits and credits differ, or that have fewer than two entries."""
    rows = uow.session.execute(
        text(
            "SELECT p.id FROM ledger_postings p LEFT JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id "
            "GROUP BY p.firm_id, p.id HAVING count(e.id) < 2 OR sum(e.debit) <> sum(e.credit)"
        )
    )
    for row in rows:
        yield f"posting {row.id}"


def strays(uow: Uow) -> Iterator[str]:
    """Clients whose debtors or credit in the ledger are not what their invoices and payments say."""
    rows = uow.session.execute(
        text(
            """WITH ledger AS (
                SELECT p.client_id, p.currency, sum(e.debit - e.credit) FILTER (WHERE e.account = 'debtors') AS debtors,
                       sum(e.credit - e.debit) FILTER (WHERE e.account = 'client_credit') AS credit
                FROM ledger_postings p JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id GROUP BY 1, 2
            ), owed AS (SELECT client_id, currency, sum(total - paid - bad_debt - credited) AS debtors FROM invoices
                     WHERE state = 'issued' AND kind = 'invoice' GROUP BY 1, 2
            ), unapplied AS (
                SELECT client_id, currency, sum(amount - allocated - refunded) AS credit FROM payments WHERE reversed_at IS NULL GROUP BY 1, 2)
            SELECT client_id, currency FROM ledger FULL JOIN owed USING (client_id, currency) FULL JOIN unapplied USING (client_id, currency)
            WHERE coalesce(ledger.debtors, 0) <> coalesce(owed.debtors, 0) OR coalesce(ledger.credit, 0) <> coalesce(unapplied.credit, 0)"""
        )
    )
    for row in rows:
        yield f"client {row.client_id} ({row.currency})"


def lost_money(uow: Uow) -> Iterator[str]:
    """Payments whose bank entries, provider's fees apart, are not what came in less what went back (nothing, for one reversed)."""
    rows = uow.session.execute(
        text(
            """SELECT p.id FROM payments p LEFT JOIN (
                SELECT x.firm_id, x.payment_id, sum(e.debit - e.credit) AS bank FROM ledger_postings x
                JOIN ledger_entries e ON e.firm_id = x.firm_id AND e.posting_id = x.id AND e.account = 'bank'
                WHERE x.kind NOT IN ('card_fee', 'dispute_fee') GROUP BY 1, 2
            ) b ON b.firm_id = p.firm_id AND b.payment_id = p.id
            WHERE coalesce(b.bank, 0) <> CASE WHEN p.reversed_at IS NULL THEN p.amount - p.refunded ELSE 0 END"""
        )
    )
    for row in rows:
        yield f"payment {row.id}"
