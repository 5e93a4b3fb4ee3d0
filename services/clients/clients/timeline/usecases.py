"""Writing the timeline."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update

from chassis.db import new_id
from chassis.uow import Uow
from clients.timeline.tables import Entry


@dataclass(frozen=True, slots=True)
class Actor:
    """Whose act something was: "staff:<id>" and their name."""

    actor: str
    name: str


NOBODY = Actor("", "")  # it happened, or nobody says whose act it was


def record(
    uow: Uow,
    client_id: UUID,
    kind: str,
    what: str,
    subject_id: UUID | str,
    title: str,
    *,
    by: Actor | None = None,
    **details: Any,
) -> None:
    """Something happened with a client: when the event says that is being handled, else now; by whoever this unit of work is for, or `by`."""
    by = by or Actor(uow.principal.actor, uow.principal.name)
    uow.session.add(
        Entry(
            id=new_id(),
            client_id=client_id,
            at=uow.heard_at or uow.now,
            kind=kind,
            what=what,
            subject_id=UUID(str(subject_id)),
            title=title,
            details={name: value for name, value in details.items() if value},
            actor=by.actor,
            actor_name=by.name,
        )
    )


def forget(uow: Uow, client_id: UUID, kind: str, subject_id: UUID) -> None:
    """Takes away what was told of something whose words are taken back. The client comes first: its entries are found by index."""
    told = delete(Entry).where(Entry.client_id == client_id, Entry.kind == kind, Entry.subject_id == subject_id)
    uow.session.execute(told)


def retitle(uow: Uow, client_id: UUID, kind: str, subject_id: UUID, title: str) -> None:
    """What was told of something whose words were changed quotes the new ones: who takes a word back takes it from here too."""
    told = update(Entry).where(Entry.client_id == client_id, Entry.kind == kind, Entry.subject_id == subject_id)
    uow.session.execute(told.values(title=title))
