"""Logging time and bringing it to approval."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import aliased

from chassis.copies import uuid_or_none
from chassis.errors import DomainError, Forbidden, NotFound
from chassis.uow import Uow, lost_update
from timebilling import money
from timebilling.bulk import each
from timebilling.copies.tables import ClientCopy, JobCopy, StaffCopy
from timebilling.copies.usecases import firm
from timebilling.firm_settings.tables import FirmSettings
from timebilling.firm_settings.usecases import hold_lock_date, override_lock
from timebilling.rates import rules as rate_rules
from timebilling.rates.rules import Chosen, Work
from timebilling.rates.usecases import ended, figure, for_work
from timebilling.rounding.tables import RoundingPolicy
from timebilling.time_entries import queries, rules
from timebilling.time_entries.tables import TimeEntry
from timebilling.timers import rules as timers
from timebilling.wip import usecases as wip
from timebilling.work import ACT, check_day, check_lock, check_owner, check_period, context_of, hold_clock, worker


def log_time(uow: Uow, body: dict[str, Any], *, keeps: UUID | None = None, timed: bool = False) -> dict[str, Any]:
    """Logs time on a job; answers the entry as the API shows it. `timed`: it is a timer's, which `keeps` the activity it was started with.

    Errors: `job_not_found`, `task_not_found`, `activity_not_found`, `staff_member_not_found` (404); `activity_retired`, `period_locked`,
    `time_overlap` (409); `seconds_out_of_range`, `day_out_of_range`, `time_missing`, `time_twice`, `end_before_start`, `end_in_future`
    (422); `not_your_time`, `lock_override_forbidden`, `rate_override_forbidden` (403).
    """
    staff_id = worker(uow, body.get("staff_id"))
    task_id, activity_id = uuid_or_none(body.get("task_id") or ""), uuid_or_none(body.get("activity_id") or "")
    context = context_of(uow, UUID(body["job_id"]), task_id, activity_id, staff_id, keeps=keeps)
    when = _when(body, context.time_zone or "UTC")
    check_day(uow, context, [when.day], body.get("lock_override_reason"))
    if when.started_at is not None and not timed:
        _check_clock(uow, staff_id, when)
    billable = body.get("billable")
    entry = TimeEntry(
        staff_id=staff_id,
        client_id=context.client_id,
        job_id=context.job,
        task_id=task_id,
        activity_id=activity_id,
        day=when.day,
        seconds=when.seconds,
        started_at=when.started_at,
        ended_at=when.ended_at,
        billable=billable if billable is not None else context.activity_billable is not False,
        narrative=body.get("narrative", ""),
        status=rules.DRAFT,
        created_at=uow.now,
        **_override(uow, body.get("rate_override"), context.client_currency),
    )
    uow.insert(entry)
    announce(uow, entry)
    uow.audit("time.logged", "time_entry", entry.id, after=_facts(entry), reason=body.get("lock_override_reason"))
    return queries.view(uow, _shown(uow, entry, context))


def change(uow: Uow, entry_id: UUID, body: dict[str, Any], if_match: int | None) -> dict[str, Any]:
    """Changes an entry that is not approved; a submitted or returned one is a draft again.

    Errors: those of `log_time`; `entry_approved` (409), `version_conflict` (412).
    """
    entry = _editable(uow, entry_id, if_match)
    before = _facts(entry)
    job_id = UUID(body["job_id"]) if "job_id" in body else entry.job_id
    # A task belongs to its job: moving an entry to another job leaves the old task behind.
    task_id = uuid_or_none(body["task_id"]) if "task_id" in body else entry.task_id if job_id == entry.job_id else None
    activity_id = uuid_or_none(body["activity_id"]) if "activity_id" in body else entry.activity_id
    context = context_of(uow, job_id, task_id, activity_id, entry.staff_id, keeps=entry.activity_id)
    when = rules.When(entry.day, entry.seconds, entry.started_at, entry.ended_at)
    if "started_at" in body or "ended_at" in body:
        when = _when(body, context.time_zone or "UTC")
        _check_clock(uow, entry.staff_id, when, entry.id)
    elif (body.get("day", str(entry.day)), body.get("seconds", entry.seconds)) != (str(entry.day), entry.seconds):
        # Said by hand, it is no longer what the clock said.
        when = _when({"day": str(entry.day), "seconds": entry.seconds} | body, "UTC")
    check_day(uow, context, [entry.day, when.day], body.get("lock_override_reason"))
    entry.job_id, entry.client_id, entry.task_id, entry.activity_id = job_id, context.client_id, task_id, activity_id
    entry.day, entry.seconds, entry.started_at, entry.ended_at = when.day, when.seconds, when.started_at, when.ended_at
    entry.billable, entry.narrative = body.get("billable", entry.billable), body.get("narrative", entry.narrative)
    if "rate_override" in body:
        for name, value in _override(uow, body["rate_override"], context.client_currency).items():
            setattr(entry, name, value)
    entry.status, entry.return_reason = rules.DRAFT, None
    uow.session.flush()
    announce(uow, entry)
    uow.audit(
        "time.changed",
        "time_entry",
        entry.id,
        before=before,
        after=_facts(entry),
        reason=body.get("lock_override_reason"),
    )
    return queries.get_entry(uow, entry.id)


def delete(uow: Uow, entry_id: UUID, if_match: int | None, lock_override_reason: str | None) -> None:
    """Errors: `time_entry_not_found` (404), `not_your_time` (403), `entry_approved`, `period_locked` (409), `version_conflict` (412)."""
    entry = _editable(uow, entry_id, if_match)
    check_lock(uow, hold_lock_date(uow), [entry.day], lock_override_reason)
    uow.session.delete(entry)
    uow.session.flush()
    uow.announce(queries.event(entry, "deleted", entry.version + 1), subject=entry.id, version=entry.version + 1)
    uow.audit("time.deleted", "time_entry", entry.id, before=_facts(entry), reason=lock_override_reason)


def submit(uow: Uow, ids: Sequence[UUID], lock_override_reason: str | None) -> dict[str, Any]:
    """Drafts and returned entries wait for approval from here on. Answers per entry."""
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, lock_override_reason)

    def act(entry: TimeEntry, _: Row[Any]) -> None:
        check_owner(uow, entry.staff_id)
        refuse(rules.refusal_to_submit(entry.status))
        check_period(entry.day, settings, overridden)
        entry.status, entry.return_reason = rules.SUBMITTED, None

    return _each(uow, load(uow, ids), ids, act, "time.submitted", lock_override_reason)


def send_back(uow: Uow, ids: Sequence[UUID], reason: str, lock_override_reason: str | None) -> dict[str, Any]:
    """Submitted entries go back to who worked, with a reason. Answers per entry."""
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, lock_override_reason)

    def act(entry: TimeEntry, _: Row[Any]) -> None:
        refuse(rules.refusal_to_decide(entry.status))
        check_period(entry.day, settings, overridden)
        entry.status, entry.return_reason = rules.RETURNED, reason

    return _each(uow, load(uow, ids), ids, act, "time.returned", lock_override_reason or reason)


def approve(uow: Uow, ids: Sequence[UUID], lock_override_reason: str | None) -> dict[str, Any]:
    """Freezes bill rate, cost rate and rounding of submitted entries, with the rules that chose them; what is billable becomes WIP.

    Answers per entry: `rate_missing`, `rate_gap`, `entry_not_submitted`, `period_locked` (409), `time_entry_not_found` (404).
    """
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, lock_override_reason)
    cost_currency = firm(uow).currency
    loaded = load(uow, ids)
    rates = for_work(uow, [work_of(row) for row in loaded.values()])
    standards: dict[UUID, Decimal] = {}

    def act(entry: TimeEntry, row: Row[Any]) -> None:
        refuse(rules.refusal_to_decide(entry.status))
        check_period(entry.day, settings, overridden)
        work = work_of(row)
        bill = bill_rate(uow, entry, work, row.client_currency, rates["bill"])
        cost = rate_rules.choose(work, rates["cost"], cost_currency, "cost")
        _freeze(uow, entry, _policy(row, settings), bill, cost, row.client_currency)
        if bill is not None:
            standards[entry.id] = rate_rules.value_of(entry.billable_seconds or 0, bill.amount, row.client_currency)

    answer = _each(uow, loaded, ids, act, "time.approved", lock_override_reason)
    wip.open_items(uow, "time", standards)
    return answer


def take_back(uow: Uow, ids: Sequence[UUID], reason: str, lock_override_reason: str | None) -> dict[str, Any]:
    """Takes the approval of entries back while nothing of them is on a draft or billed: they are submitted again, their WIP is gone.

    Answers per entry: `entry_not_approved`, `entry_reserved`, `entry_billed`, `entry_written_off`, `entry_adjusted`, `period_locked`
    (409), `time_entry_not_found` (404).
    """
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, lock_override_reason)
    # The items first: billing locks them before the entries behind them, too.
    items = wip.hold(uow, ids)

    def act(entry: TimeEntry, _: Row[Any]) -> None:
        refuse(rules.refusal_to_take_back(entry.status))
        check_period(entry.day, settings, overridden)
        refuse(wip.refusal_to_touch(items.get(entry.id)))
        taken.append(entry.id)
        entry.status = rules.SUBMITTED
        for name in rules.FROZEN:
            setattr(entry, name, None)

    taken: list[UUID] = []
    loaded = load(uow, ids)
    # What the database lets become unapproved is what has no WIP: that goes before the entries are written.
    return _each(
        uow, loaded, ids, act, "time.approval_taken_back", reason, before=lambda: wip.withdraw(uow, taken, reason)
    )


def why(uow: Uow, entry_id: UUID) -> dict[str, Any]:
    """Each figure of an entry with its rule and inputs: the frozen ones, or those that approval would freeze now."""
    loaded = load(uow, [entry_id], lock=False)
    if entry_id not in loaded:
        raise not_found()
    row = loaded[entry_id]
    entry: TimeEntry = row.TimeEntry
    if entry.status == rules.APPROVED:
        return _why_frozen(entry)
    settings = hold_lock_date(uow)
    work = work_of(row)
    rates = for_work(uow, [work])
    bill = (
        bill_rate(uow, entry, work, row.client_currency, rates["bill"])
        if _has_rate(entry, work, row, rates["bill"])
        else None
    )
    cost = rate_rules.choose(work, rates["cost"], firm(uow).currency, "cost")
    return {"frozen": False} | _figures(
        entry, _policy(row, settings), figure(bill), figure(cost), row.client_currency, bill
    )


# --- approval ---------------------------------------------------------------------------------------------------------


def _has_rate(entry: TimeEntry, work: Work, row: Row[Any], rates: dict[str, Any]) -> bool:
    if entry.override_rate is not None:
        return entry.billable and entry.override_currency == row.client_currency
    return entry.billable and rate_rules.choose(work, rates, row.client_currency) is not None


def bill_rate(uow: Uow, entry: TimeEntry, work: Work, currency: str, rates: dict[str, Any]) -> Chosen | None:
    """None for what is not billable. Errors: `rate_missing`, `rate_gap` (409)."""
    if not entry.billable:
        return None
    if entry.override_rate is not None:
        if (
            entry.override_currency != currency
        ):  # the client's currency changed since: what was meant is not ours to guess
            raise rate_rules.missing(work, currency)
        return rate_rules.overridden(entry.override_rate, currency, entry.override_reason or "")
    chosen = rate_rules.choose(work, rates, currency)
    if chosen is None:
        raise rate_rules.missing(work, currency, ended(uow, work, currency))
    return chosen


def _freeze(
    uow: Uow, entry: TimeEntry, policy: dict[str, Any], bill: Chosen | None, cost: Chosen | None, currency: str
) -> None:
    entry.status = rules.APPROVED
    entry.approved_at, entry.approved_by = uow.now, uow.principal.actor
    entry.rounding = policy
    entry.billable_seconds = rules.billable_seconds(entry.seconds, entry.billable, rules.Rounding.of(policy))
    entry.currency = currency
    if cost is not None:
        entry.cost_rate, entry.cost_currency, entry.cost_rule = cost.amount, cost.currency, cost.rule
    if bill is not None:
        entry.bill_rate, entry.bill_rule = bill.amount, bill.rule


def _policy(row: Row[Any], settings: FirmSettings) -> dict[str, Any]:
    """How this entry is rounded, as approval freezes it: by its job's policy, else its client's, else the firm's."""
    own: RoundingPolicy | None = row.of_job or row.of_client
    if own is None:
        return settings.rounding.view() | {"version": settings.version, "scope": "firm"}
    return own.rounding.view() | {"version": own.version, "scope": own.scope}


def work_of(row: Row[Any]) -> Work:
    entry: TimeEntry = row.TimeEntry
    return Work(
        entry.day, entry.staff_id, entry.job_id, entry.client_id, row.grade, row.engagement_id, entry.activity_id
    )


def _why_frozen(entry: TimeEntry) -> dict[str, Any]:
    assert entry.rounding is not None
    assert entry.currency is not None
    bill = Chosen(entry.bill_rate, entry.currency, entry.bill_rule or {}) if entry.bill_rate is not None else None
    cost = (
        Chosen(entry.cost_rate, entry.cost_currency or "", entry.cost_rule or {})
        if entry.cost_rate is not None
        else None
    )
    return {"frozen": True} | _figures(entry, entry.rounding, figure(bill), figure(cost), entry.currency, bill)


def _figures(
    entry: TimeEntry,
    policy: dict[str, Any],
    bill: dict[str, Any] | None,
    cost: dict[str, Any] | None,
    currency: str,
    chosen: Chosen | None,
) -> dict[str, Any]:
    rounding, scope = rules.Rounding.of(policy), policy.get("scope", "firm")
    seconds = rules.billable_seconds(entry.seconds, entry.billable, rounding)
    value = rate_rules.value_of(seconds, chosen.amount, currency) if chosen else None
    return {
        "billable_seconds": {
            "figure": str(seconds),
            "says": f"{entry.seconds} s, {rounding.says()} (the {scope}'s policy): {seconds} s"
            if entry.billable
            else "not billable",
            "rule": "rounding" if entry.billable else "not_billable",
            "version": str(policy["version"]),
            "inputs": {"seconds": entry.seconds, "scope": scope, **rounding.view()},
        },
        "rate": bill,
        "cost_rate": cost,
        "value": None
        if chosen is None or value is None
        else {
            "figure": money.view(value, currency)["amount"],
            "says": f"{seconds} s × {currency} {money.view(chosen.amount, currency)['amount']}/h, rounded half up",
            "rule": "standard_value",
            "version": "1",
            "inputs": {"billable_seconds": seconds, "rate": str(chosen.amount), "currency": currency},
        },
    }


# --- many at once -----------------------------------------------------------------------------------------------------


def load(uow: Uow, ids: Sequence[UUID], *, lock: bool = True) -> dict[UUID, Row[Any]]:
    """The entries that may be seen, each with what its rate goes by; locked in the order of their ids, so that two batches can't deadlock."""
    of_job, of_client = aliased(RoundingPolicy, name="of_job"), aliased(RoundingPolicy, name="of_client")
    wanted = (
        select(
            TimeEntry,
            ClientCopy.currency.label("client_currency"),
            JobCopy.engagement_id,
            StaffCopy.grade,
            of_job,
            of_client,
        )
        .join(ClientCopy, (ClientCopy.firm_id == TimeEntry.firm_id) & (ClientCopy.id == TimeEntry.client_id))
        .outerjoin(JobCopy, (JobCopy.firm_id == TimeEntry.firm_id) & (JobCopy.id == TimeEntry.job_id))
        .outerjoin(StaffCopy, (StaffCopy.firm_id == TimeEntry.firm_id) & (StaffCopy.id == TimeEntry.staff_id))
        .outerjoin(of_job, (of_job.firm_id == TimeEntry.firm_id) & (of_job.id == TimeEntry.job_id))
        .outerjoin(of_client, (of_client.firm_id == TimeEntry.firm_id) & (of_client.id == TimeEntry.client_id))
        .where(TimeEntry.firm_id == uow.firm_id, TimeEntry.id.in_(set(ids)))
        .order_by(TimeEntry.id)
        .execution_options(populate_existing=True)
    )
    if lock:
        wanted = wanted.with_for_update(of=TimeEntry)
    rows: Any = uow.session.execute(wanted)
    return {row.TimeEntry.id: row for row in rows}


def _each(
    uow: Uow,
    loaded: dict[UUID, Row[Any]],
    ids: Sequence[UUID],
    act: Callable[[TimeEntry, Row[Any]], None],
    action: str,
    reason: str | None,
    before: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Does an act to each entry; one refused entry does not stop the others. `act` decides before it changes anything;
    `before` runs before the changed entries are written.
    """
    done, answer = each(ids, loaded, lambda row: act(row.TimeEntry, row), not_found)
    before()
    uow.session.flush()
    for row in done:
        entry: TimeEntry = row.TimeEntry
        announce(uow, entry)
        uow.audit(action, "time_entry", entry.id, after={"status": entry.status}, reason=reason)
    return answer


# --- one entry --------------------------------------------------------------------------------------------------------


def _editable(uow: Uow, entry_id: UUID, if_match: int | None) -> TimeEntry:
    loaded = load(uow, [entry_id])
    if entry_id not in loaded:
        raise not_found()
    entry: TimeEntry = loaded[entry_id].TimeEntry
    check_owner(uow, entry.staff_id)
    if if_match is not None and entry.version != if_match:
        raise lost_update(entry.version)
    refuse(rules.refusal_to_edit(entry.status))
    return entry


def _when(body: dict[str, Any], zone: str) -> rules.When:
    day, began, ended = body.get("day"), body.get("started_at"), body.get("ended_at")
    return rules.when(
        date.fromisoformat(day) if day else None, body.get("seconds"), _instant(began), _instant(ended), zone
    )


def _instant(value: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _check_clock(uow: Uow, staff_id: UUID, when: rules.When, entry_id: UUID | None = None) -> None:
    """Work by the clock is over, and at no time that other work or the running timer has. Errors: `end_in_future` (422), `time_overlap` (409)."""
    assert when.ended_at is not None
    timers.check_past(when.ended_at, uow.now)
    hold_clock(uow, staff_id)
    found = uow.session.execute(
        text(
            "SELECT 1 FROM time_entries WHERE firm_id = :firm AND staff_id = :staff AND started_at IS NOT NULL "
            "AND id IS DISTINCT FROM :entry AND tstzrange(started_at, ended_at) && tstzrange(:began, :ended) "
            "UNION ALL SELECT 1 FROM timers WHERE firm_id = :firm AND id = :staff AND started_at < :ended LIMIT 1"
        ),
        {"firm": uow.firm_id, "staff": staff_id, "entry": entry_id, "began": when.started_at, "ended": when.ended_at},
    ).first()
    if found:
        raise timers.overlap()


def _override(uow: Uow, override: dict[str, Any] | None, currency: str) -> dict[str, Any]:
    """The columns of a rate override. Errors: `rate_override_forbidden` (403), `currency_mismatch`, `amount_precision` (422)."""
    if override is None:
        return {"override_rate": None, "override_currency": None, "override_reason": None}
    if ACT not in uow.principal.permissions:
        raise Forbidden("rate_override_forbidden", "Only approvers may set a rate for one entry.")
    amount, code = money.parse(override["rate"], pointer="/rate_override/rate", currency=currency)
    return {"override_rate": amount, "override_currency": code, "override_reason": override["reason"]}


def refuse(refusal: DomainError | None) -> None:
    if refusal is not None:
        raise refusal


def not_found() -> NotFound:
    return NotFound("time_entry_not_found", "There is no such time entry.")


def announce(uow: Uow, entry: TimeEntry) -> None:
    uow.announce(queries.event(entry, entry.status, entry.version), subject=entry.id, version=entry.version)


def _facts(entry: TimeEntry) -> dict[str, Any]:
    """What the audit keeps of an entry."""
    names = ("staff_id", "job_id", "task_id", "activity_id", "day", "seconds", "billable", "narrative", "status")
    override: Decimal | None = entry.override_rate
    return {n: getattr(entry, n) for n in names} | ({"override_rate": str(override)} if override is not None else {})


def _shown(uow: Uow, entry: TimeEntry, context: Row[Any]) -> dict[str, Any]:
    """An entry just logged, with the names its context brought: saves the question."""
    columns = [
        "id",
        "staff_id",
        "client_id",
        "job_id",
        "task_id",
        "activity_id",
        "day",
        "seconds",
        "started_at",
        "ended_at",
        "billable",
        "narrative",
        "status",
        "return_reason",
        "override_rate",
        "override_currency",
        "override_reason",
        "billable_seconds",
        "currency",
        "bill_rate",
        "version",
    ]
    names = [
        "client_name",
        "job_title",
        "task_title",
        "activity_name",
        "rounding_increment",
        "rounding_direction",
        "rounding_minimum",
        "rounding_per",
    ]
    return (
        {c: getattr(entry, c) for c in columns}
        | {n: getattr(context, n) for n in names}
        | {"staff_name": context.staff_name or uow.principal.name, "wip": None, "standard": None, "invoice_id": None}
    )
