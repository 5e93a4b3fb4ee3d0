"""Keeping arrangements from engagements, and billing them: progress and final bills, milestones, recurring fees, caps."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text, update

from chassis.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unavailable
from chassis.uow import Uow, lost_update
from praxis.clients.v1.events_pb2 import EngagementChanged
from timebilling import money
from timebilling.arrangements import rules
from timebilling.arrangements.bills import bills as standing
from timebilling.arrangements.bills import milestones
from timebilling.arrangements.tables import Arrangement, ArrangementBill, Milestone
from timebilling.copies.tables import ClientCopy
from timebilling.copies.usecases import client, firm, keep_engagement, today
from timebilling.firm_settings.usecases import for_billing as firm_settings
from timebilling.invoices import lines as parts
from timebilling.invoices import rules as invoice_rules
from timebilling.invoices import usecases as invoicing
from timebilling.invoices.rules import Line
from timebilling.invoices.tables import Invoice
from timebilling.money import ZERO

ISSUE = "timebilling:invoices:act"


def follow_engagement(uow: Uow, event: EngagementChanged) -> None:
    """Keeps the engagement and, of its fee terms, the arrangement; plans a recurring fee's next bill."""
    keep_engagement(uow, event)
    id = UUID(event.engagement_id)
    found = uow.session.get(Arrangement, (uow.firm_id, id), with_for_update=True)
    starts_on = date.fromisoformat(event.starts_on) if event.starts_on else None
    ends_on = date.fromisoformat(event.ends_on) if event.ends_on else None
    stored = uow.session.execute(
        text("SELECT version, client_id FROM engagement_copy WHERE firm_id = :firm AND id = :id"),
        {"firm": uow.firm_id, "id": id},
    ).one()
    if stored.version > event.version:
        return  # an older event than what is known
    terms = {
        "client_id": stored.client_id,
        "title": event.title,
        "kind": event.fee.kind or rules.HOURLY,
        "amount": Decimal(event.fee.amount.amount) if event.fee.amount.amount else None,
        "currency": event.fee.amount.currency,
        "every": event.fee.interval if event.fee.interval in rules.MONTHS else "",
        "starts_on": starts_on,
        "ends_on": ends_on,
        "open": event.status == "open",
    }
    uow.keep()
    if event.removed and (found is None or not uow.session.execute(_USED, {"id": id}).scalar_one()):
        if found:
            uow.session.delete(found)
        uow.session.flush()
        return
    if found is None:
        found = Arrangement(id=id, in_advance=False, bill_from=None, **terms)
        uow.session.add(found)
    for name, value in terms.items():
        setattr(found, name, value)
    if found.bill_from is None and starts_on is not None:
        found.bill_from = max(starts_on, uow.now.date())
    uow.session.flush()
    if found.kind == rules.RECURRING and found.open:
        uow.later("bill_recurring", id, arrangement_id=str(id))


_USED = text("""
    SELECT EXISTS (SELECT FROM milestones WHERE arrangement_id = :id) OR EXISTS (SELECT FROM arrangement_bills WHERE arrangement_id = :id)
        OR EXISTS (SELECT FROM invoice_lines WHERE arrangement_id = :id)""")


def change(uow: Uow, arrangement_id: UUID, body: dict[str, Any], if_match: int | None) -> Arrangement:
    """When recurring bills are made, in advance or afterwards, from which day on; and whether they are issued and sent by themselves.

    Errors: `arrangement_not_found` (404), `issue_forbidden` (403), `not_recurring`, `approval_needed` (409).
    """
    found = _locked(uow, arrangement_id)
    if if_match is not None and found.version != if_match:
        raise lost_update(found.version)
    before = {"bill_from": found.bill_from, "in_advance": found.in_advance, "issue": found.issue, "send": found.send}
    if "issue" in body or "send" in body:
        _automate(uow, found, body)
    if "bill_from" in body:
        found.bill_from = date.fromisoformat(body["bill_from"])
    found.in_advance = body.get("in_advance", found.in_advance)
    uow.session.flush()
    if found.kind == rules.RECURRING and found.open:
        uow.later("bill_recurring", found.id, arrangement_id=str(found.id))
    uow.audit("arrangement.changed", "arrangement", found.id, before=before, after=body)
    return found


def _automate(uow: Uow, of: Arrangement, body: dict[str, Any]) -> None:
    if ISSUE not in uow.principal.permissions:
        raise Forbidden("issue_forbidden", "You may draft invoices, not have them issued. Ask a partner to.")
    send = bool(body.get("send", of.send and body.get("issue", True)))
    issue = bool(body.get("issue", of.issue) or send)
    if issue and of.kind != rules.RECURRING:
        raise Conflict("not_recurring", "Only the bills of a recurring fee are issued by themselves.", pointer="/issue")
    if issue and firm_settings(uow).approve_before_issue:
        raise Conflict(
            "approval_needed", "Here every draft is approved by somebody before it is issued.", pointer="/issue"
        )
    of.issue, of.send, of.problem = issue, send, of.problem if issue else None


def add_milestone(uow: Uow, arrangement_id: UUID, body: dict[str, Any]) -> Milestone:
    """Errors: `arrangement_not_found` (404), `arrangement_has_no_milestones`, `milestones_over_fee` (409), those of amounts (422)."""
    found = _locked(uow, arrangement_id)
    if found.kind != rules.MILESTONE:
        raise Conflict("arrangement_has_no_milestones", "This engagement is not charged by milestones.")
    amount, _ = money.parse(body["amount"], pointer="/amount", currency=found.currency)
    if amount <= 0:
        raise Invalid("bill_not_positive", "A milestone is worth more than zero.", pointer="/amount")
    planned = sum((m.amount for m in milestones(uow, found.id)), ZERO)
    if found.amount is not None and planned + amount > found.amount:
        raise Conflict(
            "milestones_over_fee", f"The milestones would come to more than {found.amount}.", pointer="/amount"
        )
    made = uow.add(Milestone(arrangement_id=found.id, title=body["title"], amount=amount))
    uow.audit("milestone.added", "arrangement", found.id, after=body)
    return made


def reach(uow: Uow, arrangement_id: UUID, milestone_id: UUID, day: date | None) -> Milestone:
    """A milestone is reached: it may be billed. Errors: `milestone_not_found` (404), `day_in_future` (422)."""
    found = _locked(uow, arrangement_id)
    milestone = _milestone(uow, found, milestone_id)
    day = day or today(uow)
    if day > today(uow):
        raise Invalid("day_in_future", "A milestone is reached on a day that has come.", pointer="/reached_on")
    milestone.reached_on = day
    uow.session.flush()
    uow.audit("milestone.reached", "arrangement", found.id, after={"milestone": str(milestone.id), "reached_on": day})
    return milestone


def bill(uow: Uow, arrangement_id: UUID, body: dict[str, Any]) -> Invoice:
    """A draft that bills an arrangement.

    fixed: an `amount` (progress), or `final`: what is left of the fee, for all its work. milestone: `milestone_id`; the last one is final.
    contingent: `amount`, final. recurring: `period` (its first day). Only a final or recurring bill takes the work along: written up or
    down against all that was billed for it. Errors: `arrangement_not_found`, `milestone_not_found` (404); `arrangement_billed_by_time`,
    `arrangement_completed`, `fee_exceeded`, `milestone_not_reached`, `milestone_billed`, `period_billed`, `progress_not_issued` (409);
    `amount_missing`, `period_unknown`, those of amounts (422).
    """
    found = _locked(uow, arrangement_id)
    made = standing(uow, found.id)
    refused = rules.refusal_to_bill(found.kind, any(b.kind == "final" for b in made))
    if refused is not None:
        raise refused
    if found.kind == rules.RECURRING:
        return _bill_period(uow, found, _period(found, body))
    billed = sum((b.amount for b in made), ZERO)
    milestone = None
    if found.kind == rules.MILESTONE:
        milestone = _to_bill(uow, found, body, made)
        amount = milestone.amount
        final = all(
            m.id == milestone.id or any(b.milestone_id == m.id for b in made) for m in milestones(uow, found.id)
        )
        final = final and (found.amount is None or billed + amount == found.amount)
    else:
        final = found.kind == rules.CONTINGENT or bool(body.get("final"))
        amount = _wanted(found, body, billed, final)
    if final and _drafted(uow, made):
        raise Conflict("progress_not_issued", "Issue or drop the earlier bills of this engagement first.")
    kind = "final" if final else "milestone" if milestone else "progress"
    says = body.get("description") or (f"{found.title}: {milestone.title}" if milestone else found.title)
    return _draft(uow, found, amount, kind, says, milestone=milestone, until=None, work=final)


def bill_recurring(uow: Uow, arrangement_id: str) -> None:
    """In the worker: drafts every period that is due and not billed yet, each once, issued and sent where that is wanted; plans the next.

    All of it is one transaction under the arrangement's lock, so that a second worker, or the same one after it was killed, finds either
    a whole bill or none. What can't be made or issued, the arrangement says why; it is tried again every morning, and when it is changed.
    """
    found = uow.session.get(
        Arrangement, (uow.firm_id, UUID(arrangement_id)), with_for_update=True, populate_existing=True
    )
    if found is None:
        return
    problem, before = None, found.problem
    for invoice_id in _waiting(uow, found) if found.issue else ():
        problem = _let_out(uow, found, invoice_id) or problem
    following = None
    if found.open and found.starts_on is not None and found.every and found.bill_from is not None:
        span = (found.starts_on, found.every, found.bill_from, found.ends_on, today(uow), found.in_advance)
        problem = _bill_due(uow, found, list(rules.periods(*span))) or problem
        following = rules.next_due(*span)
    if problem != before:
        found.problem = problem
        uow.session.flush()
        if problem is not None:
            uow.audit("arrangement.bill_refused", "arrangement", found.id, after=problem)
    if problem is not None:
        following = min(filter(None, (following, today(uow) + timedelta(days=1))))
    if following is not None:
        at = datetime.combine(following, time(), ZoneInfo(firm(uow).time_zone))
        uow.later("bill_recurring", found.id, at=at, arrangement_id=arrangement_id)


def _bill_due(uow: Uow, of: Arrangement, due: Sequence[rules.Period]) -> dict[str, Any] | None:
    """Bills the periods that are not billed yet, the earliest first. Returns what stood against the last that failed.

    After one that can't be drafted none is: what stands against it stands against all.
    """
    problem = None
    known = {b.period for b in standing(uow, of.id)}
    for period in due:
        if period.first in known:
            continue
        try:
            with uow.attempt():
                invoice = _bill_period(uow, of, period)
        except Unavailable:
            raise  # nobody's mistake: the worker comes again in a moment
        except DomainError as refused:
            return _says(refused, None)
        if of.issue:
            problem = _let_out(uow, of, invoice.id) or problem
    return problem


def _waiting(uow: Uow, of: Arrangement) -> list[UUID]:
    """Its drafts that were to be issued by themselves and were refused, the earliest first."""
    return list(
        uow.session.scalars(
            select(Invoice.id)
            .join(
                ArrangementBill,
                (ArrangementBill.firm_id == Invoice.firm_id) & (ArrangementBill.invoice_id == Invoice.id),
            )
            .where(
                ArrangementBill.firm_id == uow.firm_id,
                ArrangementBill.arrangement_id == of.id,
                ArrangementBill.live,
                ArrangementBill.waits,
                Invoice.state == invoice_rules.DRAFT,
            )
            .order_by(ArrangementBill.period)
        )
    )


def _let_out(uow: Uow, of: Arrangement, invoice_id: UUID) -> dict[str, Any] | None:
    """Issues a bill, and sends it if that is wanted. Returns why it could not be: then it stays a draft that waits."""
    problem = None
    try:
        with uow.attempt():
            invoicing.issue(uow, invoice_id, None, None)
            if of.send:
                invoicing.send(uow, invoice_id, "")
    except Unavailable:
        raise
    except DomainError as refused:
        problem = _says(refused, invoice_id)
    uow.session.execute(
        update(ArrangementBill)
        .where(ArrangementBill.firm_id == uow.firm_id, ArrangementBill.invoice_id == invoice_id)
        .values(waits=problem is not None)
    )
    return problem


def _says(refused: DomainError, invoice_id: UUID | None) -> dict[str, Any]:
    return {
        "code": refused.code,
        "message": refused.message,
        "invoice_id": None if invoice_id is None else str(invoice_id),
    }


# --- inside -----------------------------------------------------------------------------------------------------------


def _locked(uow: Uow, arrangement_id: UUID) -> Arrangement:
    found = uow.session.scalars(
        select(Arrangement)
        .join(ClientCopy, (ClientCopy.firm_id == Arrangement.firm_id) & (ClientCopy.id == Arrangement.client_id))
        .where(Arrangement.firm_id == uow.firm_id, Arrangement.id == arrangement_id)
        .with_for_update(of=Arrangement)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound("arrangement_not_found", "There is no such arrangement.")
    return found


def _milestone(uow: Uow, of: Arrangement, milestone_id: UUID) -> Milestone:
    found = uow.session.get(Milestone, (uow.firm_id, milestone_id))
    if found is None or found.arrangement_id != of.id:
        raise NotFound("milestone_not_found", "This engagement has no such milestone.")
    return found


def _to_bill(uow: Uow, of: Arrangement, body: dict[str, Any], made: Sequence[ArrangementBill]) -> Milestone:
    if "milestone_id" not in body:
        raise Invalid("amount_missing", "Say which milestone is billed.", pointer="/milestone_id")
    found = _milestone(uow, of, UUID(body["milestone_id"]))
    if found.reached_on is None:
        raise Conflict("milestone_not_reached", "This milestone is not reached yet.")
    if any(b.milestone_id == found.id for b in made):
        raise Conflict("milestone_billed", "This milestone is billed already.")
    return found


def _wanted(of: Arrangement, body: dict[str, Any], billed: Decimal, final: bool) -> Decimal:
    if "amount" not in body:
        if not final or of.amount is None:
            raise Invalid("amount_missing", "Say how much is billed.", pointer="/amount")
        return of.amount - billed
    amount, _ = money.parse(body["amount"], pointer="/amount", currency=of.currency or None)
    if of.amount is not None:
        rules.check_progress(amount, of.amount, billed, of.currency)
    return amount


def _period(of: Arrangement, body: dict[str, Any]) -> rules.Period:
    if of.starts_on is None or not of.every:
        raise Invalid("period_unknown", "The engagement does not say when it began, or how often it is charged.")
    first = date.fromisoformat(body["period"]) if "period" in body else None
    n = 0
    while (found := rules.period(of.starts_on, of.every, n)).first < (first or of.bill_from or of.starts_on):
        n += 1
    if (first is not None and found.first != first) or (of.ends_on is not None and found.first > of.ends_on):
        raise Invalid("period_unknown", "No period of this engagement begins on that day.", pointer="/period")
    return found


def _bill_period(uow: Uow, of: Arrangement, period: rules.Period) -> Invoice:
    if of.amount is None:
        raise Invalid("amount_missing", "The engagement does not say what a period costs.")
    if any(b.period == period.first for b in standing(uow, of.id)):
        raise Conflict("period_billed", f"The period from {period.first} is billed already.")
    says = f"{of.title}: {period.first:%d %b %Y} to {period.last:%d %b %Y}"
    return _draft(uow, of, of.amount, "recurring", says, period=period.first, until=period.last, work=True)


def _draft(
    uow: Uow,
    of: Arrangement,
    amount: Decimal,
    kind: str,
    says: str,
    *,
    milestone: Milestone | None = None,
    period: date | None = None,
    until: date | None,
    work: bool,
) -> Invoice:
    """A draft with one line of a fee; with the work it covers, it is billed at the fee and what was billed in advance."""
    worked = client(uow, of.client_id)
    currency = of.currency or worked.currency
    money.exponent(currency)
    invoice = invoicing.open_draft(uow, worked, currency)
    items = parts.arrangement_items(uow, of.id, currency, until) if work else []
    line = Line(items[0].job_id if len({i.job_id for i in items}) == 1 else None, says, items, fee_of=of.id)
    made = parts.put_work(uow, invoice, [line], invoicing.tax_code_of(uow, invoice), amounts=[amount])
    (row,) = made
    row.drawn = _drawn(uow, of.id) if kind == "final" and items else ZERO
    uow.session.flush()
    uow.add(
        ArrangementBill(
            arrangement_id=of.id,
            kind=kind,
            period=period,
            milestone_id=milestone.id if milestone else None,
            invoice_id=invoice.id,
            line_id=row.id,
            amount=amount,
            live=True,
        )
    )
    parts.total_up(uow, invoice, made, today(uow))
    uow.audit(
        "invoice.drafted",
        "invoice",
        invoice.id,
        after=invoicing.facts(invoice) | {"arrangement": str(of.id), "bill": kind},
    )
    return invoice


def _drawn(uow: Uow, arrangement_id: UUID) -> Decimal:
    """What was billed in advance, before tax, less what of it was credited."""
    total: Decimal = uow.session.execute(
        text(
            "SELECT coalesce(sum(l.net - l.discount_share - l.credited), 0) FROM arrangement_bills b "
            "JOIN invoice_lines l ON l.firm_id = b.firm_id AND l.id = b.line_id WHERE b.firm_id = :firm AND b.arrangement_id = :id AND b.live"
        ),
        {"firm": uow.firm_id, "id": arrangement_id},
    ).scalar_one()
    return total


def _drafted(uow: Uow, made: Sequence[ArrangementBill]) -> bool:
    ids = [b.invoice_id for b in made]
    return bool(
        uow.session.scalar(select(Invoice.id).where(Invoice.id.in_(ids), Invoice.state == invoice_rules.DRAFT).limit(1))
    )
