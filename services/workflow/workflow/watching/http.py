"""HTTP operations on watching."""

from typing import Any
from uuid import UUID

from chassis.http import Reply
from chassis.uow import Uow
from workflow.jobs.http import job_reply
from workflow.jobs.queries import job_state
from workflow.tasks.http import task_reply
from workflow.tasks.queries import task_state
from workflow.watching import usecases
from workflow.watching.usecases import Subject


def watch_job(uow: Uow, job_id: str, body: dict[str, Any]) -> Reply:
    job = job_state(uow, UUID(job_id))
    usecases.watch(uow, Subject("job", UUID(job_id), UUID(job_id), UUID(job.client_id)), body["watching"])
    return job_reply(uow, UUID(job_id))


def watch_task(uow: Uow, task_id: str, body: dict[str, Any]) -> Reply:
    task = task_state(uow, UUID(task_id))
    usecases.watch(uow, Subject("task", UUID(task_id), UUID(task.job_id), UUID(task.client_id)), body["watching"])
    return task_reply(uow, UUID(task_id))
