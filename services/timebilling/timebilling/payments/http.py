"""Operations on payments."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.payments import queries, usecases


def list_payments(uow: Uow, limit: int = 50, cursor: str | None = None, client_id: str | None = None) -> dict[str, Any]:
    return queries.list_payments(uow, limit=limit, cursor=cursor, client_id=UUID(client_id) if client_id else None)


def record_payment(uow: Uow, body: dict[str, Any]) -> Reply:
    payment = usecases.record(uow, body)
    return created(queries.get_payment(uow, payment.id), f"/payments/{payment.id}")


def get_payment(uow: Uow, payment_id: str) -> dict[str, Any]:
    return queries.get_payment(uow, UUID(payment_id))


def allocate_payment(uow: Uow, payment_id: str, body: dict[str, Any]) -> dict[str, Any]:
    payment = usecases.allocate(uow, UUID(payment_id), body["allocations"])
    return queries.get_payment(uow, payment.id)
