"""What a contact sees: everything of the clients they act for, and nothing else."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chassis.errors import NotFound
from chassis.uow import Uow
from portal.requests.rules import OPEN, SHOWN

_MINE = "r.firm_id = :firm AND r.client_id = ANY (:clients)"
# Said of both tables, so that either is read by its key.
_CLIENT = "JOIN client_copy c ON c.firm_id = r.firm_id AND c.id = r.client_id AND c.id = ANY (:clients)"


def _parameters(uow: Uow, **more: Any) -> dict[str, Any]:
    return {"firm": uow.firm_id, "clients": list(uow.principal.client_ids), **more}


def asked(uow: Uow) -> Sequence[Row[Any]]:
    """Requests that wait for the contact, next due first."""
    statement = f"""
        SELECT r.id, r.title, r.job_title, r.status, r.due_on, r.items, c.name AS client_name
        FROM request_copy r {_CLIENT} WHERE {_MINE} AND r.status = ANY (:open)
        ORDER BY r.due_on NULLS LAST, r.id LIMIT 200"""
    return uow.session.execute(text(statement), _parameters(uow, open=list(OPEN))).all()


def handed_in(uow: Uow) -> Sequence[Row[Any]]:
    """The last requests that were answered, newest first."""
    statement = f"""
        SELECT r.id, r.title, r.job_title, r.status, c.name AS client_name
        FROM request_copy r {_CLIENT} WHERE {_MINE} AND r.status IN ('submitted', 'accepted') ORDER BY r.id DESC LIMIT 10"""
    return uow.session.execute(text(statement), _parameters(uow)).all()


def request(uow: Uow, request_id: UUID) -> Row[Any]:
    """One request. Errors: `request_not_found`, also for what the contact may not see."""
    statement = f"SELECT r.*, c.name AS client_name FROM request_copy r {_CLIENT} WHERE {_MINE} AND r.id = :id AND r.status = ANY (:shown)"
    row = uow.session.execute(text(statement), _parameters(uow, id=request_id, shown=list(SHOWN))).first()
    if row is None:
        raise NotFound("request_not_found", "There is no such request.")
    return row


def item_of(row: Row[Any], item_id: UUID) -> dict[str, Any]:
    """One item of a request. Errors: `item_not_found`."""
    for item in row.items:
        if item["id"] == str(item_id):
            found: dict[str, Any] = item
            return found
    raise NotFound("item_not_found", "This request asks no such thing.")


def documents_named(uow: Uow, ids: list[str]) -> dict[str, Row[Any]]:
    """Documents by id, as far as they are known here yet."""
    if not ids:
        return {}
    statement = (
        "SELECT r.id, r.name, r.status, r.size FROM document_copy r WHERE "
        + _MINE
        + " AND r.id = ANY (CAST(:ids AS uuid[]))"
    )
    return {str(row.id): row for row in uow.session.execute(text(statement), _parameters(uow, ids=ids))}


def jobs(uow: Uow) -> Sequence[Row[Any]]:
    """Jobs of the contact's clients: running ones by due date, then the last that were finished."""
    statement = f"""
        SELECT r.id, r.title, r.status, r.due_on, r.tasks_total, r.tasks_done, r.closed, c.name AS client_name
        FROM job_copy r {_CLIENT} WHERE {_MINE} AND r.status <> 'cancelled'
        ORDER BY r.closed, CASE WHEN r.closed THEN NULL ELSE r.due_on END NULLS LAST, r.id DESC LIMIT 100"""
    return uow.session.execute(text(statement), _parameters(uow)).all()


def documents(uow: Uow) -> Sequence[Row[Any]]:
    """Documents shared with the contact's clients, newest first."""
    statement = f"""
        SELECT r.id, r.name, r.kind, r.size, j.title AS job_title, c.name AS client_name
        FROM document_copy r {_CLIENT} LEFT JOIN job_copy j ON j.firm_id = r.firm_id AND j.id = r.job_id
        WHERE {_MINE} AND r.status = 'stored' AND r.visibility IN ('client_view', 'client_edit') ORDER BY r.id DESC LIMIT 200"""
    return uow.session.execute(text(statement), _parameters(uow)).all()


def invoices(uow: Uow) -> Sequence[Row[Any]]:
    """Issued invoices of the contact's clients, newest first."""
    statement = f"""
        SELECT r.id, r.number, r.status, r.issued_on, r.due_on, r.total, r.balance, r.currency, c.name AS client_name
        FROM invoice_copy r {_CLIENT} WHERE {_MINE} AND r.status <> 'draft' AND r.number <> ''
        ORDER BY r.issued_on DESC, r.number DESC LIMIT 200"""
    return uow.session.execute(text(statement), _parameters(uow)).all()


def client_names(uow: Uow) -> list[str]:
    """Names of the clients the contact acts for."""
    statement = "SELECT name FROM client_copy r WHERE r.firm_id = :firm AND r.id = ANY (:clients) ORDER BY name"
    return list(uow.session.execute(text(statement), _parameters(uow)).scalars())
