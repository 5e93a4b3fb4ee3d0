"""Contacts over HTTP: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from clients.contacts import queries, usecases


def list_contacts(
    uow: Uow,
    limit: int = 50,
    cursor: str | None = None,
    client_id: str | None = None,
    active: bool | None = None,
    portal_access: bool | None = None,
    q: str | None = None,
) -> dict[str, Any]:
    wanted = {"client_id": client_id, "active": active, "portal_access": portal_access, "q": q}
    return queries.list_contacts(uow, limit, cursor, wanted)


def create_contact(uow: Uow, body: dict[str, Any]) -> Reply:
    contact = usecases.create_contact(uow, body)
    return created(queries.read_contact(uow, contact.id), f"/contacts/{contact.id}", etag=contact.version)


def read_contact(uow: Uow, contact_id: str) -> Reply:
    return _reply(uow, contact_id)


def change_contact(uow: Uow, contact_id: str, body: dict[str, Any]) -> Reply:
    usecases.change_contact(uow, UUID(contact_id), body, if_match=uow.if_match)
    return _reply(uow, contact_id)


def link_client(uow: Uow, contact_id: str, client_id: str, body: dict[str, Any]) -> Reply:
    usecases.link_client(uow, UUID(contact_id), UUID(client_id), body["roles"], if_match=uow.if_match)
    return _reply(uow, contact_id)


def unlink_client(uow: Uow, contact_id: str, client_id: str) -> Reply:
    usecases.unlink_client(uow, UUID(contact_id), UUID(client_id), if_match=uow.if_match)
    return NO_CONTENT


def _reply(uow: Uow, contact_id: str) -> Reply:
    view = queries.read_contact(uow, contact_id)
    return Reply(view, etag=view["version"])
