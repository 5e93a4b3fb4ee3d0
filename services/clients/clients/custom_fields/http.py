"""Custom fields over HTTP: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from clients.custom_fields import queries, usecases


def list_custom_fields(uow: Uow) -> dict[str, Any]:
    return queries.list_custom_fields(uow)


def create_custom_field(uow: Uow, body: dict[str, Any]) -> Reply:
    field = usecases.create_custom_field(uow, body)
    return created(queries.view(field), f"/custom-fields/{field.id}", etag=field.version)


def read_custom_field(uow: Uow, custom_field_id: str) -> Reply:
    view = queries.read(uow, UUID(custom_field_id))
    return Reply(view, etag=view["version"])


def change_custom_field(uow: Uow, custom_field_id: str, body: dict[str, Any]) -> Reply:
    field = usecases.change_custom_field(uow, UUID(custom_field_id), body, if_match=uow.if_match)
    return Reply(queries.view(field), etag=field.version)


def delete_custom_field(uow: Uow, custom_field_id: str) -> Reply:
    usecases.delete_custom_field(uow, UUID(custom_field_id), if_match=uow.if_match)
    return NO_CONTENT
