"""Calendars as the API shows them, and who is there on which day."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select, text

from chassis.paging import keyset, page
from chassis.uow import Uow
from workflow.calendars import rules
from workflow.calendars.events import availability_changed
from workflow.calendars.tables import Closure, Leave, WorkingWeek
from workflow.calendars.usecases import may_see_why
from workflow.copies.tables import StaffCopy
from workflow.copies.usecases import calendar_of
from workflow.dates.rules import Calendar, known_calendars


def days_off(uow: Uow, first: date, last: date, calendar: str | None) -> list[dict[str, Any]]:
    """Holidays and, of the firm's own calendar, its closures, day by day."""
    chosen = Calendar.of(calendar) if calendar else calendar_of(uow)
    names = {} if calendar else {day: row.name for row in closures(uow, first, last) for day in _days(row)}
    found = []
    for day in (first + timedelta(days=i) for i in range((last - first).days + 1)):
        if holiday := chosen.holiday(day):
            found.append({"day": day, "kind": "holiday", "name": holiday})
        if day in names:
            found.append({"day": day, "kind": "closure", "name": names[day]})
    return found


def _days(row: Closure) -> Iterator[date]:
    yield from (row.first_day + timedelta(days=i) for i in range((row.last_day - row.first_day).days + 1))


def holiday_calendars() -> list[dict[str, Any]]:
    return [{"country": country, "regions": list(regions)} for country, regions in known_calendars().items()]


def closures(uow: Uow, first: date, last: date) -> list[Closure]:
    """Closures that touch the range, in order."""
    touching = and_(Closure.first_day <= last, Closure.last_day >= first, Closure.removed_at.is_(None))
    return list(uow.session.scalars(select(Closure).where(touching).order_by(Closure.first_day, Closure.id)))


_LEAVE = """
SELECT l.id, l.staff_id, s.name AS staff_name, l.first_day, l.last_day, l.minutes, l.kind, l.note, l.version
FROM leave l LEFT JOIN staff_copy s ON s.firm_id = l.firm_id AND s.id = l.staff_id
WHERE l.firm_id = :firm AND l.removed_at IS NULL AND l.last_day >= :first AND l.first_day <= :last {who} {after}
ORDER BY l.first_day, l.id LIMIT :n
"""


def list_leave(
    uow: Uow, first: date, last: date, staff_id: UUID | None, *, limit: int, cursor: str | None
) -> dict[str, Any]:
    after, parameters = keyset(["l.first_day", "l.id"], cursor, casts=["date", "uuid"])
    statement = _LEAVE.format(who="AND l.staff_id = :staff" if staff_id else "", after=after)
    values = {"firm": uow.firm_id, "first": first, "last": last, "staff": staff_id, "n": limit + 1, **parameters}
    rows = uow.session.execute(text(statement), values).mappings()
    shown = [leave_shown(uow, dict(row), row["staff_name"]) for row in rows]
    return page(shown, limit, lambda row: (row["first_day"], row["id"]))


def leave_shown(uow: Uow, values: dict[str, Any], staff_name: str | None) -> dict[str, Any]:
    """A leave; why somebody is away is told only to them and to those who plan for others."""
    told = may_see_why(uow, values["staff_id"])
    return {
        "id": values["id"],
        "staff": {"id": values["staff_id"], "name": staff_name or ""},
        "first_day": values["first_day"],
        "last_day": values["last_day"],
        "minutes": values["minutes"],
        "kind": values["kind"] if told else None,
        "note": values["note"] if told else None,
        "version": values["version"],
    }


_WEEKS = """
SELECT w.id, w.staff_id, s.name AS staff_name, w.from_on, w.minutes, w.version
FROM working_weeks w LEFT JOIN staff_copy s ON s.firm_id = w.firm_id AND s.id = w.staff_id
WHERE w.firm_id = :firm AND w.removed_at IS NULL {who} {after}
ORDER BY w.staff_id, w.from_on LIMIT :n
"""


def list_working_weeks(uow: Uow, staff_id: UUID | None, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """By person, and in the order they begin."""
    after, parameters = keyset(["w.staff_id", "w.from_on"], cursor, casts=["uuid", "date"])
    statement = _WEEKS.format(who="AND w.staff_id = :staff" if staff_id else "", after=after)
    values = {"firm": uow.firm_id, "staff": staff_id, "n": limit + 1, **parameters}
    rows = [dict(row) for row in uow.session.execute(text(statement), values).mappings()]
    found = page(rows, limit, lambda row: (row["staff_id"], row["from_on"]))
    return found | {"items": [week_shown(row, row["staff_name"]) for row in found["items"]]}


def week_shown(values: Mapping[str, Any], staff_name: str | None) -> dict[str, Any]:
    shown = {name: values[name] for name in ("id", "from_on", "minutes", "version")}
    return shown | {"staff": {"id": values["staff_id"], "name": staff_name or ""}}


_STAFF = """
SELECT id, name FROM staff_copy
WHERE firm_id = :firm AND (CASE WHEN CAST(:staff AS uuid) IS NULL THEN active ELSE id = :staff END) {after}
ORDER BY staff_copy.name, staff_copy.id LIMIT :n
"""


def list_availability(
    uow: Uow, first: date, last: date, staff_id: UUID | None, *, limit: int, cursor: str | None
) -> dict[str, Any]:
    """People by name with every day of the range."""
    after, parameters = keyset(["name", "id"], cursor)
    values = {"firm": uow.firm_id, "staff": staff_id, "n": limit + 1, **parameters}
    rows = uow.session.execute(text(_STAFF.format(after=after)), values).mappings().all()
    found = page(rows, limit, lambda row: (row["name"], row["id"]))
    days = availability(uow, first, last, [row["id"] for row in found["items"]])
    return found | {"items": [_person(dict(row), days[row["id"]]) for row in found["items"]]}


def _person(staff: dict[str, Any], days: list[rules.Day]) -> dict[str, Any]:
    shown = [{"day": day.day, "minutes": day.minutes, "why": day.why} for day in days]
    return {"staff": staff, "minutes": sum(day.minutes for day in days), "days": shown}


def availability(
    uow: Uow, first: date, last: date, staff_ids: Collection[UUID] | None = None
) -> dict[UUID, list[rules.Day]]:
    """Working time per person and day of the range; of all active staff, or of those named. Four statements, however many people."""
    calendar = calendar_of(uow)
    return {
        staff_id: list(rules.days_of(person, first, last, calendar))
        for staff_id, person in people(uow, first, last, staff_ids).items()
    }


def people(uow: Uow, first: date, last: date, staff_ids: Collection[UUID] | None = None) -> dict[UUID, rules.Person]:
    """What the working time of each depends on in the range."""
    wanted = StaffCopy.active if staff_ids is None else StaffCopy.id.in_(staff_ids)
    known = uow.session.execute(
        select(StaffCopy.id, StaffCopy.weekly_capacity_minutes).where(wanted).order_by(StaffCopy.name, StaffCopy.id)
    )
    capacity = {row.id: row.weekly_capacity_minutes for row in known}
    weeks: dict[UUID, list[rules.WorkingWeek]] = {staff_id: [] for staff_id in capacity}
    away: dict[UUID, list[rules.Leave]] = {staff_id: [] for staff_id in capacity}
    begun = and_(WorkingWeek.removed_at.is_(None), WorkingWeek.from_on <= last, WorkingWeek.staff_id.in_(capacity))
    for week in uow.session.scalars(select(WorkingWeek).where(begun)):
        weeks[week.staff_id].append(rules.WorkingWeek(week.from_on, tuple(week.minutes)))
    touching = and_(
        Leave.removed_at.is_(None), Leave.last_day >= first, Leave.first_day <= last, Leave.staff_id.in_(capacity)
    )
    for leave in uow.session.scalars(select(Leave).where(touching)):
        away[leave.staff_id].append(rules.Leave(leave.first_day, leave.last_day, leave.minutes))
    return {s: rules.Person(minutes, tuple(weeks[s]), tuple(away[s])) for s, minutes in capacity.items()}


def availability_states(uow: Uow) -> Iterator[tuple[UUID, int, Any]]:
    """Everything that stands, and what was taken back, for a copy that is new."""
    models: tuple[type[Any], ...] = (Closure, WorkingWeek, Leave)
    for model in models:
        for row in uow.session.scalars(select(model).execution_options(yield_per=500)):
            yield row.id, row.version, availability_changed(row)
