"""HTTP operations on calendars."""

from typing import Any
from uuid import UUID

from chassis.errors import Invalid
from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from workflow.calendars import queries, usecases
from workflow.calendars.tables import Closure, Leave
from workflow.copies.queries import staff_named
from workflow.dates.parsing import range_of
from workflow.dates.rules import calendar_known

_LONGEST = 2 * 366  # days of a look at calendars
_LONGEST_OF_ALL = 92  # days of a look at everybody's


def list_days_off(uow: Uow, first_day: str, last_day: str, calendar: str | None = None) -> dict[str, Any]:
    if calendar and not calendar_known(calendar):
        raise Invalid("calendar_unknown", f"There is no holiday calendar “{calendar}”.", pointer="/calendar")
    return {"items": queries.days_off(uow, *range_of(first_day, last_day, _LONGEST), calendar)}


def list_holiday_calendars(uow: Uow) -> dict[str, Any]:
    del uow  # the same for every firm
    return {"items": queries.holiday_calendars()}


def list_availability(
    uow: Uow,
    first_day: str,
    last_day: str,
    staff_id: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    first, last = range_of(first_day, last_day, _LONGEST if staff_id else _LONGEST_OF_ALL)
    return queries.list_availability(uow, first, last, UUID(staff_id) if staff_id else None, limit=limit, cursor=cursor)


# --- closures --------------------------------------------------------------------------------------------------------


def list_closures(uow: Uow, first_day: str, last_day: str) -> dict[str, Any]:
    return {"items": [_closure(row) for row in queries.closures(uow, *range_of(first_day, last_day, _LONGEST))]}


def create_closure(uow: Uow, body: dict[str, Any]) -> Reply:
    closure = usecases.create_closure(uow, body)
    return created(_closure(closure), f"/closures/{closure.id}", etag=closure.version)


def change_closure(uow: Uow, closure_id: str, body: dict[str, Any]) -> Reply:
    closure = usecases.change_closure(uow, UUID(closure_id), body)
    return Reply(_closure(closure), etag=closure.version)


def remove_closure(uow: Uow, closure_id: str) -> Reply:
    usecases.remove_closure(uow, UUID(closure_id))
    return NO_CONTENT


def _closure(row: Closure) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "first_day", "last_day", "name", "version")}


# --- working weeks ---------------------------------------------------------------------------------------------------


def list_working_weeks(
    uow: Uow, staff_id: str | None = None, limit: int = 50, cursor: str | None = None
) -> dict[str, Any]:
    return queries.list_working_weeks(uow, UUID(staff_id) if staff_id else None, limit=limit, cursor=cursor)


def create_working_week(uow: Uow, body: dict[str, Any]) -> Reply:
    week = usecases.create_working_week(uow, body)
    shown = queries.week_shown(vars(week), _name(uow, week.staff_id))
    return created(shown, f"/working-weeks/{week.id}", etag=week.version)


def remove_working_week(uow: Uow, working_week_id: str) -> Reply:
    usecases.remove_working_week(uow, UUID(working_week_id))
    return NO_CONTENT


# --- leave -----------------------------------------------------------------------------------------------------------


def list_leave(
    uow: Uow,
    first_day: str,
    last_day: str,
    staff_id: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    first, last = range_of(first_day, last_day, _LONGEST)
    return queries.list_leave(uow, first, last, UUID(staff_id) if staff_id else None, limit=limit, cursor=cursor)


def create_leave(uow: Uow, body: dict[str, Any]) -> Reply:
    leave = usecases.create_leave(uow, body)
    return created(_leave(uow, leave), f"/leave/{leave.id}", etag=leave.version)


def change_leave(uow: Uow, leave_id: str, body: dict[str, Any]) -> Reply:
    leave = usecases.change_leave(uow, UUID(leave_id), body)
    return Reply(_leave(uow, leave), etag=leave.version)


def remove_leave(uow: Uow, leave_id: str) -> Reply:
    usecases.remove_leave(uow, UUID(leave_id))
    return NO_CONTENT


def _leave(uow: Uow, row: Leave) -> dict[str, Any]:
    return queries.leave_shown(uow, vars(row), _name(uow, row.staff_id))


def _name(uow: Uow, staff_id: UUID) -> str:
    return str(staff_named(uow, [staff_id])[staff_id]["name"])
