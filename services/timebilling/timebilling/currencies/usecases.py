"""Rates of exchange: setting them, the rate of a day, and posting what a payment gained or lost by their way."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.errors import Invalid
from chassis.uow import Uow
from timebilling.copies.usecases import firm
from timebilling.currencies import rules
from timebilling.currencies.tables import ExchangeRate
from timebilling.invoices.tables import Invoice
from timebilling.ledger import rules as ledger_rules
from timebilling.ledger import usecases as ledger


def set_rate(uow: Uow, currency: str, day: date, rate: Decimal) -> ExchangeRate:
    """The rate from a day on, until that of a later day; set again for the same day it is corrected. Errors: `rules.check_rate`."""
    rules.check_rate(currency, firm(uow).currency, rate)
    found = uow.session.scalars(
        select(ExchangeRate).where(ExchangeRate.currency == currency, ExchangeRate.day == day).with_for_update()
    ).first()
    before = {"rate": str(found.rate)} if found else None
    if found is None:
        found = uow.add(ExchangeRate(currency=currency, day=day, rate=rate, at=uow.now))
    found.rate = rate
    uow.session.flush()
    uow.audit(
        "exchange_rate.set",
        "exchange_rate",
        found.id,
        before=before,
        after={"currency": currency, "day": day, "rate": str(rate)},
    )
    return found


def rate_on(uow: Uow, currency: str, day: date) -> Decimal | None:
    """What a unit of the currency cost on a day: the latest rate set up to it."""
    return uow.session.scalars(
        select(ExchangeRate.rate)
        .where(ExchangeRate.currency == currency, ExchangeRate.day <= day)
        .order_by(ExchangeRate.day.desc())
        .limit(1)
    ).first()


def rate_at_issue(uow: Uow, currency: str, day: date) -> tuple[Decimal, str] | None:
    """(rate, the firm's currency) for an invoice in foreign money. Errors: `exchange_rate_missing` (422)."""
    own = firm(uow).currency
    if currency == own:
        return None
    rate = rate_on(uow, currency, day)
    if rate is None:
        message = f"There is no rate of {currency} for {day}: set what one {currency} costs in {own}, then issue."
        raise Invalid("exchange_rate_missing", message, currency=currency)
    return rate, own


def post_difference(
    uow: Uow, invoice: Invoice, payment_id: UUID, rate: Decimal, before: Decimal, after: Decimal, day: date
) -> None:
    """Books what a payment at `rate` gains or loses against the rate at issue as its allocation to the invoice goes from `before` to
    `after`. The bookings of a payment sum exactly to what its allocation comes to, so taking it back leaves nothing behind.
    """
    then, own = invoice.exchange_rate, invoice.base_currency
    if then is None or own is None:
        return
    gained = rules.difference(after, then, rate, own) - rules.difference(before, then, rate, own)
    ledger.post(
        uow,
        "exchange_difference",
        ledger_rules.exchange_difference(gained),
        posted_on=day,
        currency=own,
        client_id=invoice.client_id,
        invoice_id=invoice.id,
        payment_id=payment_id,
    )


def view(rate: Any) -> dict[str, Any]:
    return {"id": rate.id, "currency": rate.currency, "day": rate.day, "rate": f"{rate.rate.normalize():f}"}
