"""HTTP operations on saved views."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from workflow.views import usecases
from workflow.views.tables import View


def list_views(uow: Uow, list: str | None = None, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    found = usecases.list_views(uow, list, limit, cursor)
    return {"items": [_shown(uow, view) for view in found["items"]], "next_cursor": found["next_cursor"]}


def create_view(uow: Uow, body: dict[str, Any]) -> Reply:
    view = usecases.create_view(uow, body)
    return created(_shown(uow, view), f"/views/{view.id}", etag=view.version)


def change_view(uow: Uow, view_id: str, body: dict[str, Any]) -> Reply:
    view = usecases.change_view(uow, UUID(view_id), body)
    return Reply(_shown(uow, view), etag=view.version)


def delete_view(uow: Uow, view_id: str) -> Reply:
    usecases.delete_view(uow, UUID(view_id))
    return NO_CONTENT


def _shown(uow: Uow, view: View) -> dict[str, Any]:
    names = ("id", "name", "list", "filters", "sort", "group_by", "shared", "version")
    return {name: getattr(view, name) for name in names} | {"mine": str(view.owner_id) == uow.principal.id}
