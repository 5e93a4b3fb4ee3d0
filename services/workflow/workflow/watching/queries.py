"""Who watches what in a job."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.errors import BadRequest
from chassis.uow import Uow

_WATCHERS = text("""
SELECT w.subject_id, w.staff_id, s.name FROM watchers w
LEFT JOIN staff_copy s ON s.firm_id = w.firm_id AND s.id = w.staff_id
WHERE w.firm_id = :firm AND w.job_id = :job ORDER BY s.name, w.staff_id
""")


def watchers_in(uow: Uow, job_id: UUID) -> dict[UUID, list[dict[str, Any]]]:
    """By job or task, who watches it."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in uow.session.execute(_WATCHERS, {"firm": uow.firm_id, "job": job_id}):
        found.setdefault(row.subject_id, []).append({"id": row.staff_id, "name": row.name or ""})
    return found


def watched_by(uow: Uow, watcher: str | None, column: str) -> tuple[list[str], dict[str, Any]]:
    """The condition for what "me" or a staff member watches. Errors: `watcher_invalid`."""
    if watcher is None:
        return [], {}
    if watcher == "me" and uow.principal.kind == "staff":
        watcher = uow.principal.id
    try:
        staff_id = UUID(watcher)
    except ValueError as error:
        raise BadRequest("watcher_invalid", "The watcher is `me` (for staff) or a staff member's id.") from error
    inside = "SELECT w.subject_id FROM watchers w WHERE w.firm_id = :firm AND w.staff_id = :watcher"
    return [f"AND {column} IN ({inside})"], {"watcher": staff_id}
