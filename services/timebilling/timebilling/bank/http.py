"""Operations on bank statements."""

from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.bank import queries, usecases
from timebilling.bank.tables import BankLine


def import_statement(uow: Uow, body: dict[str, Any]) -> Reply:
    made = usecases.import_statement(uow, body)
    names = ("id", "account", "file_name", "lines", "new", "imported_by", "at")
    return created(queries.import_view({n: getattr(made, n) for n in names}), f"/bank-imports/{made.id}")


def list_imports(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_imports(uow, limit=limit, cursor=cursor)


def list_lines(
    uow: Uow, limit: int = 50, cursor: str | None = None, state: str | None = None, account: str | None = None
) -> dict[str, Any]:
    return queries.list_lines(uow, limit=limit, cursor=cursor, state=state, account=account)


def match_line(uow: Uow, line_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.match(uow, UUID(line_id), body))


def link_line(uow: Uow, line_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.link(uow, UUID(line_id), UUID(body["payment_id"])))


def ignore_line(uow: Uow, line_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.ignore(uow, UUID(line_id), body["reason"]))


def reopen_line(uow: Uow, line_id: str) -> Reply:
    return _reply(uow, usecases.reopen(uow, UUID(line_id)))


def accept_suggestions(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.accept(uow, [UUID(i) for i in body["ids"]])


def _reply(uow: Uow, line: BankLine) -> Reply:
    return Reply(queries.get_line(uow, line.id), etag=line.version)
