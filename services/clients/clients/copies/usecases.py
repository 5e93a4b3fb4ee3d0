"""Keeping the copies, and asking them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from chassis.copies import keep_newer
from chassis.errors import Invalid, Unavailable
from chassis.uow import Uow
from clients.copies.tables import FirmCopy, StaffCopy
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged


def keep_staff(uow: Uow, event: StaffChanged) -> None:
    keep_newer(uow, StaffCopy, id=event.staff_id, version=event.version, name=event.name, active=event.active)


def keep_firm(uow: Uow, event: FirmUpdated) -> None:
    keep_newer(
        uow,
        FirmCopy,
        id=event.firm_id,
        version=event.version,
        currency=event.currency,
        country=event.country,
        language=event.language,
    )


def firm_defaults(uow: Uow) -> FirmCopy:
    """What a new client gets unless told otherwise. Errors: `firm_settings_pending` in the moments before a new firm is known here."""
    firm = uow.session.get(FirmCopy, (uow.firm_id, uow.firm_id))
    if firm is None:
        raise Unavailable("firm_settings_pending", "The firm is still being set up. Try again shortly.", retry_after=2)
    return firm


def require_active_staff(uow: Uow, named: Sequence[tuple[str, UUID]]) -> None:
    """Everyone named works here. `named` pairs the place in the body with the staff id. Errors: `unknown_staff`."""
    if not named:
        return
    active = select(StaffCopy.id).where(StaffCopy.id.in_({staff_id for _, staff_id in named}), StaffCopy.active)
    known = set(uow.session.scalars(active))
    for pointer, staff_id in named:
        if staff_id not in known:
            raise Invalid("unknown_staff", "Nobody who works at the firm has this id.", pointer=pointer)
