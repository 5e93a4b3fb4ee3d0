"""Comments as the API shows them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.paging import keyset, page
from chassis.uow import Uow
from workflow.comments.tables import Comment
from workflow.copies.queries import staff_named
from workflow.jobs.queries import job_state

_COMMENTS = """
SELECT c.* FROM comments c WHERE c.firm_id = :firm AND c.job_id = :job {where} ORDER BY c.id DESC LIMIT :n
"""


def list_comments(uow: Uow, job_id: UUID, *, task_id: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
    """A page, the latest first. Errors: `job_not_found`."""
    job_state(uow, job_id)
    after, values = keyset(["c.id"], cursor, descending=True)
    if task_id:
        after, values = f"{after} AND c.task_id = :task", {**values, "task": UUID(task_id)}
    statement = text(_COMMENTS.format(where=after))
    rows = uow.session.execute(statement, {**values, "firm": uow.firm_id, "job": job_id, "n": limit + 1}).all()
    paged = page(rows, limit, lambda row: (row.id,))
    return {"items": views(uow, paged["items"]), "next_cursor": paged["next_cursor"]}


def views(uow: Uow, comments: Sequence[Comment | Any]) -> list[dict[str, Any]]:
    """Comments with the names of who is mentioned."""
    staff = staff_named(uow, {staff_id for comment in comments for staff_id in comment.mentions})
    return [_view(comment, staff) for comment in comments]


def _view(comment: Comment | Any, staff: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    kind, _, author = comment.author.partition(":")
    return {
        "id": comment.id,
        "job_id": comment.job_id,
        "task_id": comment.task_id,
        "author": comment.author_name,
        "author_id": author if kind == "staff" else None,
        "body": comment.body,
        "mentions": [staff.get(m, {"id": m, "name": ""}) for m in comment.mentions],
        "at": comment.at,
        "edited_at": comment.edited_at,
        "version": comment.version,
    }
