"""Reading invoices. Every row joins the policed client copy, which hides private clients."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from praxis.common.v1.types_pb2 import Money
from praxis.timebilling.v1.events_pb2 import InvoiceChanged, InvoiceSent
from timebilling import money
from timebilling.copies.usecases import today
from timebilling.invoices import rules
from timebilling.invoices import why as explained
from timebilling.invoices.tables import Invoice, InvoiceLine
from timebilling.reminders import charges
from timebilling.taxes.rules import TaxTotal

_INVOICES = """
SELECT i.id, i.kind, i.client_id, c.name AS client_name, i.work_client_id, w.name AS work_client_name, i.corrects_id, i.state, i.number,
       i.currency, i.issued_on, i.due_on, i.net, i.tax, i.total, i.paid, i.bad_debt, i.credited, i.document_id, i.created_at,
       i.approved_at, i.sent_at, i.version
FROM invoices i JOIN client_copy c ON c.firm_id = i.firm_id AND c.id = i.client_id
JOIN client_copy w ON w.firm_id = i.firm_id AND w.id = i.work_client_id WHERE i.firm_id = :firm"""
_OPEN = "AND i.state = 'issued' AND i.kind = 'invoice' AND i.paid + i.bad_debt + i.credited < i.total"
_DONE = "AND i.state = 'issued' AND i.kind = 'invoice' AND i.paid + i.bad_debt + i.credited >= i.total"
_KIND = {k: f" AND i.kind = '{k}'" for k in (rules.INVOICE, rules.CREDIT_NOTE)}
_STATUS = {
    "draft": "AND i.state = 'draft'",
    "void": "AND i.state = 'void'",
    "issued": "AND i.state = 'issued' AND i.kind = 'credit_note'",
    "paid": f"{_DONE} AND i.bad_debt = 0 AND (i.credited = 0 OR i.paid > 0)",
    "credited": f"{_DONE} AND i.bad_debt = 0 AND i.credited > 0 AND i.paid = 0",
    "written_off": f"{_DONE} AND i.bad_debt > 0",
    "overdue": f"{_OPEN} AND i.due_on < :today",
    "part_paid": f"{_OPEN} AND i.due_on >= :today AND i.paid + i.credited > 0",
    "open": f"{_OPEN} AND i.due_on >= :today AND i.paid + i.credited = 0",
}


def list_invoices(
    uow: Uow,
    *,
    limit: int,
    cursor: str | None,
    client_id: UUID | None,
    status: str | None,
    kind: str | None = None,
    corrects_id: UUID | None = None,
) -> dict[str, Any]:
    day = today(uow)
    conditions = ("AND i.client_id = :client " if client_id else "") + (_STATUS[status] if status else "")
    # Written out, so that the index of credit notes is known to fit.
    conditions += (_KIND[kind] if kind else "") + (" AND i.corrects_id = :corrects" if corrects_id else "")
    after, values = paging.keyset(["i.id"], cursor, descending=True)
    rows = (
        uow.session.execute(
            text(f"{_INVOICES} {conditions} {after} ORDER BY i.id DESC LIMIT :limit"),
            {
                "firm": uow.firm_id,
                "client": client_id,
                "corrects": corrects_id,
                "today": day,
                "limit": limit + 1,
                **values,
            },
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
        "order_reference": invoice.order_reference,
        "reason": invoice.reason,
        "tax_inclusive": invoice.tax_inclusive,
        "discount": discount_view(invoice, currency),
        "lines_net": money.view(invoice.lines_net, currency),
        "discount_amount": money.view(invoice.discount, currency),
        "rounding": money.view(invoice.rounding, currency),
        "exchange": (invoice.frozen or {}).get("exchange"),
        "lines": _lines(uow, invoice),
        "taxes": invoice.taxes,
        "standard": money.view(invoice.standard, currency),
        "void_reason": invoice.void_reason,
    }


_ITEMS = text(
    "SELECT line_id, item_id, standard, billed FROM invoice_items WHERE firm_id = :firm AND invoice_id = :invoice ORDER BY item_id"
)
_CODES = text(
    "SELECT c.id, c.code, lower(r.valid) AS first FROM tax_codes c "
    "LEFT JOIN tax_rates r ON r.firm_id = c.firm_id AND r.tax_code_id = c.id AND r.valid @> CAST(:day AS date) "
    "WHERE c.firm_id = :firm AND c.id = ANY(:codes)"
)
# Nobody keeps the day an exchange rate was set for: it is that of the latest one up to the issue, unless that was corrected since.
_RATE_OF = text(
    "SELECT day FROM (SELECT day, rate FROM exchange_rates WHERE firm_id = :firm AND currency = :currency AND day <= :day "
    "ORDER BY day DESC LIMIT 1) r WHERE rate = :rate"
)


def why(uow: Uow, invoice_id: UUID) -> dict[str, Any]:
    """Each figure of a draft, invoice or credit note with its rule and inputs. Errors: `invoice_not_found` (404)."""
    seen = uow.session.execute(text(f"{_INVOICES} AND i.id = :id"), {"firm": uow.firm_id, "id": invoice_id}).first()
    if seen is None:
        raise NotFound("invoice_not_found", "There is no such invoice.")
    invoice = uow.get(Invoice, invoice_id)
    lines, day = lines_of(uow, invoice), invoice.issued_on or today(uow)
    items: dict[UUID, list[Any]] = {}
    for row in uow.session.execute(_ITEMS, {"firm": uow.firm_id, "invoice": invoice.id}):
        items.setdefault(row.line_id, []).append(row)
    wanted = list({x.tax_code_id for x in lines if x.tax_code_id is not None})
    rows = uow.session.execute(_CODES, {"firm": uow.firm_id, "codes": wanted, "day": day}).all()
    rate_of = None
    if invoice.exchange_rate is not None:
        known = {"firm": uow.firm_id, "currency": invoice.currency, "day": day, "rate": invoice.exchange_rate}
        rate_of = uow.session.execute(_RATE_OF, known).scalar()
    interest = charges.interest_among(uow, [x.id for x in lines if x.kind == rules.FEE])
    return explained.of(invoice, lines, items, {r.id: (r.code, r.first) for r in rows}, interest, rate_of)


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
    names = (
        "id",
        "kind",
        "job_id",
        "job_title",
        "description",
        "unit",
        "reason",
        "tax_code_id",
        "item_ids",
        "corrects_line_id",
    )
    return {n: row[n] for n in names} | {
        "quantity": str(row["quantity"]),
        "standard": money.view(row["standard"], currency),
        "amount": money.view(row["amount"], currency),
        "discount": discount_view(row, currency),
        "discount_amount": money.view(row["discount"], currency),
        "net": money.view(row["net"], currency),
        "tax_label": row["tax_label"] if taxed else None,
        "tax_percent": money.plain(row["tax_percent"]) if taxed else None,
        "tax": money.view(row["tax"], currency),
        "credited": money.view(row["credited"], currency),
    }


def discount_view(of: Any, currency: str) -> dict[str, Any] | None:
    """A discount as it was given: a percentage or an amount, and why."""
    kind, value, reason = (
        of[n] if isinstance(of, Mapping) else getattr(of, n)
        for n in ("discount_kind", "discount_value", "discount_reason")
    )
    if kind is None:
        return None
    return {
        "percent": money.plain(value) if kind == "percent" else None,
        "amount": money.view(value, currency) if kind == "amount" else None,
        "reason": reason or "",
    }


def _summary(row: Mapping[Any, Any], day: date) -> dict[str, Any]:
    currency = row["currency"]
    owed = row["state"] == "issued" and row["kind"] == rules.INVOICE
    balance = row["total"] - row["paid"] - row["bad_debt"] - row["credited"] if owed else money.ZERO
    return {
        n: row[n]
        for n in (
            "id",
            "kind",
            "client_id",
            "client_name",
            "work_client_id",
            "work_client_name",
            "corrects_id",
            "approved_at",
            "sent_at",
            "number",
            "issued_on",
            "due_on",
            "document_id",
            "created_at",
            "version",
        )
    } | {
        "status": rules.status(
            row["state"],
            row["total"],
            row["paid"],
            row["due_on"],
            day,
            *(row[n] for n in ("bad_debt", "credited", "kind")),
        ),
        **{n: money.view(row[n], currency) for n in ("net", "tax", "total", "paid", "bad_debt", "credited")},
        "balance": money.view(balance, currency),
    }


def tax_total(total: TaxTotal, currency: str) -> dict[str, Any]:
    """A category's total as it is kept and shown."""
    percent = money.plain(total.tax.percent)
    return {
        "label": f"{total.tax.label} {percent} %" if total.tax.category in ("S", "Z") else total.tax.label,
        "category": total.tax.category,
        "percent": percent,
        "taxable": money.view(total.taxable, currency),
        "tax": money.view(total.amount, currency),
        "discount": money.view(total.discount, currency),
        "legal_text": total.tax.legal_text,
    }


def status_of(invoice: Any, day: date) -> str:
    return rules.status(
        invoice.state,
        invoice.total,
        invoice.paid,
        invoice.due_on,
        day,
        invoice.bad_debt,
        invoice.credited,
        invoice.kind,
    )


def event(invoice: Any, day: date) -> InvoiceChanged:
    """What others are told of an invoice, mapped or a row with the same names."""
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
        kind=invoice.kind,
        corrects_id=str(invoice.corrects_id or ""),
    )


def sent_event(invoice: Invoice, message: str) -> InvoiceSent:
    return InvoiceSent(
        invoice_id=str(invoice.id),
        client_id=str(invoice.client_id),
        number=invoice.number or "",
        kind=invoice.kind,
        message=message,
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


# An issued invoice with its lines, the number it corrects and the zone its status is derived in, in one question.
_ISSUED = """
SELECT i.id, i.client_id, i.number, i.state, i.kind, i.issued_on, i.due_on, i.currency, i.taxes, i.net, i.discount, i.rounding, i.total, i.paid,
       i.bad_debt, i.credited, i.document_id, i.corrects_id, coalesce(i.reason, '') AS reason, i.version, f.time_zone,
       coalesce(corrected.number, '') AS corrects_number,
       CASE WHEN i.state = 'issued' AND i.kind = 'invoice' THEN i.total - i.paid - i.bad_debt - i.credited ELSE 0 END AS balance,
       (SELECT json_agg(json_build_array(l.description, l.quantity::text, l.net::text) ORDER BY l.position)
        FROM invoice_lines l WHERE l.firm_id = i.firm_id AND l.invoice_id = i.id) AS lines
FROM invoices i JOIN firm_copy f ON f.firm_id = i.firm_id AND f.id = i.firm_id
LEFT JOIN invoices corrected ON corrected.firm_id = i.firm_id AND corrected.id = i.corrects_id
WHERE i.firm_id = :firm AND i.id = :id AND i.client_id = ANY(:clients) AND i.state <> 'draft'
"""


def issued_to(uow: Uow, invoice_id: UUID, client_ids: Collection[UUID]) -> tuple[Any, date, list[list[str]]] | None:
    """An issued invoice of one of these clients, today's date, and its lines (text, hours, net); None if there is none."""
    row = uow.row(_ISSUED, {"firm": uow.firm_id, "id": invoice_id, "clients": list(client_ids)})
    if row is None:
        return None
    return row, uow.now.astimezone(ZoneInfo(row.time_zone)).date(), row.lines or []


# --- what must always hold (`check`) ----------------------------------------------------------------------------------


def wrong_totals(uow: Uow) -> Iterator[str]:
    """Invoices, drafts and credit notes whose lines do not sum to what they say, or whose lines' items not to the line."""
    rows = uow.session.execute(
        text(
            """SELECT i.id FROM invoices i
            LEFT JOIN (SELECT invoice_id, sum(net) AS net, sum(discount_share) AS share, sum(tax) AS tax, sum(standard) AS standard
                       FROM invoice_lines GROUP BY 1) l ON l.invoice_id = i.id
            WHERE (i.lines_net, i.discount, i.tax, i.standard) IS DISTINCT FROM
                  (coalesce(l.net, 0), coalesce(l.share, 0), coalesce(l.tax, 0), coalesce(l.standard, 0))
               OR i.net <> i.lines_net - i.discount OR i.total <> i.net + i.tax + i.rounding
            UNION
            SELECT l.invoice_id FROM invoice_lines l JOIN (SELECT line_id, sum(billed) AS billed FROM invoice_items GROUP BY 1) x ON x.line_id = l.id
            WHERE x.billed <> l.net - l.discount_share + l.drawn
            UNION
            SELECT l.invoice_id FROM invoice_lines l WHERE l.kind <> 'fee' AND l.net > 0
               AND NOT EXISTS (SELECT 1 FROM invoice_items x WHERE x.firm_id = l.firm_id AND x.line_id = l.id)"""
        )
    )
    for row in rows:
        yield f"invoice {row.id}"


def wrong_credits(uow: Uow) -> Iterator[str]:
    """Invoices and lines whose credit notes do not sum to what they say was credited, or to more than there was."""
    rows = uow.session.execute(
        text(
            """SELECT i.id FROM invoices i LEFT JOIN (SELECT corrects_id, sum(total) AS total FROM invoices WHERE kind = 'credit_note' GROUP BY 1) c
                ON c.corrects_id = i.id
            WHERE i.credited <> coalesce(c.total, 0) OR i.credited > i.total
            UNION
            SELECT l.invoice_id FROM invoice_lines l
            LEFT JOIN (SELECT corrects_line_id, sum(net) AS net, sum(tax) AS tax FROM invoice_lines WHERE corrects_line_id IS NOT NULL GROUP BY 1) c
                ON c.corrects_line_id = l.id
            WHERE l.credited <> coalesce(c.net, 0) OR l.credited_tax <> coalesce(c.tax, 0)"""
        )
    )
    for row in rows:
        yield f"invoice {row.id}"


def wrong_billed(uow: Uow) -> Iterator[str]:
    """Billed items that are not billed at what their invoice says less what its credit notes took off."""
    rows = uow.session.execute(
        text(
            """SELECT w.id FROM wip_items w
            LEFT JOIN (SELECT item_id, invoice_id, sum(billed) AS billed FROM invoice_items WHERE live GROUP BY 1, 2) x
                ON x.item_id = w.id AND x.invoice_id = w.invoice_id
            LEFT JOIN (SELECT y.item_id, n.corrects_id, sum(y.billed) AS credited FROM invoice_items y
                       JOIN invoices n ON n.id = y.invoice_id AND n.kind = 'credit_note' GROUP BY 1, 2) c
                ON c.item_id = w.id AND c.corrects_id = w.invoice_id
            WHERE w.state = 'billed' AND w.billed <> coalesce(x.billed, 0) - coalesce(c.credited, 0)"""
        )
    )
    for row in rows:
        yield f"item {row.id}"


def number_gaps(uow: Uow) -> Iterator[str]:
    """Series whose numbers are not exactly those from the first to the last one taken."""
    rows = uow.session.execute(
        text(
            "SELECT s.series, s.next_number - s.first_number AS taken, count(i.sequence) AS used, max(i.sequence) AS highest FROM number_series s "
            "LEFT JOIN invoices i ON i.firm_id = s.firm_id AND i.series = s.series "
            "GROUP BY s.series, s.first_number, s.next_number "
            "HAVING count(DISTINCT i.sequence) <> s.next_number - s.first_number "
            "OR max(i.sequence) <> s.next_number - 1 OR min(i.sequence) <> s.first_number"
        )
    )
    for row in rows:
        yield f"series {row.series}: {row.taken} numbers taken, {row.used} used, the highest is {row.highest}"
