"""Notices to staff: kept for each person they are for, marked read by them, forgotten after a while.

Reading marks leave no audit row: they change nothing that anybody else sees, and nobody else can set them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text

from chassis import merged
from chassis.copies import uuid_or_none
from chassis.db import new_id
from chassis.errors import NotFound
from chassis.uow import Uow
from identity.notices.queries import MINE, me, notice_view
from identity.notices.rules import KEPT, end_of_day
from identity.notices.tables import Notice
from identity.staff.tables import Staff
from praxis.clients.v1 import events_pb2 as clients
from praxis.identity.v1.events_pb2 import NoticeChanged
from praxis.workflow.v1 import events_pb2 as workflow


def keep_notice(uow: Uow, event: workflow.NoticeDue | clients.NoticeDue) -> None:
    """One for everybody named who works here. An event comes once (chassis sees to that), so nobody is told twice."""
    named = {UUID(staff_id) for staff_id in event.staff_ids}
    here = select(Staff.id).where(Staff.firm_id == uow.firm_id, Staff.id.in_(named), Staff.active)
    told = sorted(uow.session.scalars(here))
    if not told:
        return
    at = uow.heard_at or uow.now
    facts = {
        "firm_id": uow.firm_id,
        "reason": event.reason,
        "says": event.says,
        "subject_type": event.subject_type,
        "subject_id": UUID(event.subject_id),
        "job_id": uuid_or_none(event.job_id) if isinstance(event, workflow.NoticeDue) else None,
        "client_id": merged.standing(uow, event.client_id) if event.client_id else None,
        "at": at,
    }
    uow.session.execute(insert(Notice), [{"id": new_id(), "staff_id": staff_id, **facts} for staff_id in told])
    before = end_of_day(at)
    uow.later("forget_notices", before.date().isoformat(), before + KEPT, before=before.isoformat())
    _changed(uow, told)


def forget_notices(uow: Uow, before: str) -> None:
    """Removes what is older than that, read or not."""
    uow.session.execute(delete(Notice).where(Notice.firm_id == uow.firm_id, Notice.at < datetime.fromisoformat(before)))


def follow_merge(uow: Uow, event: clients.ClientMerged) -> None:
    """What was about a client is about the one it has become, and seen by whoever may see that."""
    merged.follow(uow, "client_id", UUID(event.client_id), UUID(event.into_client_id))


def read_notice(uow: Uow, notice_id: UUID) -> dict[str, Any]:
    """Marks one of mine read; when it first was stays. Errors: `notice_not_found` (404), also for somebody else's."""
    this = {**me(uow), "id": notice_id}
    if uow.session.execute(text(f"{_READ} AND n.id = :id RETURNING n.id"), this | {"now": uow.now}).first():
        _changed(uow, [uow.principal.uuid])
    row = uow.session.execute(text(f"SELECT n.* FROM notices AS n WHERE n.id = :id AND {MINE}"), this).first()
    if row is None:
        raise NotFound("notice_not_found", "There is no such notice.")
    return notice_view(row)


def read_all(uow: Uow, up_to: UUID) -> None:
    """Marks mine read, up to the newest one that I have seen."""
    seen = {**me(uow), "up_to": up_to, "now": uow.now}
    if uow.session.execute(text(f"{_READ} AND n.id <= :up_to RETURNING n.id"), seen).first():
        _changed(uow, [uow.principal.uuid])


def _changed(uow: Uow, staff_ids: Iterable[UUID]) -> None:
    ids = [str(staff_id) for staff_id in staff_ids]
    uow.announce(NoticeChanged(staff_ids=ids), subject=uow.firm_id)


_READ = f"UPDATE notices AS n SET read_at = :now WHERE {MINE} AND n.read_at IS NULL"
