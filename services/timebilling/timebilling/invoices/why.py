"""Why the figures of an invoice are what they are: each with its rule, what dates that rule, and what went into it. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from timebilling import money
from timebilling.invoices import rules
from timebilling.invoices.tables import Invoice, InvoiceLine

Figure = dict[str, Any]
# Of a tax code: its name, and the first day of the rate that held.
Dated = tuple[str, date | None]


def of(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    items: Mapping[UUID, Sequence[Any]],
    codes: Mapping[UUID, Dated],
    interest: Collection[UUID],
    rate_of: date | None,
) -> dict[str, Any]:
    """The figures of a document, drafts included. `items` are its WIP items by line (id, standard, billed), `interest` the lines that are
    that, `rate_of` the day the exchange rate was set for.
    """
    return {
        "lines": [_line(invoice, x, items.get(x.id, ()), x.id in interest) for x in lines],
        "discount": _discount(invoice),
        "taxes": [_tax(invoice, t, lines, codes) for t in invoice.taxes],
        "rounding": _rounding(invoice),
        "total": _total(invoice),
        "exchange": _exchange(invoice, rate_of),
    }


def _figure(amount: Decimal | str, says: str, rule: str, inputs: Mapping[str, Any], version: str = "1") -> Figure:
    return {"figure": str(amount), "says": says, "rule": rule, "version": version, "inputs": dict(inputs)}


# --- a line -----------------------------------------------------------------------------------------------------------


def _line(invoice: Invoice, line: InvoiceLine, items: Sequence[Any], interest: bool) -> dict[str, Any]:
    currency = invoice.currency
    shown = [
        {"id": i.item_id, "standard": money.view(i.standard, currency), "billed": money.view(i.billed, currency)}
        for i in items
    ]
    return {
        "id": line.id,
        "amount": _amount(invoice, line, interest),
        "net": _net(invoice, line),
        "tax": _line_tax(invoice, line),
        "items": shown,
    }


def _amount(invoice: Invoice, line: InvoiceLine, interest: bool) -> Figure:
    """What the line is priced at."""
    currency = invoice.currency
    amount, standard = (money.view(x, currency)["amount"] for x in (line.amount, line.standard))
    inputs = {"standard": standard, "quantity": str(line.quantity), "unit": line.unit, "reason": line.reason or ""}
    if line.corrects_line_id is not None:
        return _figure(amount, "what is credited of the line it corrects", "credit", inputs)
    if line.kind == rules.FEE:
        rule = "interest" if interest else "arrangement" if line.arrangement_id else "fee"
        words = {"interest": line.description, "arrangement": "the fee as it was agreed", "fee": "a charge of its own"}
        if line.drawn:
            fee, drawn = (money.view(x, currency)["amount"] for x in (line.amount + line.drawn, line.drawn))
            return _figure(amount, f"{currency} {fee} less {drawn} billed in advance", rule, inputs | {"drawn": drawn})
        return _figure(amount, words[rule], rule, inputs)
    if line.amount == line.standard:
        work = "the cost with its markup" if line.kind == rules.DISBURSEMENT else f"{line.quantity} h as carried in WIP"
        return _figure(amount, work, "standard_value", inputs)
    if invoice.tax_inclusive:
        return _figure(amount, f"a price with tax in it, for work of {currency} {standard}", "price", inputs)
    rule = "written_down" if line.amount < line.standard else "written_up"
    by = money.view(abs(line.amount - line.standard), currency)["amount"]
    says = f"{currency} {standard}, {rule.replace('_', ' ')} by {by}: {line.reason or 'no reason given'}"
    return _figure(amount, says, rule, inputs)


def _net(invoice: Invoice, line: InvoiceLine) -> Figure:
    """The line before tax: what is priced, less its own discount, less the tax in it."""
    currency = invoice.currency
    amount, discount, net = (money.view(x, currency)["amount"] for x in (line.amount, line.discount, line.net))
    inside = money.view(line.amount - line.discount - line.net, currency)["amount"]
    says = f"{currency} {amount}"
    if line.discount:
        says += f" less {_given(line, currency)}"
    if invoice.tax_inclusive:
        says += f" less {inside} tax in it"
    inputs = {"amount": amount, "discount": discount, "tax_inside": inside if invoice.tax_inclusive else "0"}
    return _figure(net, says, "BT-131", inputs)


def _line_tax(invoice: Invoice, line: InvoiceLine) -> Figure:
    """The line's part of its category's tax: shown, never added up anew."""
    currency = invoice.currency
    tax, taxable = (money.view(x, currency)["amount"] for x in (line.tax, line.taxable))
    percent = money.plain(line.tax_percent)
    inputs = {"taxable": taxable, "percent": percent, "category": line.tax_category}
    if line.corrects_line_id is not None:
        return _figure(tax, f"{percent} % of {taxable}, at most what is left of the line's", "credit", inputs)
    says = (
        f"its part of the {line.tax_label} of {percent} %: {currency} {taxable} of what that taxes, largest remainder"
    )
    return _figure(tax, says, "largest_remainder", inputs)


# --- the whole --------------------------------------------------------------------------------------------------------


def _discount(invoice: Invoice) -> Figure | None:
    if not invoice.discount_kind:
        return None
    currency = invoice.currency
    off = money.view(invoice.discount, currency)["amount"]
    says = f"{_given(invoice, currency)}, spread over the lines by their amounts"
    inputs = {"kind": invoice.discount_kind, "value": money.plain(invoice.discount_value or money.ZERO)}
    return _figure(off, says, "BR-CO-11", inputs)


def _tax(
    invoice: Invoice, total: Mapping[str, Any], lines: Sequence[InvoiceLine], codes: Mapping[UUID, Dated]
) -> Figure:
    """The tax of a category and percent: rounded once."""
    percent, taxable, tax = total["percent"], total["taxable"]["amount"], total["tax"]["amount"]
    category, currency = total["category"], invoice.currency
    mine = [x for x in lines if (x.tax_category, money.plain(x.tax_percent)) == (category, percent)]
    used = {codes[x.tax_code_id] for x in mine if x.tax_code_id is not None and x.tax_code_id in codes}
    dated = ", ".join(f"{code} of {first}" if first else code for code, first in sorted(used, key=str))
    inputs = {"taxable": taxable, "percent": percent, "category": category, "legal_text": total["legal_text"] or ""}
    if invoice.kind == rules.CREDIT_NOTE:
        return _figure(tax, "the tax of what is credited, line by line", "credit", inputs, dated or "1")
    if invoice.tax_inclusive:
        gross = money.view(Decimal(taxable) + Decimal(tax), currency)["amount"]
        says = f"{currency} {gross} with tax in it × {percent} ÷ {money.plain(100 + Decimal(percent))}, rounded half up"
        return _figure(tax, says, "tax_inside", inputs | {"gross": gross}, dated or "1")
    says = f"{currency} {taxable} × {percent} %, rounded half up"
    if category not in ("S", "Z"):
        says = f"no tax on {currency} {taxable}: {total['legal_text'] or total['label']}"
    return _figure(tax, says, "BR-CO-17", inputs, dated or "1")


def _rounding(invoice: Invoice) -> Figure | None:
    if not invoice.rounding:
        return None
    rounding, total = (money.view(x, invoice.currency)["amount"] for x in (invoice.rounding, invoice.total))
    exact = money.view(invoice.total - invoice.rounding, invoice.currency)["amount"]
    inputs = {"exact": exact, "rounded": total}
    if invoice.kind == rules.CREDIT_NOTE:
        return _figure(rounding, "the invoice's, taken along by the last of its credits", "credit", inputs)
    return _figure(rounding, f"{exact} to what can be paid in cash: {total}", "cash_rounding", inputs)


def _total(invoice: Invoice) -> Figure:
    names = ("lines_net", "discount", "net", "tax", "rounding")
    inputs = {n: money.view(getattr(invoice, n), invoice.currency)["amount"] for n in names}
    says = f"{inputs['net']} before tax and {inputs['tax']} tax"
    if invoice.rounding:
        says += f", rounded by {inputs['rounding']}"
    return _figure(money.view(invoice.total, invoice.currency)["amount"], says, "BR-CO-16", inputs)


def _exchange(invoice: Invoice, rate_of: date | None) -> Figure | None:
    if invoice.exchange_rate is None or invoice.base_currency is None:
        return None
    rate, own = money.plain(invoice.exchange_rate), invoice.base_currency
    says = f"{invoice.currency} 1 costs {own} {rate}" + (f": the rate of {rate_of}" if rate_of else "")
    inputs = {"currency": invoice.currency, "base_currency": own, "issued_on": str(invoice.issued_on)}
    return _figure(rate, says, "rate_of_the_day", inputs, str(rate_of or "1"))


def _given(of_: Invoice | InvoiceLine, currency: str) -> str:
    """A discount in the words it was given in."""
    value = of_.discount_value or money.ZERO
    if of_.discount_kind == "percent":
        off = money.view(of_.discount, currency)["amount"]
        return f"{money.plain(value)} % ({off}): {of_.discount_reason or ''}"
    return f"{money.view(value, currency)['amount']}: {of_.discount_reason or ''}"
