"""The composition root of the example: notes that refer to a copy of a firm's name."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

from sqlalchemy import MetaData, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis import merged
from chassis.consumer import Listen
from chassis.copies import keep_newer
from chassis.db import NAMING, TYPES, FirmOwned, Versioned
from chassis.errors import Conflict, Invalid, Unavailable
from chassis.http import NO_CONTENT, Reply, asked, created
from chassis.paging import keyset, page
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.uow import Uow, unit_of_work
from praxis.identity.v1 import identity_pb2
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


class Note(FirmOwned, Versioned, Base):
    __tablename__ = "notes"
    text: Mapped[str]
    visible_to: Mapped[list[UUID] | None] = mapped_column(default=None)


class FirmCopy(FirmOwned, Base):
    __tablename__ = "firm_copy"
    name: Mapped[str]
    version: Mapped[int]


class SubjectNote(FirmOwned, Base):
    __tablename__ = "subject_notes"
    subject_id: Mapped[UUID | None]


class SubjectLog(FirmOwned, Base):
    __tablename__ = "subject_log"
    subject_id: Mapped[UUID | None]


class Settings(ServiceSettings):
    """The example also asks itself, in the role of identity."""

    identity_grpc: str = ""


def view(note: Note) -> dict[str, object]:
    return {"id": str(note.id), "text": note.text, "version": note.version}


def create_note(uow: Uow, body: dict[str, str]) -> Reply:
    if body["text"] == "forbidden":
        raise Invalid("text_forbidden", "This text is not allowed.", pointer="/text")
    note = uow.add(Note(text=body["text"]))
    announce(uow, note)
    uow.audit("note.created", "note", note.id, after=view(note))
    if body["text"].startswith("later"):
        uow.later("shout", note.id, note_id=str(note.id))
    return created(view(note), f"/notes/{note.id}", note.version)


def announce(uow: Uow, note: Note) -> None:
    uow.announce(
        StaffChanged(staff_id=str(note.id), name=note.text, version=note.version), subject=note.id, version=note.version
    )


def read_note(uow: Uow, note_id: str) -> Reply:
    note = uow.get(Note, note_id)
    return Reply(view(note), etag=note.version)


def change_note(uow: Uow, note_id: str, body: dict[str, str]) -> Reply:
    note = uow.get(Note, note_id, lock=True, version=uow.if_match)
    note.text = body["text"]
    uow.session.flush()
    announce(uow, note)
    return Reply(view(note), etag=note.version)


def delete_note(uow: Uow, note_id: str) -> Reply:
    uow.session.delete(uow.get(Note, note_id, version=uow.if_match))
    return NO_CONTENT


def list_notes(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, object]:
    where, after = keyset(["text", "id"], cursor)
    rows = uow.session.execute(
        text(f"SELECT id::text, text, version FROM notes WHERE true {where} ORDER BY notes.text, notes.id LIMIT :n"),
        after | {"n": limit + 1},
    ).mappings()
    return page([dict(r) for r in rows], limit, lambda r: (r["text"], r["id"]))


def tell_notes(uow: Uow) -> Reply:
    runtime, principal = uow.runtime, uow.principal
    uow.audit("notes.told", "notes", uow.firm_id)

    def lines() -> Iterator[bytes]:
        for skipped in range(3):
            with unit_of_work(runtime, principal) as page:
                found = page.session.scalars(select(Note.text).order_by(Note.text).offset(skipped).limit(1)).all()
                found += page.session.scalars(
                    text("SELECT count(*)::text FROM audit WHERE action = 'notes.told'")
                ).all()
            yield ",".join(found).encode() + b"\n"

    return Reply(lines(), headers={"content-type": "text/plain; charset=utf-8"})


def open_door(_runtime: object) -> dict[str, str]:
    return {"hello": "world"}


def hand_in(_runtime: object, body: bytes) -> dict[str, str]:
    return {"came": body.decode(), "signed": asked().headers.get("signature", "")}


def ask_identity(uow: Uow) -> dict[str, str]:
    answer = uow.ask("identity", "IssuePortalToken", identity_pb2.IssuePortalTokenRequest(contact_id="x"), timeout=1)
    return {"token": answer.access_token}


def issue_portal_token(
    uow: Uow, request: identity_pb2.IssuePortalTokenRequest
) -> identity_pb2.IssuePortalTokenResponse:
    if request.contact_id == "taken":
        raise Conflict("contact_taken", "Somebody has it.")
    uow.audit("token.issued", "contact", request.contact_id)
    return identity_pb2.IssuePortalTokenResponse(
        access_token=f"{uow.principal.actor} {uow.firm_id} {len(request.client_ids)}", expires_in=1
    )


def keep_firm(uow: Uow, event: FirmUpdated) -> None:
    if event.name == "poison":
        raise RuntimeError("this one can't be handled")
    keep_newer(uow, FirmCopy, id=event.firm_id, version=event.version, name=event.name)


def shout(uow: Uow, note_id: str) -> None:
    note = uow.get(Note, note_id, lock=True)
    if note.text == "later fails":
        raise RuntimeError("no voice")
    if note.text == "later kills":
        os.kill(os.getpid(), signal.SIGKILL)
    if note.text == "later waits":
        raise Unavailable("voice_away", "The voice is away.")
    note.text = note.text.upper()
    uow.session.flush()


def states(uow: Uow):
    for note in uow.session.query(Note).order_by(Note.id):
        yield note.id, note.version, StaffChanged(staff_id=str(note.id), name=note.text, version=note.version)


def empty_notes(uow: Uow) -> list[str]:
    return [str(i) for i in uow.session.execute(text("SELECT id FROM notes WHERE text = ''")).scalars()]


service = Service(
    name="notes",
    root=Path(__file__).resolve().parents[1],
    settings=Settings,
    rpc=[
        (
            identity_pb2.DESCRIPTOR.services_by_name["Identity"],
            SimpleNamespace(__name__="notes", issue_portal_token=issue_portal_token),
        ),  # type: ignore[list-item]
    ],
    listens=[Listen(FirmUpdated, keep_firm)],
    timers={"shout": shout, "repoint": merged.again},
    republish={StaffChanged: states},
    checks={"no empty notes": empty_notes},
    constraints={"uq_notes_text": Conflict("text_taken", "There is a note with this text.")},
)
