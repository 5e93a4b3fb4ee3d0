"""What lists of jobs, tasks and requests are narrowed to: conditions that each begin with AND, and their parameters."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from chassis.errors import BadRequest
from chassis.uow import Uow
from workflow.jobs import rules


def not_hidden(table: str) -> str:
    """That whoever asks may see the client, for sums over much: a few hidden clients are told apart quicker than each row is
    joined to its client. The fence (OFFSET 0) keeps planning from asking for the hidden clients to guess how many there are."""
    return f"{table}.client_id NOT IN (SELECT unnest(h.ids) FROM (SELECT hidden_client_ids() AS ids OFFSET 0) h)"


def owner_is(uow: Uow, owner: str | None, column: str) -> tuple[list[str], dict[str, Any]]:
    """The condition for "me", "nobody" or a staff id. Errors: `owner_invalid`."""
    if owner is None:
        return [], {}
    if owner == "nobody":
        return [f"AND {column} IS NULL"], {}
    if owner == "me" and uow.principal.kind == "staff":
        owner = uow.principal.id
    try:
        return [f"AND {column} = :owner"], {"owner": UUID(owner)}
    except ValueError as error:
        raise BadRequest("owner_invalid", "The owner is `me` (for staff), `nobody` or a staff member's id.") from error


def attributes(table: str, priority: Sequence[str], tag: str | None) -> tuple[list[str], dict[str, Any]]:
    """The conditions for some priorities, and for a tag: of the client, or of the job where jobs are listed."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    if priority:
        parts.append(f"AND {table}.priority = ANY(:priorities)")
        values["priorities"] = [rules.rank(word) for word in priority]
    if tag:
        own = f" OR :tag = ANY({table}.tags)" if table == "j" else ""
        parts.append(f"AND (:tag = ANY(c.tags){own})")
        values["tag"] = tag
    return parts, values


def in_group(table: str, group_id: str | None) -> tuple[list[str], dict[str, Any]]:
    """The condition for the clients of a group; none for one that was dissolved or never was."""
    if not group_id:
        return [], {}
    clients = "SELECT g.client_ids FROM group_copy g WHERE g.firm_id = :firm AND g.id = :group_id AND NOT g.dissolved"
    return [f"AND {table}.client_id = ANY (CAST(({clients}) AS uuid[]))"], {"group_id": UUID(group_id)}


def due_between(column: str, due_from: str | None, due_to: str | None) -> tuple[list[str], dict[str, Any]]:
    parts, values = [], {}
    for name, operator, value in (("due_from", ">=", due_from), ("due_to", "<=", due_to)):
        if value:
            parts.append(f"AND {column} {operator} :{name}")
            values[name] = date.fromisoformat(value)
    if due_from and not due_to:
        # "From a day on" means jobs that have a date; those without stand behind the last one.
        parts.append(f"AND {column} < '9999-12-31'")
    return parts, values
