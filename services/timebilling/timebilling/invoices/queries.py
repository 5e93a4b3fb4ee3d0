"""Reading invoices. Every row joins the policed client copy, which hides private clients."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, Text, Uuid, and_, any_, bindparam, cast, func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import defer

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from praxis.common.v1.types_pb2 import Money
from praxis.timebilling.v1.events_pb2 import InvoiceChanged
from timebilling import money
from timebilling.copies.tables import FirmCopy
from timebilling.copies.usecases import today
from timebilling.invoices import rules
from timebilling.invoices.tables import Invoice, InvoiceLine
from timebilling.taxes.rules import TaxTotal
from timebilling.taxes.usecases import plain

_INVOICES = """
SELECT i.id, i.client_id, c.name AS client_name, i.state, i.number, i.currency, i.issued_on, i.due_on, i.net, i.tax, i.total, i.paid, i.bad_debt,
       i.document_id, i.created_at, i.version
FROM invoices i JOIN client_copy c ON c.firm_id = i.firm_id AND c.id = i.client_id WHERE i.firm_id = :firm"""
_STATUS = {
    "draft": "AND i.state = 'draft'",
    "void": "AND i.state = 'void'",
    "paid": "AND i.state = 'issued' AND i.paid + i.bad_debt >= i.total AND i.bad_debt = 0",
    "written_off": "AND i.state = 'issued' AND i.paid + i.bad_debt >= i.total AND i.bad_debt > 0",
    "overdue": "AND i.state = 'issued' AND i.paid + i.bad_debt < i.total AND i.due_on < :today",
    "part_paid": "AND i.state = 'issued' AND i.paid + i.bad_debt < i.total AND i.due_on >= :today AND i.paid > 0",
    "open": "AND i.state = 'issued' AND i.paid + i.bad_debt < i.total AND i.due_on >= :today AND i.paid = 0",
}


def list_invoices(
    uow: Uow, *, limit: int, cursor: str | None, client_id: UUID | None, status: str | None
) -> dict[str, Any]:
    day = today(uow)
    conditions = ("AND i.client_id = :client " if client_id else "") + (_STATUS[status] if status else "")
    after, values = paging.keyset(["i.id"], cursor, descending=True)
    rows = (
        uow.session.execute(
            text(f"{_INVOICES} {conditions} {after} ORDER BY i.id DESC LIMIT :limit"),
            {"firm": uow.firm_id, "client": client_id, "today": day, "limit": limit + 1, **values},
        )
        .mappings()
        .all()
    )
    page = paging.page(rows, limit, lambda r: (r["id"],))
    return {**page, "items": [_summary(r, day) for r in page["items"]]}


def search(uow: Uow, wanted: str, limit: int) -> dict[str, Any]:
    """Invoices by number or client name. The search function answers ids of the firm; the join drops what may not be seen."""
    literal = wanted.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    day = today(uow)
    rows = uow.session.execute(
        text(
            f"{_INVOICES} AND i.id = ANY (ARRAY(SELECT search_invoices(:wanted, :most))) ORDER BY i.number ILIKE :starts DESC NULLS LAST, i.id DESC LIMIT :limit"
        ),
        # Twice as many as wanted: some hits may be hidden from the one who asks.
        {"firm": uow.firm_id, "wanted": literal, "starts": f"{literal}%", "most": limit * 2 + 50, "limit": limit},
    ).mappings()
    return {"items": [_summary(r, day) for r in rows], "next_cursor": None}


def get_invoice(uow: Uow, invoice_id: UUID) -> dict[str, Any]:
    """Errors: `invoice_not_found` (404)."""
    row = (
        uow.session.execute(text(f"{_INVOICES} AND i.id = :id"), {"firm": uow.firm_id, "id": invoice_id})
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("invoice_not_found", "There is no such invoice.")
    invoice = uow.get(Invoice, invoice_id)
    currency = invoice.currency
    return _summary(row, today(uow)) | {
        "payment_terms_days": invoice.payment_terms_days,
        "note": invoice.note,
        "lines": _lines(uow, invoice),
        "taxes": invoice.taxes,
        "standard": money.view(invoice.standard, currency),
        "void_reason": invoice.void_reason,
    }


def _lines(uow: Uow, invoice: Invoice) -> list[dict[str, Any]]:
    rows = uow.session.execute(
        text(
            "SELECT l.*, coalesce(j.title, '') AS job_title, "
            "(SELECT coalesce(array_agg(x.item_id ORDER BY x.item_id), '{}') FROM invoice_items x "
            " WHERE x.firm_id = l.firm_id AND x.line_id = l.id) AS item_ids "
            "FROM invoice_lines l LEFT JOIN job_copy j ON j.firm_id = l.firm_id AND j.id = l.job_id "
            "WHERE l.firm_id = :firm AND l.invoice_id = :invoice ORDER BY l.position"
        ),
        {"firm": uow.firm_id, "invoice": invoice.id},
    ).mappings()
    return [_line(r, invoice.currency) for r in rows]


def _line(row: Mapping[Any, Any], currency: str) -> dict[str, Any]:
    taxed = row["tax_code_id"] is not None
    return {n: row[n] for n in ("id", "job_id", "job_title", "description", "reason", "tax_code_id", "item_ids")} | {
        "quantity": str(row["quantity"]),
        "standard": money.view(row["standard"], currency),
        "net": money.view(row["net"], currency),
        "tax_label": row["tax_label"] if taxed else None,
        "tax_percent": plain(row["tax_percent"]) if taxed else None,
        "tax": money.view(row["tax"], currency),
    }


def _summary(row: Mapping[Any, Any], day: date) -> dict[str, Any]:
    currency = row["currency"]
    balance = row["total"] - row["paid"] - row["bad_debt"] if row["state"] == "issued" else money.ZERO
    return {
        n: row[n]
        for n in (
            "id",
            "client_id",
            "client_name",
            "number",
            "issued_on",
            "due_on",
            "document_id",
            "created_at",
            "version",
        )
    } | {
        "status": rules.status(row["state"], row["total"], row["paid"], row["due_on"], day, row["bad_debt"]),
        **{n: money.view(row[n], currency) for n in ("net", "tax", "total", "paid", "bad_debt")},
        "balance": money.view(balance, currency),
    }


def tax_total(total: TaxTotal, currency: str) -> dict[str, Any]:
    """A category's total as it is kept and shown."""
    percent = plain(total.tax.percent)
    return {
        "label": f"{total.tax.label} {percent} %" if total.tax.category in ("S", "Z") else total.tax.label,
        "category": total.tax.category,
        "percent": percent,
        "taxable": money.view(total.taxable, currency),
        "tax": money.view(total.amount, currency),
        "legal_text": total.tax.legal_text,
    }


def status_of(invoice: Invoice, day: date) -> str:
    return rules.status(invoice.state, invoice.total, invoice.paid, invoice.due_on, day, invoice.bad_debt)


def event(invoice: Invoice, day: date) -> InvoiceChanged:
    return InvoiceChanged(
        invoice_id=str(invoice.id),
        client_id=str(invoice.client_id),
        number=invoice.number or "",
        status=status_of(invoice, day),
        issued_on=str(invoice.issued_on or ""),
        due_on=str(invoice.due_on or ""),
        total=Money(**money.view(invoice.total, invoice.currency)),
        balance=Money(**money.view(invoice.balance, invoice.currency)),
        document_id=str(invoice.document_id or ""),
        version=invoice.version,
    )


def states(uow: Uow) -> Iterator[tuple[UUID, int, InvoiceChanged]]:
    """The present state of every invoice that ever left the house."""
    day = today(uow)
    for invoice in uow.session.scalars(
        select(Invoice).where(Invoice.state != rules.DRAFT).order_by(Invoice.id).execution_options(yield_per=500)
    ):
        yield invoice.id, invoice.version, event(invoice, day)


def lines_of(uow: Uow, invoice: Invoice) -> list[InvoiceLine]:
    return list(
        uow.session.scalars(
            select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.position)
        )
    )


# An issued invoice with its lines and the zone its status is derived in, in one question; put together once.
_ISSUED = (
    select(
        Invoice,
        FirmCopy.time_zone,
        select(
            func.json_agg(
                aggregate_order_by(
                    func.json_build_array(
                        InvoiceLine.description, cast(InvoiceLine.quantity, Text), cast(InvoiceLine.net, Text)
                    ),
                    InvoiceLine.position,
                )
            )
        )
        .where(InvoiceLine.firm_id == Invoice.firm_id, InvoiceLine.invoice_id == Invoice.id)
        .correlate(Invoice)
        .scalar_subquery()
        .label("lines"),
    )
    .join(FirmCopy, and_(FirmCopy.firm_id == Invoice.firm_id, FirmCopy.id == Invoice.firm_id))
    .where(
        Invoice.firm_id == bindparam("firm"),
        Invoice.id == bindparam("id"),
        Invoice.client_id == any_(bindparam("clients", type_=ARRAY(Uuid))),
        Invoice.state != rules.DRAFT,
    )
    .options(defer(Invoice.frozen))
)


def issued_to(uow: Uow, invoice_id: UUID, client_ids: Collection[UUID]) -> tuple[Invoice, date, list[list[str]]] | None:
    """An issued invoice of one of these clients, today's date, and its lines (text, hours, net); None if there is none."""
    row = uow.session.execute(_ISSUED, {"firm": uow.firm_id, "id": invoice_id, "clients": list(client_ids)}).first()
    if row is None:
        return None
    invoice, zone, lines = row
    return invoice, uow.now.astimezone(ZoneInfo(zone)).date(), lines or []


# --- what must always hold (`check`) ----------------------------------------------------------------------------------


def wrong_totals(uow: Uow) -> Iterator[str]:
    """Invoices and drafts whose lines, or whose items, do not sum to what they say."""
    rows = uow.session.execute(
        text(
            """SELECT i.id FROM invoices i
            LEFT JOIN (SELECT invoice_id, sum(net) AS net, sum(tax) AS tax, sum(standard) AS standard FROM invoice_lines GROUP BY 1) l
                ON l.invoice_id = i.id
            LEFT JOIN (SELECT invoice_id, sum(billed) AS billed FROM invoice_items GROUP BY 1) x ON x.invoice_id = i.id
            WHERE (i.net, i.tax, i.standard, i.net) IS DISTINCT FROM
                  (coalesce(l.net, 0), coalesce(l.tax, 0), coalesce(l.standard, 0), coalesce(x.billed, 0)) OR i.total <> i.net + i.tax"""
        )
    )
    for row in rows:
        yield f"invoice {row.id}"


def number_gaps(uow: Uow) -> Iterator[str]:
    """Series whose numbers are not exactly 1 to the last one taken."""
    rows = uow.session.execute(
        text(
            "SELECT s.series, s.next_number - 1 AS taken, count(i.sequence) AS used, max(i.sequence) AS highest FROM number_series s "
            "LEFT JOIN invoices i ON i.firm_id = s.firm_id AND i.series = s.series "
            "GROUP BY s.series, s.next_number HAVING count(DISTINCT i.sequence) <> s.next_number - 1 OR max(i.sequence) <> s.next_number - 1"
        )
    )
    for row in rows:
        yield f"series {row.series}: {row.taken} numbers taken, {row.used} used, the highest is {row.highest}"
