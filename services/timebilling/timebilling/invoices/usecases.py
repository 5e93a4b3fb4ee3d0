"""From WIP to an issued invoice: drafting, adjusting, issuing, voiding."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text, update
from sqlalchemy.orm.attributes import flag_modified

from chassis.errors import Conflict, DomainError, Invalid, NotFound
from chassis.uow import Uow, lost_update
from timebilling import money
from timebilling.copies.tables import ClientCopy, JobCopy
from timebilling.copies.usecases import branding, client, firm, today
from timebilling.firm_settings.usecases import load as firm_settings
from timebilling.invoices import queries, rules
from timebilling.invoices.rules import Item
from timebilling.invoices.tables import Invoice, InvoiceItem, InvoiceLine
from timebilling.ledger import rules as ledger_rules
from timebilling.ledger import usecases as ledger
from timebilling.money import ZERO
from timebilling.taxes import rules as tax_rules
from timebilling.taxes import usecases as taxes
from timebilling.wip import usecases as wip

# --- drafts -----------------------------------------------------------------------------------------------------------


def create_draft(uow: Uow, body: dict[str, Any]) -> Invoice:
    """A draft from a client's WIP: the named items, or the unbilled ones of the named jobs, or all of them. They are reserved.

    Errors: `client_not_found`, `job_not_found`, `time_entry_not_found` (404); `nothing_to_bill`, `entry_not_approved`,
    `entry_not_billable`, `entry_reserved`, `entry_billed`, `entry_written_off` (409); `item_of_other_client`, `mixed_currencies`,
    `tax_rate_missing`, `currency_unknown` (422).
    """
    of = client(uow, UUID(body["client_id"]))
    until = date.fromisoformat(body["until"]) if body.get("until") else None
    if "item_ids" in body:
        items, currency = _named_items(uow, of, [UUID(i) for i in body["item_ids"]])
    else:
        items, currency = _open_items(uow, of, [UUID(j) for j in body.get("job_ids", [])], until)
    settings = firm_settings(uow)
    invoice = uow.add(
        Invoice(
            client_id=of.id,
            state=rules.DRAFT,
            series=rules.SERIES,
            currency=currency,
            payment_terms_days=settings.payment_terms_days,
            note=body.get("note", ""),
            created_at=uow.now,
        )
    )
    lines = _make_lines(
        uow, invoice, rules.lines_of(items, body.get("group_by", "job_activity")), settings.default_tax_code_id
    )
    uow.session.execute(
        text("UPDATE wip_items SET state = 'reserved', invoice_id = :invoice WHERE firm_id = :firm AND id = ANY(:ids)"),
        {"invoice": invoice.id, "firm": uow.firm_id, "ids": [i.id for i in items]},
    )
    _total_up(uow, invoice, lines, today(uow))
    uow.audit("invoice.drafted", "invoice", invoice.id, after=_facts(invoice))
    return invoice


def change_draft(uow: Uow, invoice_id: UUID, body: dict[str, Any], if_match: int | None) -> Invoice:
    """A draft's note, terms, or what all its work is billed at together.

    Errors: `invoice_issued`, `invoice_void` (409), `adjustment_reason_missing`, `currency_mismatch`, `amount_precision`,
    `amount_negative` (422), `version_conflict` (412).
    """
    invoice = _draft(uow, invoice_id, if_match)
    before = _facts(invoice)
    invoice.note = body.get("note", invoice.note)
    invoice.payment_terms_days = body.get("payment_terms_days", invoice.payment_terms_days)
    lines = _lines(uow, invoice)
    if "net" in body:
        net, _ = money.parse(body["net"], pointer="/net", currency=invoice.currency)
        _bill_at(uow, lines, net, body.get("reason"), invoice.currency)
    _total_up(uow, invoice, lines, today(uow))
    uow.audit("invoice.changed", "invoice", invoice.id, before=before, after=_facts(invoice), reason=body.get("reason"))
    return invoice


def change_line(uow: Uow, invoice_id: UUID, line_id: UUID, body: dict[str, Any], if_match: int | None) -> Invoice:
    """A line's text, tax code, or what its work is billed at. Errors: those of `change_draft`; `invoice_line_not_found`,
    `tax_code_not_found` (404), `tax_rate_missing` (422).
    """
    invoice = _draft(uow, invoice_id, if_match)
    before = _facts(invoice)
    lines = _lines(uow, invoice)
    line = _line(lines, line_id)
    line.description = body.get("description", line.description)
    if "tax_code_id" in body:
        code = UUID(body["tax_code_id"]) if body["tax_code_id"] else None
        if code is not None and code not in taxes.on(uow, [code], today(uow)):
            raise NotFound("tax_code_not_found", "There is no such tax code.", pointer="/tax_code_id")
        line.tax_code_id = code
    if "net" in body:
        net, _ = money.parse(body["net"], pointer="/net", currency=invoice.currency)
        _bill_at(uow, [line], net, body.get("reason"), invoice.currency)
    _total_up(uow, invoice, lines, today(uow))
    uow.audit(
        "invoice.line_changed", "invoice", invoice.id, before=before, after=_facts(invoice), reason=body.get("reason")
    )
    return invoice


def remove_line(uow: Uow, invoice_id: UUID, line_id: UUID, if_match: int | None) -> None:
    """Takes a line off; its work is unbilled again. Errors: `invoice_line_not_found` (404), `invoice_issued` (409)."""
    invoice = _draft(uow, invoice_id, if_match)
    lines = _lines(uow, invoice)
    line = _line(lines, line_id)
    items = list(uow.session.scalars(select(InvoiceItem.item_id).where(InvoiceItem.line_id == line.id)))
    uow.session.execute(
        text("UPDATE wip_items SET state = 'unbilled', invoice_id = NULL WHERE firm_id = :firm AND id = ANY(:ids)"),
        {"firm": uow.firm_id, "ids": items},
    )
    uow.session.execute(
        text("DELETE FROM invoice_items WHERE firm_id = :firm AND line_id = :line"),
        {"firm": uow.firm_id, "line": line.id},
    )
    uow.session.delete(line)
    uow.session.flush()
    _total_up(uow, invoice, [x for x in lines if x is not line], today(uow))
    uow.audit("invoice.line_removed", "invoice", invoice.id, before={"line": line.description, "net": str(line.net)})


def drop_draft(uow: Uow, invoice_id: UUID, if_match: int | None) -> None:
    """Drops a draft; its work is unbilled again. Errors: `invoice_issued`, `invoice_void` (409), `version_conflict` (412)."""
    invoice = _draft(uow, invoice_id, if_match)
    wip.give_back(uow, invoice.id, None)
    for table in ("invoice_items", "invoice_lines"):
        uow.session.execute(
            text(f"DELETE FROM {table} WHERE firm_id = :firm AND invoice_id = :invoice"),
            {"firm": uow.firm_id, "invoice": invoice.id},
        )
    uow.session.delete(invoice)
    uow.audit("invoice.dropped", "invoice", invoice.id, before=_facts(invoice))


# --- issue and void ---------------------------------------------------------------------------------------------------


def issue(uow: Uow, invoice_id: UUID, issued_on: date | None, if_match: int | None) -> Invoice:
    """Makes a draft an invoice: tax rates of the day, the next number, the posting, the facts frozen. Once.

    Errors: `invoice_already_issued`, `invoice_void`, `invoice_empty` (409), `issue_date_in_future`, `tax_rate_missing` (422).
    """
    invoice = locked(uow, invoice_id, if_match)
    lines = _lines(uow, invoice)
    _refuse(rules.refusal_to_issue(invoice.state, invoice.number, len(lines)))
    day = issued_on or today(uow)
    rules.check_issue_date(day, today(uow))
    _total_up(uow, invoice, lines, day)
    frozen = _frozen(uow, invoice, lines)
    wip.bill(uow, invoice.id)
    ledger.post(
        uow,
        "invoice_issued",
        ledger_rules.invoice_issued(invoice.net, invoice.tax),
        posted_on=day,
        currency=invoice.currency,
        client_id=invoice.client_id,
        invoice_id=invoice.id,
    )
    # Last, so that the counter's row is locked for as short as can be: everyone who issues waits for it.
    invoice.sequence = _next_number(uow, invoice.series)
    invoice.number = rules.number(invoice.sequence)
    invoice.issued_on, invoice.due_on = day, rules.due_on(day, invoice.payment_terms_days)
    invoice.state, invoice.issued_at, invoice.frozen = rules.ISSUED, uow.now, frozen
    uow.session.flush()
    announce(uow, invoice)
    uow.audit("invoice.issued", "invoice", invoice.id, after=_facts(invoice))
    uow.later("render_invoice", invoice.id, invoice_id=str(invoice.id))
    uow.later("announce_overdue", invoice.id, at=_midnight_after(uow, invoice.due_on), invoice_id=str(invoice.id))
    return invoice


def void(uow: Uow, invoice_id: UUID, reason: str, if_match: int | None) -> Invoice:
    """Takes an unpaid invoice back: its work is unbilled again, the posting reversed, the number stays used.

    Errors: `invoice_not_issued`, `invoice_already_void`, `invoice_has_payments`, `invoice_has_bad_debt` (409).
    """
    invoice = locked(uow, invoice_id, if_match)
    _refuse(rules.refusal_to_void(invoice.state, invoice.number, invoice.paid, invoice.bad_debt))
    wip.give_back(uow, invoice.id, reason)
    uow.session.execute(update(InvoiceItem).where(InvoiceItem.invoice_id == invoice.id).values(live=False))
    ledger.reverse_issue(uow, invoice.id, today(uow))
    invoice.state, invoice.void_reason, invoice.voided_at = rules.VOID, reason, uow.now
    uow.session.flush()
    uow.cancel("announce_overdue", invoice.id)
    announce(uow, invoice)
    uow.audit("invoice.voided", "invoice", invoice.id, after=_facts(invoice), reason=reason)
    return invoice


def announce_overdue(uow: Uow, invoice_id: str) -> None:
    """The day after its due date, whoever keeps a copy of an unpaid invoice hears that it is overdue."""
    invoice = uow.get(Invoice, invoice_id, lock=True)
    if queries.status_of(invoice, today(uow)) == "overdue":
        flag_modified(invoice, "paid")
        uow.session.flush()
        announce(uow, invoice)


def announce(uow: Uow, invoice: Invoice) -> None:
    """The invoice's state to whoever keeps copies. Drafts stay at home."""
    uow.announce(queries.event(invoice, today(uow)), subject=invoice.id, version=invoice.version)


def _next_number(uow: Uow, series: str) -> int:
    """The series' next number. The row stays locked to the end of the transaction: a rollback gives the number back, so there is no gap."""
    return int(
        uow.session.execute(
            text(
                "INSERT INTO number_series AS s (firm_id, id, series, next_number) VALUES (:firm, uuidv7(), :series, 2) "
                "ON CONFLICT (firm_id, series) DO UPDATE SET next_number = s.next_number + 1 RETURNING next_number - 1"
            ),
            {"firm": uow.firm_id, "series": series},
        ).scalar_one()
    )


def _frozen(uow: Uow, invoice: Invoice, lines: Sequence[InvoiceLine]) -> dict[str, Any]:
    """Who bills whom, as it stood on the day: what the PDF shows whenever it is made."""
    buyer, seller, own = client(uow, invoice.client_id), branding(uow), firm(uow)
    return {
        "seller": {
            "name": seller.display_name,
            "accent": seller.accent,
            "address": seller.address,
            "footer": seller.footer,
            "country": own.country,
        },
        "buyer": {
            "name": buyer.name,
            "number": buyer.number,
            "address": buyer.address,
            "tax_label": buyer.tax_label,
            "country": buyer.country,
        },
        "language": buyer.language or own.language,
        "lines": len(lines),
    }


def _midnight_after(uow: Uow, day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(firm(uow).time_zone))


# --- items and lines --------------------------------------------------------------------------------------------------

# What a draft is made of is what work is carried at: its standard value, unless it was written up or down.
_ITEM = """
SELECT w.id, w.client_id, w.job_id, coalesce(j.title, '') AS job_title, w.activity_id, a.name AS activity_name,
       coalesce(s.name, '') AS staff_name, w.day, e.narrative, w.billable_seconds, w.remaining AS standard, w.currency, w.state
FROM wip_items w JOIN client_copy c ON c.firm_id = w.firm_id AND c.id = w.client_id
JOIN time_entries e ON e.firm_id = w.firm_id AND e.id = w.id
LEFT JOIN job_copy j ON j.firm_id = w.firm_id AND j.id = w.job_id
LEFT JOIN activities a ON a.firm_id = w.firm_id AND a.id = w.activity_id
LEFT JOIN staff_copy s ON s.firm_id = w.firm_id AND s.id = w.staff_id
WHERE w.firm_id = :firm AND w.state <> 'withdrawn'"""
_LOCKED = "ORDER BY w.id FOR UPDATE OF w"


def _open_items(uow: Uow, of: ClientCopy, job_ids: Sequence[UUID], until: date | None) -> tuple[list[Item], str]:
    for job_id in job_ids:
        job = uow.session.get(JobCopy, (uow.firm_id, job_id))
        if job is None or job.client_id != of.id:
            raise NotFound("job_not_found", "The client has no such job.", pointer="/job_ids")
    conditions = "AND w.client_id = :client AND w.state = 'unbilled'"
    conditions += " AND w.job_id = ANY(:jobs)" if job_ids else ""
    conditions += " AND w.day <= :until" if until else ""
    conditions += " AND (w.carried_until IS NULL OR w.carried_until < :today)"
    rows = uow.session.execute(
        text(f"{_ITEM} {conditions} {_LOCKED}"),
        {"firm": uow.firm_id, "client": of.id, "jobs": list(job_ids), "until": until, "today": today(uow)},
    ).all()
    # Work from before the client changed currency is billed by naming it: a draft has one currency.
    rows = [r for r in rows if r.currency == of.currency] or list(rows)
    if not rows:
        raise Conflict("nothing_to_bill", "There is no unbilled work to put on this draft.")
    return _items(rows), _currency(rows)


def _named_items(uow: Uow, of: ClientCopy, ids: Sequence[UUID]) -> tuple[list[Item], str]:
    rows = uow.session.execute(
        text(f"{_ITEM} AND w.id = ANY(:ids) {_LOCKED}"), {"firm": uow.firm_id, "ids": list(ids)}
    ).all()
    found = {r.id: r for r in rows}
    missing = [i for i in ids if i not in found]
    entries = _entries(uow, missing)
    for place, id in enumerate(ids):
        pointer = f"/item_ids/{place}"
        if id in found:
            _check_item(of, found[id].client_id, ("approved", True, found[id].state), pointer)
        elif id in entries:
            _check_item(of, entries[id].client_id, (entries[id].status, entries[id].billable, None), pointer)
        else:
            raise NotFound("time_entry_not_found", "There is no such time entry.", pointer=pointer)
    return _items(rows), _currency(rows)


def _entries(uow: Uow, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Entries that are no WIP (yet), to say of each why not."""
    if not ids:
        return {}
    rows = uow.session.execute(
        text(
            "SELECT e.id, e.client_id, e.status, e.billable FROM time_entries e "
            "JOIN client_copy c ON c.firm_id = e.firm_id AND c.id = e.client_id WHERE e.firm_id = :firm AND e.id = ANY(:ids)"
        ),
        {"firm": uow.firm_id, "ids": list(ids)},
    )
    return {r.id: r for r in rows}


def _check_item(of: ClientCopy, client_id: UUID, stands: tuple[str, bool, str | None], pointer: str) -> None:
    if client_id != of.id:
        raise Invalid("item_of_other_client", "This work was done for another client.", pointer=pointer)
    refused = rules.refusal_to_draft(*stands)
    if refused:
        raise Conflict(*refused, pointer=pointer)


def _items(rows: Iterable[Any]) -> list[Item]:
    names = [
        "id",
        "job_id",
        "job_title",
        "activity_id",
        "activity_name",
        "staff_name",
        "day",
        "narrative",
        "billable_seconds",
        "standard",
    ]
    items = [Item(*(getattr(r, n) for n in names)) for r in rows]
    return sorted(items, key=lambda i: (i.job_title, i.job_id, i.activity_name or "", i.day, i.id))


def _currency(rows: Sequence[Any]) -> str:
    currencies = {r.currency for r in rows}
    if len(currencies) > 1:
        raise Invalid(
            "mixed_currencies", f"This work is in {', '.join(sorted(currencies))}. Bill one currency at a time."
        )
    currency = str(currencies.pop())
    money.exponent(currency)
    return currency


def _make_lines(uow: Uow, invoice: Invoice, made: Sequence[rules.Line], tax_code_id: UUID | None) -> list[InvoiceLine]:
    lines = [
        InvoiceLine(
            invoice_id=invoice.id,
            position=place,
            job_id=line.job_id,
            description=line.description,
            quantity=line.quantity,
            standard=line.standard,
            net=line.standard,
            tax_code_id=tax_code_id,
            tax_category=tax_rules.OUTSIDE.category,
            tax_percent=ZERO,
            tax_label=tax_rules.OUTSIDE.label,
            tax=ZERO,
        )
        for place, line in enumerate(made, 1)
    ]
    uow.session.add_all(lines)
    uow.session.flush()
    uow.session.add_all(
        [
            InvoiceItem(
                invoice_id=invoice.id, line_id=row.id, item_id=item.id, standard=item.standard, billed=item.standard
            )
            for row, line in zip(lines, made, strict=True)
            for item in line.items
        ]
    )
    uow.session.flush()
    return lines


def _bill_at(uow: Uow, lines: Sequence[InvoiceLine], net: Decimal, reason: str | None, currency: str) -> None:
    """Bills the work behind these lines at `net` together: spread over the entries, each line the sum of its own."""
    items = list(
        uow.session.scalars(
            select(InvoiceItem)
            .where(InvoiceItem.line_id.in_([x.id for x in lines]))
            .order_by(InvoiceItem.line_id, InvoiceItem.item_id)
        )
    )
    if not items:
        raise Conflict("invoice_empty", "There is no work on this draft to bill.")
    for item, billed in zip(items, rules.bill_at(net, [i.standard for i in items], currency, reason), strict=True):
        item.billed = billed
    for line in lines:
        line.net = sum((i.billed for i in items if i.line_id == line.id), ZERO)
        line.reason = None if line.net == line.standard else reason or line.reason
    uow.session.flush()


def _total_up(uow: Uow, invoice: Invoice, lines: Sequence[InvoiceLine], day: date) -> None:
    """Tax of every line by the rates of a day, and the invoice's totals; counts the invoice's version up."""
    by_code = taxes.on(uow, {x.tax_code_id for x in lines}, day)
    taxed = [(line.net, by_code[line.tax_code_id]) for line in lines]
    for line, (_, tax), part in zip(lines, taxed, tax_rules.per_line(taxed, invoice.currency), strict=True):
        line.tax_category, line.tax_percent, line.tax_label, line.tax_legal_text = (
            tax.category,
            tax.percent,
            tax.label,
            tax.legal_text,
        )
        line.tax = part
    totals = tax_rules.totals(taxed, invoice.currency)
    invoice.standard = sum((x.standard for x in lines), ZERO)
    invoice.net = sum((x.net for x in lines), ZERO)
    invoice.tax = sum((t.amount for t in totals), ZERO)
    invoice.total = invoice.net + invoice.tax
    invoice.taxes = [queries.tax_total(t, invoice.currency) for t in totals]
    flag_modified(invoice, "note")
    uow.session.flush()


def _line(lines: Sequence[InvoiceLine], line_id: UUID) -> InvoiceLine:
    for line in lines:
        if line.id == line_id:
            return line
    raise NotFound("invoice_line_not_found", "This draft has no such line.")


def _lines(uow: Uow, invoice: Invoice) -> list[InvoiceLine]:
    return list(
        uow.session.scalars(
            select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.position)
        )
    )


def _draft(uow: Uow, invoice_id: UUID, if_match: int | None) -> Invoice:
    invoice = locked(uow, invoice_id, if_match)
    _refuse(rules.refusal_to_change(invoice.state, invoice.number))
    return invoice


def locked(uow: Uow, invoice_id: UUID, if_match: int | None = None) -> Invoice:
    """The invoice, locked, if its client may be seen. Errors: `invoice_not_found` (404), `version_conflict` (412)."""
    found = uow.session.scalars(
        select(Invoice)
        .join(ClientCopy, (ClientCopy.firm_id == Invoice.firm_id) & (ClientCopy.id == Invoice.client_id))
        .where(Invoice.firm_id == uow.firm_id, Invoice.id == invoice_id)
        .with_for_update(of=Invoice)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound("invoice_not_found", "There is no such invoice.")
    if if_match is not None and found.version != if_match:
        raise lost_update(found.version)
    return found


def _refuse(refusal: DomainError | None) -> None:
    if refusal is not None:
        raise refusal


def _facts(invoice: Invoice) -> dict[str, Any]:
    """What the audit keeps of an invoice."""
    amounts = {n: str(getattr(invoice, n)) for n in ("net", "tax", "total", "paid", "bad_debt")}
    names = ("state", "number", "currency", "issued_on", "due_on", "payment_terms_days", "note")
    return amounts | {n: getattr(invoice, n) for n in names}
