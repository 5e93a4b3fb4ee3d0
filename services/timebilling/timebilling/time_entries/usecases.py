"""Logging time and bringing it to approval."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, text

from chassis.errors import Conflict, DomainError, Forbidden, NotFound
from chassis.uow import Uow, lost_update
from timebilling import money
from timebilling.copies.tables import ClientCopy, JobCopy, StaffCopy
from timebilling.copies.usecases import fetch_client, fetch_job, fetch_task, firm
from timebilling.firm_settings.tables import FirmSettings
from timebilling.firm_settings.usecases import hold_lock_date, override_lock
from timebilling.rates import rules as rate_rules
from timebilling.rates.rules import Chosen, Work
from timebilling.rates.usecases import figure, for_work
from timebilling.time_entries import queries, rules
from timebilling.time_entries.tables import TimeEntry
from timebilling.wip.usecases import open_item, record_opened

ACT = "timebilling:time:act"

# Everything that logging needs to know, in one question; what is missing is NULL.
_CONTEXT = text(
    """
SELECT j.id AS job, j.title AS job_title, j.client_id, c.id AS client, c.name AS client_name, c.currency AS client_currency,
       t.id AS task, t.title AS task_title, a.id AS activity, a.name AS activity_name, a.billable AS activity_billable, a.active AS activity_active,
       s.id AS staff, s.name AS staff_name, f.locked_until, f.rounding_increment, f.rounding_direction, f.rounding_minimum, z.time_zone
FROM (VALUES (CAST(:firm AS uuid))) AS one (firm_id)
LEFT JOIN job_copy j ON j.firm_id = one.firm_id AND j.id = :job
LEFT JOIN client_copy c ON c.firm_id = one.firm_id AND c.id = j.client_id
LEFT JOIN task_copy t ON t.firm_id = one.firm_id AND t.id = :task AND t.job_id = j.id
LEFT JOIN activities a ON a.firm_id = one.firm_id AND a.id = :activity
LEFT JOIN staff_copy s ON s.firm_id = one.firm_id AND s.id = :staff
LEFT JOIN firm_settings f ON f.firm_id = one.firm_id
LEFT JOIN firm_copy z ON z.firm_id = one.firm_id"""
)


def log_time(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    """Logs time on a job; answers the entry as the API shows it.

    Errors: `job_not_found`, `task_not_found`, `activity_not_found`, `staff_member_not_found` (404); `activity_retired`, `period_locked`
    (409); `seconds_out_of_range`, `day_out_of_range` (422); `not_your_time`, `lock_override_forbidden`, `rate_override_forbidden` (403).
    """
    staff_id = _worker(uow, body.get("staff_id"))
    task_id, activity_id = _uuid(body.get("task_id")), _uuid(body.get("activity_id"))
    day = date.fromisoformat(body["day"])
    rules.check_seconds(body["seconds"])
    context = _context(uow, UUID(body["job_id"]), task_id, activity_id, staff_id)
    _check_day(uow, context, [day], body.get("lock_override_reason"))
    billable = body.get("billable")
    entry = TimeEntry(
        staff_id=staff_id,
        client_id=context.client_id,
        job_id=context.job,
        task_id=task_id,
        activity_id=activity_id,
        day=day,
        seconds=body["seconds"],
        billable=billable if billable is not None else context.activity_billable is not False,
        narrative=body.get("narrative", ""),
        status=rules.DRAFT,
        created_at=uow.now,
        **_override(uow, body.get("rate_override"), context.client_currency),
    )
    uow.add(entry)
    _announce(uow, entry)
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
    task_id = _uuid(body["task_id"]) if "task_id" in body else entry.task_id if job_id == entry.job_id else None
    activity_id = _uuid(body["activity_id"]) if "activity_id" in body else entry.activity_id
    day = date.fromisoformat(body["day"]) if "day" in body else entry.day
    seconds = body.get("seconds", entry.seconds)
    rules.check_seconds(seconds)
    context = _context(uow, job_id, task_id, activity_id, entry.staff_id, keeps=entry.activity_id)
    _check_day(uow, context, [entry.day, day], body.get("lock_override_reason"))
    entry.job_id, entry.client_id, entry.task_id, entry.activity_id = job_id, context.client_id, task_id, activity_id
    entry.day, entry.seconds = day, seconds
    entry.billable, entry.narrative = body.get("billable", entry.billable), body.get("narrative", entry.narrative)
    if "rate_override" in body:
        for name, value in _override(uow, body["rate_override"], context.client_currency).items():
            setattr(entry, name, value)
    entry.status, entry.return_reason = rules.DRAFT, None
    uow.session.flush()
    _announce(uow, entry)
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
    _check_lock(uow, hold_lock_date(uow), [entry.day], lock_override_reason)
    uow.session.delete(entry)
    uow.session.flush()
    uow.announce(queries.event(entry, "deleted", entry.version + 1), subject=entry.id, version=entry.version + 1)
    uow.audit("time.deleted", "time_entry", entry.id, before=_facts(entry), reason=lock_override_reason)


def submit(uow: Uow, ids: Sequence[UUID], lock_override_reason: str | None) -> dict[str, Any]:
    """Drafts and returned entries wait for approval from here on. Answers per entry."""
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, lock_override_reason)

    def act(entry: TimeEntry, _: Row[Any]) -> None:
        _check_owner(uow, entry.staff_id)
        _refuse(rules.refusal_to_submit(entry.status))
        _check_period(entry.day, settings, overridden)
        entry.status, entry.return_reason = rules.SUBMITTED, None

    return _each(uow, _load(uow, ids), ids, act, "time.submitted", lock_override_reason)


def send_back(uow: Uow, ids: Sequence[UUID], reason: str, lock_override_reason: str | None) -> dict[str, Any]:
    """Submitted entries go back to who worked, with a reason. Answers per entry."""
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, lock_override_reason)

    def act(entry: TimeEntry, _: Row[Any]) -> None:
        _refuse(rules.refusal_to_decide(entry.status))
        _check_period(entry.day, settings, overridden)
        entry.status, entry.return_reason = rules.RETURNED, reason

    return _each(uow, _load(uow, ids), ids, act, "time.returned", lock_override_reason or reason)


def approve(uow: Uow, ids: Sequence[UUID], lock_override_reason: str | None) -> dict[str, Any]:
    """Freezes bill rate, cost rate and rounding of submitted entries, with the rules that chose them; what is billable becomes WIP.

    Answers per entry: `rate_missing`, `entry_not_submitted`, `period_locked` (409), `time_entry_not_found` (404).
    """
    settings = hold_lock_date(uow)
    overridden = override_lock(uow, lock_override_reason)
    cost_currency = firm(uow).currency
    loaded = _load(uow, ids)
    rates = for_work(uow, [_work(row) for row in loaded.values()])

    def act(entry: TimeEntry, row: Row[Any]) -> None:
        _refuse(rules.refusal_to_decide(entry.status))
        _check_period(entry.day, settings, overridden)
        work = _work(row)
        bill = _bill_rate(entry, work, row.client_currency, rates["bill"])
        _freeze(
            uow,
            entry,
            settings,
            bill,
            rate_rules.choose(work, rates["cost"], cost_currency, "cost"),
            row.client_currency,
        )

    answer = _each(uow, loaded, ids, act, "time.approved", lock_override_reason)
    record_opened(uow, [i["id"] for i in answer["items"] if i["ok"]])
    return answer


def why(uow: Uow, entry_id: UUID) -> dict[str, Any]:
    """Each figure of an entry with its rule and inputs: the frozen ones, or those that approval would freeze now."""
    loaded = _load(uow, [entry_id], lock=False)
    if entry_id not in loaded:
        raise _not_found()
    row = loaded[entry_id]
    entry: TimeEntry = row.TimeEntry
    if entry.status == rules.APPROVED:
        return _why_frozen(entry)
    settings = hold_lock_date(uow)
    work = _work(row)
    rates = for_work(uow, [work])
    bill = (
        _bill_rate(entry, work, row.client_currency, rates["bill"])
        if _has_rate(entry, work, row, rates["bill"])
        else None
    )
    cost = rate_rules.choose(work, rates["cost"], firm(uow).currency, "cost")
    return {"frozen": False} | _figures(
        entry, settings.rounding, settings.version, figure(bill), figure(cost), row.client_currency, bill
    )


# --- approval ---------------------------------------------------------------------------------------------------------


def _has_rate(entry: TimeEntry, work: Work, row: Row[Any], rates: dict[str, Any]) -> bool:
    if entry.override_rate is not None:
        return entry.billable and entry.override_currency == row.client_currency
    return entry.billable and rate_rules.choose(work, rates, row.client_currency) is not None


def _bill_rate(entry: TimeEntry, work: Work, currency: str, rates: dict[str, Any]) -> Chosen | None:
    """None for what is not billable. Errors: `rate_missing` (409)."""
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
        raise rate_rules.missing(work, currency)
    return chosen


def _freeze(
    uow: Uow, entry: TimeEntry, settings: FirmSettings, bill: Chosen | None, cost: Chosen | None, currency: str
) -> None:
    entry.status = rules.APPROVED
    entry.approved_at, entry.approved_by = uow.now, uow.principal.actor
    entry.rounding = settings.rounding.view() | {"version": settings.version}
    entry.billable_seconds = rules.billable_seconds(entry.seconds, entry.billable, settings.rounding)
    entry.currency = currency
    if cost is not None:
        entry.cost_rate, entry.cost_currency, entry.cost_rule = cost.amount, cost.currency, cost.rule
    if bill is not None:
        entry.bill_rate, entry.bill_rule = bill.amount, bill.rule
        open_item(uow, entry, rate_rules.value_of(entry.billable_seconds, bill.amount, currency))


def _work(row: Row[Any]) -> Work:
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
    rounding, version = rules.Rounding.of(entry.rounding), entry.rounding["version"]
    return {"frozen": True} | _figures(entry, rounding, version, figure(bill), figure(cost), entry.currency, bill)


def _figures(
    entry: TimeEntry,
    rounding: rules.Rounding,
    version: int,
    bill: dict[str, Any] | None,
    cost: dict[str, Any] | None,
    currency: str,
    chosen: Chosen | None,
) -> dict[str, Any]:
    seconds = rules.billable_seconds(entry.seconds, entry.billable, rounding)
    value = rate_rules.value_of(seconds, chosen.amount, currency) if chosen else None
    return {
        "billable_seconds": {
            "figure": str(seconds),
            "says": f"{entry.seconds} s, {rounding.says()}: {seconds} s" if entry.billable else "not billable",
            "rule": "rounding" if entry.billable else "not_billable",
            "version": str(version),
            "inputs": {"seconds": entry.seconds, **rounding.view()},
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


def _load(uow: Uow, ids: Sequence[UUID], *, lock: bool = True) -> dict[UUID, Row[Any]]:
    """The entries that may be seen, each with what its rate goes by; locked in the order of their ids, so that two batches can't deadlock."""
    wanted = (
        select(TimeEntry, ClientCopy.currency.label("client_currency"), JobCopy.engagement_id, StaffCopy.grade)
        .join(ClientCopy, (ClientCopy.firm_id == TimeEntry.firm_id) & (ClientCopy.id == TimeEntry.client_id))
        .outerjoin(JobCopy, (JobCopy.firm_id == TimeEntry.firm_id) & (JobCopy.id == TimeEntry.job_id))
        .outerjoin(StaffCopy, (StaffCopy.firm_id == TimeEntry.firm_id) & (StaffCopy.id == TimeEntry.staff_id))
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
) -> dict[str, Any]:
    """Does an act to each entry; one refused entry does not stop the others. `act` decides before it changes anything."""
    items, done = [], []
    for id in dict.fromkeys(ids):
        try:
            if id not in loaded:
                raise _not_found()
            act(loaded[id].TimeEntry, loaded[id])
            done.append(loaded[id].TimeEntry)
            items.append({"id": id, "ok": True, "code": None, "message": None})
        except DomainError as error:
            items.append({"id": id, "ok": False, "code": error.code, "message": error.message})
    uow.session.flush()
    for entry in done:
        _announce(uow, entry)
        uow.audit(action, "time_entry", entry.id, after={"status": entry.status}, reason=reason)
    return {"done": len(done), "failed": len(items) - len(done), "items": items}


# --- one entry --------------------------------------------------------------------------------------------------------


def _editable(uow: Uow, entry_id: UUID, if_match: int | None) -> TimeEntry:
    loaded = _load(uow, [entry_id])
    if entry_id not in loaded:
        raise _not_found()
    entry: TimeEntry = loaded[entry_id].TimeEntry
    _check_owner(uow, entry.staff_id)
    if if_match is not None and entry.version != if_match:
        raise lost_update(entry.version)
    _refuse(rules.refusal_to_edit(entry.status))
    return entry


def _worker(uow: Uow, named: str | None) -> UUID:
    """Who worked: the caller, or whom a caller who may act for others names."""
    if named is None and uow.principal.kind == "staff":
        return uow.principal.uuid
    if named is None:
        raise Forbidden("not_your_time", "Say whose time this is (staff_id).")
    staff_id = UUID(named)
    _check_owner(uow, staff_id)
    return staff_id


def _check_owner(uow: Uow, staff_id: UUID) -> None:
    own = uow.principal.kind == "staff" and uow.principal.id == str(staff_id)
    if not own and ACT not in uow.principal.permissions:
        raise Forbidden("not_your_time", "This is somebody else's time. Approvers may change it.")


def _context(
    uow: Uow, job_id: UUID, task_id: UUID | None, activity_id: UUID | None, staff_id: UUID, keeps: UUID | None = None
) -> Row[Any]:
    """What an entry refers to, all of it there and to be seen. What the copy lacks is asked of its owner once."""
    values = {"firm": uow.firm_id, "job": job_id, "task": task_id, "activity": activity_id, "staff": staff_id}
    row = uow.session.execute(_CONTEXT, values).one()
    if row.job is None and fetch_job(uow, job_id):
        row = uow.session.execute(_CONTEXT, values).one()
    if row.job is not None and row.client is None and fetch_client(uow, row.client_id):
        row = uow.session.execute(_CONTEXT, values).one()
    if row.job is None or row.client is None:
        raise NotFound("job_not_found", "There is no such job.", pointer="/job_id")
    if task_id is not None and row.task is None and fetch_task(uow, task_id):
        row = uow.session.execute(_CONTEXT, values).one()
    if task_id is not None and row.task is None:
        raise NotFound("task_not_found", "The job has no such task.", pointer="/task_id")
    if activity_id is not None and row.activity is None:
        raise NotFound("activity_not_found", "There is no such activity.", pointer="/activity_id")
    if activity_id is not None and not row.activity_active and activity_id != keeps:
        raise Conflict(
            "activity_retired", "This activity is not used any more. Choose another.", pointer="/activity_id"
        )
    if row.staff is None and uow.principal.id != str(staff_id):
        raise NotFound("staff_member_not_found", "There is no such staff member.", pointer="/staff_id")
    return row


def _check_day(uow: Uow, context: Row[Any], days: Sequence[date], override_reason: str | None) -> None:
    today = uow.now.astimezone(ZoneInfo(context.time_zone or "UTC")).date()
    rules.check_day(days[-1], today)
    _check_lock(uow, context, days, override_reason)


def _check_lock(uow: Uow, settings: Any, days: Sequence[date], override_reason: str | None) -> None:
    if any(rules.is_locked(d, settings.locked_until) for d in days) and not override_lock(uow, override_reason):
        raise rules.period_locked(settings.locked_until)


def _check_period(day: date, settings: FirmSettings, overridden: bool) -> None:
    if settings.locked_until is not None and rules.is_locked(day, settings.locked_until) and not overridden:
        raise rules.period_locked(settings.locked_until)


def _override(uow: Uow, override: dict[str, Any] | None, currency: str) -> dict[str, Any]:
    """The columns of a rate override. Errors: `rate_override_forbidden` (403), `currency_mismatch`, `amount_precision` (422)."""
    if override is None:
        return {"override_rate": None, "override_currency": None, "override_reason": None}
    if ACT not in uow.principal.permissions:
        raise Forbidden("rate_override_forbidden", "Only approvers may set a rate for one entry.")
    amount, code = money.parse(override["rate"], pointer="/rate_override/rate", currency=currency)
    return {"override_rate": amount, "override_currency": code, "override_reason": override["reason"]}


def _refuse(refusal: DomainError | None) -> None:
    if refusal is not None:
        raise refusal


def _not_found() -> NotFound:
    return NotFound("time_entry_not_found", "There is no such time entry.")


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None


def _announce(uow: Uow, entry: TimeEntry) -> None:
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
    ]
    return (
        {c: getattr(entry, c) for c in columns}
        | {n: getattr(context, n) for n in names}
        | {"staff_name": context.staff_name or uow.principal.name, "wip": None, "standard": None, "invoice_id": None}
    )
