"""Runs as the API shows them. Of a private client's items only those see anything who may see the client."""

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.uow import Uow

# A client that the asker could not name is shown as they named it: there is nothing else to show.
_SEEN = "(c.id IS NOT NULL OR i.code = 'client_not_found')"
_CLIENT = "LEFT JOIN client_copy c ON c.firm_id = i.firm_id AND c.id = i.client_id"

_RUNS = f"""
SELECT r.id, r.kind, r.template_id, t.name AS template_name, r.template_version, r.asked_by, r.asked_by_name,
    r.created_at, r.finished_at, r.undoes, u.id AS undone_by, n.total, n.waiting, n.done, n.refused, n.failed
FROM runs r JOIN templates t ON t.firm_id = r.firm_id AND t.id = r.template_id
LEFT JOIN runs u ON u.firm_id = r.firm_id AND u.undoes = r.id
CROSS JOIN LATERAL (
    SELECT count(*) AS total, count(*) FILTER (WHERE i.status = 'waiting') AS waiting,
        count(*) FILTER (WHERE i.status = 'done') AS done, count(*) FILTER (WHERE i.status = 'refused') AS refused,
        count(*) FILTER (WHERE i.status = 'failed') AS failed
    FROM run_items i {_CLIENT} WHERE i.firm_id = r.firm_id AND i.run_id = r.id AND {_SEEN}) n
WHERE r.firm_id = :firm"""

_ITEMS = f"""
SELECT i.position, i.id, i.client_id, c.name AS client_name, i.job_id, j.title AS job_title, i.status, i.code, i.message
FROM run_items i {_CLIENT} LEFT JOIN jobs j ON j.firm_id = i.firm_id AND j.id = i.job_id
WHERE i.firm_id = :firm AND i.run_id = :run AND {_SEEN} """


def list_runs(uow: Uow, template_id: UUID | None, *, limit: int, cursor: str | None) -> dict[str, Any]:
    after, parameters = keyset(["r.created_at", "r.id"], cursor, descending=True, casts=["timestamptz", "uuid"])
    which = "AND r.template_id = :template" if template_id else ""
    statement = f"{_RUNS} {which} {after} ORDER BY r.created_at DESC, r.id DESC LIMIT :n"
    values = {"firm": uow.firm_id, "template": template_id, "n": limit + 1, **parameters}
    rows = uow.session.execute(text(statement), values).mappings()
    return page([_run(row) for row in rows], limit, lambda run: (run["created_at"], run["id"]))


def run(uow: Uow, run_id: UUID) -> dict[str, Any]:
    """Errors: `run_not_found`."""
    row = uow.session.execute(text(f"{_RUNS} AND r.id = :run"), {"firm": uow.firm_id, "run": run_id}).mappings().first()
    if row is None:
        raise NotFound("run_not_found", "There is no such run.")
    return _run(row)


def _run(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "kind": row["kind"],
        "status": "under_way" if row["finished_at"] is None else "failed" if row["failed"] else "done",
        "template": {"id": row["template_id"], "name": row["template_name"]},
        "template_version": row["template_version"],
        "asked_by": {"id": row["asked_by"], "name": row["asked_by_name"]},
        "created_at": row["created_at"],
        "finished_at": row["finished_at"],
        "undoes": row["undoes"],
        "undone_by": row["undone_by"],
        "progress": {name: row[name] for name in ("total", "waiting", "done", "refused", "failed")},
    }


def list_items(uow: Uow, run_id: UUID, status: str | None, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """What has happened to each client or job, in the order they were named. Errors: `run_not_found`."""
    run(uow, run_id)
    after, parameters = keyset(["i.position"], cursor, casts=["bigint"])
    which = "AND i.status = :status" if status else ""
    values = {"firm": uow.firm_id, "run": run_id, "status": status, "n": limit + 1, **parameters}
    rows = uow.session.execute(text(f"{_ITEMS} {which} {after} ORDER BY i.position LIMIT :n"), values).mappings().all()
    found = page(rows, limit, lambda row: (row["position"],))
    return found | {"items": [_item(row) for row in found["items"]]}


def _item(row: RowMapping) -> dict[str, Any]:
    return {
        "client": {"id": row["client_id"], "name": row["client_name"] or ""},
        "job": {"id": row["job_id"], "title": row["job_title"] or ""} if row["job_id"] else None,
        "status": row["status"],
        "code": row["code"],
        "message": row["message"],
    }
