"""Groups over HTTP: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from clients.groups import queries, usecases


def list_groups(
    uow: Uow, limit: int = 50, cursor: str | None = None, client_id: str | None = None, parent_id: str | None = None
) -> dict[str, Any]:
    return queries.list_groups(uow, limit, cursor, {"client_id": client_id, "parent_id": parent_id})


def create_group(uow: Uow, body: dict[str, Any]) -> Reply:
    group = usecases.create_group(uow, body)
    return created(queries.read_group(uow, group.id), f"/groups/{group.id}", etag=group.version)


def read_group(uow: Uow, group_id: str) -> Reply:
    return _reply(uow, group_id)


def change_group(uow: Uow, group_id: str, body: dict[str, Any]) -> Reply:
    usecases.change_group(uow, UUID(group_id), body, if_match=uow.if_match)
    return _reply(uow, group_id)


def add_client(uow: Uow, group_id: str, client_id: str) -> Reply:
    usecases.add_client(uow, UUID(group_id), UUID(client_id), if_match=uow.if_match)
    return _reply(uow, group_id)


def remove_client(uow: Uow, group_id: str, client_id: str) -> Reply:
    usecases.remove_client(uow, UUID(group_id), UUID(client_id), if_match=uow.if_match)
    return NO_CONTENT


def dissolve_group(uow: Uow, group_id: str) -> Reply:
    usecases.dissolve_group(uow, UUID(group_id), if_match=uow.if_match)
    return NO_CONTENT


def _reply(uow: Uow, group_id: str) -> Reply:
    view = queries.read_group(uow, group_id)
    return Reply(view, etag=view["version"])
