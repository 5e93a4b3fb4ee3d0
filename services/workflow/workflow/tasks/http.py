"""HTTP operations on tasks and the dependencies of a job."""

from typing import Any
from uuid import UUID

from chassis.http import Reply
from chassis.uow import Uow
from workflow.jobs.http import job_reply
from workflow.tasks import queries, usecases
from workflow.tasks.tables import Task
from workflow.templates.usecases import optional_uuid
from workflow.watching.queries import watchers_in


def list_tasks(
    uow: Uow,
    owner: str | None = None,
    client_id: str | None = None,
    due_from: str | None = None,
    due_to: str | None = None,
    job_id: str | None = None,
    service: str | None = None,
    priority: list[str] | None = None,
    watcher: str | None = None,
    tag: str | None = None,
    stage_id: str | None = None,
    template_id: str | None = None,
    role: str | None = None,
    status: list[str] | None = None,
    sort: str = "due_on",
    open: bool = True,
    blocked: bool | None = None,
    overdue: bool | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    filters = queries.Filters(
        owner=owner,
        client_id=client_id,
        due_from=due_from,
        due_to=due_to,
        job_id=job_id,
        service=service,
        priority=priority or [],
        watcher=watcher,
        tag=tag,
        stage_id=stage_id,
        template_id=template_id,
        role=role,
        status=status or [],
        open=open,
        blocked=blocked,
        overdue=overdue,
    )
    return queries.list_tasks(uow, filters, sort=sort, limit=limit, cursor=cursor)


def get_task(uow: Uow, task_id: str) -> Reply:
    return task_reply(uow, UUID(task_id))


def change_task(uow: Uow, task_id: str, body: dict[str, Any]) -> Reply:
    return _task(uow, usecases.change_task(uow, UUID(task_id), body))


def start_task(uow: Uow, task_id: str, body: dict[str, Any] | None = None) -> Reply:
    return _task(uow, usecases.start_task(uow, UUID(task_id), despite_block=(body or {}).get("despite_block")))


def finish_task(uow: Uow, task_id: str, body: dict[str, Any] | None = None) -> Reply:
    return _task(uow, usecases.finish_task(uow, UUID(task_id), despite_block=(body or {}).get("despite_block")))


def reopen_task(uow: Uow, task_id: str, body: dict[str, Any]) -> Reply:
    return _task(uow, usecases.reopen_task(uow, UUID(task_id), body["reason"]))


def skip_task(uow: Uow, task_id: str, body: dict[str, Any]) -> Reply:
    return _task(uow, usecases.skip_task(uow, UUID(task_id), body["reason"]))


def assign_task(uow: Uow, task_id: str, body: dict[str, Any]) -> Reply:
    return _task(uow, usecases.assign_task(uow, UUID(task_id), optional_uuid(body["owner_id"])))


def move_task_due_date(uow: Uow, task_id: str, body: dict[str, Any]) -> Reply:
    return _task(uow, usecases.reschedule_task(uow, UUID(task_id), body))


def tick_checklist(uow: Uow, task_id: str, body: dict[str, Any]) -> Reply:
    return _task(uow, usecases.tick_checklist(uow, UUID(task_id), body["key"], body["done"]))


def add_task(uow: Uow, job_id: str, body: dict[str, Any]) -> Reply:
    return job_reply(uow, usecases.add_task(uow, UUID(job_id), body).id, 201)


def add_dependency(uow: Uow, job_id: str, body: dict[str, Any]) -> Reply:
    return job_reply(uow, usecases.add_dependency(uow, UUID(job_id), body).id, 201)


def remove_dependency(uow: Uow, job_id: str, dependency_id: str) -> Reply:
    return job_reply(uow, usecases.remove_dependency(uow, UUID(job_id), UUID(dependency_id)).id)


def _task(uow: Uow, task: Task) -> Reply:
    return task_reply(uow, task.id)


def task_reply(uow: Uow, task_id: UUID) -> Reply:
    """The task. It also shows time, which doesn't count in its version, so it is not to be kept by browsers."""
    shown = queries.task_row(uow, task_id)
    shown["watchers"] = watchers_in(uow, shown["job_id"]).get(task_id, [])
    return Reply(shown, etag=shown["version"], headers={"cache-control": "no-store"})
