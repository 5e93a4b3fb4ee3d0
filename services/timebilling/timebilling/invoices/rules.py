"""Invoices: lines from WIP, writing up and down, totals, numbers, derived status. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from chassis.errors import Conflict, DomainError, Invalid
from timebilling.money import ZERO, spread, spread_units
from timebilling.rates.rules import value_of
from timebilling.time_entries.rules import PER_TASK, Rounding

DRAFT, ISSUED, VOID = "draft", "issued", "void"
FIRST_DAY = date(1990, 1, 1)
INVOICE, CREDIT_NOTE = "invoice", "credit_note"
WORK, DISBURSEMENT, FEE = "work", "disbursement", "fee"
HOURS, PIECES = "HUR", "C62"  # UN/ECE Recommendation 20


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
    kind: str = "time"  # time, disbursement
    arrangement_id: UUID | None = None  # the fee terms of its engagement
    tax_code_id: UUID | None = None  # of its own, where it has one
    task_id: UUID | None = None
    task_title: str | None = None
    rate: Decimal | None = None  # an hour, as approved
    rounding: Rounding | None = None  # as approved
    untouched: bool = True  # carried at its standard value, not written up or down before
    rounded: Decimal | None = None  # its part of its task's rounded value, where that is rounded per task

    @property
    def worth(self) -> Decimal:
        """What it is drafted at: what it is carried at, or its part of its rounded task."""
        return self.standard if self.rounded is None else self.rounded


@dataclass(slots=True)
class Line:
    """A line of a new draft with the items it stands for."""

    job_id: UUID | None
    description: str
    items: list[Item] = field(default_factory=list)
    fee_of: UUID | None = None  # the arrangement whose fee it is, whatever the work behind it

    @property
    def standard(self) -> Decimal:
        return sum((i.standard for i in self.items), ZERO)

    @property
    def worth(self) -> Decimal:
        return sum((i.worth for i in self.items), ZERO)

    @property
    def why(self) -> str | None:
        """Why its work is drafted at another amount than it is carried at."""
        if self.worth == self.standard:
            return None
        policies = dict.fromkeys(i.rounding.says() for i in self.items if i.rounding and i.rounded is not None)
        return f"Rounded {'; '.join(policies)}"

    @property
    def kind(self) -> str:
        if self.fee_of is not None:
            return FEE
        return DISBURSEMENT if self.items and self.items[0].kind == DISBURSEMENT else WORK

    @property
    def tax_code_id(self) -> UUID | None:
        return self.items[0].tax_code_id if self.items else None

    @property
    def arrangement_id(self) -> UUID | None:
        found = {self.fee_of} if self.fee_of else {i.arrangement_id for i in self.items}
        return next(iter(found)) if len(found) == 1 else None

    @property
    def quantity(self) -> Decimal:
        return Decimal(1) if self.kind != WORK else hours(sum(i.billable_seconds for i in self.items))

    @property
    def unit(self) -> str:
        return PIECES if self.kind != WORK else HOURS


def hours(seconds: int) -> Decimal:
    """Hours with two decimals, half up: what a line's quantity shows."""
    return (Decimal(seconds) / 3600).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def rounded_per_task(items: Sequence[Item], currency: str) -> list[Item]:
    """The items of an invoice; of those whose policy rounds per task, the time of each task is rounded together.

    The rounded seconds are spread over the task's items by their length, the value of what each rate then has by their new length (largest
    remainder), so that whatever lines they are put on sum to the same hours and cents. Work without a task is its job's, together. An item
    that was written up or down before keeps what it is carried at.
    """
    tasks: dict[tuple[object, ...], list[int]] = {}
    for place, item in enumerate(items):
        if item.rounding is not None and item.rounding.per == PER_TASK and item.rate is not None:
            tasks.setdefault((item.job_id, item.task_id, item.rounding), []).append(place)
    made = list(items)
    for places in tasks.values():
        for place, item in zip(places, _task_rounded([items[p] for p in places], currency), strict=True):
            made[place] = item
    return made


def _task_rounded(items: Sequence[Item], currency: str) -> Iterable[Item]:
    policy, lengths = items[0].rounding, [i.billable_seconds for i in items]
    assert policy is not None
    seconds = spread_units(policy.apply(sum(lengths)), lengths)
    rounded: list[Decimal | None] = [None] * len(items)
    for rate in {i.rate for i in items}:
        mine = [n for n, i in enumerate(items) if i.rate == rate]
        assert rate is not None
        value = value_of(sum(seconds[n] for n in mine), rate, currency)
        parts = spread(value, [Decimal(seconds[n]) for n in mine], currency)
        for n, part in zip(mine, parts, strict=True):
            rounded[n] = part if items[n].untouched else None
    return [replace(i, billable_seconds=s, rounded=r) for i, s, r in zip(items, seconds, rounded, strict=True)]


def lines_of(items: Sequence[Item], group_by: str) -> list[Line]:
    """Lines per job, per job and activity, per task, or per entry; in the order of the items (by job, then day).

    Disbursements have a line each, after the work: they carry their own tax and are looked at one by one.
    """
    lines: dict[tuple[object, ...], Line] = {}
    for item in sorted(items, key=lambda i: i.kind == DISBURSEMENT):
        by = "entry" if item.kind == DISBURSEMENT else group_by
        keys: dict[str, tuple[object, ...]] = {
            "job": (item.job_id,),
            "job_activity": (item.job_id, item.activity_id),
            "task": (item.job_id, item.task_id),
            "entry": (item.id,),
        }
        key = keys[by]
        line = lines.setdefault(key, Line(item.job_id, _describe(item, by)))
        line.items.append(item)
    return list(lines.values())


def _describe(item: Item, group_by: str) -> str:
    if item.kind == DISBURSEMENT:
        return f"{item.day:%d %b %Y} · {item.narrative}"
    if group_by == "entry":
        work = item.narrative or item.activity_name or item.job_title
        return (
            f"{item.day:%d %b %Y} · {item.staff_name} · {work}" if item.staff_name else f"{item.day:%d %b %Y} · {work}"
        )
    if group_by == "job_activity" and item.activity_name:
        return f"{item.job_title}: {item.activity_name}"
    if group_by == "task" and item.task_title:
        return f"{item.job_title}: {item.task_title}"
    return item.job_title


def bill_at(price: Decimal, standards: Sequence[Decimal], currency: str, reason: str | None) -> list[Decimal]:
    """What each is billed at when together they are billed at `price`.

    Proportional to standard values, largest remainder; what has no value shares evenly. Errors: `adjustment_reason_missing`
    (422) when `price` is not the standard value and nobody says why.
    """
    if price == sum(standards, ZERO):
        return list(standards)
    if not reason:
        raise Invalid(
            "adjustment_reason_missing",
            "Say why this is billed at more or less than its standard value.",
            pointer="/reason",
        )
    return spread(price, standards, currency)


def due_on(issued_on: date, terms_days: int) -> date:
    return issued_on + timedelta(days=terms_days)


def status(
    state: str,
    total: Decimal,
    paid: Decimal,
    due: date | None,
    today: date,
    bad_debt: Decimal = ZERO,
    credited: Decimal = ZERO,
    kind: str = INVOICE,
) -> str:
    """draft, open, part_paid, paid, overdue, credited, written_off, void: derived, never typed in. Overdue beats part paid: money is late.

    `bad_debt` is what was given up of it, `credited` what credit notes took off. A credit note is just issued.
    """
    if state != ISSUED:
        return state
    if kind == CREDIT_NOTE:
        return "issued"
    if paid + bad_debt + credited >= total:
        return "written_off" if bad_debt > 0 else "credited" if credited > 0 and paid == 0 else "paid"
    if due is not None and today > due:
        return "overdue"
    return "part_paid" if paid + credited > 0 else "open"


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


def refusal_to_issue(state: str, shown: str | None, lines: int, *, unapproved: bool = False) -> DomainError | None:
    if state == ISSUED:
        return Conflict("invoice_already_issued", f"This invoice was issued as {shown}.")
    if state == VOID:
        return Conflict("invoice_void", f"Invoice {shown} is void.")
    if not lines:
        return Conflict("invoice_empty", "There is nothing on this draft. Add WIP, or drop it.")
    if unapproved:
        return Conflict("invoice_not_approved", "This firm issues approved drafts only. Have this one approved first.")
    return None


def refusal_to_send(state: str, shown: str | None) -> DomainError | None:
    if state == DRAFT:
        return Conflict("invoice_not_issued", "A draft can't be sent. Issue it first.")
    if state == VOID:
        return Conflict("invoice_void", f"Invoice {shown} is void.")
    return None


def refusal_to_credit(kind: str, state: str, shown: str | None, left: Decimal) -> DomainError | None:
    """`left` is what of the invoice's total was not credited yet."""
    if kind == CREDIT_NOTE:
        return Conflict("credit_note_final", f"{shown} is a credit note. Bill again what it should not have credited.")
    if state == DRAFT:
        return Conflict("invoice_not_issued", "A draft is changed or dropped, not credited.")
    if state == VOID:
        return Conflict("invoice_void", f"Invoice {shown} is void.")
    if not left:
        return Conflict("credit_over_invoice", f"Invoice {shown} is credited in full already.")
    return None


def refusal_to_void(
    state: str,
    shown: str | None,
    paid: Decimal,
    bad_debt: Decimal = ZERO,
    credited: Decimal = ZERO,
    kind: str = INVOICE,
) -> DomainError | None:
    if kind == CREDIT_NOTE:
        return Conflict("credit_note_final", f"{shown} is a credit note. Bill again what it should not have credited.")
    if state == DRAFT:
        return Conflict("invoice_not_issued", "A draft is dropped, not voided.")
    if state == VOID:
        return Conflict("invoice_already_void", f"Invoice {shown} is void already.")
    if paid:
        return Conflict("invoice_has_payments", f"Invoice {shown} has payments on it and can't be voided.")
    if bad_debt:
        return Conflict("invoice_has_bad_debt", f"Invoice {shown} was given up as a bad debt. Take that back first.")
    if credited:
        return Conflict("invoice_has_credits", f"Invoice {shown} has credit notes. Credit the rest of it instead.")
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
