"""Reading disbursements. Every row joins the policed client copy, which hides private clients."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow
from praxis.timebilling.v1.events_pb2 import DisbursementChanged
from timebilling import money
from timebilling.disbursements import rules
from timebilling.time_entries.queries import SEE_VALUE, STATUS

_DISBURSEMENTS = """
SELECT e.id, e.staff_id, s.name AS staff_name, e.client_id, c.name AS client_name, e.job_id, j.title AS job_title, e.day, e.description,
       e.currency, e.amount, e.tax, e.tax_recoverable, e.markup_percent, e.billable, e.document_id, e.status, e.return_reason, e.version,
       w.state AS wip, w.invoice_id
FROM disbursements e
JOIN client_copy c ON c.firm_id = e.firm_id AND c.id = e.client_id
LEFT JOIN job_copy j ON j.firm_id = e.firm_id AND j.id = e.job_id
LEFT JOIN staff_copy s ON s.firm_id = e.firm_id AND s.id = e.staff_id
LEFT JOIN wip_items w ON w.firm_id = e.firm_id AND w.id = e.id
WHERE e.firm_id = :firm
"""


def list_disbursements(
    uow: Uow,
    *,
    limit: int,
    cursor: str | None,
    staff_id: UUID | None,
    client_id: UUID | None,
    job_id: UUID | None,
    status: str | None,
    day_from: date | None,
    day_to: date | None,
) -> dict[str, Any]:
    filters = {"staff_id": staff_id, "client_id": client_id, "job_id": job_id}
    conditions = [f"AND e.{name} = :{name}" for name, value in filters.items() if value is not None]
    conditions += ["AND e.day >= :day_from"] if day_from else []
    conditions += ["AND e.day <= :day_to"] if day_to else []
    conditions += [STATUS[status]] if status else []
    after, values = paging.keyset(["e.day", "e.id"], cursor, descending=True, casts=["date", "uuid"])
    rows = (
        uow.session.execute(
            text(f"{_DISBURSEMENTS} {' '.join(conditions)} {after} ORDER BY e.day DESC, e.id DESC LIMIT :limit"),
            {"firm": uow.firm_id, **filters, "day_from": day_from, "day_to": day_to, "limit": limit + 1, **values},
        )
        .mappings()
        .all()
    )
    page = paging.page(rows, limit, lambda r: (r["day"], r["id"]))
    return {**page, "items": [_view(uow, r) for r in page["items"]]}


def get_disbursement(uow: Uow, disbursement_id: UUID) -> dict[str, Any]:
    """Errors: `disbursement_not_found` (404)."""
    row = (
        uow.session.execute(text(f"{_DISBURSEMENTS} AND e.id = :id"), {"firm": uow.firm_id, "id": disbursement_id})
        .mappings()
        .first()
    )
    if row is None:
        raise not_found()
    return _view(uow, row)


def not_found() -> NotFound:
    return NotFound("disbursement_not_found", "There is no such disbursement.")


def _view(uow: Uow, row: Mapping[Any, Any]) -> dict[str, Any]:
    names = (
        "id",
        "staff_id",
        "client_id",
        "client_name",
        "job_id",
        "day",
        "description",
        "tax_recoverable",
        "billable",
    )
    currency, approved = row["currency"], row["status"] == "approved"
    figures = (row["amount"], row["tax"], row["tax_recoverable"], row["markup_percent"], currency)
    shows_value = row["billable"] and SEE_VALUE in uow.principal.permissions
    return {n: row[n] for n in names} | {
        "staff_name": row["staff_name"] or "",
        "job_title": row["job_title"] or "",
        "amount": money.view(row["amount"], currency),
        "tax": money.view(row["tax"], currency),
        "markup_percent": f"{Decimal(row['markup_percent']).normalize():f}",
        "document_id": row["document_id"],
        "value": money.view(rules.value_of(*figures), currency) if shows_value else None,
        "why": rules.why(*figures) if shows_value else None,
        "status": row["wip"] if approved and row["wip"] in ("billed", "written_off") else row["status"],
        "wip": row["wip"] if approved else None,
        "return_reason": row["return_reason"],
        "invoice_id": row["invoice_id"],
        "version": row["version"],
    }


def event(row: Any, status: str, version: int) -> DisbursementChanged:
    """The state event of a disbursement."""
    return DisbursementChanged(
        disbursement_id=str(row.id),
        staff_id=str(row.staff_id),
        client_id=str(row.client_id),
        job_id=str(row.job_id),
        day=str(row.day),
        billable=row.billable,
        status=status,
        version=version,
    )


def states(uow: Uow) -> Iterator[tuple[UUID, int, DisbursementChanged]]:
    """The present state of every disbursement, for a copy that is new or was dropped."""
    rows = uow.session.execute(
        text(
            "SELECT d.id, d.staff_id, d.client_id, d.job_id, d.day, d.billable, d.version, "
            "CASE WHEN w.state IN ('billed', 'written_off') THEN w.state ELSE d.status END AS status "
            "FROM disbursements d LEFT JOIN wip_items w ON w.firm_id = d.firm_id AND w.id = d.id ORDER BY d.id"
        ).execution_options(yield_per=1000)
    )
    for row in rows:
        yield row.id, row.version, event(row, row.status, row.version)
