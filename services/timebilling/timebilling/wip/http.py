"""Operations on WIP."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.uow import Uow
from timebilling.wip import queries, usecases


def list_wip(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_wip(uow, limit, cursor)


def list_wip_by_job(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_wip(uow, limit, cursor, "job")


def list_wip_by_staff(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_wip(uow, limit, cursor, "staff")


def get_client_wip(uow: Uow, client_id: str) -> dict[str, Any]:
    return queries.client_wip(uow, UUID(client_id))


def get_job_wip(uow: Uow, job_id: str) -> dict[str, Any]:
    return queries.job_wip(uow, UUID(job_id))


def list_wip_items(
    uow: Uow,
    client_id: str,
    limit: int = 50,
    cursor: str | None = None,
    job_id: str | None = None,
    state: str | None = None,
) -> dict[str, Any]:
    job = UUID(job_id) if job_id else None
    return queries.list_items(uow, limit=limit, cursor=cursor, client_id=UUID(client_id), job_id=job, state=state)


def list_wip_movements(uow: Uow, item_id: str, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_movements(uow, UUID(item_id), limit, cursor)


def write_off(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.write_off(uow, [UUID(i) for i in body["ids"]], body["reason"])


def adjust(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    ids = [UUID(i) for i in body["ids"]]
    return usecases.adjust(uow, ids, body["amount"], body["reason"], body.get("preview", False))


def carry(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    until = date.fromisoformat(body["until"]) if body["until"] else None
    return usecases.carry(uow, [UUID(i) for i in body["ids"]], until, body.get("reason"))


def list_limits(uow: Uow) -> dict[str, Any]:
    return {"limits": [usecases.limit_view(x) for x in usecases.limits(uow)]}


def set_limits(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return {"limits": [usecases.limit_view(x) for x in usecases.set_limits(uow, body["limits"])]}
