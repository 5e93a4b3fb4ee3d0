"""Starting and stopping: one timer per person; what it ran becomes a time entry."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm.attributes import flag_modified

from chassis.copies import uuid_or_none
from chassis.errors import Conflict
from chassis.uow import Uow, lost_update
from praxis.timebilling.v1.events_pb2 import TimerChanged
from timebilling.time_entries.usecases import log_time
from timebilling.timers import rules
from timebilling.timers.tables import Timer
from timebilling.work import context_of, hold_clock

_WHAT = ("job_id", "client_id", "task_id", "activity_id", "billable", "narrative")


def start(uow: Uow, body: dict[str, Any]) -> dict[str, Any] | None:
    """Starts the caller's timer. One that is running stops at that instant; answers the entry it became, if it ran a second or more.

    Errors: `job_not_found`, `task_not_found`, `activity_not_found` (404); `activity_retired`, `timer_overlap`, `time_overlap`,
    `timer_too_long` (409: the running one must be stopped first), `period_locked` (409: of the running one's day);
    `start_in_future`, `start_too_old` (422).
    """
    timer, now = _own(uow)
    started_at = rules.begin(_instant(body.get("started_at")), now)
    context = _context(uow, body)
    entry = None
    if timer.started_at is not None:
        rules.check_order(timer.started_at, started_at)
        entry = _log(uow, timer, rules.end(timer.started_at, started_at, now), body.get("lock_override_reason"))
    _refuse_overlap(uow, started_at, now)
    _put(timer, body, context)
    timer.started_at = started_at
    _keep(uow, timer, "timer.started")
    return entry


def stop(uow: Uow, body: dict[str, Any]) -> dict[str, Any] | None:
    """Stops the caller's timer; answers the entry it became, None if it ran less than a second.

    Errors: `timer_not_running` (409), `end_before_start`, `end_in_future` (422), `timer_too_long`, `period_locked` (409).
    """
    timer, now = _own(uow)
    if timer.started_at is None:
        raise _not_running()
    stopped_at = rules.end(timer.started_at, _instant(body.get("stopped_at")), now)
    if "narrative" in body:
        timer.narrative = body["narrative"]
    entry = _log(uow, timer, stopped_at, body.get("lock_override_reason"))
    _clear(timer)
    _keep(uow, timer, "timer.stopped")
    return entry


def change(uow: Uow, body: dict[str, Any], if_match: int | None) -> Timer:
    """Changes what the running timer is for, or since when it runs. Errors: those of `start`; `version_conflict` (412)."""
    timer, now = _own(uow, if_match)
    if timer.started_at is None:
        raise _not_running()
    kept: dict[str, Any] = {n: getattr(timer, n) for n in _WHAT}
    if "job_id" in body and body["job_id"] != str(timer.job_id):
        kept["task_id"] = None  # a task belongs to its job
    wanted = {n: str(v) if isinstance(v, UUID) else v for n, v in kept.items()} | body
    context = _context(uow, wanted, keeps=timer.activity_id)
    if "started_at" in body:
        started_at = rules.begin(_instant(body["started_at"]), now)
        _refuse_overlap(uow, started_at, now)
        timer.started_at = started_at
    _put(timer, wanted, context)
    _keep(uow, timer, "timer.changed")
    return timer


def discard(uow: Uow, if_match: int | None) -> None:
    """Stops the timer without logging anything. Errors: `timer_not_running` (409), `version_conflict` (412)."""
    timer, _ = _own(uow, if_match)
    if timer.started_at is None:
        raise _not_running()
    uow.audit("timer.discarded", "timer", timer.id, before=_facts(timer))
    _clear(timer)
    _keep(uow, timer, None)


def _own(uow: Uow, if_match: int | None = None) -> tuple[Timer, datetime]:
    """The caller's timer, theirs alone to the end of the transaction, and the instant it became so."""
    hold_clock(uow, uow.principal.uuid)
    timer = uow.session.get(Timer, (uow.firm_id, uow.principal.uuid))
    if if_match is not None and (timer.version if timer else 0) != if_match:
        raise lost_update(timer.version if timer else 0)
    if timer is None:
        timer = Timer(id=uow.principal.uuid)
        uow.session.add(timer)
    # The transaction may have begun before the one it waited for: its own instant would lie before that one's.
    now: datetime = uow.session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return timer, now


def _context(uow: Uow, body: dict[str, Any], keeps: UUID | None = None) -> Any:
    ids = (uuid_or_none(body.get("task_id") or ""), uuid_or_none(body.get("activity_id") or ""))
    return context_of(uow, UUID(body["job_id"]), *ids, uow.principal.uuid, keeps=keeps)


def _put(timer: Timer, body: dict[str, Any], context: Any) -> None:
    timer.job_id, timer.client_id = context.job, context.client_id
    timer.task_id, timer.activity_id = context.task, context.activity
    timer.billable, timer.narrative = body.get("billable"), body.get("narrative", "")


def _clear(timer: Timer) -> None:
    timer.started_at = timer.job_id = timer.client_id = timer.task_id = timer.activity_id = timer.billable = None
    timer.narrative = ""


def _log(uow: Uow, timer: Timer, stopped_at: datetime, lock_override_reason: str | None) -> dict[str, Any] | None:
    """The entry of what a timer ran; it belongs to the day the timer was started."""
    assert timer.started_at is not None
    if rules.seconds_between(timer.started_at, stopped_at) < 1:
        return None
    body: dict[str, Any] = {
        "job_id": str(timer.job_id),
        "narrative": timer.narrative,
        "started_at": timer.started_at,
        "ended_at": stopped_at,
    }
    body |= {n: str(v) for n in ("task_id", "activity_id") if (v := getattr(timer, n)) is not None}
    body |= {} if timer.billable is None else {"billable": timer.billable}
    body |= {"lock_override_reason": lock_override_reason} if lock_override_reason else {}
    return log_time(uow, body, keeps=timer.activity_id, timed=True)


def _refuse_overlap(uow: Uow, started_at: datetime, now: datetime) -> None:
    """A timer that starts in the past must not reach into work that was logged by the clock."""
    if started_at >= now:
        return
    found = uow.session.execute(
        text(
            "SELECT 1 FROM time_entries WHERE firm_id = :firm AND staff_id = :staff AND started_at IS NOT NULL "
            "AND tstzrange(started_at, ended_at) && tstzrange(CAST(:since AS timestamptz), NULL) LIMIT 1"
        ),
        {"firm": uow.firm_id, "staff": uow.principal.uuid, "since": started_at},
    ).first()
    if found:
        raise rules.overlap()


def _keep(uow: Uow, timer: Timer, action: str | None) -> None:
    flag_modified(timer, "narrative")
    uow.session.flush()
    uow.announce(
        TimerChanged(staff_id=str(timer.id), running=timer.started_at is not None, version=timer.version),
        subject=timer.id,
        version=timer.version,
    )
    if action:
        uow.audit(action, "timer", timer.id, after=_facts(timer))


def _facts(timer: Timer) -> dict[str, Any]:
    return {n: getattr(timer, n) for n in (*_WHAT, "started_at")}


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _not_running() -> Conflict:
    return Conflict("timer_not_running", "Your timer is not running.")
