"""Relationships over HTTP: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from clients.relationships import queries, usecases


def list_relationships(
    uow: Uow, limit: int = 50, cursor: str | None = None, client_id: str | None = None
) -> dict[str, Any]:
    return queries.list_relationships(uow, limit, cursor, client_id)


def relate(uow: Uow, body: dict[str, Any]) -> Reply:
    related = usecases.relate(uow, body)
    view = queries.read_relationship(uow, related.id)
    return created(view, f"/relationships/{related.id}", etag=related.version)


def read_relationship(uow: Uow, relationship_id: str) -> Reply:
    return _reply(uow, relationship_id)


def change_relationship(uow: Uow, relationship_id: str, body: dict[str, Any]) -> Reply:
    usecases.change_relationship(uow, UUID(relationship_id), body, if_match=uow.if_match)
    return _reply(uow, relationship_id)


def remove_relationship(uow: Uow, relationship_id: str) -> Reply:
    usecases.remove_relationship(uow, UUID(relationship_id), if_match=uow.if_match)
    return NO_CONTENT


def _reply(uow: Uow, relationship_id: str) -> Reply:
    view = queries.read_relationship(uow, relationship_id)
    return Reply(view, etag=view["version"])
