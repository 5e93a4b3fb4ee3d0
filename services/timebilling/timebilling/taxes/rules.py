"""Tax and totals: per category and percent, rounded once (EN 16931); discounts, prices with tax in them, cash rounding. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from chassis.errors import Invalid
from timebilling.money import ZERO, rounded, spread

# UNCL5305 codes that EN 16931 gives no tax to; the last three must say why (BR-E-10, BR-AE-10, BR-O-10).
WITHOUT_TAX = frozenset({"Z", "E", "AE", "O"})
NEEDS_TEXT = frozenset({"E", "AE"})


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax code's rate on a day."""

    category: str
    percent: Decimal
    label: str
    legal_text: str | None = None


OUTSIDE = Tax("O", ZERO, "No tax")


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """One category and percent of an invoice; `discount` is its part of the document's discount, off `taxable` already."""

    tax: Tax
    taxable: Decimal
    amount: Decimal
    discount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Priced:
    """A line as it is priced: before tax, or with tax in it where the document's prices include tax."""

    amount: Decimal
    discount: Decimal
    tax: Tax


@dataclass(frozen=True, slots=True)
class LineSum:
    """What becomes of a line: its net amount (BT-131), its part of the document's discount, and of its category's tax."""

    net: Decimal
    discount_share: Decimal
    tax: Decimal

    @property
    def taxable(self) -> Decimal:
        return self.net - self.discount_share


@dataclass(frozen=True, slots=True)
class Sums:
    """A document's totals. EN 16931: `lines_net` BT-106, `discount` BT-107, `net` BT-109, `tax` BT-110, `rounding` BT-114, `total` BT-115."""

    lines: list[LineSum]
    taxes: list[TaxTotal]
    lines_net: Decimal
    discount: Decimal
    net: Decimal
    tax: Decimal
    rounding: Decimal
    total: Decimal


def check_code(category: str, percent: Decimal, legal_text: str | None) -> None:
    """Errors (422): `tax_percent_impossible`, `tax_text_missing`."""
    if percent > 100 or (category in WITHOUT_TAX and percent != 0) or (category == "S" and percent == 0):
        raise Invalid("tax_percent_impossible", f"Category {category} can't have {percent} %.", pointer="/percent")
    if category in NEEDS_TEXT and not legal_text:
        raise Invalid(
            "tax_text_missing",
            "Exempt and reverse-charge codes need the legal text that invoices print.",
            pointer="/legal_text",
        )


def totals(lines: Sequence[tuple[Decimal, Tax]], currency: str) -> list[TaxTotal]:
    """Tax per category and percent: round(Σ net × percent) (BR-CO-17); the invoice's tax is their sum (BR-CO-14)."""
    groups: dict[tuple[str, Decimal], list[tuple[Decimal, Tax]]] = {}
    for net, tax in lines:
        groups.setdefault((tax.category, tax.percent), []).append((net, tax))
    return [_total(group, currency) for _, group in sorted(groups.items(), key=lambda g: (-g[0][1], g[0][0]))]


def _total(group: list[tuple[Decimal, Tax]], currency: str) -> TaxTotal:
    first = group[0][1]
    texts = dict.fromkeys(t.legal_text for _, t in group if t.legal_text)
    taxable = sum((net for net, _ in group), ZERO)
    tax = Tax(first.category, first.percent, first.label, " ".join(texts) or None)
    return TaxTotal(tax, taxable, rounded(taxable * first.percent / 100, currency))


def per_line(lines: Sequence[tuple[Decimal, Tax]], currency: str) -> list[Decimal]:
    """Each line's part of its category's tax, for display: the parts sum exactly to it (largest remainder)."""
    parts = [ZERO] * len(lines)
    for total in totals(lines, currency):
        mine = [
            i for i, (_, t) in enumerate(lines) if (t.category, t.percent) == (total.tax.category, total.tax.percent)
        ]
        for i, part in zip(mine, spread(total.amount, [lines[i][0] for i in mine], currency), strict=True):
            parts[i] = part
    return parts


def discount_of(base: Decimal, kind: str | None, value: Decimal | None, currency: str, *, pointer: str) -> Decimal:
    """A discount in money: `percent` of the base, or an `amount`. Errors (422): `discount_over_amount`."""
    if kind is None or value is None:
        return ZERO
    discount = rounded(base * value / 100, currency) if kind == "percent" else value
    if discount > base:
        raise Invalid("discount_over_amount", f"The discount is more than the {base} it is taken off.", pointer=pointer)
    return discount


def sums(
    lines: Sequence[Priced],
    currency: str,
    *,
    inclusive: bool = False,
    discount: Decimal = ZERO,
    cash_step: Decimal | None = None,
) -> Sums:
    """The totals of a document.

    `discount` is the document's, in the terms of its prices; it is spread over the lines by their amounts and so lowers what each
    category taxes (BR-CO-11, BR-S-08). Prices that include tax keep their sum: of each category tax = round(Σ gross × p ÷ (100 + p)).
    `cash_step` rounds what is to be paid to its multiples; the difference is `rounding`.
    """
    prices = [x.amount - x.discount for x in lines]
    shares = spread(discount, prices, currency) if lines else []
    left = [p - s for p, s in zip(prices, shares, strict=True)]
    made = _with_tax_inside(lines, left, prices, discount, currency) if inclusive else None
    if made is None:
        taxed = [(amount, x.tax) for amount, x in zip(left, lines, strict=True)]
        parts = per_line(taxed, currency)
        made = [LineSum(p, s, t) for p, s, t in zip(prices, shares, parts, strict=True)]
    by_category = _totals_of(lines, made)
    net, tax = sum((m.taxable for m in made), ZERO), sum((m.tax for m in made), ZERO)
    rounding = to_step(net + tax, cash_step) - net - tax if cash_step else ZERO
    return Sums(
        made,
        by_category,
        lines_net=sum((m.net for m in made), ZERO),
        discount=sum((m.discount_share for m in made), ZERO),
        net=net,
        tax=tax,
        rounding=rounding,
        total=net + tax + rounding,
    )


def _with_tax_inside(
    lines: Sequence[Priced], left: Sequence[Decimal], prices: Sequence[Decimal], discount: Decimal, currency: str
) -> list[LineSum]:
    taxes = [ZERO] * len(lines)
    for key in {(x.tax.category, x.tax.percent) for x in lines}:
        mine = [i for i, x in enumerate(lines) if (x.tax.category, x.tax.percent) == key]
        whole = tax_inside(sum((left[i] for i in mine), ZERO), key[1], currency)
        for i, part in zip(mine, spread(whole, [left[i] for i in mine], currency), strict=True):
            taxes[i] = part
    made = []
    for x, price, after, tax in zip(lines, prices, left, taxes, strict=True):
        net = after - tax
        before = max(price - tax_inside(price, x.tax.percent, currency), net) if discount else net
        made.append(LineSum(before, before - net, tax))
    return made


def _totals_of(lines: Sequence[Priced], made: Sequence[LineSum]) -> list[TaxTotal]:
    """Per category and percent, the highest first; several codes of one category share their texts."""
    keys = sorted({(x.tax.category, x.tax.percent) for x in lines}, key=lambda k: (-k[1], k[0]))
    found = []
    for key in keys:
        mine = [i for i, x in enumerate(lines) if (x.tax.category, x.tax.percent) == key]
        first = lines[mine[0]].tax
        texts = dict.fromkeys(lines[i].tax.legal_text or "" for i in mine)
        tax = Tax(first.category, first.percent, first.label, " ".join(t for t in texts if t) or None)
        taxable, amount, discount = (
            sum((getattr(made[i], name) for i in mine), ZERO) for name in ("taxable", "tax", "discount_share")
        )
        found.append(TaxTotal(tax, taxable, amount, discount))
    return found


def tax_inside(gross: Decimal, percent: Decimal, currency: str) -> Decimal:
    """The tax in a price that includes it."""
    return rounded(gross * percent / (100 + percent), currency)


def to_step(amount: Decimal, step: Decimal) -> Decimal:
    """The nearest multiple of a step (0.05 for Swiss cash), half up."""
    return (amount / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


@dataclass(frozen=True, slots=True)
class Creditable:
    """An issued line as a credit note sees it: what it billed and what was credited of that already."""

    taxable: Decimal
    tax: Decimal
    percent: Decimal
    credited: Decimal = ZERO
    credited_tax: Decimal = ZERO

    @property
    def rest(self) -> Decimal:
        return self.taxable - self.credited

    @property
    def rest_tax(self) -> Decimal:
        return self.tax - self.credited_tax


def credit(line: Creditable, amount: Decimal, currency: str, *, inclusive: bool) -> tuple[Decimal, Decimal]:
    """(net, tax) of a credit of `amount`, in the terms of the invoice's prices; the last part takes exactly what is left.

    So the parts never come to more than the line, whatever they round to. `amount` is at most what is left.
    """
    if amount == line.rest + (line.rest_tax if inclusive else ZERO):
        return line.rest, line.rest_tax
    if not inclusive:
        return amount, min(rounded(amount * line.percent / 100, currency), line.rest_tax)
    tax = min(tax_inside(amount, line.percent, currency), line.rest_tax)
    net = min(amount - tax, line.rest)
    return net, amount - net
