"""Foreign money in the firm's own, and what the way of its rate gains or loses. Pure."""

from decimal import Decimal

from chassis.errors import Invalid
from timebilling.money import exponent, rounded


def check_rate(currency: str, own: str, rate: Decimal) -> None:
    """Errors (422): `currency_unknown`, `exchange_rate_of_own_currency`, `exchange_rate_not_positive`."""
    exponent(currency)
    if currency == own:
        raise Invalid("exchange_rate_of_own_currency", f"{own} is the firm's own currency.", pointer="/currency")
    if rate <= 0:
        raise Invalid("exchange_rate_not_positive", "A rate is more than zero.", pointer="/rate")


def difference(paid: Decimal, then: Decimal, now: Decimal, own: str) -> Decimal:
    """What a debt's paid part brought more (or, negative, less) in the firm's currency than was booked at its issue."""
    return rounded(paid * now, own) - rounded(paid * then, own)
