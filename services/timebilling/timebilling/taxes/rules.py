"""Tax: per category and percent, rounded once (EN 16931). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

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
    """One category and percent of an invoice."""

    tax: Tax
    taxable: Decimal
    amount: Decimal


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
