"""Reading files made on request, and what LEDES tells of an invoice. Rows join the policed client copy."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import Conflict, NotFound
from chassis.uow import Uow
from timebilling.einvoices.ledes import Item
from timebilling.invoices.rules import Item as Work
from timebilling.invoices.rules import rounded_per_task
from timebilling.invoices.tables import Invoice
from timebilling.made_files import progress
from timebilling.time_entries.rules import Rounding

# How many wait before one: how far it is.
_FILES = f"""
SELECT f.*, c.name AS client_name, i.number,
       {progress.COLUMNS},
       CASE f.state WHEN 'waiting' THEN (SELECT count(*) FROM made_files w WHERE w.firm_id = f.firm_id AND w.state = 'waiting' AND w.id < f.id) END AS ahead
FROM made_files f JOIN client_copy c ON c.firm_id = f.firm_id AND c.id = f.client_id
LEFT JOIN invoices i ON i.firm_id = f.firm_id AND i.id = f.invoice_id
LEFT JOIN paper_progress p ON p.firm_id = f.firm_id AND p.id = f.id WHERE f.firm_id = :firm"""
_PDF = f"""
SELECT i.id, i.number, i.state, i.document_id, {progress.COLUMNS}
FROM invoices i JOIN client_copy c ON c.firm_id = i.firm_id AND c.id = i.client_id
JOIN client_copy w ON w.firm_id = i.firm_id AND w.id = i.work_client_id
LEFT JOIN paper_progress p ON p.firm_id = i.firm_id AND p.id = i.id WHERE i.firm_id = :firm AND i.id = :id"""


def list_files(
    uow: Uow,
    *,
    limit: int,
    cursor: str | None,
    client_id: UUID | None = None,
    invoice_id: UUID | None = None,
    run_id: UUID | None = None,
    state: str | None = None,
) -> dict[str, Any]:
    wanted = {"client_id": client_id, "invoice_id": invoice_id, "run_id": run_id, "state": state}
    conditions = " ".join(f"AND f.{name} = :{name}" for name, value in wanted.items() if value)
    after, values = paging.keyset(["f.id"], cursor, descending=True)
    rows = (
        uow.session.execute(
            text(f"{_FILES} {conditions} {after} ORDER BY f.id DESC LIMIT :limit"),
            {"firm": uow.firm_id, **wanted, "limit": limit + 1, **values},
        )
        .mappings()
        .all()
    )
    page = paging.page(rows, limit, lambda r: (r["id"],))
    return {**page, "items": [_view(r) for r in page["items"]]}


def get_file(uow: Uow, file_id: UUID) -> dict[str, Any]:
    """Errors: `file_not_found` (404)."""
    row = uow.session.execute(text(f"{_FILES} AND f.id = :id"), {"firm": uow.firm_id, "id": file_id}).mappings().first()
    if row is None:
        raise NotFound("file_not_found", "There is no such file.")
    return _view(row)


def invoice_pdf(uow: Uow, invoice_id: UUID) -> dict[str, Any]:
    """Errors: `invoice_not_found` (404), `invoice_not_issued` (409)."""
    row = uow.session.execute(text(_PDF), {"firm": uow.firm_id, "id": invoice_id}).mappings().first()
    if row is None:
        raise NotFound("invoice_not_found", "There is no such invoice.")
    if row["state"] == "draft":
        raise Conflict("invoice_not_issued", "A draft has no PDF yet. Issue it first.")
    return {
        "invoice_id": row["id"],
        "number": row["number"],
        "state": "kept" if row["document_id"] else "waiting",
        "document_id": row["document_id"],
        "progress": progress.shown(row),
    }


def _view(row: Mapping[Any, Any]) -> dict[str, Any]:
    problem = row["problem"] or {}
    names = ("id", "kind", "client_id", "client_name", "invoice_id", "number", "first", "last", "name", "state", "ahead", "document_id", "requested_by", "created_at", "done_at", "sent_at")  # fmt: skip
    return {n: row[n] for n in names} | {
        "problem": {"code": problem["code"], "message": problem["title"], "rules": problem.get("rules", [])}
        if problem
        else None,
        "progress": progress.shown(row),
    }


_LINES = text("""
    SELECT l.kind AS line_kind, l.description, l.quantity, l.net, l.job_id AS line_job_id, x.billed, w.id, w.kind, w.day, w.billable_seconds, w.standard,
           w.currency, e.task_id, e.rounding, e.bill_rate, coalesce(nullif(e.narrative, ''), d.description, l.description) AS says, coalesce(w.job_id, l.job_id) AS job_id,
           s.id AS staff_id, coalesce(s.name, '') AS staff_name, coalesce(s.grade, '') AS grade
    FROM invoice_lines l LEFT JOIN invoice_items x ON x.firm_id = l.firm_id AND x.line_id = l.id
    LEFT JOIN wip_items w ON w.firm_id = x.firm_id AND w.id = x.item_id
    LEFT JOIN time_entries e ON e.firm_id = w.firm_id AND e.id = w.id
    LEFT JOIN disbursements d ON d.firm_id = w.firm_id AND d.id = w.id
    LEFT JOIN staff_copy s ON s.firm_id = w.firm_id AND s.id = w.staff_id
    WHERE l.firm_id = :firm AND l.invoice_id = :invoice ORDER BY l.position, w.day, w.id""")


def ledes_items(uow: Uow, invoice: Invoice) -> list[Item]:
    """The work and expenses behind an invoice one by one; a line with nothing behind it as a whole."""
    assert invoice.issued_on is not None
    rows = uow.session.execute(_LINES, {"firm": uow.firm_id, "invoice": invoice.id}).all()
    items, seconds = [], _billed_seconds(rows)
    for r in rows:
        matter = str(r.job_id or invoice.client_id).replace("-", "")[-20:]
        if r.kind is None:
            items.append(Item("F", matter, "", Decimal(1), r.net, r.net, invoice.issued_on, r.description))
        elif r.kind == "time":
            units = (Decimal(seconds[r.id]) / 3600).quantize(Decimal("0.01"))
            who = str(r.staff_id or "").replace("-", "")[-20:]
            items.append(Item("F", matter, "", units, r.bill_rate or Decimal(0), r.billed, r.day, r.says, timekeeper_id=who, timekeeper_name=r.staff_name, grade=r.grade))  # fmt: skip
        else:
            items.append(Item("E", matter, "", Decimal(1), r.standard, r.billed, r.day, r.says, expense_code="E124"))
    return items


def _billed_seconds(rows: Sequence[Any]) -> dict[UUID, int]:
    """How long each piece of work is on its invoice: as approved, or its part of its task where that is rounded together."""
    timed = [r for r in rows if r.kind == "time"]
    if not timed:
        return {}
    work = [
        Work(r.id, r.job_id, "", None, None, "", r.day, "", r.billable_seconds, r.standard, task_id=r.task_id, rate=r.bill_rate, rounding=Rounding.of(r.rounding))
        for r in timed
    ]  # fmt: skip
    return {i.id: i.billable_seconds for i in rounded_per_task(work, timed[0].currency)}
