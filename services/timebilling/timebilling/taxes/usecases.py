"""Tax codes: adding them, changing their rate from a day on, and finding the rate of a day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from chassis.errors import Conflict, Invalid
from chassis.uow import Uow
from timebilling import money
from timebilling.taxes import rules
from timebilling.taxes.rules import Tax
from timebilling.taxes.tables import TaxCode, TaxRate


def create(uow: Uow, body: dict[str, Any]) -> TaxCode:
    """Errors: `tax_percent_impossible`, `tax_text_missing` (422), `tax_code_taken` (409)."""
    percent = Decimal(body["percent"])
    rules.check_code(body["category"], percent, body.get("legal_text"))
    code = uow.add(
        TaxCode(code=body["code"], label=body["label"], category=body["category"], legal_text=body.get("legal_text"))
    )
    uow.add(TaxRate(tax_code_id=code.id, percent=percent, valid=Range(date.fromisoformat(body["from"]), None)))
    uow.audit("tax_code.created", "tax_code", code.id, after=body)
    return code


def set_rate(uow: Uow, tax_code_id: str, percent: Decimal, first: date) -> TaxCode:
    """The percent from a day on; the span that holds that day ends the day before.

    Errors: `tax_code_not_found` (404), `tax_percent_impossible` (422), `tax_rate_overlap` (409) where a later rate is set already.
    """
    code = uow.get(TaxCode, tax_code_id, lock=True)
    rules.check_code(code.category, percent, code.legal_text)
    running = uow.session.scalars(
        select(TaxRate).where(TaxRate.tax_code_id == code.id, TaxRate.valid.contains(first))
    ).first()
    if running is not None:
        if running.valid.lower == first or running.valid.upper is not None:
            raise Conflict("tax_rate_overlap", f"From {running.valid.lower} a rate is set already.", pointer="/from")
        running.valid = Range(running.valid.lower, first)
        uow.session.flush()
    uow.add(TaxRate(tax_code_id=code.id, percent=percent, valid=Range(first, None)))
    uow.audit("tax_rate.set", "tax_code", code.id, after={"percent": str(percent), "from": first})
    return code


def on(uow: Uow, code_ids: Iterable[UUID | None], day: date) -> dict[UUID | None, Tax]:
    """The tax of each code on a day; no code is outside the scope of tax. Errors: `tax_rate_missing` (422) naming code and day."""
    wanted = {c for c in code_ids if c is not None}
    rows = uow.session.execute(
        select(TaxCode, TaxRate.percent)
        .outerjoin(TaxRate, (TaxRate.tax_code_id == TaxCode.id) & TaxRate.valid.contains(day))
        .where(TaxCode.id.in_(wanted))
    ).all()
    found: dict[UUID | None, Tax] = {None: rules.OUTSIDE}
    for code, percent in rows:
        if percent is None:
            raise Invalid(
                "tax_rate_missing",
                f"Tax code {code.code} has no rate on {day}. Set one, or use another code.",
                tax_code_id=str(code.id),
            )
        found[code.id] = Tax(code.category, percent, code.label, code.legal_text)
    return found


def views(uow: Uow, codes: Iterable[TaxCode]) -> list[dict[str, Any]]:
    codes = list(codes)
    rates = uow.session.scalars(
        select(TaxRate).where(TaxRate.tax_code_id.in_([c.id for c in codes])).order_by(func.lower(TaxRate.valid))
    ).all()
    return [_view(code, [r for r in rates if r.tax_code_id == code.id]) for code in codes]


def _view(code: TaxCode, rates: list[TaxRate]) -> dict[str, Any]:
    return {
        "id": code.id,
        "code": code.code,
        "label": code.label,
        "category": code.category,
        "legal_text": code.legal_text,
        "rates": [
            {"percent": money.plain(r.percent), "from": r.valid.lower, "until": last_day(r.valid)} for r in rates
        ],
    }


def last_day(valid: Range[date]) -> date | None:
    """The last day of a span (the database keeps the first day after it)."""
    return None if valid.upper is None else date.fromordinal(valid.upper.toordinal() - 1)
