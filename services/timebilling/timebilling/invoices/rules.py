"""Invoices: lines from WIP, writing up and down, totals, numbers, derived status. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from chassis.errors import Conflict, DomainError, Invalid
from timebilling.money import ZERO, spread

DRAFT, ISSUED, VOID = "draft", "issued", "void"
FIRST_DAY = date(1990, 1, 1)
SERIES, PREFIX, WIDTH = "INV", "INV-", 6


@dataclass(frozen=True, slots=True)
class Item:
    """A WIP item as a draft sees it."""

    id: UUID
    job_id: UUID
    job_title: str
    activity_id: UUID | None
    activity_name: str | None
    staff_name: str
    day: date
    narrative: str
    billable_seconds: int
    standard: Decimal


@dataclass(slots=True)
class Line:
    """A line of a new draft with the items it stands for."""

    job_id: UUID
    description: str
    items: list[Item] = field(default_factory=list)

    @property
    def standard(self) -> Decimal:
        return sum((i.standard for i in self.items), ZERO)

    @property
    def quantity(self) -> Decimal:
        return hours(sum(i.billable_seconds for i in self.items))


def hours(seconds: int) -> Decimal:
    """Hours with two decimals, half up: what a line's quantity shows."""
    return (Decimal(seconds) / 3600).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def lines_of(items: Sequence[Item], group_by: str) -> list[Line]:
    """Lines per job, per job and activity, or per entry; in the order of the items (by job, then day)."""
    lines: dict[tuple[object, ...], Line] = {}
    for item in items:
        key = {"job": (item.job_id,), "job_activity": (item.job_id, item.activity_id), "entry": (item.id,)}[group_by]
        line = lines.setdefault(key, Line(item.job_id, _describe(item, group_by)))
        line.items.append(item)
    return list(lines.values())


def _describe(item: Item, group_by: str) -> str:
    if group_by == "entry":
        work = item.narrative or item.activity_name or item.job_title
        return (
            f"{item.day:%d %b %Y} · {item.staff_name} · {work}" if item.staff_name else f"{item.day:%d %b %Y} · {work}"
        )
    if group_by == "job_activity" and item.activity_name:
        return f"{item.job_title}: {item.activity_name}"
    return item.job_title


def bill_at(net: Decimal, standards: Sequence[Decimal], currency: str, reason: str | None) -> list[Decimal]:
    """What each item is billed at when together they are billed at `net`.

    Proportional to standard values, largest remainder; items without value share evenly. Errors: `adjustment_reason_missing`
    (422) when `net` is not the standard value and nobody says why.
    """
    if net == sum(standards, ZERO):
        return list(standards)
    if not reason:
        raise Invalid(
            "adjustment_reason_missing",
            "Say why this is billed at more or less than its standard value.",
            pointer="/reason",
        )
    return spread(net, standards, currency)


def number(sequence: int) -> str:
    """INV-000001 for 1."""
    return f"{PREFIX}{sequence:0{WIDTH}d}"


def due_on(issued_on: date, terms_days: int) -> date:
    return issued_on + timedelta(days=terms_days)


def status(state: str, total: Decimal, paid: Decimal, due: date | None, today: date, bad_debt: Decimal = ZERO) -> str:
    """draft, open, part_paid, paid, overdue, written_off, void: derived, never typed in. Overdue beats part paid: money is late.

    `bad_debt` is what was given up of it.
    """
    if state != ISSUED:
        return state
    if paid + bad_debt >= total:
        return "written_off" if bad_debt > 0 else "paid"
    if due is not None and today > due:
        return "overdue"
    return "part_paid" if paid > 0 else "open"


def check_issue_date(issued_on: date, today: date) -> None:
    """Errors (422): `issue_date_in_future`, `issue_date_out_of_range` (before 1990)."""
    if issued_on > today:
        raise Invalid(
            "issue_date_in_future",
            f"An invoice can't be issued on a day to come (today is {today}).",
            pointer="/issued_on",
        )
    if issued_on < FIRST_DAY:
        raise Invalid("issue_date_out_of_range", f"Invoices are issued from {FIRST_DAY} on.", pointer="/issued_on")


def refusal_to_change(state: str, shown: str | None) -> DomainError | None:
    if state == DRAFT:
        return None
    if state == VOID:
        return Conflict("invoice_void", f"Invoice {shown} is void.")
    return Conflict("invoice_issued", f"This invoice was issued as {shown} and does not change. Void it to correct it.")


def refusal_to_issue(state: str, shown: str | None, lines: int) -> DomainError | None:
    if state == ISSUED:
        return Conflict("invoice_already_issued", f"This invoice was issued as {shown}.")
    if state == VOID:
        return Conflict("invoice_void", f"Invoice {shown} is void.")
    if not lines:
        return Conflict("invoice_empty", "There is nothing on this draft. Add WIP, or drop it.")
    return None


def refusal_to_void(state: str, shown: str | None, paid: Decimal, bad_debt: Decimal = ZERO) -> DomainError | None:
    if state == DRAFT:
        return Conflict("invoice_not_issued", "A draft is dropped, not voided.")
    if state == VOID:
        return Conflict("invoice_already_void", f"Invoice {shown} is void already.")
    if paid:
        return Conflict("invoice_has_payments", f"Invoice {shown} has payments on it and can't be voided.")
    if bad_debt:
        return Conflict("invoice_has_bad_debt", f"Invoice {shown} was given up as a bad debt. Take that back first.")
    return None


# What a named WIP item can't be taken on a draft for: state of its entry or item → refusal.
def refusal_to_draft(entry_status: str, billable: bool, wip: str | None) -> tuple[str, str] | None:
    """(code, message) unless the entry is approved, billable and unbilled."""
    if entry_status != "approved":
        return "entry_not_approved", f"This entry is {entry_status}; only approved time can be billed."
    if not billable:
        return "entry_not_billable", "This entry is not billable."
    return {
        "reserved": ("entry_reserved", "This entry is on another draft."),
        "billed": ("entry_billed", "This entry is billed already."),
        "written_off": ("entry_written_off", "This entry was written off."),
    }.get(wip or "")
