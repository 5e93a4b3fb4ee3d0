"""Setting how a firm reminds, and reminding when a level's day has come. The portal mails what is announced here."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.db import new_id
from chassis.errors import Conflict, Invalid, NotFound
from chassis.uow import Uow, lost_update
from praxis.common.v1.types_pb2 import Money
from praxis.timebilling.v1.events_pb2 import InvoiceReminderDue
from timebilling import money
from timebilling.copies.usecases import client, firm, today
from timebilling.invoices import lines as parts
from timebilling.invoices import queries as invoices
from timebilling.invoices import rules as invoice_rules
from timebilling.invoices import usecases as invoicing
from timebilling.invoices.tables import Invoice
from timebilling.reminders import charges, queries, rules
from timebilling.reminders.rules import Level
from timebilling.reminders.tables import InterestCharge, PaymentReminder, ReminderPause, ReminderPolicy

MORNING = time(8)  # reminders leave in the morning of the firm's day; the portal keeps quiet hours beside that
SWEEP = 100


def change_policy(uow: Uow, body: dict[str, Any], if_match: int | None) -> None:
    """Replaces the levels. What is overdue already is looked at by the worker.

    Errors: `version_conflict` (412), `reminder_levels_unordered` (422).
    """
    kept = [{"days": x["days_after_due"], "interest_percent": x.get("interest_percent")} for x in body["levels"]]
    rules.check_levels(rules.levels(kept))
    before = queries.policy(uow)["levels"]
    try:
        uow.get(ReminderPolicy, uow.firm_id, lock=True, version=if_match).levels = kept
        uow.session.flush()
    except NotFound:
        if if_match:
            raise lost_update(0) from None
        uow.add(ReminderPolicy(id=uow.firm_id, levels=kept))
    uow.later("plan_reminders", uow.firm_id)
    uow.audit("reminders.changed", "reminder_policy", uow.firm_id, before={"levels": before}, after={"levels": kept})


def pause(uow: Uow, client_id: UUID, until: date | None, reason: str) -> None:
    """Leaves a client in peace. Errors: `client_not_found` (404)."""
    client(uow, client_id)
    found = uow.session.get(ReminderPause, (uow.firm_id, client_id), with_for_update=True)
    if found is None:
        uow.add(ReminderPause(id=client_id, until=until, reason=reason, at=uow.now))
    else:
        found.until, found.reason, found.at = until, reason, uow.now
        uow.session.flush()
    uow.audit("reminders.paused", "client", client_id, after={"until": until}, reason=reason)


def resume(uow: Uow, client_id: UUID) -> None:
    """Reminds a client again. Errors: `client_not_found`, `reminder_pause_not_found` (404)."""
    client(uow, client_id)
    uow.session.delete(uow.get(ReminderPause, client_id, lock=True))
    uow.session.flush()
    uow.later("plan_reminders", uow.firm_id)
    uow.audit("reminders.resumed", "client", client_id)


def charge_interest(uow: Uow, invoice_id: UUID, body: dict[str, Any]) -> Invoice:
    """A draft that charges interest on what is open of an overdue invoice, for the days not charged yet: from then on it is owed.

    What reminders ask for is a claim. Issued, this is an invoice like any other, outside the scope of tax. At the percentage named, else
    that of the highest level the invoice has reached. Errors: `invoice_not_found` (404); `invoice_not_overdue`, `interest_on_interest`,
    `interest_nothing` (409); `interest_not_set`, `day_in_future` (422).
    """
    late = invoicing.locked(uow, invoice_id)
    day = today(uow)
    refused = rules.refusal_to_charge(invoices.status_of(late, day), charges.is_interest(uow, late.id))
    if refused is not None:
        raise refused
    assert late.due_on is not None
    last = date.fromisoformat(body["until"]) if "until" in body else day
    if last > day:
        raise Invalid("day_in_future", "Interest has come up until today, not beyond.", pointer="/until")
    percent = _percent(uow, late, body)
    since = charges.charged_until(uow, late.id) or late.due_on
    amount = rules.interest(late.balance, percent, min(since, last), last, late.currency)
    if not amount:
        raise Conflict("interest_nothing", f"There is no interest to charge between {since} and {last}.")
    billed = client(uow, late.client_id)
    draft = invoicing.open_draft(uow, billed, late.currency, bill_to=billed.id)
    first = since + timedelta(days=1)
    line = parts.new_line(
        draft,
        1,
        kind=invoice_rules.FEE,
        job_id=None,
        description=f"Interest on {late.number}: {money.plain(percent)} % a year on {late.currency} {late.balance}, {first} to {last}",
        quantity=Decimal(1),
        unit=invoice_rules.PIECES,
        standard=money.ZERO,
        amount=amount,
        tax_code_id=None,
    )
    uow.session.add(line)
    uow.session.flush()
    parts.total_up(uow, draft, [line], day)
    facts = {"first": first, "last": last, "percent": percent, "balance": late.balance, "amount": amount}
    uow.add(InterestCharge(invoice_id=late.id, line_id=line.id, at=uow.now, **facts))
    uow.audit("invoice.drafted", "invoice", draft.id, after=invoicing.facts(draft) | {"interest_on": str(late.id)})
    return draft


def _percent(uow: Uow, late: Invoice, body: dict[str, Any]) -> Decimal:
    if "interest_percent" in body:
        return Decimal(body["interest_percent"])
    reached = queries.last_level(uow, late.id)
    for level in reversed(queries.levels(uow)):
        if level.level <= reached and level.interest_percent:
            return level.interest_percent
    message = "No level of reminding that this invoice has reached sets interest. Name a percentage."
    raise Invalid("interest_not_set", message, pointer="/interest_percent")


# --- in the worker ----------------------------------------------------------------------------------------------------


def overdue(uow: Uow, invoice_id: str) -> None:
    """The day after its due date: whoever keeps a copy hears that an unpaid invoice is overdue, and its reminders are planned."""
    invoicing.announce_overdue(uow, invoice_id)
    _plan(uow, uow.get(Invoice, invoice_id), queries.levels(uow), queries.last_level(uow, UUID(invoice_id)))


def plan_all(uow: Uow, after: str | None = None) -> None:
    """Plans the reminders of everything that is overdue, a hundred invoices at a time."""
    rows = queries.overdue(uow, today(uow), UUID(after) if after else None, SWEEP)
    levels = queries.levels(uow)
    for invoice, sent in rows:
        _plan(uow, invoice, levels, sent)
    if len(rows) == SWEEP:
        uow.later("plan_reminders", uow.firm_id, after=str(rows[-1][0].id))


def remind(uow: Uow, invoice_id: str) -> None:
    """Reminds of an invoice if it is still open and a level's day has come; plans the next level. Run again it says nothing twice."""
    invoice = uow.get(Invoice, invoice_id, lock=True)
    day = today(uow)
    if invoices.status_of(invoice, day) != "overdue":
        return
    paused = uow.session.get(ReminderPause, (uow.firm_id, invoice.client_id))
    if paused and (paused.until is None or paused.until >= day):
        if paused.until:
            uow.later(
                "remind", invoice.id, at=_morning(uow, paused.until + timedelta(days=1)), invoice_id=str(invoice.id)
            )
        return
    levels, sent = queries.levels(uow), queries.last_level(uow, invoice.id)
    assert invoice.due_on is not None
    level = rules.due_level(levels, sent, invoice.due_on, day)
    if level is not None:
        _send(uow, invoice, level, len(levels), day)
        sent = level.level
    _plan(uow, invoice, levels, sent)


def _send(uow: Uow, invoice: Invoice, level: Level, levels: int, day: date) -> None:
    assert invoice.due_on is not None
    percent = None if charges.is_interest(uow, invoice.id) else level.interest_percent
    since = charges.charged_until(uow, invoice.id) or invoice.due_on
    interest = rules.interest(invoice.balance, percent, min(since, day), day, invoice.currency)
    made = uow.add(
        PaymentReminder(
            id=new_id(),
            invoice_id=invoice.id,
            client_id=invoice.client_id,
            level=level.level,
            days_overdue=(day - invoice.due_on).days,
            balance=invoice.balance,
            interest=interest,
            currency=invoice.currency,
            at=uow.now,
        )
    )
    uow.announce(
        InvoiceReminderDue(
            reminder_id=str(made.id),
            invoice_id=str(invoice.id),
            client_id=str(invoice.client_id),
            number=invoice.number or "",
            level=level.level,
            levels=levels,
            due_on=str(invoice.due_on),
            days_overdue=made.days_overdue,
            balance=Money(**money.view(invoice.balance, invoice.currency)),
            interest=Money(**money.view(interest, invoice.currency)),
        ),
        subject=invoice.id,
    )
    uow.audit("invoice.reminded", "invoice", invoice.id, after={"level": level.level, "interest": str(interest)})


def _plan(uow: Uow, invoice: Invoice, levels: list[Level], sent: int) -> None:
    """Plans the next level of an invoice that is still open."""
    if invoice.due_on is None or not invoice.balance:
        return
    day = rules.next_day(levels, sent, invoice.due_on)
    if day is not None:
        uow.later("remind", invoice.id, at=_morning(uow, day), invoice_id=str(invoice.id))


def _morning(uow: Uow, day: date) -> datetime:
    return datetime.combine(day, MORNING, ZoneInfo(firm(uow).time_zone))
