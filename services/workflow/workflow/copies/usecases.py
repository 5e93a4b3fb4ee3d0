"""Keeping the copies, and what others need of them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete, insert, select, text

from chassis.copies import keep_newer, uuid_or_none, visible_to
from chassis.errors import Conflict, Invalid, NotFound
from chassis.merged import follow, standing
from chassis.uow import Uow
from praxis.clients.v1.clients_pb2 import GetClientRequest
from praxis.clients.v1.events_pb2 import ClientChanged, ContactChanged, EngagementChanged, GroupChanged
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged
from workflow.calendars.rules import days_within
from workflow.calendars.tables import Closure
from workflow.copies.tables import (
    ClientCopy,
    ContactClient,
    ContactCopy,
    DocumentCopy,
    EngagementCopy,
    FirmCopy,
    GroupCopy,
    StaffCopy,
    TimeCopy,
)
from workflow.dates.rules import Calendar, begins

# --- keeping ---------------------------------------------------------------------------------------------------------


def keep_firm(uow: Uow, event: FirmUpdated) -> None:
    uow.memo.clear()
    _firms.pop(uow.firm_id, None)
    keep_newer(
        uow,
        FirmCopy,
        id=event.firm_id,
        version=event.version,
        time_zone=event.time_zone,
        country=event.country,
        holidays_region=event.holidays_region,
        week_start=event.week_start or 1,
    )


def keep_staff(uow: Uow, event: StaffChanged) -> None:
    keep_newer(
        uow,
        StaffCopy,
        id=event.staff_id,
        version=event.version,
        name=event.name,
        grade=event.grade,
        weekly_capacity_minutes=event.weekly_capacity_minutes,
        skills=list(event.skills),
        active=event.active,
    )


def keep_client(uow: Uow, event: ClientChanged) -> bool:
    """Keeps the client; says whether it was news. One that was merged into another since is not."""
    if standing(uow, event.client_id) != UUID(event.client_id):
        return False
    return keep_newer(
        uow,
        ClientCopy,
        id=event.client_id,
        version=event.version,
        name=event.name,
        status=event.status,
        year_end=event.year_end,
        partner_id=uuid_or_none(event.partner_id),
        manager_id=uuid_or_none(event.manager_id),
        tags=list(event.tags),
        visible_to=visible_to(event.audience.private, event.audience.staff_ids),
    )


_SAME_CONTACTS = text(
    "INSERT INTO contact_clients (firm_id, client_id, contact_id) SELECT firm_id, :into, contact_id FROM contact_clients "
    "WHERE firm_id = :firm AND client_id = :old ON CONFLICT DO NOTHING"
)


def follow_client_merge(uow: Uow, old: UUID, into: UUID) -> UUID:
    """Whatever names the client given up names the one that stands; answers that one."""
    into = standing(uow, into)
    uow.session.execute(_SAME_CONTACTS, {"firm": uow.firm_id, "old": old, "into": into})
    uow.session.execute(
        delete(ContactClient).where(ContactClient.firm_id == uow.firm_id, ContactClient.client_id == old)
    )
    follow(uow, "client_id", old, into)
    forget_client(uow, old)
    return into


def forget_client(uow: Uow, client_id: UUID) -> None:
    uow.session.execute(delete(ClientCopy).where(ClientCopy.firm_id == uow.firm_id, ClientCopy.id == client_id))
    uow.keep()


def keep_contact(uow: Uow, event: ContactChanged) -> None:
    contact_id = UUID(event.contact_id)
    if not keep_newer(
        uow, ContactCopy, id=contact_id, version=event.version, portal_access=event.portal_access and event.active
    ):
        return
    uow.session.execute(
        delete(ContactClient).where(ContactClient.firm_id == uow.firm_id, ContactClient.contact_id == contact_id)
    )
    rows = [
        {"firm_id": uow.firm_id, "client_id": UUID(c), "contact_id": contact_id}
        for c in {role.client_id for role in event.roles}
    ]
    if rows:
        uow.session.execute(insert(ContactClient), rows)


def keep_group(uow: Uow, event: GroupChanged) -> None:
    keep_newer(
        uow,
        GroupCopy,
        id=event.group_id,
        version=event.version,
        name=event.name,
        client_ids=[UUID(client_id) for client_id in event.client_ids],
        dissolved=event.dissolved,
    )


def keep_engagement(uow: Uow, event: EngagementChanged) -> None:
    keep_newer(
        uow,
        EngagementCopy,
        id=event.engagement_id,
        version=event.version,
        client_id=standing(uow, event.client_id),
        title=event.title,
        service=event.service,
        status=event.status,
        people={person.job_role: person.staff_id for person in event.people},
    )


def keep_time(uow: Uow, event: TimeEntryChanged) -> None:
    """Time at a job; time that isn't at one is nothing to this service."""
    if not event.job_id:
        return
    keep_newer(
        uow,
        TimeCopy,
        id=event.time_entry_id,
        version=event.version,
        job_id=UUID(event.job_id),
        task_id=uuid_or_none(event.task_id),
        staff_id=UUID(event.staff_id),
        day=date.fromisoformat(event.day),
        seconds=0 if event.status == "deleted" else event.seconds,
    )


def keep_document(uow: Uow, event: DocumentChanged) -> None:
    keep_newer(
        uow,
        DocumentCopy,
        id=event.document_id,
        version=event.version,
        client_id=standing(uow, event.client_id),
        job_id=uuid_or_none(event.job_id),
        request_id=uuid_or_none(event.request_id),
        status=event.status,
    )


# --- the firm's calendar ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Firm:
    """The firm's zone, holidays and week."""

    time_zone: str = "UTC"
    country: str = ""
    holidays_region: str = ""
    week_start: int = 1


# Every request asks which day it is for the firm, and a firm hardly ever moves: what was read serves for some seconds.
_FIRM_SERVES = timedelta(seconds=10)
_MOST_FIRMS = 10_000
_firms: dict[UUID, tuple[datetime, Firm]] = {}
_FIRM = "SELECT time_zone, country, holidays_region, week_start FROM firm_copy WHERE firm_id = :firm AND id = :firm"


def firm_of(uow: Uow) -> Firm:
    """The firm's zone and holidays, the same throughout a unit of work; UTC and plain weekends in the moments before a new
    firm is known here."""
    known: Firm | None = uow.memo.get("firm")
    if known is None:
        known = uow.memo["firm"] = _firm(uow)
    return known


def _firm(uow: Uow) -> Firm:
    read = _firms.get(uow.firm_id)
    if read and abs(uow.now - read[0]) < _FIRM_SERVES:
        return read[1]
    row = uow.row(_FIRM, {"firm": uow.firm_id})
    if row is None:
        return Firm()
    if len(_firms) >= _MOST_FIRMS:
        _firms.clear()
    _firms[uow.firm_id] = (uow.now, Firm(*row))
    return _firms[uow.firm_id][1]


@lru_cache(maxsize=1000)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def today_of(uow: Uow) -> date:
    """Today in the firm's zone."""
    return uow.now.astimezone(_zone(firm_of(uow).time_zone)).date()


def firm_zone(uow: Uow) -> ZoneInfo:
    """The zone by whose clock the firm's days begin."""
    return _zone(firm_of(uow).time_zone)


def day_begins(uow: Uow, day: date) -> datetime:
    """The instant a day begins for the firm."""
    return begins(day, _zone(firm_of(uow).time_zone))


def calendar_of(uow: Uow) -> Calendar:
    """The firm's business days; read once per unit of work."""
    known: Calendar | None = uow.memo.get("calendar")
    if known is None:
        firm = firm_of(uow)
        closed = uow.session.execute(select(Closure.first_day, Closure.last_day).where(Closure.removed_at.is_(None)))
        known = Calendar(
            firm.country, firm.holidays_region, days_within((row.first_day, row.last_day) for row in closed)
        )
        uow.memo["calendar"] = known
    return known


# --- who and for whom ------------------------------------------------------------------------------------------------


def client_of(uow: Uow, client_id: UUID, *, for_new_work: bool = False) -> ClientCopy:
    """The client, or the one it was merged into; one that the copy does not hold yet is asked of its owner once and kept.
    Errors: `client_not_found`, also for a private client's stranger; `client_former` for new work."""
    client = uow.session.get(ClientCopy, (uow.firm_id, client_id)) or _standing(uow, standing(uow, client_id))
    if for_new_work and client.status == "former":
        raise Conflict("client_former", f"{client.name} is a former client. Make them active again first.")
    return client


def _standing(uow: Uow, client_id: UUID) -> ClientCopy:
    return uow.session.get(ClientCopy, (uow.firm_id, client_id)) or _asked(uow, client_id)


def _asked(uow: Uow, client_id: UUID) -> ClientCopy:
    state = uow.ask("clients", "GetClient", GetClientRequest(client_id=str(client_id))).client
    if state.audience.private and uow.principal.viewer and uow.principal.viewer not in state.audience.staff_ids:
        raise NotFound("client_not_found", "There is no such client.")
    keep_client(uow, state)
    uow.keep()
    client = uow.session.get(ClientCopy, (uow.firm_id, UUID(state.client_id)), populate_existing=True)
    if client is None:
        raise NotFound("client_not_found", "There is no such client.")
    return client


def engagement_of(uow: Uow, engagement_id: UUID, client_id: UUID) -> EngagementCopy:
    """The client's engagement. Errors: `engagement_not_found`, also for another client's."""
    engagement = uow.session.get(EngagementCopy, (uow.firm_id, engagement_id))
    if engagement is None or engagement.client_id != client_id:
        raise NotFound("engagement_not_found", "The client has no such engagement.", pointer="/engagement_id")
    return engagement


def active_staff(uow: Uow, staff_ids: Iterable[UUID | None]) -> set[UUID]:
    """Those of the ids who work at the firm."""
    wanted = {staff_id for staff_id in staff_ids if staff_id}
    if not wanted:
        return set()
    return set(uow.session.scalars(select(StaffCopy.id).where(StaffCopy.id.in_(wanted), StaffCopy.active)))


def require_staff(uow: Uow, named: Iterable[tuple[str, UUID | None]]) -> None:
    """Everyone named works here. `named` pairs the place in the body with the staff id. Errors: `unknown_staff`."""
    pairs = [(pointer, staff_id) for pointer, staff_id in named if staff_id]
    known = active_staff(uow, (staff_id for _, staff_id in pairs))
    for pointer, staff_id in pairs:
        if staff_id not in known:
            raise Invalid("unknown_staff", "Nobody who works at the firm has this id.", pointer=pointer)


def reachable_in_portal(uow: Uow, client_ids: Collection[UUID]) -> set[UUID]:
    """Those of the clients of whom some contact can answer requests in the portal."""
    acts_for = (ContactClient.firm_id == ContactCopy.firm_id) & (ContactClient.contact_id == ContactCopy.id)
    found = select(ContactClient.client_id).join(ContactCopy, acts_for)
    found = found.where(
        ContactClient.firm_id == uow.firm_id, ContactClient.client_id.in_(client_ids), ContactCopy.portal_access
    )
    return set(uow.session.scalars(found.distinct()))
