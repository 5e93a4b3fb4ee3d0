"""Reading statement runs. Clients that may not be seen are in no list and no count."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.errors import NotFound
from chassis.uow import Uow
from timebilling import runs

_RUNS = """
SELECT r.*, n.* FROM statement_runs r, LATERAL (
    SELECT count(*) AS statements, count(*) FILTER (WHERE f.state = 'waiting') AS waiting, count(*) FILTER (WHERE f.state = 'kept') AS kept,
        count(*) FILTER (WHERE f.sent_at IS NOT NULL) AS sent, count(*) FILTER (WHERE f.state = 'refused') AS refused
    FROM made_files f JOIN client_copy c ON c.firm_id = f.firm_id AND c.id = f.client_id
    WHERE f.firm_id = r.firm_id AND f.run_id = r.id) n
WHERE r.firm_id = :firm"""


def list_runs(uow: Uow, limit: int, cursor: str | None) -> dict[str, Any]:
    return runs.listed(uow, _RUNS, _view, limit, cursor)


def get_run(uow: Uow, run_id: UUID) -> dict[str, Any]:
    """Errors: `statement_run_not_found` (404)."""
    return runs.one(uow, _RUNS, _view, run_id, NotFound("statement_run_not_found", "There is no such statement run."))


def _view(row: Mapping[Any, Any]) -> dict[str, Any]:
    names = ("id", "first", "last", "send", "message", "created_at", "statements", "waiting", "kept", "sent", "refused")
    return {n: row[n] for n in names} | {"state": "running" if row["waiting"] else "finished"}
