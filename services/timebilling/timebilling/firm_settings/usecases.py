"""Reading and changing how a firm rounds, bills and locks."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from chassis.errors import Forbidden, Invalid, NotFound
from chassis.uow import Uow, lost_update
from timebilling import money
from timebilling.firm_settings.tables import FirmSettings
from timebilling.taxes.tables import TaxCode
from timebilling.time_entries.rules import Rounding

OVERRIDE = "timebilling:settings:act"
# The key that refuse_closed_time (migration 0001) shares.
_SHARED = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(CAST(:firm AS text), 7237002))")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:firm AS text), 7237002))")


def load(uow: Uow) -> FirmSettings:
    """The firm's settings; the defaults, not stored, where it has none (version 0)."""
    return uow.session.get(FirmSettings, (uow.firm_id, uow.firm_id)) or _defaults(version=0)


def for_billing(uow: Uow) -> FirmSettings:
    """The firm's settings as they stood when this unit of work first asked: read once, however many invoices it makes."""
    found = uow.memo.get("billing_settings") or load(uow)
    uow.memo["billing_settings"] = found
    return found


def hold_lock_date(uow: Uow) -> FirmSettings:
    """The settings with a lock date that can't change before this transaction ends."""
    uow.session.execute(_SHARED, {"firm": str(uow.firm_id)})
    return load(uow)


def override_lock(uow: Uow, reason: str | None) -> bool:
    """Lets this transaction write into a locked period, if a reason is given and the caller may. Errors: `lock_override_forbidden` (403)."""
    if reason is None:
        return False
    if OVERRIDE not in uow.principal.permissions:
        raise Forbidden(
            "lock_override_forbidden", "You may not write into a locked period. Ask a partner, or choose a later day."
        )
    uow.session.execute(text("SELECT set_config('app.lock_override', 'yes', true)"))
    return True


def change(uow: Uow, body: dict[str, Any], if_match: int | None) -> FirmSettings:
    """Errors: `version_conflict` (412), `tax_code_not_found` (404)."""
    settings = _stored(uow, if_match)
    before = view(settings)
    if "rounding" in body:
        # Who doesn't say per what leaves that as it is.
        rounding = Rounding.of({"per": settings.rounding_per} | body["rounding"])
        settings.rounding_increment, settings.rounding_direction = rounding.increment, rounding.direction
        settings.rounding_minimum, settings.rounding_per = rounding.minimum, rounding.per
    for name in ("payment_terms_days", "approve_before_issue", "seller"):
        if name in body:
            setattr(settings, name, body[name])
    if "cash_rounding" in body:
        steps = [money.parse(step, pointer=f"/cash_rounding/{i}") for i, step in enumerate(body["cash_rounding"])]
        settings.cash_rounding = {currency: str(amount) for amount, currency in steps if amount}
    if "default_tax_code_id" in body:
        code = body["default_tax_code_id"]
        settings.default_tax_code_id = None if code is None else uow.get(TaxCode, code).id
    uow.session.flush()
    uow.audit("settings.changed", "settings", uow.firm_id, before=before, after=view(settings))
    return settings


def lock_period(uow: Uow, locked_until: date | None, reason: str | None) -> FirmSettings:
    """Closes time up to and including a day. Errors: `lock_reason_missing` (422) where a closed period is opened again."""
    # Everyone who is writing time finishes first; whoever comes later reads the new date.
    uow.session.execute(_ALONE, {"firm": str(uow.firm_id)})
    settings = _stored(uow, None)
    before = settings.locked_until
    if before is not None and (locked_until is None or locked_until < before) and not reason:
        raise Invalid("lock_reason_missing", "Say why a closed period is opened again.", pointer="/reason")
    settings.locked_until = locked_until
    uow.session.flush()
    uow.audit(
        "period.locked",
        "settings",
        uow.firm_id,
        before={"locked_until": before},
        after={"locked_until": locked_until},
        reason=reason,
    )
    return settings


def _stored(uow: Uow, if_match: int | None) -> FirmSettings:
    """The firm's row, locked; made with the defaults where there is none."""
    try:
        return uow.get(FirmSettings, uow.firm_id, lock=True, version=if_match)
    except NotFound:
        if if_match:
            raise lost_update(0) from None
        settings = _defaults(id=uow.firm_id)
        uow.session.add(settings)
        return settings


def _defaults(**more: Any) -> FirmSettings:
    """How a firm works that has not said otherwise: to the second, nothing locked, two weeks to pay."""
    values: dict[str, Any] = {
        "rounding_increment": 1,
        "rounding_direction": "up",
        "rounding_minimum": 0,
        "rounding_per": "entry",
        "payment_terms_days": 14,
        "seller": {},
        "cash_rounding": {},
        "approve_before_issue": False,
    }
    return FirmSettings(**values, **more)


def view(settings: FirmSettings) -> dict[str, Any]:
    return {
        "rounding": settings.rounding.view(),
        "locked_until": settings.locked_until,
        "payment_terms_days": settings.payment_terms_days,
        "default_tax_code_id": settings.default_tax_code_id,
        "seller": settings.seller,
        "cash_rounding": [
            money.view(Decimal(step), currency) for currency, step in sorted(settings.cash_rounding.items())
        ],
        "approve_before_issue": settings.approve_before_issue,
        "version": settings.version,
    }
