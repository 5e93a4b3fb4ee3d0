"""HTTP operations on jobs."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from workflow.jobs import queries, usecases
from workflow.jobs.queries import Filters


def list_jobs(
    uow: Uow,
    closed: str | None = None,
    sort: str = "due_on",
    limit: int = 50,
    cursor: str | None = None,
    **filters: Any,
) -> dict[str, Any]:
    return queries.list_jobs(uow, Filters(**filters), closed=closed, sort=sort, limit=limit, cursor=cursor)


def create_job(uow: Uow, body: dict[str, Any]) -> Reply:
    job = usecases.create_job(uow, body)
    return created(queries.job_page(uow, job.id), f"/jobs/{job.id}", etag=job.version)


def count_jobs(uow: Uow, **filters: Any) -> dict[str, int]:
    return queries.count_jobs(uow, Filters(**filters))


def get_job(uow: Uow, job_id: str) -> Reply:
    return job_reply(uow, UUID(job_id))


def change_job(uow: Uow, job_id: str, body: dict[str, Any]) -> Reply:
    return job_reply(uow, usecases.change_job(uow, UUID(job_id), body, if_match=uow.if_match).id)


def move_job(uow: Uow, job_id: str, body: dict[str, Any]) -> Reply:
    return job_reply(uow, usecases.move_job(uow, UUID(job_id), body).id)


def move_job_due_date(uow: Uow, job_id: str, body: dict[str, Any]) -> Reply:
    return job_reply(uow, usecases.move_due_date(uow, UUID(job_id), body).id)


def cancel_job(uow: Uow, job_id: str, body: dict[str, Any]) -> Reply:
    return job_reply(uow, usecases.cancel_job(uow, UUID(job_id), body["reason"]).id)


def reinstate_job(uow: Uow, job_id: str) -> Reply:
    return job_reply(uow, usecases.reinstate_job(uow, UUID(job_id)).id)


def search(uow: Uow, q: str, limit: int = 10) -> dict[str, Any]:
    return queries.search(uow, q, limit)


def job_reply(uow: Uow, job_id: UUID, status: int = 200) -> Reply:
    """The job page. It also shows time and documents, which don't count in its version, so it is not to be kept by browsers."""
    shown = queries.job_page(uow, job_id)
    return Reply(shown, status, etag=shown["version"], headers={"cache-control": "no-store"})
