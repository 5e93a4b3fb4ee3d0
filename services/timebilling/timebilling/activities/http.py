"""Operations on activities."""

from typing import Any

from sqlalchemy import text

from chassis import paging
from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.activities import usecases


def list_activities(uow: Uow, limit: int = 50, cursor: str | None = None, active: bool | None = None) -> dict[str, Any]:
    after, values = paging.keyset(["name", "id"], cursor)
    rows = uow.session.execute(
        text(
            "SELECT id, name, billable, active, version FROM activities "
            f"WHERE (CAST(:active AS boolean) IS NULL OR active = :active) {after} ORDER BY name, id LIMIT :limit"
        ),
        {"active": active, "limit": limit + 1, **values},
    ).mappings()
    return paging.page([dict(r) for r in rows], limit, lambda r: (r["name"], r["id"]))


def create_activity(uow: Uow, body: dict[str, Any]) -> Reply:
    activity = usecases.create(uow, body)
    return created(usecases.view(activity), f"/activities/{activity.id}", etag=activity.version)


def change_activity(uow: Uow, activity_id: str, body: dict[str, Any]) -> Reply:
    activity = usecases.change(uow, activity_id, body, uow.if_match)
    return Reply(usecases.view(activity), etag=activity.version)
