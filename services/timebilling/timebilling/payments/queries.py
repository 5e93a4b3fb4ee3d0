"""Reading payments. Every row joins the policed client copy, which hides private clients."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from timebilling import money

_PAYMENTS = """
SELECT p.id, p.client_id, c.name AS client_name, p.currency, p.amount, p.allocated, p.received_on, p.method, p.reference, p.created_at
FROM payments p JOIN client_copy c ON c.firm_id = p.firm_id AND c.id = p.client_id WHERE p.firm_id = :firm"""


def list_payments(uow: Uow, *, limit: int, cursor: str | None, client_id: UUID | None) -> dict[str, Any]:
    after, values = paging.keyset(["p.id"], cursor, descending=True)
    condition = "AND p.client_id = :client" if client_id else ""
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
    names = ("id", "client_id", "client_name", "received_on", "method", "reference", "created_at")
    return [
        {n: r[n] for n in names}
        | {
            "amount": money.view(r["amount"], r["currency"]),
            "unapplied": money.view(r["amount"] - r["allocated"], r["currency"]),
            "allocations": [
                {"invoice_id": a.invoice_id, "number": a.number, "amount": money.view(a.amount, r["currency"])}
                for a in allocations
                if a.payment_id == r["id"]
            ],
        }
        for r in rows
    ]


# --- what must always hold (`check`) ----------------------------------------------------------------------------------


def out_of_bounds(uow: Uow) -> Iterator[str]:
    """Payments and invoices whose allocations don't sum to what they say, or are more than they can be."""
    for table, column, limit, key in (
        ("payments", "allocated", "amount", "payment_id"),
        ("invoices", "paid", "total", "invoice_id"),
    ):
        rows = uow.session.execute(
            text(
                f"SELECT t.id FROM {table} t LEFT JOIN payment_allocations a ON a.firm_id = t.firm_id AND a.{key} = t.id "
                f"GROUP BY t.firm_id, t.id HAVING coalesce(sum(a.amount), 0) <> t.{column} OR t.{column} NOT BETWEEN 0 AND t.{limit}"
            )
        )
        for row in rows:
            yield f"{table.removesuffix('s')} {row.id}"
