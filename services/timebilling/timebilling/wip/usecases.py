"""What becomes of WIP: opened by approval, reserved by drafts, billed, returned, written off. Each step leaves movements behind."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.errors import Conflict, DomainError, NotFound
from chassis.uow import Uow
from timebilling.invoices.rules import refusal_to_draft
from timebilling.time_entries.queries import event
from timebilling.time_entries.tables import TimeEntry
from timebilling.wip import rules
from timebilling.wip.tables import WipItem

_MOVE = """
INSERT INTO wip_movements (firm_id, id, item_id, job_id, currency, kind, amount, invoice_id, reason, at)
SELECT m.firm_id, uuidv7(), m.id, m.job_id, m.currency, f.kind, f.amount, m.invoice_id, m.reason, :at FROM moved m,
LATERAL (VALUES ('standard', m.standard), ('billed', m.billed), ('written_down', m.written_down), ('written_up', m.written_up),
                ('written_off', m.written_off)) AS f (kind, amount)
WHERE f.amount <> 0"""

_OPENED = text(
    f"""WITH moved AS (
        SELECT firm_id, id, job_id, currency, standard, 0 AS billed, 0 AS written_down, 0 AS written_up, 0 AS written_off,
               CAST(NULL AS uuid) AS invoice_id, CAST(NULL AS text) AS reason
        FROM wip_items WHERE firm_id = :firm AND id = ANY(:ids))
    {_MOVE}"""
)
# rules.billed_at for every item of an invoice.
_BILLED = text(
    f"""WITH moved AS (
        UPDATE wip_items w SET state = 'billed', billed = x.billed, written_down = greatest(w.standard - x.billed, 0),
               written_up = greatest(x.billed - w.standard, 0), remaining = 0
        FROM invoice_items x JOIN invoice_lines l ON l.firm_id = x.firm_id AND l.id = x.line_id
        WHERE x.firm_id = :firm AND x.invoice_id = :invoice AND x.live AND w.firm_id = x.firm_id AND w.id = x.item_id
        RETURNING w.firm_id, w.id, w.job_id, w.currency, 0 AS standard, w.billed, w.written_down, w.written_up, 0 AS written_off, w.invoice_id, l.reason)
    {_MOVE}"""
)
_RETURNED = text(
    f"""WITH was AS (
        SELECT * FROM wip_items WHERE firm_id = :firm AND invoice_id = :invoice ORDER BY id FOR UPDATE
    ), moved AS (
        UPDATE wip_items w SET state = 'unbilled', billed = 0, written_down = 0, written_up = 0, remaining = w.standard, invoice_id = NULL
        FROM was WHERE w.firm_id = was.firm_id AND w.id = was.id
        RETURNING w.firm_id, w.id, w.job_id, w.currency, 0 AS standard, -was.billed AS billed, -was.written_down AS written_down,
                  -was.written_up AS written_up, 0 AS written_off, was.invoice_id, CAST(:reason AS text) AS reason)
    {_MOVE}"""
)
_WRITTEN_OFF = text(
    f"""WITH moved AS (
        UPDATE wip_items SET state = 'written_off', written_off = standard, remaining = 0 WHERE firm_id = :firm AND id = ANY(:ids)
        RETURNING firm_id, id, job_id, currency, 0 AS standard, 0 AS billed, 0 AS written_down, 0 AS written_up, written_off,
                  CAST(NULL AS uuid) AS invoice_id, CAST(:reason AS text) AS reason)
    {_MOVE}"""
)
# What billing makes of an entry is news to those who keep copies of it.
_COUNT_UP = text(
    "UPDATE time_entries SET version = version + 1 WHERE firm_id = :firm AND id = ANY(:ids) "
    "RETURNING id, staff_id, client_id, job_id, task_id, day, seconds, billable, version"
)


def open_item(uow: Uow, entry: TimeEntry, standard: Decimal) -> None:
    """An approved billable entry becomes an item of its standard value; `record_opened` follows once it is written."""
    figures = rules.open_item(standard)
    uow.session.add(
        WipItem(
            id=entry.id,
            kind="time",
            client_id=entry.client_id,
            job_id=entry.job_id,
            staff_id=entry.staff_id,
            activity_id=entry.activity_id,
            day=entry.day,
            seconds=entry.seconds,
            billable_seconds=entry.billable_seconds,
            currency=entry.currency,
            standard=figures.standard,
            billed=figures.billed,
            written_down=figures.written_down,
            written_up=figures.written_up,
            written_off=figures.written_off,
            remaining=figures.remaining,
            state=rules.UNBILLED,
        )
    )


def record_opened(uow: Uow, ids: Sequence[UUID]) -> None:
    uow.session.execute(_OPENED, {"firm": uow.firm_id, "ids": list(ids), "at": uow.now})


def bill(uow: Uow, invoice_id: UUID) -> None:
    """Everything reserved on an invoice is billed at what its lines say."""
    uow.session.execute(_BILLED, {"firm": uow.firm_id, "invoice": invoice_id, "at": uow.now})
    _announce(uow, _items_of(uow, invoice_id), "billed")


def give_back(uow: Uow, invoice_id: UUID, reason: str | None) -> None:
    """Everything on an invoice is unbilled again: its draft is dropped, or it is void."""
    ids = _items_of(uow, invoice_id)
    billed = uow.session.execute(
        text("SELECT state = 'billed' FROM wip_items WHERE firm_id = :firm AND invoice_id = :invoice LIMIT 1"),
        {"firm": uow.firm_id, "invoice": invoice_id},
    ).scalar()
    uow.session.execute(_RETURNED, {"firm": uow.firm_id, "invoice": invoice_id, "at": uow.now, "reason": reason})
    if billed:
        _announce(uow, ids, "approved")


def write_off(uow: Uow, ids: Sequence[UUID], reason: str) -> dict[str, Any]:
    """Gives up unbilled items. Answers per item: `entry_reserved`, `entry_billed`, `entry_written_off` (409), `wip_item_not_found` (404)."""
    rows = uow.session.execute(
        text(
            "SELECT w.id, w.state FROM wip_items w JOIN client_copy c ON c.firm_id = w.firm_id AND c.id = w.client_id "
            "WHERE w.firm_id = :firm AND w.id = ANY(:ids) ORDER BY w.id FOR UPDATE OF w"
        ),
        {"firm": uow.firm_id, "ids": list(ids)},
    ).all()
    states = {r.id: r.state for r in rows}
    items, done = [], []
    for id in dict.fromkeys(ids):
        refusal = _refusal(states.get(id))
        items.append(
            {"id": id, "ok": refusal is None, "code": refusal and refusal.code, "message": refusal and refusal.message}
        )
        done += [] if refusal else [id]
    uow.session.execute(_WRITTEN_OFF, {"firm": uow.firm_id, "ids": done, "at": uow.now, "reason": reason})
    _announce(uow, done, "written_off")
    for id in done:
        uow.audit("wip.written_off", "wip_item", id, reason=reason)
    return {"done": len(done), "failed": len(items) - len(done), "items": items}


def _refusal(state: str | None) -> DomainError | None:
    if state is None:
        return NotFound("wip_item_not_found", "There is no such WIP item.")
    refused = refusal_to_draft("approved", True, state)
    return Conflict(*refused) if refused else None


def _items_of(uow: Uow, invoice_id: UUID) -> list[UUID]:
    return list(
        uow.session.execute(
            text("SELECT id FROM wip_items WHERE firm_id = :firm AND invoice_id = :invoice ORDER BY id"),
            {"firm": uow.firm_id, "invoice": invoice_id},
        ).scalars()
    )


def _announce(uow: Uow, ids: Sequence[UUID], status: str) -> None:
    for row in uow.session.execute(_COUNT_UP, {"firm": uow.firm_id, "ids": list(ids)}):
        uow.announce(event(row, status, row.version), subject=row.id, version=row.version)
