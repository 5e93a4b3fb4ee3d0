"""Saying something about a job or a task, changing and taking it back."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.db import new_id
from chassis.errors import Forbidden, Invalid, NotFound
from chassis.uow import Uow, lost_update
from praxis.workflow.v1.events_pb2 import CommentWritten
from workflow.comments.tables import Comment
from workflow.copies.tables import ClientCopy
from workflow.jobs.tables import Job
from workflow.tasks.tables import Task
from workflow.templates.usecases import optional_uuid
from workflow.watching.usecases import Subject, may_see, tell, watchers_of


def add_comment(uow: Uow, job_id: UUID, body: Mapping[str, Any]) -> Comment:
    """Errors: `job_not_found`, `task_not_found`, `mention_of_stranger`."""
    subject, title = _about(uow, job_id, optional_uuid(body.get("task_id")))
    mentions = _mentions(uow, subject.client_id, body.get("mentions", []))
    comment = Comment(
        id=new_id(),
        job_id=job_id,
        client_id=subject.client_id,
        task_id=subject.id if subject.kind == "task" else None,
        author=uow.principal.actor,
        author_name=uow.principal.name,
        body=body["body"].strip(),
        mentions=mentions,
        at=uow.now,
        edited_at=None,
    )
    uow.add(comment)
    _announce(uow, comment, "added")
    _tell_mentioned(uow, subject, title, mentions)
    tell(
        uow,
        watchers_of(uow, {job_id, subject.id}) - set(mentions),
        "watching",
        subject,
        f"{uow.principal.name} commented on “{title}”.",
    )
    uow.audit("comment.added", "comment", comment.id, after=_shown(comment))
    return comment


def change_comment(uow: Uow, comment_id: UUID, body: Mapping[str, Any]) -> Comment:
    """Errors: `comment_not_found`, `not_your_comment`, `mention_of_stranger`, `version_conflict`."""
    comment = _own(uow, comment_id)
    before, known = _shown(comment), set(comment.mentions)
    subject, title = _about(uow, comment.job_id, comment.task_id)
    comment.body, comment.edited_at = body["body"].strip(), uow.now
    comment.mentions = _mentions(uow, comment.client_id, body.get("mentions", []), known=known)
    uow.session.flush()
    _announce(uow, comment, "changed")
    _tell_mentioned(uow, subject, title, set(comment.mentions) - known)
    uow.audit("comment.changed", "comment", comment_id, before=before, after=_shown(comment))
    return comment


def delete_comment(uow: Uow, comment_id: UUID) -> None:
    """Errors: `comment_not_found`, `not_your_comment`, `version_conflict`."""
    comment = _own(uow, comment_id)
    uow.session.delete(comment)
    _announce(uow, comment, "deleted")
    uow.audit("comment.deleted", "comment", comment_id, before=_shown(comment))


def _about(uow: Uow, job_id: UUID, task_id: UUID | None) -> tuple[Subject, str]:
    """The job, or its task, and how it is called. Errors: `job_not_found`, `task_not_found`."""
    visible = (ClientCopy.firm_id == Job.firm_id) & (ClientCopy.id == Job.client_id)
    job = uow.session.execute(
        select(Job.client_id, Job.title).join(ClientCopy, visible).where(Job.firm_id == uow.firm_id, Job.id == job_id)
    ).first()
    if job is None:
        raise NotFound("job_not_found", "There is no such job.")
    if task_id is None:
        return Subject("job", job_id, job_id, job.client_id), job.title
    title = uow.session.scalar(
        select(Task.title).where(Task.firm_id == uow.firm_id, Task.id == task_id, Task.job_id == job_id)
    )
    if title is None:
        raise NotFound("task_not_found", "The job has no such task.", pointer="/task_id")
    return Subject("task", task_id, job_id, job.client_id), title


def _mentions(uow: Uow, client_id: UUID, named: Iterable[str], known: Iterable[UUID] = ()) -> list[UUID]:
    """Everyone mentioned works here and may see the client. Who was mentioned before may have left since."""
    wanted = list(dict.fromkeys(UUID(staff_id) for staff_id in named))
    strangers = set(wanted) - set(known)
    strangers -= may_see(uow, client_id, strangers)
    if strangers:
        place = next(i for i, staff_id in enumerate(wanted) if staff_id in strangers)
        raise Invalid(
            "mention_of_stranger",
            "Only people of the firm who may see this client can be mentioned.",
            pointer=f"/mentions/{place}",
        )
    return wanted


def _tell_mentioned(uow: Uow, subject: Subject, title: str, staff_ids: Iterable[UUID]) -> None:
    tell(uow, staff_ids, "mentioned", subject, f"{uow.principal.name} mentioned you on “{title}”.")


def _own(uow: Uow, comment_id: UUID) -> Comment:
    visible = (ClientCopy.firm_id == Comment.firm_id) & (ClientCopy.id == Comment.client_id)
    comment = uow.session.scalar(
        select(Comment).join(ClientCopy, visible).where(Comment.firm_id == uow.firm_id, Comment.id == comment_id)
    )
    if comment is None:
        raise NotFound("comment_not_found", "There is no such comment.")
    if comment.author != uow.principal.actor:
        raise Forbidden("not_your_comment", "Only who wrote a comment can change it or take it back.")
    if uow.if_match is not None and comment.version != uow.if_match:
        raise lost_update(comment.version)
    return comment


def _announce(uow: Uow, comment: Comment, what: str) -> None:
    """The subject is the job: open pages of it ask again."""
    kind, _, author = comment.author.partition(":")
    uow.announce(
        CommentWritten(
            comment_id=str(comment.id),
            job_id=str(comment.job_id),
            task_id=str(comment.task_id or ""),
            client_id=str(comment.client_id),
            author_id=author if kind == "staff" else "",
            what=what,
        ),
        subject=comment.job_id,
    )


def _shown(comment: Comment) -> dict[str, Any]:
    return {"job_id": comment.job_id, "body": comment.body, "mentions": [str(m) for m in comment.mentions]}
