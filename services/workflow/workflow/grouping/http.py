"""HTTP operations on groups."""

from typing import Any

from chassis.uow import Uow
from workflow.grouping import queries
from workflow.jobs import queries as jobs
from workflow.tasks import queries as tasks


def job_groups(uow: Uow, by: str, closed: str | None = None, limit: int = 50, **filters: Any) -> dict[str, Any]:
    return queries.job_groups(uow, by, jobs.Filters(**filters), closed=closed, limit=limit)


def task_groups(uow: Uow, by: str, limit: int = 50, **filters: Any) -> dict[str, Any]:
    return queries.task_groups(uow, by, tasks.Filters(**filters), limit=limit)
