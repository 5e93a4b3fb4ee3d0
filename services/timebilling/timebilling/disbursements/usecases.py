"""Logging what was paid for a client and bringing it to approval: the same life as time."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.copies import uuid_or_none
from chassis.errors import DomainError, Forbidden
from chassis.uow import Uow, lost_update
from timebilling import money
from timebilling.bulk import each
from timebilling.copies.tables import ClientCopy
from timebilling.disbursements import queries, rules
from timebilling.disbursements.tables import Disbursement
from timebilling.firm_settings.usecases import hold_lock_date, override_lock
from timebilling.time_entries.rules import APPROVED, DRAFT, RETURNED, SUBMITTED
from timebilling.wip import usecases as wip
from timebilling.work import ACT, check_day, check_lock, check_owner, check_period, context_of, worker


def log(uow: Uow, body: dict[str, Any]) -> Disbursement:
    """Errors: `job_not_found`, `staff_member_not_found` (404); `period_locked` (409); `amount_missing`, `amount_precision`,
    `currency_mismatch`, `tax_over_amount`, `markup_out_of_range`, `day_out_of_range` (422); `not_your_time`, `markup_forbidden`,
    `lock_override_forbidden` (403).
    """
    staff_id, day = worker(uow, body.get("staff_id")), date.fromisoformat(body["day"])
    context = context_of(uow, UUID(body["job_id"]), None, None, staff_id)
    check_day(uow, context, [day], body.get("lock_override_reason"))
    row = Disbursement(
        staff_id=staff_id,
        client_id=context.client_id,
        job_id=context.job,
        day=day,
        description=body["description"],
        tax_recoverable=body.get("tax_recoverable", True),
        billable=body.get("billable", True),
        document_id=uuid_or_none(body.get("document_id") or ""),
        status=DRAFT,
        created_at=uow.now,
        **_figures(uow, body, context.client_currency, money.ZERO, money.ZERO),
    )
    uow.add(row)
    _announce(uow, row)
    uow.audit("disbursement.logged", "disbursement", row.id, after=_facts(row), reason=body.get("lock_override_reason"))
    return row


def change(uow: Uow, disbursement_id: UUID, body: dict[str, Any], if_match: int | None) -> Disbursement:
    """Errors: those of `log`; `disbursement_approved` (409), `version_conflict` (412)."""
    row = _editable(uow, disbursement_id, if_match)
    before = _facts(row)
    job_id = UUID(body["job_id"]) if "job_id" in body else row.job_id
    day = date.fromisoformat(body["day"]) if "day" in body else row.day
    context = context_of(uow, job_id, None, None, row.staff_id)
    check_day(uow, context, [row.day, day], body.get("lock_override_reason"))
    amount = body.get("amount", money.view(row.amount, row.currency))
    tax = money.view(row.tax, row.currency) if "tax" not in body else body["tax"]
    figures = _figures(uow, body | {"amount": amount, "tax": tax}, context.client_currency, row.tax, row.markup_percent)
    row.job_id, row.client_id, row.day = job_id, context.client_id, day
    for name, value in figures.items():
        setattr(row, name, value)
    for name in ("description", "tax_recoverable", "billable"):
        setattr(row, name, body.get(name, getattr(row, name)))
    if "document_id" in body:
        row.document_id = uuid_or_none(body["document_id"])
    row.status, row.return_reason = DRAFT, None
    uow.session.flush()
    _announce(uow, row)
    uow.audit(
        "disbursement.changed",
        "disbursement",
        row.id,
        before=before,
        after=_facts(row),
        reason=body.get("lock_override_reason"),
    )
    return row


def delete(uow: Uow, disbursement_id: UUID, if_match: int | None, lock_override_reason: str | None) -> None:
    """Errors: `disbursement_not_found` (404), `not_your_time` (403), `disbursement_approved`, `period_locked` (409)."""
    row = _editable(uow, disbursement_id, if_match)
    check_lock(uow, hold_lock_date(uow), [row.day], lock_override_reason)
    uow.session.delete(row)
    uow.session.flush()
    uow.announce(queries.event(row, "deleted", row.version + 1), subject=row.id, version=row.version + 1)
    uow.audit("disbursement.deleted", "disbursement", row.id, before=_facts(row), reason=lock_override_reason)


def submit(uow: Uow, ids: Sequence[UUID], lock_override_reason: str | None) -> dict[str, Any]:
    """Answers per disbursement: `disbursement_not_draft`, `period_locked` (409), `not_your_time` (403)."""

    def act(row: Disbursement) -> None:
        check_owner(uow, row.staff_id)
        _refuse(rules.refusal_to_submit(row.status))
        row.status, row.return_reason = SUBMITTED, None

    return _each(uow, ids, act, "disbursement.submitted", None, lock_override_reason)


def send_back(uow: Uow, ids: Sequence[UUID], reason: str, lock_override_reason: str | None) -> dict[str, Any]:
    """Answers per disbursement: `disbursement_not_submitted`, `period_locked` (409)."""

    def act(row: Disbursement) -> None:
        _refuse(rules.refusal_to_decide(row.status))
        row.status, row.return_reason = RETURNED, reason

    return _each(uow, ids, act, "disbursement.returned", reason, lock_override_reason)


def approve(uow: Uow, ids: Sequence[UUID], lock_override_reason: str | None) -> dict[str, Any]:
    """What is billable becomes WIP at cost with its markup. Answers per disbursement: `disbursement_not_submitted`, `period_locked`
    (409).
    """
    standards: dict[UUID, Decimal] = {}

    def act(row: Disbursement) -> None:
        _refuse(rules.refusal_to_decide(row.status))
        row.status, row.approved_at, row.approved_by = APPROVED, uow.now, uow.principal.actor
        if row.billable:
            figures = (row.amount, row.tax, row.tax_recoverable, row.markup_percent, row.currency)
            standards[row.id] = rules.value_of(*figures)

    answer = _each(uow, ids, act, "disbursement.approved", None, lock_override_reason)
    wip.open_items(uow, "disbursement", standards)
    return answer


def take_back(uow: Uow, ids: Sequence[UUID], reason: str, lock_override_reason: str | None) -> dict[str, Any]:
    """Answers per disbursement: `disbursement_not_approved`, `entry_reserved`, `entry_billed`, `entry_written_off`, `entry_adjusted`,
    `period_locked` (409).
    """
    items = wip.hold(uow, ids)
    taken: list[UUID] = []

    def act(row: Disbursement) -> None:
        _refuse(rules.refusal_to_take_back(row.status))
        _refuse(wip.refusal_to_touch(items.get(row.id)))
        taken.append(row.id)
        row.status, row.approved_at, row.approved_by = SUBMITTED, None, None

    return _each(
        uow,
        ids,
        act,
        "disbursement.approval_taken_back",
        reason,
        lock_override_reason,
        before=lambda: wip.withdraw(uow, taken, reason),
    )


def _each(
    uow: Uow,
    ids: Sequence[UUID],
    act: Callable[[Disbursement], None],
    action: str,
    reason: str | None,
    lock_override_reason: str | None,
    before: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Does an act to each that is not in a locked period; `before` runs before the changed rows are written."""
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, lock_override_reason)

    def one(row: Disbursement) -> None:
        check_period(row.day, settings, overridden)
        act(row)

    done, answer = each(ids, _load(uow, ids), one, queries.not_found)
    before()
    uow.session.flush()
    for row in done:
        _announce(uow, row)
        uow.audit(action, "disbursement", row.id, after={"status": row.status}, reason=reason or lock_override_reason)
    return answer


def _load(uow: Uow, ids: Sequence[UUID]) -> dict[UUID, Disbursement]:
    """Those that may be seen, locked in the order of their ids."""
    wanted = (
        select(Disbursement)
        .join(ClientCopy, (ClientCopy.firm_id == Disbursement.firm_id) & (ClientCopy.id == Disbursement.client_id))
        .where(Disbursement.firm_id == uow.firm_id, Disbursement.id.in_(set(ids)))
        .order_by(Disbursement.id)
        .with_for_update(of=Disbursement)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in uow.session.scalars(wanted)}


def _editable(uow: Uow, disbursement_id: UUID, if_match: int | None) -> Disbursement:
    row = _load(uow, [disbursement_id]).get(disbursement_id)
    if row is None:
        raise queries.not_found()
    check_owner(uow, row.staff_id)
    if if_match is not None and row.version != if_match:
        raise lost_update(row.version)
    _refuse(rules.refusal_to_edit(row.status))
    return row


def _figures(uow: Uow, body: dict[str, Any], currency: str, tax: Decimal, markup: Decimal) -> dict[str, Any]:
    amount, _ = money.parse(body["amount"], pointer="/amount", currency=currency)
    if body.get("tax") is not None:
        tax, _ = money.parse(body["tax"], pointer="/tax", currency=currency)
    if "markup_percent" in body and Decimal(body["markup_percent"]) != markup:
        if ACT not in uow.principal.permissions:
            raise Forbidden("markup_forbidden", "Only approvers may say what is put on top.", pointer="/markup_percent")
        markup = Decimal(body["markup_percent"])
    rules.check(amount, tax, markup)
    return {"amount": amount, "tax": tax, "markup_percent": markup, "currency": currency}


def _refuse(refusal: DomainError | None) -> None:
    if refusal is not None:
        raise refusal


def _announce(uow: Uow, row: Disbursement) -> None:
    uow.announce(queries.event(row, row.status, row.version), subject=row.id, version=row.version)


def _facts(row: Disbursement) -> dict[str, Any]:
    """What the audit keeps of a disbursement."""
    names = ("staff_id", "job_id", "day", "description", "tax_recoverable", "billable", "document_id", "status")
    figures = {n: str(getattr(row, n)) for n in ("amount", "tax", "markup_percent")}
    return {n: getattr(row, n) for n in names} | figures | {"currency": row.currency}
