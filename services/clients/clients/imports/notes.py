"""A chunk of rows of notes: what each would do (dry), doing it, and taking it back.

A note keeps who wrote it and when. Those it mentions aren't told: they were when it was written.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from chassis.db import new_id
from chassis.uow import Uow
from clients.imports import bulk, finding, trail
from clients.imports.tables import ImportRow
from clients.imports.writing import CHANGED, NEW, SAME, UNDONE, Line, Work, keep, references, refuse_again
from clients.notes.tables import ClientNote
from clients.notes.usecases import beginning
from clients.timeline.tables import Entry
from clients.timeline.usecases import Actor, retitle
from praxis.clients.v1.events_pb2 import NoteWritten


def write(work: Work, lines: Sequence[Line]) -> None:
    """Decides, and unless dry does, what each line says."""
    uow = work.uow
    clients = references(work, lines, "client")
    lines = [line for line in lines if line.sound]
    if work.dry:
        keys = {line.place: finding.keys_of_note(line.facts, line.facts["client"]) for line in lines}
        refuse_again(work, lines, "note", keys)
        lines = [line for line in lines if line.sound]
    keys = {line.place: finding.keys_of_note(line.facts, clients.get((line.place, "client"))) for line in lines}
    known = finding.notes_known(uow, [key for of in keys.values() for key in of])
    held = _held(uow, {id for line in lines for id in known.ids(keys[line.place])}, lock=not work.dry)
    fresh: list[Line] = []
    changed: list[tuple[Line, ClientNote]] = []
    for line in lines:
        client = clients[line.place, "client"]
        note = next((held[id] for id in sorted(known.ids(keys[line.place])) if id in held), None)
        if note is None:
            line.outcome = NEW
            fresh.append(line)
        elif note.client_id != client:
            line.bad("note_on_another_client", "This note is on another client.", "client")
        elif not (differing := _differing(note, line.facts)):
            line.outcome = SAME
        elif "said" in differing and note.author != uow.principal.actor:
            line.bad("note_not_yours", "Only who wrote a note can change its words.", "text")
        else:
            line.outcome = CHANGED
            changed.append((line, note))
    if work.dry:
        return
    if fresh:
        _create(work, fresh, clients)
    for line, note in changed:
        line.before = _state(note)
        _save(uow, note, _differing(note, line.facts), "note.changed", work.reason)
        line.subject_id, line.version = note.id, note.version


def _held(uow: Uow, ids: set[UUID], *, lock: bool) -> dict[UUID, ClientNote]:
    wanted = select(ClientNote).where(ClientNote.id.in_(ids)).order_by(ClientNote.id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return {note.id: note for note in uow.session.scalars(wanted)} if ids else {}


def _differing(note: ClientNote, facts: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {"said": facts["text"]}
    if "pinned" in facts:
        wanted["pinned"] = facts["pinned"]
    if "mentions" in facts:
        wanted["mentions"] = [UUID(id) for id in dict.fromkeys(facts["mentions"])]
    return {name: value for name, value in wanted.items() if value != getattr(note, name)}


def _state(note: ClientNote) -> dict[str, Any]:
    return {"said": note.said, "pinned": note.pinned, "mentions": [str(id) for id in note.mentions]}


def _save(uow: Uow, note: ClientNote, differing: Mapping[str, Any], action: str, reason: str) -> None:
    before = _state(note)
    for name, value in differing.items():
        setattr(note, name, value)
    note.updated_at = uow.now
    uow.session.flush()
    if note.said != before["said"]:
        retitle(uow, note.client_id, "note", note.id, beginning(note.said))
    _announce(uow, note.id, note.client_id, note.author, "changed")
    uow.audit(action, "note", note.id, before=before, after=_state(note), reason=reason)


def _announce(uow: Uow, id: UUID, client_id: UUID, author: str, what: str) -> None:
    uow.announce(NoteWritten(note_id=str(id), client_id=str(client_id), author=author, what=what), subject=id)


def _create(work: Work, lines: Sequence[Line], clients: Mapping[tuple[int, str], UUID | None]) -> None:
    """New notes, all of a chunk at once. One whose id is held by a note that can't be seen is refused."""
    uow = work.uow
    rows = {line.place: _row(work, line, clients[line.place, "client"]) for line in lines}
    kept = bulk.insert(uow, ClientNote, list(rows.values()))
    entries, said = [], []
    for line in lines:
        row = rows[line.place]
        if row["id"] not in kept:
            line.bad("id_taken", "Another note has this id.", "id")
            continue
        line.subject_id, line.version = row["id"], 1
        by = Actor(row["author"], row["author_name"])
        title = beginning(row["said"])
        entries.append(
            trail.entry(uow, row["client_id"], "note", "added", row["id"], title, by=by, at=row["created_at"])
        )
        said.append(
            (row["id"], None, {"client_id": str(row["client_id"]), "author": row["author"], "said": row["said"]})
        )
        _announce(uow, row["id"], row["client_id"], row["author"], "added")
    bulk.insert(uow, Entry, entries)
    trail.audit_all(uow, "note.added", "note", said, work.reason)


def _row(work: Work, line: Line, client_id: UUID | None) -> dict[str, Any]:
    uow, facts = work.uow, line.facts
    author, name = _author(work, facts)
    at = datetime.fromisoformat(facts["written_at"]) if "written_at" in facts else uow.now
    return {
        "firm_id": uow.firm_id,
        "id": UUID(facts["id"]) if "id" in facts else new_id(),
        "client_id": client_id,
        "said": facts["text"],
        "pinned": facts.get("pinned", False),
        "mentions": [UUID(id) for id in dict.fromkeys(facts.get("mentions", ()))],
        "author": author,
        "author_name": name,
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }


def _author(work: Work, facts: Mapping[str, Any]) -> tuple[str, str]:
    """Whose words they are: of whom the file names, else of whoever brings it in."""
    if "author" not in facts and "author_id" not in facts:
        return work.uow.principal.actor, work.uow.principal.name
    name = facts.get("author", "")
    found = work.firm.staff.get(name.casefold())
    return facts.get("author_id") or (f"staff:{found}" if found else ""), name


def take_back(uow: Uow, rows: Sequence[ImportRow], reason: str) -> None:
    """Undoes these rows."""
    held = _held(uow, {row.subject_id for row in rows if row.subject_id}, lock=True)
    gone: list[ClientNote] = []
    for row in rows:
        note = held.get(row.subject_id) if row.subject_id else None
        if note is None:
            row.outcome = UNDONE
        elif note.version != row.subject_version:
            keep(row, "changed_since", "The note was changed since.")
        elif row.outcome == NEW:
            gone.append(note)
            row.outcome = UNDONE
        else:
            before = row.before or {}
            mentions = [UUID(id) for id in before["mentions"]]
            _save(uow, note, {**before, "mentions": mentions}, "note.change_undone", reason)
            row.outcome = UNDONE
    if not gone:
        return
    ids = [note.id for note in gone]
    for note in gone:
        _announce(uow, note.id, note.client_id, note.author, "deleted")
        uow.session.expunge(note)
    told = delete(Entry).where(
        Entry.firm_id == uow.firm_id, Entry.client_id.in_({note.client_id for note in gone}), Entry.subject_id.in_(ids)
    )
    uow.session.execute(told)
    uow.session.execute(delete(ClientNote).where(ClientNote.firm_id == uow.firm_id, ClientNote.id.in_(ids)))
    said = ((note.id, _state(note) | {"client_id": str(note.client_id)}, None) for note in gone)
    trail.audit_all(uow, "note.removed", "note", said, reason)
