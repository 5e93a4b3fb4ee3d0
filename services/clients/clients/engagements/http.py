"""Engagements over HTTP: parse, call, map."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from clients.engagements import queries, usecases


def list_engagements(
    uow: Uow,
    limit: int = 50,
    cursor: str | None = None,
    client_id: str | None = None,
    status: str | None = None,
    service: str | None = None,
    sort: str = "-starts_on",
) -> dict[str, Any]:
    wanted = {"client_id": client_id, "status": status, "service": service}
    return queries.list_engagements(uow, limit, cursor, wanted, sort)


def open_engagement(uow: Uow, body: dict[str, Any]) -> Reply:
    engagement = usecases.open_engagement(uow, body)
    return created(
        queries.read_engagement(uow, engagement.id), f"/engagements/{engagement.id}", etag=engagement.version
    )


def read_engagement(uow: Uow, engagement_id: str) -> Reply:
    return _reply(uow, engagement_id)


def change_engagement(uow: Uow, engagement_id: str, body: dict[str, Any]) -> Reply:
    usecases.change_engagement(uow, UUID(engagement_id), body, if_match=uow.if_match)
    return _reply(uow, engagement_id)


def preview_close(uow: Uow, engagement_id: str) -> dict[str, Any]:
    return queries.preview_close(uow, UUID(engagement_id))


def close_engagement(uow: Uow, engagement_id: str, body: dict[str, Any]) -> Reply:
    usecases.close_engagement(uow, UUID(engagement_id), date.fromisoformat(body["ends_on"]), body["reason"])
    return _reply(uow, engagement_id)


def _reply(uow: Uow, engagement_id: str) -> Reply:
    view = queries.read_engagement(uow, engagement_id)
    return Reply(view, etag=view["version"])
