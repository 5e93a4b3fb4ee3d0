"""Time: what may be logged, how it is rounded for billing, which step follows which. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chassis.errors import Conflict, DomainError, Invalid

DAY = 86_400  # seconds
FIRST_DAY = date(1990, 1, 1)
AHEAD = timedelta(days=366)

DRAFT, SUBMITTED, RETURNED, APPROVED = "draft", "submitted", "returned", "approved"
EDITABLE = frozenset({DRAFT, SUBMITTED, RETURNED})
# What approval freezes, and taking it back clears.
FROZEN = (
    "approved_at",
    "approved_by",
    "billable_seconds",
    "rounding",
    "currency",
    "bill_rate",
    "bill_rule",
    "cost_currency",
    "cost_rate",
    "cost_rule",
)


PER_ENTRY, PER_TASK = "entry", "task"


@dataclass(frozen=True, slots=True)
class Rounding:
    """A policy for the billable figure. Lengths in seconds.

    `direction`: up, down, nearest (half goes up). `minimum` holds for everything billable of more than nothing. `per` says what is rounded:
    each entry, or what an invoice bills of a task together (`invoices.rules.rounded_per_task`).
    """

    increment: int = 1
    direction: str = "up"
    minimum: int = 0
    per: str = PER_ENTRY

    def apply(self, seconds: int) -> int:
        """Billable seconds of raw seconds: a multiple of the increment, or the minimum where that is more."""
        if seconds <= 0:
            return 0
        full, rest = divmod(seconds, self.increment)
        more = {"up": rest > 0, "down": False, "nearest": rest * 2 >= self.increment and rest > 0}[self.direction]
        return max((full + more) * self.increment, self.minimum)

    def view(self) -> dict[str, Any]:
        return {
            "increment_seconds": self.increment,
            "direction": self.direction,
            "minimum_seconds": self.minimum,
            "per": self.per,
        }

    @classmethod
    def of(cls, value: dict[str, Any]) -> "Rounding":
        """Of a `view`; what was frozen before there was a `per` was rounded per entry."""
        return cls(
            value["increment_seconds"], value["direction"], value["minimum_seconds"], value.get("per", PER_ENTRY)
        )

    def says(self) -> str:
        if self.increment == 1 and not self.minimum:
            return "to the second"
        text = f"{self.direction} to {_minutes(self.increment)}"
        text = f"{text}, at least {_minutes(self.minimum)}" if self.minimum else text
        return f"{text}, per task on an invoice" if self.per == PER_TASK else text


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def billable_seconds(seconds: int, billable: bool, rounding: Rounding) -> int:
    """The figure that is billed; the raw seconds stay as they are. What is rounded per task is not rounded before its invoice."""
    if not billable:
        return 0
    return seconds if rounding.per == PER_TASK else rounding.apply(seconds)


def check_seconds(seconds: int) -> None:
    """Errors: `seconds_out_of_range` (422) unless 1 to 86400."""
    if not 1 <= seconds <= DAY:
        raise Invalid("seconds_out_of_range", "Time is between one second and 24 hours per entry.", pointer="/seconds")


@dataclass(frozen=True, slots=True)
class When:
    """The day and length of an entry, with its instants where the clock is known."""

    day: date
    seconds: int
    started_at: datetime | None = None
    ended_at: datetime | None = None


def when(
    day: date | None, seconds: int | None, started_at: datetime | None, ended_at: datetime | None, zone: str
) -> When:
    """When work was done: a day and its seconds, or from an instant to another (the day is the start's, in the firm's zone).

    Errors (422): `time_missing`, `time_twice` (both forms, or half of one), `end_before_start`, `seconds_out_of_range`,
    `day_out_of_range` (before 1990: no zone's clock reaches everywhere a calendar does).
    """
    if started_at is None and ended_at is None:
        if day is None or seconds is None:
            raise Invalid(
                "time_missing", "Say the day and the seconds worked, or from when to when.", pointer="/seconds"
            )
        check_seconds(seconds)
        return When(day, seconds)
    if day is not None or seconds is not None or started_at is None or ended_at is None:
        raise Invalid(
            "time_twice", "Say either the day and the seconds, or both started_at and ended_at.", pointer="/started_at"
        )
    if not FIRST_DAY.year <= started_at.year <= date.max.year - 1:
        raise Invalid("day_out_of_range", f"The day must not lie before {FIRST_DAY}.", pointer="/started_at")
    if ended_at <= started_at:
        raise Invalid("end_before_start", "Work must end after it began.", pointer="/ended_at")
    between = int((ended_at - started_at).total_seconds())
    check_seconds(between)
    return When(started_at.astimezone(ZoneInfo(zone)).date(), between, started_at, ended_at)


def check_day(day: date, today: date) -> None:
    """Errors: `day_out_of_range` (422): before 1990, or more than a year ahead."""
    if not FIRST_DAY <= day <= today + AHEAD:
        raise Invalid(
            "day_out_of_range", f"The day must lie between {FIRST_DAY} and a year from today.", pointer="/day"
        )


def is_locked(day: date, locked_until: date | None) -> bool:
    return locked_until is not None and day <= locked_until


def period_locked(locked_until: date) -> Conflict:
    return Conflict(
        "period_locked",
        f"Time up to {locked_until} is locked. Choose a later day, or ask someone who may override the lock.",
        locked_until=str(locked_until),
    )


def refusal_to_edit(status: str) -> DomainError | None:
    if status in EDITABLE:
        return None
    return Conflict("entry_approved", "This entry is approved and does not change any more.")


def refusal_to_submit(status: str) -> DomainError | None:
    if status in (DRAFT, RETURNED):
        return None
    return Conflict("entry_not_draft", f"This entry is {status}; only drafts and returned entries can be submitted.")


def refusal_to_decide(status: str) -> DomainError | None:
    """Approving and returning both start from submitted."""
    if status == SUBMITTED:
        return None
    return Conflict(
        "entry_not_submitted", f"This entry is {status}; only submitted entries can be approved or returned."
    )


def refusal_to_take_back(status: str) -> DomainError | None:
    if status == APPROVED:
        return None
    return Conflict("entry_not_approved", f"This entry is {status}; only an approval can be taken back.")
