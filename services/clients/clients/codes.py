"""Codes the world agrees on: currencies (ISO 4217), countries (ISO 3166-1), languages (ISO 639-1)."""

from decimal import Decimal, InvalidOperation
from functools import cache

import pycountry
from iso4217 import Currency

from chassis.errors import Invalid

# Codes for metals, testing and the like have no decimals of their own and are no money one can bill in.
_DECIMALS: dict[str, int] = {c.code: c.exponent for c in Currency if c.exponent is not None}
_MOST = Decimal(10) ** 12


@cache
def _countries() -> frozenset[str]:
    return frozenset(c.alpha_2 for c in pycountry.countries)


@cache
def _languages() -> frozenset[str]:
    return frozenset(c.alpha_2 for c in pycountry.languages if hasattr(c, "alpha_2"))


def currency(code: str, pointer: str = "/currency") -> str:
    """The code, if it is a currency. Errors: `unknown_currency`."""
    if code not in _DECIMALS:
        raise Invalid(
            "unknown_currency", f"{code} is not a currency. Use an ISO 4217 code, such as GBP.", pointer=pointer
        )
    return code


def country(code: str, pointer: str = "/country") -> str:
    """The code, if it is a country. Errors: `unknown_country`."""
    if code not in _countries():
        raise Invalid(
            "unknown_country", f"{code} is not a country. Use an ISO 3166-1 code, such as GB.", pointer=pointer
        )
    return code


def language(tag: str, pointer: str = "/language") -> str:
    """The tag, if its language and region exist. Errors: `unknown_language`."""
    base, _, region = tag.partition("-")
    if base not in _languages() or (region and region not in _countries()):
        raise Invalid("unknown_language", f"{tag} is not a language. Use a tag such as en or en-GB.", pointer=pointer)
    return tag


def money(amount: str, code: str, pointer: str) -> Decimal:
    """A positive amount in the currency's own decimals. Errors: `unknown_currency`, `amount_invalid`."""
    decimals = _DECIMALS[currency(code, f"{pointer}/currency")]
    try:
        value = Decimal(amount)
        exact = value.quantize(Decimal(1).scaleb(-decimals))
    except InvalidOperation:
        value = exact = Decimal(0)
    if value != exact or not 0 < value < _MOST:
        raise Invalid(
            "amount_invalid",
            f"The amount must be above zero, with at most {decimals} decimals in {code}.",
            pointer=f"{pointer}/amount",
        )
    return exact


def decimals(code: str) -> int:
    """How many decimals an amount of the currency has."""
    return _DECIMALS[code]


def shown(amount: Decimal, code: str) -> str:
    """An amount as text, with the currency's own number of decimals: "1200.00"."""
    return f"{amount:.{_DECIMALS[code]}f}"
