"""What one can do with calendars: close the firm, say who works when, take leave."""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from chassis.db import new_id
from chassis.errors import Forbidden, NotFound
from chassis.uow import Uow
from workflow.calendars.events import announce
from workflow.calendars.tables import Closure, Leave, WorkingWeek
from workflow.copies.usecases import require_staff
from workflow.dates.parsing import range_of, required_date

FOR_OTHERS = "workflow:calendars:act"
LONGEST = 3 * 366  # days: a parental leave, not a slip of the pen

E = TypeVar("E", Closure, Leave, WorkingWeek)


# --- closures --------------------------------------------------------------------------------------------------------


def create_closure(uow: Uow, body: Mapping[str, Any]) -> Closure:
    """Errors: `range_invalid`, `date_out_of_range`."""
    first, last = range_of(body["first_day"], body.get("last_day") or body["first_day"], LONGEST)
    return _made(uow, Closure(id=new_id(), first_day=first, last_day=last, name=body["name"].strip()))


def change_closure(uow: Uow, closure_id: UUID, body: Mapping[str, Any]) -> Closure:
    """Errors: `closure_not_found`, `range_invalid`, `date_out_of_range`, `version_conflict`."""
    closure = _standing(uow, Closure, closure_id)
    before = _shown(closure)
    closure.first_day, closure.last_day = range_of(
        body.get("first_day") or closure.first_day, body.get("last_day") or closure.last_day, LONGEST
    )
    closure.name = body.get("name", closure.name).strip()
    return _changed(uow, closure, before)


def remove_closure(uow: Uow, closure_id: UUID) -> None:
    """Errors: `closure_not_found`, `version_conflict`."""
    _removed(uow, _standing(uow, Closure, closure_id))


# --- working weeks ---------------------------------------------------------------------------------------------------


def create_working_week(uow: Uow, body: Mapping[str, Any]) -> WorkingWeek:
    """Errors: `unknown_staff`, `date_out_of_range`, `working_week_exists`."""
    staff_id = UUID(body["staff_id"])
    require_staff(uow, [("/staff_id", staff_id)])
    from_on = required_date(body, "from_on")
    return _made(uow, WorkingWeek(id=new_id(), staff_id=staff_id, from_on=from_on, minutes=body["minutes"]))


def remove_working_week(uow: Uow, working_week_id: UUID) -> None:
    """Errors: `working_week_not_found`, `version_conflict`."""
    _removed(uow, _standing(uow, WorkingWeek, working_week_id))


# --- leave -----------------------------------------------------------------------------------------------------------


def create_leave(uow: Uow, body: Mapping[str, Any]) -> Leave:
    """One's own, unless one may for others. Errors: `leave_of_another`, `unknown_staff`, `range_invalid`, `date_out_of_range`."""
    staff_id = UUID(body["staff_id"])
    _own_or_may(uow, staff_id)
    require_staff(uow, [("/staff_id", staff_id)])
    first, last = range_of(body["first_day"], body.get("last_day") or body["first_day"], LONGEST)
    leave = Leave(
        id=new_id(),
        staff_id=staff_id,
        first_day=first,
        last_day=last,
        minutes=body.get("minutes"),
        kind=body.get("kind", "holiday"),
        note=body.get("note", ""),
    )
    return _made(uow, leave)


def change_leave(uow: Uow, leave_id: UUID, body: Mapping[str, Any]) -> Leave:
    """Errors: `leave_not_found`, `leave_of_another`, `range_invalid`, `date_out_of_range`, `version_conflict`."""
    leave = _standing(uow, Leave, leave_id)
    _own_or_may(uow, leave.staff_id)
    before = _shown(leave)
    leave.first_day, leave.last_day = range_of(
        body.get("first_day") or leave.first_day, body.get("last_day") or leave.last_day, LONGEST
    )
    for name in ("minutes", "kind", "note"):
        if name in body:
            setattr(leave, name, body[name])
    return _changed(uow, leave, before)


def remove_leave(uow: Uow, leave_id: UUID) -> None:
    """Errors: `leave_not_found`, `leave_of_another`, `version_conflict`."""
    leave = _standing(uow, Leave, leave_id)
    _own_or_may(uow, leave.staff_id)
    _removed(uow, leave)


def may_see_why(uow: Uow, staff_id: UUID) -> bool:
    """Whether the caller may know the kind and note of somebody's leave."""
    return uow.principal.id == str(staff_id) or FOR_OTHERS in uow.principal.permissions


def _own_or_may(uow: Uow, staff_id: UUID) -> None:
    if not may_see_why(uow, staff_id):
        raise Forbidden("leave_of_another", "You may enter and change your own leave only.")


# --- what all have in common -----------------------------------------------------------------------------------------


def _standing(uow: Uow, model: type[E], entry_id: UUID) -> E:
    row = uow.get(model, entry_id, lock=True, version=uow.if_match)
    if row.removed_at:
        name = _NAMES[model]
        raise NotFound(f"{name}_not_found", f"There is no such {name.replace('_', ' ')}.")
    return row


def _made(uow: Uow, row: E) -> E:
    uow.add(row)
    return _told(uow, row, "created", after=_shown(row))


def _changed(uow: Uow, row: E, before: dict[str, Any]) -> E:
    uow.session.flush()
    if _shown(row) == before:
        return row
    return _told(uow, row, "changed", before=before, after=_shown(row))


def _removed(uow: Uow, row: E) -> None:
    row.removed_at = uow.now
    uow.session.flush()
    _told(uow, row, "removed", before=_shown(row))


def _told(uow: Uow, row: E, what: str, **states: Any) -> E:
    uow.memo.pop("calendar", None)
    name = _NAMES[type(row)]
    uow.audit(f"{name}.{what}", name, row.id, **states)
    announce(uow, row)
    return row


_NAMES: dict[type[Any], str] = {Closure: "closure", Leave: "leave", WorkingWeek: "working_week"}


def _shown(row: Any) -> dict[str, Any]:
    names = {"first_day", "last_day", "name", "staff_id", "from_on", "minutes", "kind", "note"}
    return {column.key: getattr(row, column.key) for column in row.__table__.columns if column.key in names}
