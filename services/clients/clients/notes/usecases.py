"""What one can do with notes: load, decide, save, announce, tell who is mentioned."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.db import new_id
from chassis.uow import Uow
from clients.copies.usecases import require_active_staff
from clients.notes import rules
from clients.notes.tables import ClientNote
from clients.parties.finding import find
from clients.parties.tables import Client
from clients.timeline.usecases import forget, record, retitle
from clients.trail import audit_change
from praxis.clients.v1.events_pb2 import NoteWritten, NoticeDue

_FACTS = ("said", "pinned", "mentions")


def add_note(uow: Uow, client_id: UUID, body: Mapping[str, Any]) -> ClientNote:
    """A new note; who is mentioned is told. Errors: `client_not_found`, `unknown_staff`, `mentioned_cannot_see`."""
    client = find(uow, client_id)
    note = ClientNote(
        id=new_id(),
        client_id=client.id,
        said=body["text"].strip(),
        pinned=body.get("pinned", False),
        mentions=[],
        author=uow.principal.actor,
        author_name=uow.principal.name,
        created_at=uow.now,
        updated_at=uow.now,
    )
    _mention(uow, client, note, body.get("mentions", ()))
    uow.add(note)
    _announce(uow, note, "added")
    record(uow, client.id, "note", "added", note.id, beginning(note.said))
    uow.audit("note.added", "note", note.id, after=_shown(note))
    return note


def change_note(uow: Uow, note_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> None:
    """Changes its words (its author only), also where the timeline quotes them, or pins it.
    Errors: `note_not_found`, `note_not_yours`, `version_conflict`, those of `add_note`."""
    note = uow.get(ClientNote, note_id, lock=True, version=if_match)
    if "text" in body or "mentions" in body:
        rules.require_author(note.author, uow.principal.actor)
    before = _shown(note)
    note.said = body.get("text", note.said).strip()
    note.pinned = body.get("pinned", note.pinned)
    if "mentions" in body:
        _mention(uow, uow.get(Client, note.client_id), note, body["mentions"])
    if _shown(note) != before:
        note.updated_at = uow.now
        uow.session.flush()
        if note.said != before["said"]:
            retitle(uow, note.client_id, "note", note.id, beginning(note.said))
        _announce(uow, note, "changed")
        audit_change(uow, "note.changed", "note", note.id, before=before, after=_shown(note))


def delete_note(uow: Uow, note_id: UUID, *, if_match: int | None) -> None:
    """Its author takes it back, and with it what the timeline quotes of it. Errors: `note_not_found`, `note_not_yours`, `version_conflict`."""
    note = uow.get(ClientNote, note_id, lock=True, version=if_match)
    rules.require_author(note.author, uow.principal.actor)
    uow.session.delete(note)
    uow.session.flush()
    forget(uow, note.client_id, "note", note.id)
    _announce(uow, note, "deleted")
    uow.audit("note.deleted", "note", note.id, before=_shown(note))


def _mention(uow: Uow, client: Client, note: ClientNote, given: Sequence[str]) -> None:
    """Those newly mentioned work here, may see the client, and are told."""
    wanted = list(dict.fromkeys(UUID(staff_id) for staff_id in given))
    new = [staff_id for staff_id in wanted if staff_id not in note.mentions]
    require_active_staff(uow, [(f"/mentions/{wanted.index(staff_id)}", staff_id) for staff_id in new])
    rules.require_all_see(wanted, client.visible_to)
    note.mentions = wanted
    told = [str(staff_id) for staff_id in new if f"staff:{staff_id}" != uow.principal.actor]
    if told:
        says = f"{uow.principal.name} mentioned you in a note on {client.name}."
        notice = NoticeDue(staff_ids=told, reason="mentioned", subject_type="note", subject_id=str(note.id))
        notice.client_id, notice.says = str(client.id), says
        uow.announce(notice, subject=note.id)


def _announce(uow: Uow, note: ClientNote, what: str) -> None:
    uow.announce(
        NoteWritten(note_id=str(note.id), client_id=str(note.client_id), author=note.author, what=what), subject=note.id
    )


def beginning(said: str, most: int = 120) -> str:
    """A note as one line of the timeline shows it."""
    line = " ".join(said.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _shown(note: ClientNote) -> dict[str, Any]:
    return {fact: getattr(note, fact) for fact in _FACTS} | {"client_id": str(note.client_id)}
