"""What drafts are made of: WIP items, the lines they stand behind, and the totals of it all."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm.attributes import flag_modified

from chassis.db import new_id
from chassis.errors import Conflict, Invalid, NotFound
from chassis.uow import Uow
from timebilling import money
from timebilling.copies.tables import ClientCopy, JobCopy
from timebilling.copies.usecases import today
from timebilling.firm_settings.usecases import for_billing as firm_settings
from timebilling.invoices import queries, rules
from timebilling.invoices.rules import Item
from timebilling.invoices.tables import Invoice, InvoiceItem, InvoiceLine
from timebilling.money import ZERO
from timebilling.taxes import rules as tax_rules
from timebilling.taxes import usecases as taxes
from timebilling.taxes.rules import Priced
from timebilling.time_entries.rules import PER_TASK, Rounding

# --- items ------------------------------------------------------------------------------------------------------------

# What a draft is made of is what work is carried at: its standard value, unless it was written up or down.
_ITEM = """
SELECT w.id, w.client_id, w.job_id, coalesce(j.title, '') AS job_title, w.activity_id, a.name AS activity_name,
       coalesce(s.name, '') AS staff_name, w.day, coalesce(e.narrative, d.description, '') AS narrative, w.billable_seconds,
       w.remaining AS standard, w.remaining = w.standard AS untouched, w.currency, w.state, w.kind, g.id AS arrangement_id, g.kind AS terms,
       e.task_id, t.title AS task_title, e.bill_rate AS rate, e.rounding
FROM wip_items w JOIN client_copy c ON c.firm_id = w.firm_id AND c.id = w.client_id
LEFT JOIN time_entries e ON e.firm_id = w.firm_id AND e.id = w.id
LEFT JOIN disbursements d ON w.kind = 'disbursement' AND d.firm_id = w.firm_id AND d.id = w.id
LEFT JOIN job_copy j ON j.firm_id = w.firm_id AND j.id = w.job_id
LEFT JOIN arrangements g ON g.firm_id = j.firm_id AND g.id = j.engagement_id
LEFT JOIN activities a ON a.firm_id = w.firm_id AND a.id = w.activity_id
LEFT JOIN staff_copy s ON s.firm_id = w.firm_id AND s.id = w.staff_id
LEFT JOIN task_copy t ON t.firm_id = e.firm_id AND t.id = e.task_id
WHERE w.firm_id = :firm"""
_LOCKED = "ORDER BY w.id FOR UPDATE OF w"
# Work of a fixed, recurring, milestone or contingent engagement is covered by its fee: it goes on no draft of time.
_BY_TIME = "AND (g.kind IS NULL OR g.kind IN ('hourly', 'capped', 'retainer') OR w.kind = 'disbursement')"


def open_items(uow: Uow, of: ClientCopy, job_ids: Sequence[UUID], until: date | None) -> tuple[list[Item], str]:
    """A client's unbilled items (of these jobs, up to a day), locked, and their currency.

    Errors: `job_not_found` (404), `nothing_to_bill` (409), `mixed_currencies`, `currency_unknown` (422).
    """
    for job_id in job_ids:
        job = uow.session.get(JobCopy, (uow.firm_id, job_id))
        if job is None or job.client_id != of.id:
            raise NotFound("job_not_found", "The client has no such job.", pointer="/job_ids")
    conditions = "AND w.client_id = :client AND w.state = 'unbilled'"
    conditions += " AND w.job_id = ANY(:jobs)" if job_ids else ""
    conditions += " AND w.day <= :until" if until else ""
    conditions += f" {_BY_TIME}"
    conditions += " AND (w.carried_until IS NULL OR w.carried_until < :today)"
    rows = uow.session.execute(
        text(f"{_ITEM} {conditions} {_LOCKED}"),
        {"firm": uow.firm_id, "client": of.id, "jobs": list(job_ids), "until": until, "today": today(uow)},
    ).all()
    # Work from before the client changed currency is billed by naming it: a draft has one currency.
    rows = [r for r in rows if r.currency == of.currency] or list(rows)
    if not rows:
        raise Conflict("nothing_to_bill", "There is no unbilled work to put on this draft.")
    currency = _currency(rows)
    return _items(rows, currency), currency


def named_items(uow: Uow, of: ClientCopy, ids: Sequence[UUID]) -> tuple[list[Item], str]:
    """The named items, all of them to be billed, locked, and their currency. Errors: those of `usecases.create_draft`."""
    rows = uow.session.execute(
        text(f"{_ITEM} AND w.id = ANY(:ids) AND w.state <> 'withdrawn' {_LOCKED}"),
        {"firm": uow.firm_id, "ids": list(ids)},
    ).all()
    found = {r.id: r for r in rows}
    missing = [i for i in ids if i not in found]
    entries = _entries(uow, missing)
    for place, id in enumerate(ids):
        pointer = f"/item_ids/{place}"
        if id in found:
            _check_item(of, found[id].client_id, ("approved", True, found[id].state), pointer)
            if found[id].kind == "time" and found[id].terms not in (None, "hourly", "capped", "retainer"):
                message = f"This work is covered by the fee of its engagement ({found[id].terms}): bill that."
                raise Conflict("item_under_arrangement", message, pointer=pointer)
        elif id in entries:
            _check_item(of, entries[id].client_id, (entries[id].status, entries[id].billable, None), pointer)
        else:
            raise NotFound("time_entry_not_found", "There is no such time entry.", pointer=pointer)
    currency = _currency(rows)
    return _items(rows, currency), currency


def arrangement_items(uow: Uow, arrangement_id: UUID, currency: str, until: date | None) -> list[Item]:
    """The unbilled work of an engagement's jobs (up to a day), locked: what its fee is for. Disbursements are billed by themselves."""
    rows = uow.session.execute(
        text(
            f"{_ITEM} AND g.id = :arrangement AND w.state = 'unbilled' AND w.kind = 'time' AND w.currency = :currency "
            f"AND (CAST(:until AS date) IS NULL OR w.day <= :until) {_LOCKED}"
        ),
        {"firm": uow.firm_id, "arrangement": arrangement_id, "currency": currency, "until": until},
    ).all()
    return _items(rows, currency)


def items_on(uow: Uow, invoice: Invoice) -> dict[UUID, list[Item]]:
    """A draft's items by line."""
    rows = uow.session.execute(
        text(
            _ITEM.replace("SELECT w.id,", "SELECT x.line_id, w.id,").replace(
                "WHERE", "JOIN invoice_items x ON x.firm_id = w.firm_id AND x.item_id = w.id AND x.live WHERE"
            )
            + " AND x.invoice_id = :invoice"
        ),
        {"firm": uow.firm_id, "invoice": invoice.id},
    ).all()
    line_of = {r.id: r.line_id for r in rows}
    found: dict[UUID, list[Item]] = {}
    for item in _items(rows, invoice.currency):
        found.setdefault(line_of[item.id], []).append(item)
    return found


def _entries(uow: Uow, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Entries and disbursements that are no WIP (yet), to say of each why not."""
    if not ids:
        return {}
    rows = uow.session.execute(
        text(
            "SELECT e.id, e.client_id, e.status, e.billable FROM (SELECT firm_id, id, client_id, status, billable FROM time_entries "
            "UNION ALL SELECT firm_id, id, client_id, status, billable FROM disbursements) e "
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


def _items(rows: Iterable[Any], currency: str) -> list[Item]:
    """Rows as items, in the order in which lines are made of them; rounded where that is per task."""
    items = [
        Item(
            r.id,
            r.job_id,
            r.job_title,
            r.activity_id,
            r.activity_name,
            r.staff_name,
            r.day,
            r.narrative,
            r.billable_seconds,
            r.standard,
            r.kind,
            r.arrangement_id,
            task_id=r.task_id,
            task_title=r.task_title,
            rate=r.rate,
            rounding=Rounding.of(r.rounding) if r.rounding else None,
            untouched=r.untouched,
        )
        for r in rows
    ]
    ordered = sorted(items, key=lambda i: (i.job_title, i.job_id, i.activity_name or "", i.day, i.id))
    return rules.rounded_per_task(ordered, currency)


def _currency(rows: Sequence[Any]) -> str:
    currencies = {r.currency for r in rows}
    if len(currencies) > 1:
        raise Invalid(
            "mixed_currencies", f"This work is in {', '.join(sorted(currencies))}. Bill one currency at a time."
        )
    currency = str(currencies.pop())
    money.exponent(currency)
    return currency


# --- lines ------------------------------------------------------------------------------------------------------------


def put_work(
    uow: Uow,
    invoice: Invoice,
    made: Sequence[rules.Line],
    tax_code_id: UUID | None,
    *,
    amounts: Sequence[Decimal] | None = None,
    reasons: Sequence[str | None] | None = None,
    first: int = 1,
) -> list[InvoiceLine]:
    """Puts lines and the items behind them on a draft and reserves the items; at what they are worth unless told otherwise."""
    said = reasons or [line.why if amounts is None else None for line in made]
    lines = [
        new_line(
            invoice,
            place,
            kind=line.kind,
            job_id=line.job_id,
            description=line.description,
            quantity=line.quantity,
            unit=line.unit,
            standard=line.standard,
            amount=line.worth if amounts is None else amounts[place - first],
            reason=said[place - first],
            tax_code_id=line.tax_code_id or tax_code_id,
            arrangement_id=line.arrangement_id,
        )
        for place, line in enumerate(made, first)
    ]
    uow.session.add_all(lines)
    uow.session.flush()
    pairs = [(item.id, row.id) for row, line in zip(lines, made, strict=True) for item in line.items]
    uow.session.execute(
        text(
            """WITH reserved AS (
                UPDATE wip_items w SET state = 'reserved', invoice_id = :invoice
                FROM unnest(CAST(:ids AS uuid[]), CAST(:line_ids AS uuid[])) AS t (item_id, line_id)
                WHERE w.firm_id = :firm AND w.id = t.item_id RETURNING w.id, w.remaining, t.line_id
            )
            INSERT INTO invoice_items (firm_id, id, invoice_id, line_id, item_id, standard, billed, live)
            SELECT :firm, uuidv7(), :invoice, r.line_id, r.id, r.remaining, r.remaining, true FROM reserved r"""
        ),
        {"ids": [p[0] for p in pairs], "line_ids": [p[1] for p in pairs], "firm": uow.firm_id, "invoice": invoice.id},
    )
    return lines


def new_line(invoice: Invoice, position: int, **facts: Any) -> InvoiceLine:
    """A line whose net amount and tax are for `total_up` to say."""
    outside = tax_rules.OUTSIDE
    known = {
        "id": new_id(),
        "net": facts["amount"],
        "tax_category": outside.category,
        "tax_percent": ZERO,
        "tax_label": outside.label,
        "tax_legal_text": None,
        "tax": ZERO,
        "discount": ZERO,
        "discount_share": ZERO,
        "drawn": ZERO,
        "credited": ZERO,
        "credited_tax": ZERO,
    }
    return InvoiceLine(invoice_id=invoice.id, position=position, **(known | facts))


def lines_of(uow: Uow, invoice: Invoice) -> list[InvoiceLine]:
    return queries.lines_of(uow, invoice)


def line_of(lines: Sequence[InvoiceLine], line_id: UUID) -> InvoiceLine:
    for line in lines:
        if line.id == line_id:
            return line
    raise NotFound("invoice_line_not_found", "This draft has no such line.")


def take_off(uow: Uow, lines: Sequence[InvoiceLine], *, release: bool = True) -> None:
    """Takes lines off a draft; their work is unbilled again (unless it moves to other lines of the same draft)."""
    ids = [x.id for x in lines]
    if release:
        uow.session.execute(
            text(
                "UPDATE wip_items w SET state = 'unbilled', invoice_id = NULL FROM invoice_items x "
                "WHERE x.firm_id = :firm AND x.line_id = ANY(:lines) AND w.firm_id = x.firm_id AND w.id = x.item_id"
            ),
            {"firm": uow.firm_id, "lines": ids},
        )
    uow.session.execute(
        text("DELETE FROM invoice_items WHERE firm_id = :firm AND line_id = ANY(:lines)"),
        {"firm": uow.firm_id, "lines": ids},
    )
    for line in lines:
        uow.session.delete(line)
    uow.session.flush()


def round_again(
    uow: Uow, invoice: Invoice, lines: Sequence[InvoiceLine], before: Mapping[UUID, Sequence[Item]]
) -> None:
    """After work was taken off a draft: what is left of each task is rounded anew, on lines that nobody has priced otherwise."""
    if not any(i.rounding and i.rounding.per == PER_TASK for items in before.values() for i in items):
        return
    now = items_on(uow, invoice)
    for line in lines:
        was = rules.Line(line.job_id, line.description, list(before.get(line.id, [])))
        left = rules.Line(line.job_id, line.description, now.get(line.id, []))
        if line.kind != rules.WORK or was.items == left.items:
            continue
        line.quantity = left.quantity
        if line.amount == was.worth:
            line.amount, line.reason = left.worth, left.why


def price(lines: Sequence[InvoiceLine], amount: Decimal, reason: str | None, currency: str, inclusive: bool) -> None:
    """Prices these lines at an amount together, each by its share of the standard value; says why."""
    if not lines:
        raise Conflict("invoice_empty", "There is no work on this draft to bill.")
    standards = [x.standard for x in lines]
    # With tax in them, prices are never simply the standard values, which have none: somebody says why.
    target = rules.bill_at(amount, standards, currency, reason)
    for line, share in zip(lines, target, strict=True):
        line.amount = share
        line.reason = None if not inclusive and share == line.standard else reason or line.reason


# --- totals -----------------------------------------------------------------------------------------------------------


def total_up(uow: Uow, invoice: Invoice, lines: Sequence[InvoiceLine], day: date) -> None:
    """Discounts, the tax of every line by the rates of a day, and the invoice's totals; counts the invoice's version up.

    Errors: `tax_rate_missing`, `discount_over_amount` (422).
    """
    currency = invoice.currency
    by_code = taxes.on(uow, {x.tax_code_id for x in lines}, day)
    for place, line in enumerate(lines):
        line.discount = tax_rules.discount_of(
            line.amount, line.discount_kind, line.discount_value, currency, pointer=f"/lines/{place}/discount"
        )
    base = sum((x.amount - x.discount for x in lines), ZERO)
    off = tax_rules.discount_of(base, invoice.discount_kind, invoice.discount_value, currency, pointer="/discount")
    step = firm_settings(uow).cash_rounding.get(currency)
    made = tax_rules.sums(
        [Priced(x.amount, x.discount, by_code[x.tax_code_id]) for x in lines],
        currency,
        inclusive=invoice.tax_inclusive,
        discount=off,
        cash_step=Decimal(step) if step else None,
    )
    for line, sum_ in zip(lines, made.lines, strict=True):
        tax = by_code[line.tax_code_id]
        line.tax_category, line.tax_percent, line.tax_label, line.tax_legal_text = (
            tax.category,
            tax.percent,
            tax.label,
            tax.legal_text,
        )
        line.net, line.discount_share, line.tax = sum_.net, sum_.discount_share, sum_.tax
        if invoice.tax_inclusive and line.net != line.standard and not line.reason:
            line.reason = "The price includes tax"
    invoice.standard = sum((x.standard for x in lines), ZERO)
    for name in ("lines_net", "discount", "net", "tax", "rounding", "total"):
        setattr(invoice, name, getattr(made, name))
    invoice.taxes = [queries.tax_total(t, currency) for t in made.taxes]
    flag_modified(invoice, "note")
    uow.session.flush()
    _share_out(uow, invoice, lines)


def _share_out(uow: Uow, invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    """Bills the items behind every line at what the line comes to, after discounts and with what was billed in advance."""
    rows = uow.session.execute(
        text(
            "SELECT line_id, sum(billed) AS billed FROM invoice_items WHERE firm_id = :firm AND invoice_id = :invoice GROUP BY line_id"
        ),
        {"firm": uow.firm_id, "invoice": invoice.id},
    )
    billed = {r.line_id: r.billed for r in rows}
    wanted = {x.id: x.taxable + x.drawn for x in lines if x.id in billed and x.taxable + x.drawn != billed[x.id]}
    if not wanted:
        return
    found: dict[UUID, list[Any]] = {}
    for item in uow.session.execute(
        select(InvoiceItem.id, InvoiceItem.line_id, InvoiceItem.standard)
        .where(InvoiceItem.firm_id == uow.firm_id, InvoiceItem.line_id.in_(wanted))
        .order_by(InvoiceItem.line_id, InvoiceItem.item_id)
    ):
        found.setdefault(item.line_id, []).append(item)
    shares = [
        (item.id, share)
        for line_id, items in found.items()
        for item, share in zip(
            items, money.spread(wanted[line_id], [i.standard for i in items], invoice.currency), strict=True
        )
    ]
    uow.session.execute(
        text(
            "UPDATE invoice_items x SET billed = t.billed FROM unnest(CAST(:ids AS uuid[]), CAST(:amounts AS numeric[])) AS t (id, billed) "
            "WHERE x.firm_id = :firm AND x.id = t.id"
        ),
        {"ids": [i for i, _ in shares], "amounts": [a for _, a in shares], "firm": uow.firm_id},
    )


def facts_of(lines: Sequence[InvoiceLine]) -> list[Mapping[str, Any]]:
    """What the audit keeps of lines."""
    return [
        {"description": x.description, "amount": str(x.amount), "net": str(x.net), "reason": x.reason} for x in lines
    ]
