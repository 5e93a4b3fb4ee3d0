"""Clients over HTTP: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from clients.parties import queries, usecases


def list_clients(
    uow: Uow,
    limit: int = 50,
    cursor: str | None = None,
    status: str | None = None,
    kind: str | None = None,
    country: str | None = None,
    tag: str | None = None,
    partner_id: str | None = None,
    manager_id: str | None = None,
    group_id: str | None = None,
    external_id: str | None = None,
    custom: str | None = None,
    q: str | None = None,
    sort: str = "name",
) -> dict[str, Any]:
    wanted = {
        "status": status, "kind": kind, "country": country, "tag": tag, "partner_id": partner_id, "manager_id": manager_id,
        "group_id": group_id, "external_id": external_id, "custom": custom, "q": q,
    }  # fmt: skip
    return queries.list_clients(uow, limit, cursor, wanted, sort)


def create_client(uow: Uow, body: dict[str, Any]) -> Reply:
    client = usecases.create_client(uow, body)
    return created(queries.read_client(uow, client.id), f"/clients/{client.id}", etag=client.version)


def read_client(uow: Uow, client_id: str) -> Reply:
    return _reply(uow, client_id)


def change_client(uow: Uow, client_id: str, body: dict[str, Any]) -> Reply:
    usecases.change_client(uow, UUID(client_id), body, if_match=uow.if_match)
    return _reply(uow, client_id)


def remove_client(uow: Uow, client_id: str) -> Reply:
    usecases.remove_client(uow, UUID(client_id), if_match=uow.if_match)
    return NO_CONTENT


def activate_client(uow: Uow, client_id: str) -> Reply:
    usecases.activate_client(uow, UUID(client_id))
    return _reply(uow, client_id)


def archive_client(uow: Uow, client_id: str, body: dict[str, Any]) -> Reply:
    usecases.archive_client(uow, UUID(client_id), body["reason"])
    return _reply(uow, client_id)


def find_by_tax_number(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return queries.find_by_tax_number(uow, body["tax_number"])


def _reply(uow: Uow, client_id: str) -> Reply:
    view = queries.read_client(uow, client_id)
    return Reply(view, etag=view["version"])
