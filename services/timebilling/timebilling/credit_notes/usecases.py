"""Credit notes: the whole of an invoice, a part of it, or some of its lines taken off again, in a document of its own number."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text, update

from chassis.db import new_id
from chassis.errors import Conflict, Invalid, NotFound
from chassis.uow import Uow
from timebilling import money
from timebilling.arrangements import bills as arrangements
from timebilling.copies.usecases import today
from timebilling.credit_notes import rules
from timebilling.credit_notes.rules import Credited
from timebilling.invoices import queries
from timebilling.invoices import rules as invoice_rules
from timebilling.invoices import usecases as invoicing
from timebilling.invoices.lines import new_line
from timebilling.invoices.tables import Invoice, InvoiceItem, InvoiceLine
from timebilling.ledger import rules as ledger_rules
from timebilling.ledger import usecases as ledger
from timebilling.money import ZERO
from timebilling.numbering.usecases import take
from timebilling.payments import usecases as payments
from timebilling.reminders.charges import interest_among
from timebilling.taxes.rules import Creditable, Tax, TaxTotal
from timebilling.wip import usecases as wip


def create(uow: Uow, invoice_id: UUID, body: dict[str, Any]) -> Invoice:
    """Issues a credit note for `lines`, for an `amount` of the whole, or (without either) for all that is left.

    What was paid beyond what is then owed becomes the client's credit. The work is billed at less: written down; with `rebill`, where
    the whole invoice is credited at once, it is unbilled again. Errors: `invoice_not_found`, `invoice_line_not_found` (404);
    `invoice_not_issued`, `invoice_void`, `credit_note_final`, `credit_over_invoice`, `invoice_has_bad_debt`, `rebill_needs_whole` (409);
    `credit_not_positive`, `credit_before_invoice`, `issue_date_in_future`, those of amounts (422).
    """
    paying = payments.paying(uow, invoice_id)
    invoice = invoicing.locked(uow, invoice_id, uow.if_match)
    left = invoice.total - invoice.credited
    refused = invoice_rules.refusal_to_credit(invoice.kind, invoice.state, invoice.number, left)
    if refused is not None:
        raise refused
    arrangements.check_drawn(uow, invoice)
    day = _day(uow, invoice, body.get("issued_on"))
    lines = {x.id: x for x in queries.lines_of(uow, invoice)}
    credited = _wanted(invoice, lines, body)
    whole = not invoice.credited and sum((c.net + c.tax for c in credited), ZERO) == invoice.net + invoice.tax
    if body.get("rebill") and not whole:
        raise Conflict("rebill_needs_whole", "Work is billed again when its whole invoice is credited at once.")
    note = _note(uow, invoice, lines, credited, day, body)
    _settle(uow, invoice, paying, note)
    _unbill(uow, invoice, note, rebill=bool(body.get("rebill")))
    arrangements.release(uow, [i for i, x in lines.items() if x.credited == x.taxable])
    invoicing.announce(uow, invoice)
    invoicing.announce(uow, note)
    uow.audit("credit_note.issued", "invoice", note.id, after=invoicing.facts(note), reason=note.reason)
    uow.audit("invoice.credited", "invoice", invoice.id, after=invoicing.facts(invoice), reason=note.reason)
    uow.later("render_invoice", note.id, invoice_id=str(note.id))
    return note


def _day(uow: Uow, invoice: Invoice, wanted: str | None) -> date:
    day = date.fromisoformat(wanted) if wanted else today(uow)
    invoice_rules.check_issue_date(day, today(uow))
    if invoice.issued_on is not None and day < invoice.issued_on:
        raise Invalid("credit_before_invoice", f"The invoice is of {invoice.issued_on}.", pointer="/issued_on")
    return day


def _wanted(invoice: Invoice, lines: dict[UUID, InvoiceLine], body: dict[str, Any]) -> list[Credited]:
    currency, inclusive = invoice.currency, invoice.tax_inclusive
    creditable = {i: Creditable(x.taxable, x.tax, x.tax_percent, x.credited, x.credited_tax) for i, x in lines.items()}
    if "lines" in body:
        wanted: dict[UUID, Decimal] = {}
        for place, named in enumerate(body["lines"]):
            line_id, pointer = UUID(named["line_id"]), f"/lines/{place}"
            if line_id not in lines:
                raise NotFound("invoice_line_not_found", "This invoice has no such line.", pointer=f"{pointer}/line_id")
            rest = rules.whole_rest({line_id: creditable[line_id]}, inclusive)[line_id]
            amount = rest
            if "amount" in named:
                amount, _ = money.parse(named["amount"], pointer=f"{pointer}/amount", currency=currency)
            wanted[line_id] = wanted.get(line_id, ZERO) + amount
        return rules.credits(creditable, wanted, currency, inclusive, "/lines")
    if "amount" in body:
        amount, _ = money.parse(body["amount"], pointer="/amount", currency=currency)
        return rules.credits(
            creditable, rules.part(creditable, amount, currency, inclusive), currency, inclusive, "/amount"
        )
    return rules.credits(creditable, rules.whole_rest(creditable, inclusive), currency, inclusive, "")


def _note(
    uow: Uow,
    invoice: Invoice,
    lines: dict[UUID, InvoiceLine],
    credited: Sequence[Credited],
    day: date,
    body: dict[str, Any],
) -> Invoice:
    """The credit note with its lines, written whole: its own number, positive amounts, the invoice named."""
    net, tax = (sum((getattr(c, n) for c in credited), ZERO) for n in ("net", "tax"))
    # The last part takes the invoice's cash rounding along; none comes to more than is left.
    before = sum((x.credited + x.credited_tax for x in lines.values()), ZERO)
    rest = invoice.total - invoice.credited - net - tax
    rounding = rest if before + net + tax == invoice.net + invoice.tax else min(rest, ZERO)
    currency = invoice.currency
    note = Invoice(
        id=new_id(),
        kind=invoice_rules.CREDIT_NOTE,
        client_id=invoice.client_id,
        work_client_id=invoice.work_client_id,
        corrects_id=invoice.id,
        reason=body["reason"],
        state=invoice_rules.ISSUED,
        currency=currency,
        payment_terms_days=0,
        tax_inclusive=invoice.tax_inclusive,
        note=body.get("note", ""),
        order_reference=invoice.order_reference,
        issued_on=day,
        due_on=day,
        lines_net=net,
        net=net,
        tax=tax,
        rounding=rounding,
        total=net + tax + rounding,
        exchange_rate=invoice.exchange_rate,
        base_currency=invoice.base_currency,
        taxes=_taxes(lines, credited, currency),
        created_at=uow.now,
        issued_at=uow.now,
    )
    made = [_line(note, place, lines[c.line_id], c) for place, c in enumerate(credited, 1)]
    note.frozen = invoicing.freeze(uow, note, made, corrects=invoice)
    for c in credited:
        lines[c.line_id].credited += c.net
        lines[c.line_id].credited_tax += c.tax
    # Late, so that the counter's row is locked for as short as can be.
    note.series, note.sequence, note.number = take(uow, invoice_rules.CREDIT_NOTE, day)
    uow.add(note)
    uow.session.add_all(made)
    uow.session.flush()
    charged = interest_among(uow, [c.line_id for c in credited])
    of_interest = sum((c.net for c in credited if c.line_id in charged), ZERO)
    ledger.post(
        uow,
        "credit_note_issued",
        ledger_rules.credit_note_issued(net, tax, rounding, of_interest),
        posted_on=day,
        currency=currency,
        client_id=note.client_id,
        invoice_id=note.id,
    )
    return note


def _line(note: Invoice, place: int, line: InvoiceLine, credited: Credited) -> InvoiceLine:
    whole = credited.net == line.taxable
    made = new_line(
        note,
        place,
        kind=line.kind,
        job_id=line.job_id,
        description=line.description,
        quantity=line.quantity if whole else Decimal(1),
        unit=line.unit if whole else invoice_rules.PIECES,
        standard=ZERO,
        amount=credited.amount,
        reason=note.reason,
        tax_code_id=line.tax_code_id,
        corrects_line_id=line.id,
    )
    made.net, made.tax = credited.net, credited.tax
    made.tax_category, made.tax_percent, made.tax_label, made.tax_legal_text = (
        line.tax_category,
        line.tax_percent,
        line.tax_label,
        line.tax_legal_text,
    )
    return made


def _taxes(lines: dict[UUID, InvoiceLine], credited: Sequence[Credited], currency: str) -> list[dict[str, Any]]:
    by_key = {(x.tax_category, x.tax_percent): x for x in lines.values()}
    totals = rules.tax_totals(
        [((lines[c.line_id].tax_category, lines[c.line_id].tax_percent), c.net, c.tax) for c in credited]
    )
    return [
        queries.tax_total(
            TaxTotal(Tax(*key, by_key[key].tax_label, by_key[key].tax_legal_text), taxable, tax), currency
        )
        for key, (taxable, tax) in totals.items()
    ]


def _settle(uow: Uow, invoice: Invoice, paying: Sequence[Any], note: Invoice) -> None:
    """The invoice is owed less; what is paid beyond that is freed."""
    over = invoice.paid + invoice.bad_debt + invoice.credited + note.total - invoice.total
    if over > invoice.paid:
        raise Conflict(
            "invoice_has_bad_debt", f"Invoice {invoice.number} was given up as a bad debt. Take that back first."
        )
    if over > 0:
        payments.free_of(uow, paying, invoice, over)
    invoice.credited += note.total
    uow.session.flush()


# What a credit note takes off a line, by what is billed of the items behind it; and the items and movements that follow.
_SHARES = """
SELECT c.id AS credit_line, c.net, x.item_id, w.billed FROM invoice_lines c
JOIN invoice_items x ON x.firm_id = c.firm_id AND x.line_id = c.corrects_line_id
JOIN wip_items w ON w.firm_id = x.firm_id AND w.id = x.item_id
WHERE c.firm_id = :firm AND c.invoice_id = :note AND x.live ORDER BY w.id FOR UPDATE OF w"""
_KEEP = """
INSERT INTO invoice_items (firm_id, id, invoice_id, line_id, item_id, standard, billed, live)
SELECT :firm, uuidv7(), :note, t.line_id, t.item_id, 0, t.billed, false
FROM unnest(CAST(:lines AS uuid[]), CAST(:items AS uuid[]), CAST(:amounts AS numeric[])) AS t (line_id, item_id, billed)"""
_LESS = """
WITH less AS (
    SELECT item_id, sum(billed) AS amount FROM invoice_items WHERE firm_id = :firm AND invoice_id = :note GROUP BY item_id HAVING sum(billed) > 0
), moved AS (
    UPDATE wip_items w SET billed = w.billed - less.amount, written_up = greatest(w.written_up - less.amount, 0),
        written_down = w.written_down + less.amount - least(w.written_up, less.amount)
    FROM less WHERE w.firm_id = :firm AND w.id = less.item_id
    RETURNING w.id, w.job_id, w.currency, -less.amount AS billed, new.written_up - old.written_up AS written_up,
              new.written_down - old.written_down AS written_down
)
INSERT INTO wip_movements (firm_id, id, item_id, job_id, currency, kind, amount, invoice_id, reason, actor, at)
SELECT :firm, uuidv7(), m.id, m.job_id, m.currency, f.kind, f.amount, :note, :reason, :actor, :at FROM moved m,
LATERAL (VALUES ('billed', m.billed), ('written_up', m.written_up), ('written_down', m.written_down)) AS f (kind, amount) WHERE f.amount <> 0"""


def _unbill(uow: Uow, invoice: Invoice, note: Invoice, *, rebill: bool) -> None:
    """The work behind the credited lines is billed at less: written down. Or it is unbilled again."""
    values = {"firm": uow.firm_id, "note": note.id, "reason": note.reason, "actor": uow.principal.actor, "at": uow.now}
    by_line: dict[UUID, list[Any]] = {}
    for row in uow.session.execute(text(_SHARES), values):
        by_line.setdefault(row.credit_line, []).append(row)
    shares = [
        (line_id, row.item_id, share)
        for line_id, rows in by_line.items()
        for row, share in zip(rows, money.spread(rows[0].net, [r.billed for r in rows], note.currency), strict=True)
    ]
    lines, items, amounts = ([s[i] for s in shares] for i in range(3))
    uow.session.execute(text(_KEEP), values | {"lines": lines, "items": items, "amounts": amounts})
    if rebill:
        wip.give_back(uow, invoice.id, note.reason)
        uow.session.execute(update(InvoiceItem).where(InvoiceItem.invoice_id == invoice.id).values(live=False))
    else:
        uow.session.execute(text(_LESS), values)
