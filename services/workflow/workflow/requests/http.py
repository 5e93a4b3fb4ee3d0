"""HTTP operations on requests."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from workflow.jobs.conditions import due_between, owner_is
from workflow.requests import queries, usecases
from workflow.requests.tables import Request


def list_requests(
    uow: Uow,
    client_id: str | None = None,
    client_group_id: str | None = None,
    owner: str | None = None,
    job_id: str | None = None,
    due_from: str | None = None,
    due_to: str | None = None,
    tag: str | None = None,
    overdue: bool | None = None,
    escalated: bool | None = None,
    status: list[str] | None = None,
    service: str | None = None,
    stage_id: str | None = None,
    template_id: str | None = None,
    sort: str = "due_on",
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    who = owner_is(uow, owner, "j.owner_id")
    return queries.list_requests(
        uow,
        owner=who,
        due=due_between("r.due_sort", due_from, due_to),
        tag=tag,
        client_id=client_id,
        client_group_id=client_group_id,
        job_id=job_id,
        status=status or [],
        overdue=overdue,
        escalated=escalated,
        of_job={"service": service, "stage_id": stage_id, "template_id": template_id},
        sort=sort,
        limit=limit,
        cursor=cursor,
    )


def create_request(uow: Uow, job_id: str, body: dict[str, Any]) -> Reply:
    request = usecases.create_request(uow, UUID(job_id), body)
    return created(queries.request_row(uow, request.id), f"/requests/{request.id}", etag=request.version)


def get_request(uow: Uow, request_id: str) -> Reply:
    return _reply(uow, UUID(request_id))


def change_request(uow: Uow, request_id: str, body: dict[str, Any]) -> Reply:
    return _request(uow, usecases.change_request(uow, UUID(request_id), body))


def send_request(uow: Uow, request_id: str) -> Reply:
    return _request(uow, usecases.send_request(uow, UUID(request_id)))


def accept_request(uow: Uow, request_id: str) -> Reply:
    return _request(uow, usecases.accept_request(uow, UUID(request_id)))


def return_request(uow: Uow, request_id: str, body: dict[str, Any]) -> Reply:
    items = {UUID(item["item_id"]): item["reason"] for item in body.get("items", [])}
    return _request(uow, usecases.return_request(uow, UUID(request_id), body["reason"], items))


def waive_request(uow: Uow, request_id: str, body: dict[str, Any]) -> Reply:
    return _request(uow, usecases.waive_request(uow, UUID(request_id), body["reason"]))


def cancel_request(uow: Uow, request_id: str, body: dict[str, Any]) -> Reply:
    return _request(uow, usecases.cancel_request(uow, UUID(request_id), body["reason"]))


def move_request_due_date(uow: Uow, request_id: str, body: dict[str, Any]) -> Reply:
    return _request(uow, usecases.reschedule_request(uow, UUID(request_id), body))


def accept_item(uow: Uow, request_id: str, item_id: str) -> Reply:
    return _request(uow, usecases.accept_item(uow, UUID(request_id), UUID(item_id)))


def return_item(uow: Uow, request_id: str, item_id: str, body: dict[str, Any]) -> Reply:
    return _request(uow, usecases.return_item(uow, UUID(request_id), UUID(item_id), body["reason"]))


def _request(uow: Uow, request: Request) -> Reply:
    return _reply(uow, request.id)


def _reply(uow: Uow, request_id: UUID) -> Reply:
    """The request. How long it has waited runs on without a new version, so it is not to be kept by browsers."""
    shown = queries.request_row(uow, request_id)
    return Reply(shown, etag=shown["version"], headers={"cache-control": "no-store"})
