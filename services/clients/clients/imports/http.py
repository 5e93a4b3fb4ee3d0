"""Imports over HTTP: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from clients.imports import queries, usecases
from clients.imports.tables import Import


def start_import(uow: Uow, body: dict[str, Any]) -> Reply:
    made = usecases.start(uow, body)
    return created(queries.view(made), f"/imports/{made.id}", etag=made.version)


def add_part(uow: Uow, import_id: str, number: int, body: bytes) -> Reply:
    held = usecases.add_part(uow, UUID(import_id), number, body)
    return Reply(queries.view(held), etag=held.version)


def read_file(uow: Uow, import_id: str) -> Reply:
    return _accepted(usecases.read(uow, UUID(import_id)))


def check_import(uow: Uow, import_id: str, body: dict[str, Any]) -> Reply:
    return _accepted(usecases.check(uow, UUID(import_id), body))


def run_import(uow: Uow, import_id: str) -> Reply:
    return _accepted(usecases.run(uow, UUID(import_id)))


def undo_import(uow: Uow, import_id: str) -> Reply:
    return _accepted(usecases.undo(uow, UUID(import_id)))


def read_import(uow: Uow, import_id: str) -> Reply:
    held = uow.get(Import, import_id)
    return Reply(queries.view(held), etag=held.version)


def list_imports(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_imports(uow, limit, cursor)


def list_rows(
    uow: Uow, import_id: str, limit: int = 50, cursor: str | None = None, outcome: str | None = None
) -> dict[str, Any]:
    return queries.list_rows(uow, UUID(import_id), limit, cursor, outcome)


def _accepted(held: Any) -> Reply:
    return Reply(queries.view(held), 202, etag=held.version)
