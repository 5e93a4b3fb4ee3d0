"""Merging over HTTP: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import Reply
from chassis.uow import Uow
from clients.merging import queries, usecases
from clients.parties.queries import read_client


def preview_merge(uow: Uow, client_id: str, merged_id: str, take: list[str] | None = None) -> dict[str, Any]:
    return queries.preview(uow, UUID(client_id), UUID(merged_id), take or [])


def merge_client(uow: Uow, client_id: str, body: dict[str, Any]) -> Reply:
    client = usecases.merge(uow, UUID(client_id), body)
    return Reply(read_client(uow, client.id), etag=client.version)
