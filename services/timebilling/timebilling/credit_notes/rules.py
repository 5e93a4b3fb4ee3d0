"""Credit notes: what of an invoice is credited, to the cent, and what that makes of the work behind it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from chassis.errors import Conflict, Invalid
from timebilling.money import ZERO, spread
from timebilling.taxes.rules import Creditable, credit


@dataclass(frozen=True, slots=True)
class Credited:
    """What a credit note takes off a line."""

    line_id: UUID
    amount: Decimal  # in the terms of the invoice's prices
    net: Decimal
    tax: Decimal


def whole_rest(lines: Mapping[UUID, Creditable], inclusive: bool) -> dict[UUID, Decimal]:
    """What is left of every line."""
    return {i: _left(x, inclusive) for i, x in lines.items()}


def part(lines: Mapping[UUID, Creditable], amount: Decimal, currency: str, inclusive: bool) -> dict[UUID, Decimal]:
    """An amount of the whole invoice, spread over what is left of its lines. Errors: `credit_over_invoice` (409)."""
    left = whole_rest(lines, inclusive)
    if amount > sum(left.values(), ZERO):
        raise _over(sum(left.values(), ZERO), currency, "/amount")
    return dict(zip(left, spread(amount, list(left.values()), currency), strict=True))


def credits(
    lines: Mapping[UUID, Creditable], wanted: Mapping[UUID, Decimal], currency: str, inclusive: bool, pointer: str
) -> list[Credited]:
    """What is credited of each wanted line: net and tax, never more than is left.

    Errors: `credit_over_invoice` (409), `credit_not_positive` (422).
    """
    made = []
    for place, (line_id, amount) in enumerate(wanted.items()):
        line = lines[line_id]
        if amount > _left(line, inclusive):
            raise _over(_left(line, inclusive), currency, f"{pointer}/{place}")
        net, tax = credit(line, amount, currency, inclusive=inclusive)
        if net or tax:
            made.append(Credited(line_id, amount, net, tax))
    if not made:
        raise Invalid("credit_not_positive", "A credit note takes off more than nothing.", pointer=pointer)
    return made


def _left(line: Creditable, inclusive: bool) -> Decimal:
    return line.rest + (line.rest_tax if inclusive else ZERO)


def _over(left: Decimal, currency: str, pointer: str) -> Conflict:
    return Conflict("credit_over_invoice", f"There is {left} {currency} left to credit.", pointer=pointer)


def tax_totals(
    credited: Sequence[tuple[tuple[str, Decimal], Decimal, Decimal]],
) -> dict[tuple[str, Decimal], tuple[Decimal, Decimal]]:
    """(taxable, tax) by (category, percent), the highest percent first. What a credit note's lines take off sums to its totals."""
    found: dict[tuple[str, Decimal], tuple[Decimal, Decimal]] = {}
    for key, net, tax in sorted(credited, key=lambda c: (-c[0][1], c[0][0])):
        taxable, amount = found.get(key, (ZERO, ZERO))
        found[key] = (taxable + net, amount + tax)
    return found
