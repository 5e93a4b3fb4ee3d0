"""From WIP to an issued invoice: drafting, adjusting, approving, issuing, sending, voiding."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text, update
from sqlalchemy.orm import aliased
from sqlalchemy.orm.attributes import flag_modified

from chassis.errors import Conflict, DomainError, Invalid, NotFound
from chassis.uow import Uow, lost_update
from timebilling import money
from timebilling.arrangements import bills as arrangements
from timebilling.client_terms.usecases import load as client_terms
from timebilling.copies.tables import ClientCopy, GroupCopy
from timebilling.copies.usecases import branding, client, firm, today
from timebilling.currencies import usecases as currencies
from timebilling.firm_settings.usecases import for_billing as firm_settings
from timebilling.invoices import lines as parts
from timebilling.invoices import queries, rules
from timebilling.invoices.tables import Invoice, InvoiceItem, InvoiceLine
from timebilling.ledger import rules as ledger_rules
from timebilling.ledger import usecases as ledger
from timebilling.money import ZERO
from timebilling.numbering.usecases import take
from timebilling.reminders import charges as interest
from timebilling.taxes import usecases as taxes
from timebilling.wip import rules as wip_rules
from timebilling.wip import usecases as wip

# --- drafts -----------------------------------------------------------------------------------------------------------


def create_draft(uow: Uow, body: dict[str, Any]) -> Invoice:
    """A draft from a client's WIP: the named items, or the unbilled ones of the named jobs, or all of them. They are reserved.

    Errors: `client_not_found`, `job_not_found`, `time_entry_not_found` (404); `nothing_to_bill`, `entry_not_approved`,
    `entry_not_billable`, `entry_reserved`, `entry_billed`, `entry_written_off` (409); `item_of_other_client`, `mixed_currencies`,
    `tax_rate_missing`, `currency_unknown`, `bill_to_outside_group` (422); `item_under_arrangement` (409).
    """
    of = client(uow, UUID(body["client_id"]))
    until = date.fromisoformat(body["until"]) if body.get("until") else None
    if "item_ids" in body:
        items, currency = parts.named_items(uow, of, [UUID(i) for i in body["item_ids"]])
    else:
        items, currency = parts.open_items(uow, of, [UUID(j) for j in body.get("job_ids", [])], until)
    bill_to = body.get("bill_to_client_id")
    invoice = open_draft(uow, of, currency, bill_to=UUID(bill_to) if bill_to else None)
    invoice.note, invoice.order_reference = body.get("note", ""), body.get("order_reference", "")
    made = rules.lines_of(items, body.get("group_by", "job_activity"))
    lines = parts.put_work(uow, invoice, made, tax_code_of(uow, invoice))
    arrangements.cap(uow, invoice, lines)
    parts.total_up(uow, invoice, lines, today(uow))
    uow.audit("invoice.drafted", "invoice", invoice.id, after=facts(invoice))
    return invoice


def open_draft(uow: Uow, of: ClientCopy, currency: str, *, bill_to: UUID | None = None) -> Invoice:
    """An empty draft for a client's work: billed to the named client, else to whom the client's group is billed to, else to itself; on
    the terms of who is billed. Errors: `client_not_found` (404), `bill_to_outside_group` (422).
    """
    billed = _billed(uow, of, bill_to)
    terms = client_terms(uow, billed)
    days = terms.payment_terms_days
    return uow.add(
        Invoice(
            client_id=billed,
            work_client_id=of.id,
            state=rules.DRAFT,
            currency=currency,
            payment_terms_days=firm_settings(uow).payment_terms_days if days is None else days,
            tax_inclusive=terms.tax_inclusive,
            created_at=uow.now,
        )
    )


def _billed(uow: Uow, of: ClientCopy, wanted: UUID | None) -> UUID:
    """Who is billed for a client's work. Errors: `client_not_found` (404), `bill_to_outside_group` (422)."""
    group = uow.session.scalars(
        select(GroupCopy).where(GroupCopy.firm_id == uow.firm_id, GroupCopy.client_ids.any(of.id))  # type: ignore[arg-type]
    ).first()
    billed = wanted or (group.bill_to_id if group else None) or of.id
    if billed != of.id:
        client(uow, billed)
        if group is None or billed not in group.client_ids:
            message = "Work is billed to its client, or to another client of the same group."
            raise Invalid("bill_to_outside_group", message, pointer="/bill_to_client_id")
    return billed


def tax_code_of(uow: Uow, invoice: Invoice) -> UUID | None:
    """The tax code of a draft's new lines: the client's, else the firm's."""
    return client_terms(uow, invoice.client_id).tax_code_id or firm_settings(uow).default_tax_code_id


def change_draft(uow: Uow, invoice_id: UUID, body: dict[str, Any], if_match: int | None) -> Invoice:
    """A draft's note, terms, references, discount, whether its prices include tax, or what all its work is billed at together.

    Errors: `invoice_issued`, `invoice_void` (409), `adjustment_reason_missing`, `currency_mismatch`, `amount_precision`,
    `amount_negative`, `prices_include_tax`, `prices_exclude_tax`, `discount_over_amount`, `discount_in_the_way` (422),
    `adjustment_over_limit` (403), `version_conflict` (412).
    """
    invoice = _draft(uow, invoice_id, if_match)
    before = facts(invoice)
    for name in ("note", "order_reference", "payment_terms_days"):
        setattr(invoice, name, body.get(name, getattr(invoice, name)))
    lines = parts.lines_of(uow, invoice)
    was = _written(lines)
    if "bill_to_client_id" in body:
        invoice.client_id = _billed(uow, client(uow, invoice.work_client_id), UUID(body["bill_to_client_id"]))
    if "tax_inclusive" in body:
        _include_tax(invoice, lines, body["tax_inclusive"])
    if "discount" in body:
        _set_discount(invoice, body["discount"], invoice.currency)
    amount = _amount(invoice, body)
    if amount is not None:
        _price_all(invoice, lines, amount, body.get("reason"))
    parts.total_up(uow, invoice, lines, today(uow))
    _check_limit(uow, invoice, was, lines)
    _changed(uow, invoice, "invoice.changed", before, body.get("reason"))
    return invoice


def change_line(uow: Uow, invoice_id: UUID, line_id: UUID, body: dict[str, Any], if_match: int | None) -> Invoice:
    """A line's text, tax code, discount, or what its work is billed at. Errors: those of `change_draft`; `invoice_line_not_found`,
    `tax_code_not_found` (404), `tax_rate_missing` (422).
    """
    invoice = _draft(uow, invoice_id, if_match)
    before = facts(invoice)
    lines = parts.lines_of(uow, invoice)
    was = _written(lines)
    line = parts.line_of(lines, line_id)
    line.description = body.get("description", line.description)
    if "tax_code_id" in body:
        line.tax_code_id = _tax_code(uow, body["tax_code_id"])
    if "discount" in body:
        _set_discount(line, body["discount"], invoice.currency)
    amount = _amount(invoice, body)
    if amount is not None and line.kind == rules.FEE and line.arrangement_id:
        message = "This is a fee as it was agreed. Take the line off and bill another amount, or give a discount."
        raise Conflict("arrangement_line_fixed", message)
    if amount is not None and line.kind == rules.FEE:
        line.amount, line.reason = amount, body.get("reason", line.reason)
    elif amount is not None:
        parts.price([line], amount, body.get("reason"), invoice.currency, invoice.tax_inclusive)
    parts.total_up(uow, invoice, lines, today(uow))
    _check_limit(uow, invoice, was, lines)
    _changed(uow, invoice, "invoice.line_changed", before, body.get("reason"))
    return invoice


def add_line(uow: Uow, invoice_id: UUID, body: dict[str, Any], if_match: int | None) -> Invoice:
    """A line of its own, without work behind it: a fixed charge. Errors: those of `change_line`."""
    invoice = _draft(uow, invoice_id, if_match)
    before = facts(invoice)
    lines = parts.lines_of(uow, invoice)
    amount = _amount(invoice, body)
    assert amount is not None
    code = _tax_code(uow, body["tax_code_id"]) if "tax_code_id" in body else tax_code_of(uow, invoice)
    line = parts.new_line(
        invoice,
        max((x.position for x in lines), default=0) + 1,
        kind=rules.FEE,
        job_id=None,
        description=body["description"],
        quantity=Decimal(body.get("quantity", "1")),
        unit=rules.PIECES,
        standard=ZERO,
        amount=amount,
        tax_code_id=code,
    )
    uow.session.add(line)
    lines.append(line)
    parts.total_up(uow, invoice, lines, today(uow))
    _changed(uow, invoice, "invoice.line_added", before, None)
    return invoice


def remove_line(uow: Uow, invoice_id: UUID, line_id: UUID, if_match: int | None) -> None:
    """Takes a line off; its work is unbilled again. Errors: `invoice_line_not_found` (404), `invoice_issued` (409)."""
    invoice = _draft(uow, invoice_id, if_match)
    lines = parts.lines_of(uow, invoice)
    line = parts.line_of(lines, line_id)
    items, left = parts.items_on(uow, invoice), [x for x in lines if x is not line]
    parts.take_off(uow, [line])
    parts.round_again(uow, invoice, left, items)
    parts.total_up(uow, invoice, left, today(uow))
    invoice.approved_at = invoice.approved_by = None
    uow.audit("invoice.line_removed", "invoice", invoice.id, before={"line": line.description, "net": str(line.net)})


def regroup(uow: Uow, invoice_id: UUID, body: dict[str, Any], if_match: int | None) -> Invoice:
    """Puts a draft's work into other lines: all of it by `group_by`, or the lines of `line_ids` into one that says `description`.

    What the work is billed at stays: written up or down lines keep their amounts and reasons, a line's own discount becomes part of its
    amount. Errors: `invoice_line_not_found` (404), `lines_differ_in_tax` (422), those of `change_draft`.
    """
    invoice = _draft(uow, invoice_id, if_match)
    before = facts(invoice)
    lines = parts.lines_of(uow, invoice)
    if "line_ids" in body:
        old = [parts.line_of(lines, UUID(i)) for i in dict.fromkeys(body["line_ids"])]
    else:
        old = [x for x in lines if x.kind != rules.FEE]
    if any(x.kind == rules.FEE or x.drawn for x in old):
        raise Conflict("line_has_no_work", "Only lines of work are put together.")
    items = parts.items_on(uow, invoice)
    worth: dict[UUID, tuple[Decimal, str | None, UUID | None]] = {}
    for line in old:
        mine = items.get(line.id, [])
        shares = money.spread(line.amount - line.discount, [i.worth for i in mine], invoice.currency)
        reason = line.reason or line.discount_reason
        worth |= {i.id: (share, reason, line.tax_code_id) for i, share in zip(mine, shares, strict=True)}
    together = sorted((i for x in old for i in items.get(x.id, [])), key=lambda i: (i.job_title, i.job_id, i.day, i.id))
    if "line_ids" in body:
        made = [rules.Line(old[0].job_id if len({x.job_id for x in old}) == 1 else None, body["description"], together)]
    else:
        made = rules.lines_of(together, body["group_by"])
    if any(len({i.arrangement_id for i in line.items}) > 1 for line in made):
        raise Invalid("lines_differ_in_terms", "This would put work of different engagements into one line.")
    codes = [{worth[i.id][2] for i in line.items} for line in made]
    if any(len(c) > 1 for c in codes):
        raise Invalid("lines_differ_in_tax", "This would put work of different tax codes into one line.")
    parts.take_off(uow, old, release=False)
    first = min((x.position for x in old), default=1)
    kept = [x for x in lines if x not in old]
    amounts = [sum((worth[i.id][0] for i in line.items), ZERO) for line in made]
    said = [
        "; ".join(dict.fromkeys(r for i in line.items if (r := worth[i.id][1]))) or line.why
        if amount != line.standard
        else None
        for line, amount in zip(made, amounts, strict=True)
    ]
    new = parts.put_work(uow, invoice, made, None, amounts=amounts, reasons=said, first=first)
    for line, code in zip(new, codes, strict=True):
        line.tax_code_id = next(iter(code))
    ordered = [x for x in kept if x.position < first] + new + [x for x in kept if x.position >= first]
    for place, line in enumerate(ordered, 1):
        line.position = place
    parts.total_up(uow, invoice, ordered, today(uow))
    _changed(uow, invoice, "invoice.regrouped", before, None)
    return invoice


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
    uow.audit("invoice.dropped", "invoice", invoice.id, before=facts(invoice))


def approve(uow: Uow, invoice_id: UUID, if_match: int | None) -> Invoice:
    """Says that a draft may go out as it is; a change takes that back. Errors: `invoice_issued`, `invoice_void`, `invoice_empty` (409)."""
    invoice = _draft(uow, invoice_id, if_match)
    _refuse(rules.refusal_to_issue(invoice.state, invoice.number, len(parts.lines_of(uow, invoice))))
    invoice.approved_at, invoice.approved_by = uow.now, uow.principal.actor
    uow.session.flush()
    uow.audit("invoice.approved", "invoice", invoice.id, after=facts(invoice))
    return invoice


# --- issue, send, void ------------------------------------------------------------------------------------------------


def issue(uow: Uow, invoice_id: UUID, issued_on: date | None, if_match: int | None) -> Invoice:
    """Makes a draft an invoice: tax and exchange rates of the day, the next number, the posting, the facts frozen. Once.

    Errors: `invoice_already_issued`, `invoice_void`, `invoice_empty`, `invoice_not_approved` (409), `issue_date_in_future`,
    `tax_rate_missing`, `exchange_rate_missing` (422).
    """
    invoice = locked(uow, invoice_id, if_match)
    lines = parts.lines_of(uow, invoice)
    unapproved = firm_settings(uow).approve_before_issue and invoice.approved_at is None
    _refuse(rules.refusal_to_issue(invoice.state, invoice.number, len(lines), unapproved=unapproved))
    day = issued_on or today(uow)
    rules.check_issue_date(day, today(uow))
    exchange = currencies.rate_at_issue(uow, invoice.currency, day)
    parts.total_up(uow, invoice, lines, day)
    arrangements.check_caps(uow, invoice, lines)
    if exchange is not None:
        invoice.exchange_rate, invoice.base_currency = exchange
    frozen = freeze(uow, invoice, lines)
    wip.bill(uow, invoice.id)
    ledger.post(
        uow,
        "invoice_issued",
        ledger_rules.invoice_issued(invoice.net, invoice.tax, invoice.rounding, _interest(uow, lines)),
        posted_on=day,
        currency=invoice.currency,
        client_id=invoice.client_id,
        invoice_id=invoice.id,
    )
    # Last, so that the counter's row is locked for as short as can be: everyone who issues waits for it.
    invoice.series, invoice.sequence, invoice.number = take(uow, rules.INVOICE, day)
    invoice.issued_on, invoice.due_on = day, rules.due_on(day, invoice.payment_terms_days)
    invoice.state, invoice.issued_at, invoice.frozen = rules.ISSUED, uow.now, frozen
    uow.session.flush()
    announce(uow, invoice)
    uow.audit("invoice.issued", "invoice", invoice.id, after=facts(invoice))
    uow.later("render_invoice", invoice.id, invoice_id=str(invoice.id))
    uow.later("announce_overdue", invoice.id, at=_midnight_after(uow, invoice.due_on), invoice_id=str(invoice.id))
    return invoice


def _interest(uow: Uow, lines: Sequence[InvoiceLine]) -> Decimal:
    """What of a draft is interest for late payment: earned, but no fee."""
    own = {x.id: x.taxable for x in lines if x.kind == rules.FEE and x.arrangement_id is None}
    return sum((own[i] for i in interest.interest_among(uow, own)), ZERO)


def send(uow: Uow, invoice_id: UUID, message: str) -> Invoice:
    """Announces that an issued document goes to the client: the portal mails whoever acts for it. Again, if asked again.

    Errors: `invoice_not_issued`, `invoice_void` (409).
    """
    invoice = locked(uow, invoice_id)
    _refuse(rules.refusal_to_send(invoice.state, invoice.number))
    invoice.sent_at = uow.now
    uow.session.flush()
    announce(uow, invoice)
    uow.announce(queries.sent_event(invoice, message), subject=invoice.id)
    uow.audit("invoice.sent", "invoice", invoice.id, after={"number": invoice.number})
    return invoice


def void(uow: Uow, invoice_id: UUID, reason: str, if_match: int | None) -> Invoice:
    """Takes an unpaid invoice back: its work is unbilled again, the posting reversed, the number stays used.

    Errors: `invoice_not_issued`, `invoice_already_void`, `invoice_has_payments`, `invoice_has_bad_debt`, `invoice_has_credits`,
    `credit_note_final` (409).
    """
    invoice = locked(uow, invoice_id, if_match)
    _refuse(
        rules.refusal_to_void(
            invoice.state, invoice.number, invoice.paid, invoice.bad_debt, invoice.credited, invoice.kind
        )
    )
    arrangements.check_drawn(uow, invoice)
    arrangements.release(uow, [x.id for x in parts.lines_of(uow, invoice)])
    wip.give_back(uow, invoice.id, reason)
    uow.session.execute(update(InvoiceItem).where(InvoiceItem.invoice_id == invoice.id).values(live=False))
    ledger.reverse_issue(uow, invoice.id, today(uow))
    invoice.state, invoice.void_reason, invoice.voided_at = rules.VOID, reason, uow.now
    uow.session.flush()
    uow.cancel("announce_overdue", invoice.id)
    announce(uow, invoice)
    uow.audit("invoice.voided", "invoice", invoice.id, after=facts(invoice), reason=reason)
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


def seller(uow: Uow) -> dict[str, Any]:
    """The firm as it stands on its papers: what its settings tell, under its branding."""
    shown = branding(uow)
    branded = {"name": shown.display_name, "accent": shown.accent, "address": shown.address, "footer": shown.footer}
    branded["logo_id"] = str(shown.logo_id) if shown.logo_id else ""
    return _SELLER | firm_settings(uow).seller | branded | {"country": firm(uow).country}


def freeze(uow: Uow, invoice: Invoice, lines: Sequence[InvoiceLine], corrects: Invoice | None = None) -> dict[str, Any]:
    """Who bills whom what, as it stands on the day (see `invoices.tables`): what PDFs and electronic invoices are made of."""
    buyer, own = client(uow, invoice.client_id), firm(uow)
    terms, worked = client_terms(uow, buyer.id), invoice.work_client_id
    period = uow.session.execute(
        text(
            "SELECT min(w.day), max(w.day) FROM invoice_items x JOIN wip_items w ON w.firm_id = x.firm_id AND w.id = x.item_id "
            "WHERE x.firm_id = :firm AND x.invoice_id = :invoice"
        ),
        {"firm": uow.firm_id, "invoice": invoice.id},
    ).one()
    return {
        "version": 2,
        "document_type": "381" if invoice.kind == rules.CREDIT_NOTE else "380",
        "corrects": corrects
        and {"id": str(corrects.id), "number": corrects.number, "issued_on": str(corrects.issued_on)},
        "seller": seller(uow),
        "buyer": {
            "name": buyer.name,
            "number": buyer.number,
            "address": buyer.address,
            "tax_label": buyer.tax_label,
            "country": buyer.country,
            "legal_name": terms.legal_name,
            "vat_id": terms.vat_id,
            "reference": terms.buyer_reference,
            "electronic_address": terms.electronic_address,
        },
        "work_client": None if worked == buyer.id else {"id": str(worked), "name": client(uow, worked).name},
        "order_reference": invoice.order_reference,
        "period": {"from": str(period[0]), "to": str(period[1])} if period[0] else None,
        "language": buyer.language or own.language,
        "tax_inclusive": invoice.tax_inclusive,
        "discount": invoice.discount_kind
        and {
            "kind": invoice.discount_kind,
            "value": str(invoice.discount_value),
            "reason": invoice.discount_reason or "",
        },
        "exchange": _exchange(invoice),
        "lines": len(lines),
    }


_SELLER = dict.fromkeys(
    [
        "legal_name",
        "line1",
        "line2",
        "city",
        "region",
        "postcode",
        "vat_id",
        "tax_number",
        "registration",
        "contact",
        "email",
        "phone",
        "iban",
        "bic",
        "account_holder",
    ],
    "",
) | {"electronic_address": None}


def _exchange(invoice: Invoice) -> dict[str, str] | None:
    if invoice.exchange_rate is None or invoice.base_currency is None:
        return None
    rate, own = invoice.exchange_rate, invoice.base_currency
    amounts = {n: str(money.rounded(getattr(invoice, n) * rate, own)) for n in ("net", "tax", "total")}
    return {"currency": own, "rate": f"{rate.normalize():f}", **amounts}


def _midnight_after(uow: Uow, day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(firm(uow).time_zone))


# --- changing a draft -------------------------------------------------------------------------------------------------


def _amount(invoice: Invoice, body: dict[str, Any]) -> Decimal | None:
    """The amount a body names, in the terms of the draft's prices: `net`, or `gross` where they include tax."""
    wanted, other = ("gross", "net") if invoice.tax_inclusive else ("net", "gross")
    if other in body:
        code = "prices_include_tax" if invoice.tax_inclusive else "prices_exclude_tax"
        raise Invalid(code, f"Prices of this draft are {wanted}: name {wanted}.", pointer=f"/{other}")
    if wanted not in body:
        return None
    return money.parse(body[wanted], pointer=f"/{wanted}", currency=invoice.currency)[0]


def _price_all(invoice: Invoice, lines: Sequence[InvoiceLine], amount: Decimal, reason: str | None) -> None:
    """Bills the whole draft at an amount before discounts: fixed charges stay, the work takes the rest."""
    fees = sum((x.amount for x in lines if x.kind == rules.FEE), ZERO)
    if amount < fees:
        raise Invalid("net_below_fees", f"The fixed charges alone come to {fees}.", pointer="/net")
    parts.price(
        [x for x in lines if x.kind != rules.FEE], amount - fees, reason, invoice.currency, invoice.tax_inclusive
    )


def _written(lines: Sequence[InvoiceLine]) -> Decimal:
    """What the work on these lines is billed at above or below its standard value."""
    return sum((abs(x.taxable + x.drawn - x.standard) for x in lines if x.kind != rules.FEE), ZERO)


def _check_limit(uow: Uow, invoice: Invoice, was: Decimal, lines: Sequence[InvoiceLine]) -> None:
    """Work is written up and down on a draft within the same limit as before it: all of the draft together counts.

    Errors: `adjustment_over_limit` (403).
    """
    written = _written(lines)
    if written > was:
        limit = wip.limit_of(uow, invoice.currency)
        _refuse(wip_rules.over_limit(written, limit, invoice.currency))


def _include_tax(invoice: Invoice, lines: Sequence[InvoiceLine], inclusive: bool) -> None:
    """From here on the prices include tax, or don't; what the client pays stays the same until a price is changed."""
    if inclusive == invoice.tax_inclusive:
        return
    if invoice.discount_kind or any(x.discount_kind for x in lines):
        message = "Take the discounts off, change what prices mean, then give them again."
        raise Invalid("discount_in_the_way", message, pointer="/tax_inclusive")
    for line in lines:
        line.amount = line.net + line.tax if inclusive else line.net
    invoice.tax_inclusive = inclusive


def _set_discount(of: Invoice | InvoiceLine, wanted: dict[str, Any] | None, currency: str) -> None:
    if wanted is None:
        of.discount_kind = of.discount_value = of.discount_reason = None
        return
    if "percent" in wanted:
        of.discount_kind, of.discount_value = "percent", Decimal(wanted["percent"])
    else:
        of.discount_kind = "amount"
        of.discount_value, _ = money.parse(wanted["amount"], pointer="/discount/amount", currency=currency)
    of.discount_reason = wanted["reason"]


def _tax_code(uow: Uow, wanted: str | None) -> UUID | None:
    code = UUID(wanted) if wanted else None
    if code is not None and code not in taxes.on(uow, [code], today(uow)):
        raise NotFound("tax_code_not_found", "There is no such tax code.", pointer="/tax_code_id")
    return code


def _changed(uow: Uow, invoice: Invoice, action: str, before: dict[str, Any], reason: str | None) -> None:
    """What was approved was another draft than it now is."""
    invoice.approved_at = invoice.approved_by = None
    uow.session.flush()
    uow.audit(action, "invoice", invoice.id, before=before, after=facts(invoice), reason=reason)


def _draft(uow: Uow, invoice_id: UUID, if_match: int | None) -> Invoice:
    invoice = locked(uow, invoice_id, if_match)
    _refuse(rules.refusal_to_change(invoice.state, invoice.number))
    return invoice


def locked(uow: Uow, invoice_id: UUID, if_match: int | None = None) -> Invoice:
    """The invoice, locked, if its clients may be seen. Errors: `invoice_not_found` (404), `version_conflict` (412)."""
    worked = aliased(ClientCopy)
    found = uow.session.scalars(
        select(Invoice)
        .join(ClientCopy, (ClientCopy.firm_id == Invoice.firm_id) & (ClientCopy.id == Invoice.client_id))
        .join(worked, (worked.firm_id == Invoice.firm_id) & (worked.id == Invoice.work_client_id))
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


def facts(invoice: Invoice) -> dict[str, Any]:
    """What the audit keeps of an invoice."""
    amounts = {
        n: str(getattr(invoice, n))
        for n in ("net", "discount", "tax", "rounding", "total", "paid", "bad_debt", "credited")
    }
    names = (
        "state",
        "kind",
        "number",
        "currency",
        "issued_on",
        "due_on",
        "payment_terms_days",
        "note",
        "tax_inclusive",
    )
    return amounts | {n: getattr(invoice, n) for n in names}
