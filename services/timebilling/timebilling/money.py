"""Amounts of money: decimals with a currency's own number of places. Pure."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from iso4217 import Currency

from chassis.errors import Invalid

ZERO = Decimal(0)


@cache
def exponent(currency: str) -> int:
    """How many decimal places a currency has (ISO 4217: GBP 2, JPY 0, KWD 3). Errors: `currency_unknown` (422).

    Codes that are no money to bill in (gold, test codes) have no exponent and count as unknown.
    """
    try:
        places = Currency(currency.upper()).exponent if currency.isupper() else None
    except ValueError:
        places = None
    if places is None:
        raise Invalid(
            "currency_unknown", f"{currency} is not a currency of ISO 4217 that can be billed in.", currency=currency
        )
    return places


def quantum(currency: str) -> Decimal:
    """The currency's smallest amount, e.g. 0.01."""
    return Decimal(1).scaleb(-exponent(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units, half away from zero (what accountants call half up)."""
    return amount.quantize(quantum(currency), rounding=ROUND_HALF_UP)


def parse(
    value: dict[str, Any], *, pointer: str, currency: str | None = None, negative: bool = False
) -> tuple[Decimal, str]:
    """Amount and currency of a `Money` of the API.

    Errors (422): `currency_unknown`; `currency_mismatch` if another than `currency`; `amount_precision` with more decimals than
    the currency has; `amount_negative`.
    """
    code = str(value["currency"])
    if currency is not None and code != currency:
        raise Invalid("currency_mismatch", f"The amount must be in {currency}.", pointer=f"{pointer}/currency")
    amount = Decimal(str(value["amount"]))
    if amount != rounded(amount, code):
        raise Invalid("amount_precision", f"{code} has {exponent(code)} decimal places.", pointer=f"{pointer}/amount")
    if amount < 0 and not negative:
        raise Invalid("amount_negative", "The amount can't be below zero.", pointer=f"{pointer}/amount")
    return rounded(amount, code), code


def plain(value: Decimal) -> str:
    """20 rather than 20.0000 or 2E+1."""
    return f"{value.normalize():f}"


def view(amount: Decimal | int, currency: str) -> dict[str, str]:
    """The amount as the API's `Money`."""
    return {"amount": str(rounded(Decimal(amount), currency)), "currency": currency}


def spread(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Splits `total` in proportion to `weights` (none negative) so that the parts sum exactly to it.

    Largest-remainder method in smallest units; of equal remainders the earlier gets the unit. Weights that are all zero
    split evenly. Two parts never differ from their exact share by a whole unit.
    """
    places = exponent(currency)
    sign = -1 if total < 0 else 1
    parts = spread_units(int(abs(total).scaleb(places)), [int(w.scaleb(places)) for w in weights])
    return [Decimal(sign * p).scaleb(-places) for p in parts]


def spread_units(units: int, weights: Sequence[int]) -> list[int]:
    """`spread` of whole units: cents, or seconds."""
    if not weights:
        raise ValueError("nothing to spread over")
    if any(w < 0 for w in weights):
        raise ValueError("a negative weight")
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    parts = [units * w // whole for w in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(units * weights[i] % whole), i))
    for i in by_remainder[: units - sum(parts)]:
        parts[i] += 1
    return parts
