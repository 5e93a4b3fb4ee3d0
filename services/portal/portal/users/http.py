"""Operations on portal users: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import Reply
from chassis.uow import Uow
from portal.users import queries, usecases


def invite(uow: Uow, body: dict[str, Any]) -> Reply:
    invitation = usecases.invite(uow, UUID(body["contact_id"]))
    return Reply(
        {"contact_id": invitation.contact_id, "email": invitation.email, "invited_at": invitation.invited_at},
        status=201,
    )


def list_users(uow: Uow, limit: int = 50, cursor: str | None = None, client_id: str | None = None) -> dict[str, Any]:
    page = queries.listed(uow, limit=limit, cursor=cursor, client_id=client_id)
    return page | {"items": [_user(row) for row in page["items"]]}


def _user(row: Any) -> dict[str, Any]:
    return {
        "contact_id": row.id,
        "name": row.name,
        "email": row.email,
        "clients": row.clients,
        "invited_at": row.invited_at,
        "last_seen_at": row.last_seen_at,
    }
