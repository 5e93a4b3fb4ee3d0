"""Reading payments. Every row joins the policed client copy, which hides private clients."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from timebilling import money
from timebilling.payments import rules

_PAYMENTS = """
SELECT p.id, p.client_id, c.name AS client_name, p.currency, p.amount, p.allocated, p.refunded,
       p.received_on, p.method, p.reference, p.provider_id, p.reversed_at, p.reversal_reason, p.created_at
FROM payments p JOIN client_copy c ON c.firm_id = p.firm_id AND c.id = p.client_id WHERE p.firm_id = :firm"""


def list_payments(
    uow: Uow, *, limit: int, cursor: str | None, client_id: UUID | None, unapplied: bool = False
) -> dict[str, Any]:
    after, values = paging.keyset(["p.id"], cursor, descending=True)
    condition = "AND p.client_id = :client " if client_id else ""
    condition += "AND p.reversed_at IS NULL AND p.allocated + p.refunded < p.amount" if unapplied else ""
    rows = (
        uow.session.execute(
            text(f"{_PAYMENTS} {condition} {after} ORDER BY p.id DESC LIMIT :limit"),
            {"firm": uow.firm_id, "client": client_id, "limit": limit + 1, **values},
        )
        .mappings()
        .all()
    )
    page = paging.page(rows, limit, lambda r: (r["id"],))
    return {**page, "items": _views(uow, page["items"])}


def get_payment(uow: Uow, payment_id: UUID) -> dict[str, Any]:
    """Errors: `payment_not_found` (404)."""
    rows = (
        uow.session.execute(text(f"{_PAYMENTS} AND p.id = :id"), {"firm": uow.firm_id, "id": payment_id})
        .mappings()
        .all()
    )
    if not rows:
        raise NotFound("payment_not_found", "There is no such payment.")
    return _views(uow, rows)[0]


def _views(uow: Uow, rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    allocations = uow.session.execute(
        text(
            "SELECT a.payment_id, a.invoice_id, i.number, sum(a.amount) AS amount, min(a.id::text) AS first FROM payment_allocations a "
            "JOIN invoices i ON i.firm_id = a.firm_id AND i.id = a.invoice_id "
            "WHERE a.firm_id = :firm AND a.payment_id = ANY(:ids) GROUP BY 1, 2, 3 HAVING sum(a.amount) <> 0 ORDER BY first"
        ),
        {"firm": uow.firm_id, "ids": [r["id"] for r in rows]},
    ).all()
    refunds = uow.session.execute(
        text("SELECT * FROM refunds r WHERE r.firm_id = :firm AND r.payment_id = ANY(:ids) ORDER BY r.id"),
        {"firm": uow.firm_id, "ids": [r["id"] for r in rows]},
    ).all()
    fees = uow.session.execute(
        text(
            "SELECT p.payment_id, p.currency, sum(e.debit) AS amount FROM ledger_postings p "
            "JOIN ledger_entries e ON e.firm_id = p.firm_id AND e.posting_id = p.id AND e.account = 'card_fees' "
            "WHERE p.firm_id = :firm AND p.payment_id = ANY(:ids) AND p.kind IN ('card_fee', 'dispute_fee') GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        {"firm": uow.firm_id, "ids": [r["id"] for r in rows if r["provider_id"]]},
    ).all()
    names = ("id", "client_id", "client_name", "received_on", "method", "reference", "reversal_reason", "created_at")
    return [
        {n: r[n] for n in names}
        | {
            "amount": money.view(r["amount"], r["currency"]),
            "status": rules.status(r["amount"], r["allocated"], r["refunded"], r["reversed_at"]),
            "unapplied": money.view(
                0 if r["reversed_at"] else r["amount"] - r["allocated"] - r["refunded"], r["currency"]
            ),
            "refunded": money.view(r["refunded"], r["currency"]),
            "fees": [money.view(x.amount, x.currency) for x in fees if x.payment_id == r["id"]],
            "allocations": [
                {"invoice_id": a.invoice_id, "number": a.number, "amount": money.view(a.amount, r["currency"])}
                for a in allocations
                if a.payment_id == r["id"]
            ],
            "refunds": [
                {n: getattr(x, n) for n in ("id", "kind", "returned_on", "reference", "reason")}
                | {"amount": money.view(x.amount, r["currency"])}
                for x in refunds
                if x.payment_id == r["id"]
            ],
        }
        for r in rows
    ]


# --- what must always hold (`check`) ----------------------------------------------------------------------------------


def out_of_bounds(uow: Uow) -> Iterator[str]:
    """Payments and invoices whose allocations don't sum to what they say, or are more than they can be."""
    for table, column, limit, key in (
        ("payments", "allocated", "t.amount - t.refunded", "payment_id"),
        ("invoices", "paid", "t.total - t.bad_debt - t.credited", "invoice_id"),
    ):
        rows = uow.session.execute(
            text(
                f"SELECT t.id FROM {table} t LEFT JOIN payment_allocations a ON a.firm_id = t.firm_id AND a.{key} = t.id "
                f"GROUP BY t.firm_id, t.id HAVING coalesce(sum(a.amount), 0) <> t.{column} OR t.{column} NOT BETWEEN 0 AND {limit}"
            )
        )
        for row in rows:
            yield f"{table.removesuffix('s')} {row.id}"


def refunded_too_much(uow: Uow) -> Iterator[str]:
    """Payments whose refunds and chargebacks don't sum to what they say, or are more than came in."""
    rows = uow.session.execute(
        text(
            "SELECT p.id FROM payments p LEFT JOIN refunds r ON r.firm_id = p.firm_id AND r.payment_id = p.id "
            "GROUP BY p.firm_id, p.id HAVING coalesce(sum(r.amount), 0) <> p.refunded OR p.refunded > p.amount"
        )
    )
    for row in rows:
        yield f"payment {row.id}"
