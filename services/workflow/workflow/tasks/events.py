"""What a task's state looks like to the other services."""

from praxis.workflow.v1.events_pb2 import TaskChanged
from workflow.jobs.rules import priority_of
from workflow.tasks.tables import Task


def task_changed(task: Task) -> TaskChanged:
    return TaskChanged(
        task_id=str(task.id),
        job_id=str(task.job_id),
        client_id=str(task.client_id),
        title=task.title,
        owner_id=str(task.owner_id or ""),
        status=task.status,
        blocked=task.blocked,
        due_on=str(task.due_on or ""),
        budget_minutes=task.budget_minutes,
        version=task.version,
        priority=priority_of(task.priority),
    )
