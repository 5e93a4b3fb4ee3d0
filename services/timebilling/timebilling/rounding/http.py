"""Operations on rounding policies."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply
from chassis.uow import Uow
from timebilling.rounding import usecases


def list_policies(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return usecases.listed(uow, limit, cursor)


def put_policy(uow: Uow, subject_id: str, body: dict[str, Any]) -> Reply:
    policy = usecases.put(uow, UUID(subject_id), body, uow.if_match)
    return Reply(policy, etag=policy["version"])


def delete_policy(uow: Uow, subject_id: str) -> Reply:
    usecases.delete(uow, UUID(subject_id), uow.if_match)
    return NO_CONTENT
