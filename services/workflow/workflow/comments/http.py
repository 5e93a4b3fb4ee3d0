"""HTTP operations on comments."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from workflow.comments import queries, usecases


def list_comments(
    uow: Uow, job_id: str, task_id: str | None = None, limit: int = 50, cursor: str | None = None
) -> dict[str, Any]:
    return queries.list_comments(uow, UUID(job_id), task_id=task_id, limit=limit, cursor=cursor)


def add_comment(uow: Uow, job_id: str, body: dict[str, Any]) -> Reply:
    comment = usecases.add_comment(uow, UUID(job_id), body)
    return created(queries.views(uow, [comment])[0], f"/comments/{comment.id}", etag=comment.version)


def change_comment(uow: Uow, comment_id: str, body: dict[str, Any]) -> Reply:
    comment = usecases.change_comment(uow, UUID(comment_id), body)
    return Reply(queries.views(uow, [comment])[0], etag=comment.version)


def delete_comment(uow: Uow, comment_id: str) -> Reply:
    usecases.delete_comment(uow, UUID(comment_id))
    return NO_CONTENT
