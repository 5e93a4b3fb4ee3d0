"""Writing the timeline."""

from typing import Any
from uuid import UUID

from chassis.db import new_id
from chassis.uow import Uow
from clients.timeline.tables import Entry


def record(uow: Uow, client_id: UUID, kind: str, what: str, subject_id: UUID | str, title: str, **details: Any) -> None:
    """Something happened with a client, now, by whoever this unit of work is for."""
    uow.session.add(
        Entry(
            id=new_id(),
            client_id=client_id,
            at=uow.now,
            kind=kind,
            what=what,
            subject_id=UUID(str(subject_id)),
            title=title,
            details={name: value for name, value in details.items() if value},
            actor=uow.principal.actor,
            actor_name=uow.principal.name,
        )
    )
