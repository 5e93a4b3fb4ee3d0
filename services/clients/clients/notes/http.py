"""Notes over HTTP: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from clients.notes import queries, usecases


def list_notes(
    uow: Uow, client_id: str, limit: int = 50, cursor: str | None = None, pinned: bool | None = None
) -> dict[str, Any]:
    return queries.list_notes(uow, client_id, limit, cursor, pinned)


def add_note(uow: Uow, client_id: str, body: dict[str, Any]) -> Reply:
    note = usecases.add_note(uow, UUID(client_id), body)
    return created(queries.read_note(uow, note.id), f"/notes/{note.id}", etag=note.version)


def read_note(uow: Uow, note_id: str) -> Reply:
    return _reply(uow, note_id)


def change_note(uow: Uow, note_id: str, body: dict[str, Any]) -> Reply:
    usecases.change_note(uow, UUID(note_id), body, if_match=uow.if_match)
    return _reply(uow, note_id)


def delete_note(uow: Uow, note_id: str) -> Reply:
    usecases.delete_note(uow, UUID(note_id), if_match=uow.if_match)
    return NO_CONTENT


def _reply(uow: Uow, note_id: str) -> Reply:
    view = queries.read_note(uow, note_id)
    return Reply(view, etag=view["version"])
