"""A new task, from a template or by hand."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.db import new_id
from workflow.jobs.rules import rank
from workflow.jobs.tables import Job
from workflow.tasks.rules import checklist_of
from workflow.tasks.tables import Task


def new_task(
    job: Job,
    position: int,
    *,
    title: str,
    description: str = "",
    role: str = "",
    owner_id: UUID | None = None,
    priority: str = "normal",
    budget_minutes: int = 0,
    checklist: list[str] | None = None,
    due_on: date | None = None,
    pushed_from: date | None = None,
    due_rule: dict[str, Any] | None = None,
    key: str | None = None,
) -> Task:
    """A task that nobody has begun. A date without a rule was set by hand, and stays."""
    return Task(
        id=new_id(),
        job_id=job.id,
        client_id=job.client_id,
        key=key,
        position=position,
        title=title,
        description=description,
        role=role,
        owner_id=owner_id,
        priority=rank(priority),
        status="not_started",
        budget_minutes=budget_minutes,
        checklist=checklist_of(checklist or []),
        due_rule=due_rule,
        due_on=due_on,
        original_due_on=due_on,
        pushed_from=pushed_from,
        due_moves=0,
        due_pinned=due_rule is None and due_on is not None,
        waits_for=0,
        begins_on=job.starts_on,
        blocked=False,
    )
