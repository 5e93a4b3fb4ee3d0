"""Reading how a firm reminds, and what it has reminded of. Rows join the policed client copy, which hides private clients."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from chassis import paging
from chassis.uow import Uow
from timebilling import money
from timebilling.invoices.tables import Invoice
from timebilling.reminders import rules
from timebilling.reminders.rules import Level
from timebilling.reminders.tables import PaymentReminder, ReminderPolicy


def policy(uow: Uow) -> dict[str, Any]:
    """The levels, and the clients that are left in peace."""
    found = uow.session.get(ReminderPolicy, (uow.firm_id, uow.firm_id))
    pauses = uow.session.execute(
        text(
            "SELECT p.id AS client_id, c.name AS client_name, p.until, p.reason FROM reminder_pauses p "
            "JOIN client_copy c ON c.firm_id = p.firm_id AND c.id = p.id WHERE p.firm_id = :firm ORDER BY c.name, p.id"
        ),
        {"firm": uow.firm_id},
    ).mappings()
    return {
        "levels": [level_view(x) for x in levels(uow)],
        "pauses": [dict(p) for p in pauses],
        "version": found.version if found else 0,
    }


def levels(uow: Uow) -> list[Level]:
    found = uow.session.get(ReminderPolicy, (uow.firm_id, uow.firm_id))
    return rules.levels(found.levels) if found else []


def level_view(level: Level) -> dict[str, Any]:
    percent = None if level.interest_percent is None else money.plain(level.interest_percent)
    return {"level": level.level, "days_after_due": level.days, "interest_percent": percent}


def last_level(uow: Uow, invoice_id: UUID) -> int:
    """The highest level the invoice has reached; 0 before the first."""
    highest = uow.session.scalar(
        select(func.max(PaymentReminder.level)).where(PaymentReminder.invoice_id == invoice_id)
    )
    return highest or 0


def overdue(uow: Uow, day: date, after: UUID | None, limit: int) -> list[tuple[Invoice, int]]:
    """Invoices overdue on a day, by id, with the highest level each has reached."""
    sent = (
        select(func.coalesce(func.max(PaymentReminder.level), 0))
        .where(PaymentReminder.firm_id == Invoice.firm_id, PaymentReminder.invoice_id == Invoice.id)
        .scalar_subquery()
    )
    wanted = select(Invoice, sent).where(
        Invoice.firm_id == uow.firm_id,
        Invoice.state == "issued",
        Invoice.kind == "invoice",
        Invoice.paid + Invoice.bad_debt + Invoice.credited < Invoice.total,
        Invoice.due_on < day,
    )
    if after:
        wanted = wanted.where(Invoice.id > after)
    return [(i, s) for i, s in uow.session.execute(wanted.order_by(Invoice.id).limit(limit))]


def list_reminders(
    uow: Uow, *, limit: int, cursor: str | None, client_id: UUID | None, invoice_id: UUID | None
) -> dict[str, Any]:
    conditions = ("AND r.client_id = :client " if client_id else "") + (
        "AND r.invoice_id = :invoice" if invoice_id else ""
    )
    after, values = paging.keyset(["r.id"], cursor, descending=True)
    rows = (
        uow.session.execute(
            text(
                "SELECT r.*, c.name AS client_name, i.number FROM payment_reminders r "
                "JOIN client_copy c ON c.firm_id = r.firm_id AND c.id = r.client_id "
                "JOIN invoices i ON i.firm_id = r.firm_id AND i.id = r.invoice_id "
                f"WHERE r.firm_id = :firm {conditions} {after} ORDER BY r.id DESC LIMIT :limit"
            ),
            {"firm": uow.firm_id, "client": client_id, "invoice": invoice_id, "limit": limit + 1, **values},
        )
        .mappings()
        .all()
    )
    page = paging.page(rows, limit, lambda r: (r["id"],))
    names = ("id", "client_id", "client_name", "invoice_id", "number", "level", "days_overdue", "at")
    page["items"] = [
        {n: r[n] for n in names} | {n: money.view(r[n], r["currency"]) for n in ("balance", "interest")}
        for r in page["items"]
    ]
    return page
