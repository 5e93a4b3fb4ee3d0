"""Who owes what since when, and a client's statement of account. All of it joins the policed client copy."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import Invalid
from chassis.uow import Uow
from timebilling import money
from timebilling.copies.tables import ClientCopy
from timebilling.copies.usecases import client, today
from timebilling.debtors import rules
from timebilling.debtors.rules import Movement, Row
from timebilling.money import ZERO
from timebilling.overview.queries import AGES, DEBTOR_BUCKETS, UNPAID

MOST_ROWS = 5_000
_OPEN = f"""FROM invoices x JOIN client_copy c ON c.firm_id = x.firm_id AND c.id = x.client_id
WHERE x.firm_id = :firm AND {UNPAID}"""
_CREDIT = """SELECT coalesce(sum(p.amount - p.allocated - p.refunded), 0) FROM payments p
WHERE p.firm_id = :firm AND p.client_id = sums.client_id AND p.currency = sums.currency AND p.reversed_at IS NULL"""
_REMINDED = f"""SELECT max(r.level) FROM payment_reminders r JOIN invoices x ON x.firm_id = r.firm_id AND x.id = r.invoice_id
WHERE r.firm_id = :firm AND r.client_id = sums.client_id AND {UNPAID}"""


def list_debtors(uow: Uow, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """Clients who owe, by how much and since when, largest first; and what all of it comes to by age."""
    day = today(uow)
    values = {"firm": uow.firm_id, "today": day}
    after, seen = paging.keyset(["owed", "client_id"], cursor, descending=True, casts=["numeric", "uuid"])
    rows = (
        uow.session.execute(
            text(
                f"""SELECT sums.*, ({_CREDIT}) AS credit, ({_REMINDED}) AS level FROM (
                    SELECT c.id AS client_id, c.name AS client_name, x.currency, count(*) AS invoices, min(x.due_on) AS oldest_due_on, {AGES}
                    {_OPEN} GROUP BY c.id, c.name, x.currency) sums
                WHERE true {after} ORDER BY owed DESC, client_id DESC LIMIT :limit"""
            ),
            {**values, "limit": limit + 1, **seen},
        )
        .mappings()
        .all()
    )
    totals = uow.session.execute(
        text(f"SELECT x.currency, {AGES} {_OPEN} GROUP BY x.currency ORDER BY x.currency"), values
    ).mappings()
    page = paging.page(rows, limit, lambda r: (r["owed"], r["client_id"]))
    names = ("client_id", "client_name", "invoices", "oldest_due_on")
    page["items"] = [
        {n: r[n] for n in names}
        | _aged(r)
        | {"credit": money.view(r["credit"], r["currency"]), "reminder_level": r["level"] or 0}
        for r in page["items"]
    ]
    return page | {"totals": [_aged(t) for t in totals]}


def _aged(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "owed": money.view(row["owed"], row["currency"]),
        "ageing": {b: money.view(row[b] or 0, row["currency"]) for b in DEBTOR_BUCKETS},
    }


# --- statements of account --------------------------------------------------------------------------------------------

# What a posting moves of what the client owes: debtors less the credit the firm holds for them. Postings that move nothing
# (credit applied to an invoice) are no news to the client.
_MOVED = """
SELECT p.posted_on AS day, p.kind, coalesce(i.number, nullif(m.reference, ''), '') AS number, sum(e.debit - e.credit) AS amount
FROM ledger_postings p
JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id AND e.account IN ('debtors', 'client_credit')
LEFT JOIN invoices i ON i.firm_id = p.firm_id AND i.id = p.invoice_id
LEFT JOIN payments m ON m.firm_id = p.firm_id AND m.id = p.payment_id
WHERE p.firm_id = :firm AND p.client_id = :client AND p.currency = :currency AND p.posted_on BETWEEN :first AND :last
GROUP BY p.id, p.posted_on, p.kind, i.number, m.reference HAVING sum(e.debit - e.credit) <> 0
ORDER BY p.posted_on, p.id LIMIT :most"""
_BEFORE = """
SELECT coalesce(sum(e.debit - e.credit), 0) FROM ledger_postings p
JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id AND e.account IN ('debtors', 'client_credit')
WHERE p.firm_id = :firm AND p.client_id = :client AND p.currency = :currency AND p.posted_on < :first"""


def account(
    uow: Uow, client_id: UUID, first: date, last: date, currency: str | None
) -> tuple[ClientCopy, str, Decimal, list[Row]]:
    """The client, the currency, what was owed before the period, and each movement in it with its balance.

    Errors: `client_not_found` (404); `currency_unknown`, `period_reversed`, `period_too_long` (422).
    """
    rules.check_period(first, last)
    of = client(uow, client_id)
    currency = currency or of.currency
    money.exponent(currency)
    values = {
        "firm": uow.firm_id,
        "client": of.id,
        "currency": currency,
        "first": first,
        "last": last,
        "most": MOST_ROWS + 1,
    }
    opening = uow.session.execute(text(_BEFORE), values).scalar() or ZERO
    moved = [Movement(*r) for r in uow.session.execute(text(_MOVED), values)]
    if len(moved) > MOST_ROWS:
        raise Invalid(
            "period_too_long", f"A statement may have {MOST_ROWS} lines. Choose a shorter period.", pointer="/from"
        )
    return of, currency, opening, rules.running(opening, moved)


def statement(uow: Uow, client_id: UUID, first: date, last: date, currency: str | None) -> dict[str, Any]:
    """The statement as the API shows it. Errors: those of `account`."""
    of, currency, opening, rows = account(uow, client_id, first, last, currency)
    closing = rows[-1].balance if rows else opening
    return {
        "client_id": of.id,
        "client_name": of.name,
        "from": first,
        "to": last,
        "opening": money.view(opening, currency),
        "closing": money.view(closing, currency),
        "lines": [
            {
                "day": r.movement.day,
                "kind": r.movement.kind,
                "number": r.movement.number,
                "amount": money.view(r.movement.amount, currency),
                "balance": money.view(r.balance, currency),
            }
            for r in rows
        ],
    }
