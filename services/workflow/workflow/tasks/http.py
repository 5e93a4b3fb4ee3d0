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
    uow: Uow, sort: str = "due_on", limit: int = 50, cursor: str | None = None, **filters: Any
) -> dict[str, Any]:
    return queries.list_tasks(uow, queries.Filters(**filters), sort=sort, limit=limit, cursor=cursor)


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


def move_task(uow: Uow, task_id: str, body: dict[str, Any]) -> Reply:
    return _task(uow, usecases.move_task(uow, UUID(task_id), UUID(body["job_id"])))


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
