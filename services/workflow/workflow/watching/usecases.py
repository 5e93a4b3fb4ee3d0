"""Watching jobs and tasks, and telling people of what happens. Nobody is told of a client they may not see."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.db import new_id
from chassis.errors import Forbidden, Invalid
from chassis.uow import Uow
from praxis.workflow.v1.events_pb2 import JobWatched, NoticeDue
from workflow.copies.tables import ClientCopy, StaffCopy
from workflow.watching.tables import Watcher


@dataclass(frozen=True, slots=True)
class Subject:
    """What people are told about: a job, or a task or request of one."""

    kind: str  # job, task, request
    id: UUID
    job_id: UUID
    client_id: UUID


def may_see(uow: Uow, client_id: UUID, staff_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the staff who work here and are not strangers to the client."""
    wanted = set(staff_ids)
    if not wanted:
        return set()
    named = or_(ClientCopy.visible_to.is_(None), StaffCopy.id == ClientCopy.visible_to.any_())
    found = select(StaffCopy.id).join(ClientCopy, (ClientCopy.firm_id == StaffCopy.firm_id) & named)
    found = found.where(
        StaffCopy.firm_id == uow.firm_id, StaffCopy.id.in_(wanted), StaffCopy.active, ClientCopy.id == client_id
    )
    return set(uow.session.scalars(found))


def set_watchers(uow: Uow, subject: Subject, staff_ids: Collection[UUID]) -> bool:
    """Exactly these watch from now on; says whether that is a change. Errors: `unknown_staff`, also for somebody whom a
    private client is hidden from."""
    wanted, known = set(staff_ids), watchers_of(uow, [subject.id])
    if strangers := wanted - known - may_see(uow, subject.client_id, wanted - known):
        raise Invalid(
            "unknown_staff", "Nobody who may see this client has this id.", pointer="/watchers", id=str(min(strangers))
        )
    if gone := known - wanted:
        uow.session.execute(
            delete(Watcher).where(
                Watcher.firm_id == uow.firm_id, Watcher.subject_id == subject.id, Watcher.staff_id.in_(gone)
            )
        )
    if new := wanted - known:
        uow.session.execute(
            insert(Watcher),
            [
                {
                    "firm_id": uow.firm_id,
                    "id": new_id(),
                    "job_id": subject.job_id,
                    "subject_id": subject.id,
                    "staff_id": s,
                }
                for s in sorted(new)
            ],
        )
    return wanted != known


def watch(uow: Uow, subject: Subject, watching: bool) -> None:
    """The caller watches, or no longer; once more changes nothing. Errors: `staff_only`."""
    if uow.principal.kind != "staff":
        raise Forbidden("staff_only", "Only a person of the firm can watch something.")
    mine = {
        "firm_id": uow.firm_id,
        "job_id": subject.job_id,
        "subject_id": subject.id,
        "staff_id": uow.principal.uuid,
    }
    if watching:
        uow.session.execute(upsert(Watcher).values(id=new_id(), **mine).on_conflict_do_nothing())
    else:
        uow.session.execute(delete(Watcher).filter_by(**mine))
    uow.announce(
        JobWatched(
            job_id=str(subject.job_id),
            task_id=str(subject.id) if subject.kind == "task" else "",
            client_id=str(subject.client_id),
            staff_id=uow.principal.id,
            watching=watching,
        ),
        subject=subject.job_id,
    )
    uow.audit(f"{subject.kind}.{'watched' if watching else 'unwatched'}", subject.kind, subject.id)


def watchers_of(uow: Uow, subject_ids: Collection[UUID]) -> set[UUID]:
    found = select(Watcher.staff_id).where(Watcher.firm_id == uow.firm_id, Watcher.subject_id.in_(subject_ids))
    return set(uow.session.scalars(found))


def tell(uow: Uow, staff_ids: Iterable[UUID], reason: str, subject: Subject, says: str) -> None:
    """Announces that these people should know of it: once, not who caused it, and nobody who may not see the client."""
    others = {s for s in staff_ids if str(s) != uow.principal.id or uow.principal.kind != "staff"}
    if told := may_see(uow, subject.client_id, others):
        uow.announce(
            NoticeDue(
                staff_ids=sorted(str(s) for s in told),
                reason=reason,
                subject_type=subject.kind,
                subject_id=str(subject.id),
                job_id=str(subject.job_id),
                client_id=str(subject.client_id),
                says=says,
            ),
            subject=subject.id,
        )


def tell_watchers(uow: Uow, subjects: Collection[tuple[Subject, str]]) -> None:
    """Tells those who watch the subjects what has become of each."""
    if not subjects:
        return
    found = select(Watcher.subject_id, Watcher.staff_id).where(
        Watcher.firm_id == uow.firm_id, Watcher.subject_id.in_([s.id for s, _ in subjects])
    )
    watching: dict[UUID, set[UUID]] = {}
    for subject_id, staff_id in uow.session.execute(found):
        watching.setdefault(subject_id, set()).add(staff_id)
    for subject, says in subjects:
        if subject.id in watching:
            tell(uow, watching[subject.id], "watching", subject, says)
