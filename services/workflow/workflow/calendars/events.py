"""What others are told of availability: when, never why."""

from chassis.uow import Uow
from praxis.workflow.v1.events_pb2 import AvailabilityChanged
from workflow.calendars.tables import Closure, Leave, WorkingWeek


def availability_changed(row: Closure | Leave | WorkingWeek) -> AvailabilityChanged:
    event = AvailabilityChanged(
        entry_id=str(row.id), kind=_KINDS[type(row)], removed=row.removed_at is not None, version=row.version
    )
    if isinstance(row, WorkingWeek):
        event.staff_id, event.first_day = str(row.staff_id), str(row.from_on)
        event.weekday_minutes.extend(row.minutes)
        return event
    event.first_day, event.last_day = str(row.first_day), str(row.last_day)
    if isinstance(row, Leave):
        event.staff_id = str(row.staff_id)
        event.part_of_day, event.minutes = row.minutes is not None, row.minutes or 0
    return event


_KINDS: dict[type, str] = {Closure: "closure", Leave: "leave", WorkingWeek: "working_week"}


def announce(uow: Uow, row: Closure | Leave | WorkingWeek) -> None:
    uow.announce(availability_changed(row), subject=row.id, version=row.version)
