"""Timers: how long one ran and which day it belongs to. Pure.

Time is counted between instants, so a night in which clocks are changed is as long as it was. What a timer logs belongs to the day it
was started in the firm's zone, however long it ran.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chassis.errors import Conflict, Invalid
from timebilling.time_entries.rules import DAY

# Clocks of browsers are not ours: that much of a future is taken as now.
SKEW = timedelta(minutes=5)


def seconds_between(started_at: datetime, ended_at: datetime) -> int:
    """Whole seconds from one instant to another; none if the second lies before the first."""
    return max(int((ended_at - started_at).total_seconds()), 0)


def day_of(started_at: datetime, zone: str) -> date:
    """The day an instant belongs to in the firm's zone."""
    return started_at.astimezone(ZoneInfo(zone)).date()


def begin(asked: datetime | None, now: datetime) -> datetime:
    """When a timer starts: now, or at an instant up to a day back. Errors (422): `start_in_future`, `start_too_old`."""
    if asked is None:
        return now
    if asked > now + SKEW:
        raise Invalid("start_in_future", "A timer can't start in the future.", pointer="/started_at")
    if now - asked > timedelta(seconds=DAY):
        raise Invalid(
            "start_too_old", "A timer starts within the last 24 hours. Log older time by hand.", pointer="/started_at"
        )
    return min(asked, now)


def end(started_at: datetime, asked: datetime | None, now: datetime) -> datetime:
    """When a timer stops: now, or at an instant since it started.

    Errors: `end_before_start`, `end_in_future` (422); `timer_too_long` (409) beyond 24 hours: it was forgotten, and nobody but its
    owner knows when work ended.
    """
    if asked is not None and asked < started_at:
        raise Invalid("end_before_start", "This lies before the timer was started.", pointer="/stopped_at")
    if asked is not None and asked > now + SKEW:
        raise Invalid("end_in_future", "A timer can't stop in the future.", pointer="/stopped_at")
    stopped_at = now if asked is None else min(asked, now)
    if seconds_between(started_at, stopped_at) > DAY:
        raise Conflict(
            "timer_too_long",
            "This timer has run for more than 24 hours. Say when work ended (stopped_at), or discard it.",
            started_at=started_at.isoformat(),
        )
    return stopped_at


def check_order(running_since: datetime, started_at: datetime) -> None:
    """A new timer stops the running one at the instant it starts itself. Errors: `timer_overlap` (409) if it would start before that one."""
    if started_at < running_since:
        raise Conflict(
            "timer_overlap",
            "Another timer was running by then. Start later, or stop that one first.",
            pointer="/started_at",
            running_since=running_since.isoformat(),
        )


def check_past(ended_at: datetime, now: datetime) -> None:
    """Errors: `end_in_future` (422)."""
    if ended_at > now + SKEW:
        raise Invalid("end_in_future", "Work by the clock must be over.", pointer="/ended_at")


def overlap() -> Conflict:
    return Conflict(
        "time_overlap",
        "Other work was logged for some of this time already. Change the times, or log hours without them.",
    )
