"""Reading billing runs. Clients that may not be seen are in no list and no count."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from timebilling import money, runs

_RUNS = """
SELECT r.*, n.* FROM billing_runs r, LATERAL (
    SELECT count(*) AS clients, count(*) FILTER (WHERE i.state = 'waiting') AS waiting, count(*) FILTER (WHERE i.state = 'done') AS done,
        count(*) FILTER (WHERE i.state = 'skipped') AS skipped, count(*) FILTER (WHERE i.state = 'failed') AS failed
    FROM billing_run_items i JOIN client_copy c ON c.firm_id = i.firm_id AND c.id = i.client_id
    WHERE i.firm_id = r.firm_id AND i.run_id = r.id) n
WHERE r.firm_id = :firm"""


def list_runs(uow: Uow, limit: int, cursor: str | None) -> dict[str, Any]:
    return runs.listed(uow, _RUNS, _view, limit, cursor)


def get_run(uow: Uow, run_id: UUID) -> dict[str, Any]:
    """Errors: `billing_run_not_found` (404)."""
    return runs.one(uow, _RUNS, _view, run_id, NotFound("billing_run_not_found", "There is no such billing run."))


def list_items(uow: Uow, run_id: UUID, limit: int, cursor: str | None, state: str | None) -> dict[str, Any]:
    """What became of each client. Errors: `billing_run_not_found` (404)."""
    get_run(uow, run_id)
    after, values = paging.keyset(["i.id"], cursor)
    rows = uow.session.execute(
        text(
            "SELECT i.id, i.client_id, c.name AS client_name, i.state, i.invoice_id, v.number, v.total, v.currency, i.code, i.message "
            "FROM billing_run_items i JOIN client_copy c ON c.firm_id = i.firm_id AND c.id = i.client_id "
            "LEFT JOIN invoices v ON v.firm_id = i.firm_id AND v.id = i.invoice_id "
            f"WHERE i.firm_id = :firm AND i.run_id = :run AND (CAST(:state AS text) IS NULL OR i.state = :state) {after} "
            "ORDER BY i.id LIMIT :limit"
        ),
        {"firm": uow.firm_id, "run": run_id, "state": state, "limit": limit + 1, **values},
    )
    page = paging.page(rows.mappings().all(), limit, lambda r: (r["id"],))
    names = ("client_id", "client_name", "state", "invoice_id", "number", "code", "message")
    items = [
        {n: r[n] for n in names} | {"total": money.view(r["total"], r["currency"]) if r["currency"] else None}
        for r in page["items"]
    ]
    return {**page, "items": items}


def _view(row: Mapping[Any, Any]) -> dict[str, Any]:
    names = (
        "id",
        "until",
        "group_by",
        "issue",
        "send",
        "issued_on",
        "created_at",
        "clients",
        "waiting",
        "done",
        "skipped",
        "failed",
    )
    return {n: row[n] for n in names} | {"state": "running" if row["waiting"] else "finished"}
