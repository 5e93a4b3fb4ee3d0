"""Conflict checks over HTTP: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from clients.conflicts import queries, usecases


def list_checks(uow: Uow, limit: int = 50, cursor: str | None = None, client_id: str | None = None) -> dict[str, Any]:
    return queries.list_checks(uow, limit, cursor, client_id)


def check(uow: Uow, body: dict[str, Any]) -> Reply:
    made = usecases.check(uow, body)
    return created(queries.read_check(uow, made.id), f"/conflict-checks/{made.id}")


def read_check(uow: Uow, conflict_check_id: str) -> dict[str, Any]:
    return queries.read_check(uow, conflict_check_id)


def decide(uow: Uow, conflict_check_id: str, body: dict[str, Any]) -> dict[str, Any]:
    usecases.decide(uow, UUID(conflict_check_id), body)
    return queries.read_check(uow, conflict_check_id)
