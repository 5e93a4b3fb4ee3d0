"""Operations on disbursements."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from timebilling.disbursements import queries, usecases


def list_disbursements(
    uow: Uow,
    limit: int = 50,
    cursor: str | None = None,
    staff_id: str | None = None,
    client_id: str | None = None,
    job_id: str | None = None,
    status: str | None = None,
    day_from: str | None = None,
    day_to: str | None = None,
) -> dict[str, Any]:
    return queries.list_disbursements(
        uow,
        limit=limit,
        cursor=cursor,
        staff_id=UUID(staff_id) if staff_id else None,
        client_id=UUID(client_id) if client_id else None,
        job_id=UUID(job_id) if job_id else None,
        status=status,
        day_from=date.fromisoformat(day_from) if day_from else None,
        day_to=date.fromisoformat(day_to) if day_to else None,
    )


def log_disbursement(uow: Uow, body: dict[str, Any]) -> Reply:
    made = queries.get_disbursement(uow, usecases.log(uow, body).id)
    return created(made, f"/disbursements/{made['id']}", etag=made["version"])


def get_disbursement(uow: Uow, disbursement_id: str) -> Reply:
    return _reply(queries.get_disbursement(uow, UUID(disbursement_id)))


def change_disbursement(uow: Uow, disbursement_id: str, body: dict[str, Any]) -> Reply:
    usecases.change(uow, UUID(disbursement_id), body, uow.if_match)
    return _reply(queries.get_disbursement(uow, UUID(disbursement_id)))


def delete_disbursement(uow: Uow, disbursement_id: str, lock_override_reason: str | None = None) -> Reply:
    usecases.delete(uow, UUID(disbursement_id), uow.if_match, lock_override_reason)
    return NO_CONTENT


def submit_disbursements(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.submit(uow, _ids(body), body.get("lock_override_reason"))


def approve_disbursements(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.approve(uow, _ids(body), body.get("lock_override_reason"))


def return_disbursements(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.send_back(uow, _ids(body), body["reason"], body.get("lock_override_reason"))


def take_back_disbursements(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.take_back(uow, _ids(body), body["reason"], body.get("lock_override_reason"))


def _ids(body: dict[str, Any]) -> list[UUID]:
    return [UUID(i) for i in body["ids"]]


def _reply(row: dict[str, Any]) -> Reply:
    return Reply(row, etag=row["version"])
