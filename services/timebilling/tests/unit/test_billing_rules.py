"""WIP, invoices, tax, payments, ledger: the rules that make the numbers right."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.db import new_id
from chassis.errors import DomainError
from timebilling.invoices import rules as invoices
from timebilling.invoices.rules import Item
from timebilling.ledger import rules as ledger
from timebilling.numbering import rules as numbering
from timebilling.payments import rules as payments
from timebilling.payments.rules import Open
from timebilling.rates.rules import value_of
from timebilling.taxes import rules as taxes
from timebilling.taxes.rules import Tax
from timebilling.time_entries.rules import Rounding, billable_seconds
from timebilling.wip import rules as wip

CENTS = st.integers(0, 10**8).map(lambda n: Decimal(n) / 100)
POSITIVE = st.integers(1, 10**8).map(lambda n: Decimal(n) / 100)
TAXES = st.sampled_from(
    [Tax("S", Decimal(20), "VAT"), Tax("S", Decimal("5.5"), "VAT"), Tax("Z", Decimal(0), "VAT"), taxes.OUTSIDE]
)


# --- WIP --------------------------------------------------------------------------------------------------------------


@given(CENTS, CENTS)
def test_the_wip_identity_holds_whatever_becomes_of_an_item(standard: Decimal, other: Decimal) -> None:
    carried = wip.adjusted(standard, other)
    for figures in (wip.open_item(standard), wip.billed_at(standard, other), carried, wip.given_up(carried)):
        assert figures.balanced()
        assert min(figures.written_down, figures.written_up) == 0
    assert wip.given_up(carried).written_off == other


@given(CENTS, CENTS)
def test_billing_is_a_write_up_or_a_write_down_never_both(standard: Decimal, billed: Decimal) -> None:
    figures = wip.billed_at(standard, billed)
    assert min(figures.written_down, figures.written_up) == 0
    assert min(figures.written_down, figures.written_up, figures.remaining) >= 0


@given(st.integers(0, 400))
def test_every_age_has_one_bucket(days: int) -> None:
    today = date(2026, 11, 24)
    place = wip.BUCKETS.index(wip.bucket(today - timedelta(days), today))
    assert place == (days > 30) + (days > 60) + (days > 90)


# --- invoices ---------------------------------------------------------------------------------------------------------


def item(job: int = 0, activity: str | None = None, standard: str = "10.00", seconds: int = 360) -> Item:
    return Item(
        new_id(),
        UUID(int=job),
        f"Job {job}",
        UUID(int=len(activity)) if activity else None,
        activity,
        "Ada",
        date(2026, 4, 1),
        "",
        seconds,
        Decimal(standard),
    )


@given(
    st.lists(st.builds(item, st.integers(0, 2), st.sampled_from([None, "Call", "Review"])), max_size=20),
    st.sampled_from(["job", "job_activity", "task", "entry"]),
)
def test_grouping_loses_and_doubles_nothing(items: list[Item], group_by: str) -> None:
    lines = invoices.lines_of(items, group_by)
    assert sorted(i.id for line in lines for i in line.items) == sorted(i.id for i in items)
    assert sum(line.standard for line in lines) == sum(i.standard for i in items)
    assert all(len({i.job_id for i in line.items}) == 1 for line in lines)


def test_lines_per_job_and_activity_say_so() -> None:
    lines = invoices.lines_of([item(1, "Review"), item(1, "Review"), item(1), item(2)], "job_activity")
    assert [(x.description, len(x.items), str(x.quantity)) for x in lines] == [
        ("Job 1: Review", 2, "0.20"),
        ("Job 1", 1, "0.10"),
        ("Job 2", 1, "0.10"),
    ]


def timed(seconds: int, task: int = 1, rate: str = "180.00", per: str = "task", **more: Any) -> Item:
    """Work of a task at a rate, carried at its standard value."""
    rounding = Rounding(360, "up", 0, per)
    value = value_of(billable_seconds(seconds, True, rounding), Decimal(rate), "GBP")
    task_id = UUID(int=task) if task else None
    made = item(standard=str(value), seconds=billable_seconds(seconds, True, rounding))
    return replace(made, task_id=task_id, rate=Decimal(rate), rounding=rounding, **more)


def test_the_time_of_a_task_is_rounded_once_on_an_invoice() -> None:
    # Three calls of two minutes are one tenth of an hour, not three; work on no task is its job's together.
    items = [timed(120), timed(120), timed(120), timed(61, task=2), timed(60, task=0), timed(60, task=0)]
    rounded = invoices.rounded_per_task(items, "GBP")
    assert [i.billable_seconds for i in rounded] == [120, 120, 120, 360, 180, 180]
    assert [str(i.worth) for i in rounded] == ["6.00", "6.00", "6.00", "18.00", "9.00", "9.00"]
    (line,) = invoices.lines_of(rounded, "job")
    assert (str(line.quantity), str(line.standard), str(line.worth)) == ("0.30", "27.05", "54.00")
    assert line.why == "Rounded up to 6 min, per task on an invoice"


def test_work_valued_by_hand_before_is_not_valued_by_rounding() -> None:
    kept, other = invoices.rounded_per_task([timed(120, untouched=False), timed(120)], "GBP")
    assert (kept.billable_seconds, kept.worth, other.worth) == (180, kept.standard, Decimal("9.00"))


def test_only_who_rounds_per_task_has_tasks_rounded() -> None:
    items = [timed(120, per="entry"), timed(120, per="entry"), item()]
    assert invoices.rounded_per_task(items, "GBP") == items
    assert invoices.lines_of(items, "job")[0].why is None


@given(
    st.lists(
        st.builds(timed, st.integers(1, 30_000), st.integers(0, 2), st.sampled_from(["180.00", "99.99", "0"])),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["job", "job_activity", "task", "entry"]),
)
def test_a_rounded_task_is_the_same_hours_and_cents_however_its_lines_are_grouped(
    items: list[Item], group_by: str
) -> None:
    rounded = invoices.rounded_per_task(items, "GBP")
    assert [i.id for i in rounded] == [i.id for i in items]
    for task in {i.task_id for i in items}:
        seconds = sum(i.billable_seconds for i in items if i.task_id == task)
        mine = [i for i in rounded if i.task_id == task]
        assert sum(i.billable_seconds for i in mine) == Rounding(360, "up").apply(seconds)
        for rate in {i.rate for i in mine}:
            of_rate = [i for i in mine if i.rate == rate]
            assert rate is not None
            assert sum(i.worth for i in of_rate) == value_of(sum(i.billable_seconds for i in of_rate), rate, "GBP")
    lines = invoices.lines_of(rounded, group_by)
    assert sum(x.worth for x in lines) == sum(i.worth for i in rounded)
    assert all((x.why is None) == (x.worth == x.standard) for x in lines)


@given(st.lists(CENTS, min_size=1, max_size=30), CENTS)
def test_an_adjusted_amount_is_spread_to_the_cent(standards: list[Decimal], net: Decimal) -> None:
    assert sum(invoices.bill_at(net, standards, "GBP", "agreed")) == net


def test_an_adjustment_needs_a_reason_and_standard_value_needs_none() -> None:
    assert invoices.bill_at(Decimal(3), [Decimal(1), Decimal(2)], "GBP", None) == [Decimal(1), Decimal(2)]
    with pytest.raises(DomainError) as refused:
        invoices.bill_at(Decimal(2), [Decimal(1), Decimal(2)], "GBP", None)
    assert refused.value.code == "adjustment_reason_missing"


@pytest.mark.parametrize(
    ("state", "paid", "due", "status"),
    [
        ("draft", 0, None, "draft"),
        ("issued", 0, 0, "open"),
        ("issued", 40, 0, "part_paid"),
        ("issued", 100, -9, "paid"),
        ("issued", 0, -1, "overdue"),
        ("issued", 40, -1, "overdue"),
        ("void", 0, -1, "void"),
    ],
)
def test_status_is_derived(state: str, paid: int, due: int | None, status: str) -> None:
    today = date(2026, 11, 24)
    due_on = None if due is None else today + timedelta(due)
    assert invoices.status(state, Decimal(100), Decimal(paid), due_on, today) == status


def test_numbers_have_six_digits_and_grow_beyond() -> None:
    day = date(2026, 3, 1)
    pattern = numbering.DEFAULTS["invoice"]
    assert [numbering.number(pattern, n, day) for n in (1, 42, 1234567)] == ["INV-000001", "INV-000042", "INV-1234567"]


@pytest.mark.parametrize(
    ("status", "billable", "state", "code"),
    [
        ("draft", True, None, "entry_not_approved"),
        ("submitted", True, None, "entry_not_approved"),
        ("approved", False, None, "entry_not_billable"),
        ("approved", True, "reserved", "entry_reserved"),
        ("approved", True, "billed", "entry_billed"),
        ("approved", True, "written_off", "entry_written_off"),
    ],
)
def test_only_approved_unbilled_work_goes_on_a_draft(status: str, billable: bool, state: str | None, code: str) -> None:
    refused = invoices.refusal_to_draft(status, billable, state)
    assert refused is not None
    assert refused[0] == code
    assert invoices.refusal_to_draft("approved", True, "unbilled") is None


# --- tax --------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(CENTS, TAXES), max_size=30), st.sampled_from(["GBP", "KWD"]))
def test_line_taxes_sum_to_the_tax_of_their_category(lines: list[tuple[Decimal, Tax]], currency: str) -> None:
    totals = taxes.totals(lines, currency)
    assert sum(taxes.per_line(lines, currency)) == sum(t.amount for t in totals)
    assert sum(t.taxable for t in totals) == sum(net for net, _ in lines)


def test_tax_is_rounded_once_per_category_not_per_line() -> None:
    # Three lines of 0.33 at 20 %: 0.07 each if rounded by line (0.21), but 0.99 × 20 % = 0.198 is 0.20 (EN 16931 BR-CO-17).
    lines = [(Decimal("0.33"), Tax("S", Decimal(20), "VAT"))] * 3
    assert taxes.totals(lines, "GBP")[0].amount == Decimal("0.20")
    assert taxes.per_line(lines, "GBP") == [Decimal("0.07"), Decimal("0.07"), Decimal("0.06")]


def test_totals_of_published_en_16931_invoices() -> None:
    # CEN/TC 434's examples of EN 16931 (github.com/ConnectingEurope/eInvoicing-EN16931, ubl/examples): example 1 in euros, and the
    # taxed categories of example 2 in kroner, where half of 365.125 goes up.
    first = [(Decimal("183.23"), Tax("S", Decimal(6), "VAT")), (Decimal("46.37"), Tax("S", Decimal(21), "VAT"))]
    totals = {t.tax.percent: t.amount for t in taxes.totals(first, "EUR")}
    assert totals == {Decimal(6): Decimal("10.99"), Decimal(21): Decimal("9.74")}
    assert Decimal("229.60") + sum(totals.values()) == Decimal("250.33")
    second = [(Decimal("1460.50"), Tax("S", Decimal(25), "VAT")), (Decimal("1.00"), Tax("S", Decimal(15), "VAT"))]
    assert [t.amount for t in taxes.totals(second, "NOK")] == [Decimal("365.13"), Decimal("0.15")]


@pytest.mark.parametrize(
    ("category", "percent", "legal", "code"),
    [
        ("S", "0", None, "tax_percent_impossible"),
        ("Z", "20", None, "tax_percent_impossible"),
        ("S", "101", None, "tax_percent_impossible"),
        ("AE", "0", None, "tax_text_missing"),
        ("E", "0", "", "tax_text_missing"),
    ],
)
def test_impossible_tax_codes_are_refused(category: str, percent: str, legal: str | None, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        taxes.check_code(category, Decimal(percent), legal)
    assert refused.value.code == code


# --- payments and ledger ----------------------------------------------------------------------------------------------


def open_invoice(total: Decimal, paid: Decimal = Decimal(0), **more: Any) -> Open:
    values: dict[str, Any] = {
        "id": new_id(),
        "client_id": CLIENT,
        "number": "INV-000001",
        "state": "issued",
        "currency": "GBP",
    } | more
    return Open(**values, balance=total - paid)


CLIENT = new_id()


@given(st.lists(st.tuples(POSITIVE, POSITIVE), max_size=8), POSITIVE)
def test_allocations_stay_within_payment_and_balances(wanted: list[tuple[Decimal, Decimal]], amount: Decimal) -> None:
    pairs = [(open_invoice(total), part) for total, part in wanted]
    allowed = sum(part for _, part in pairs) <= amount and all(part <= i.balance for i, part in pairs)
    if allowed:
        payments.check_allocations(amount, "GBP", CLIENT, pairs)
    else:
        with pytest.raises(DomainError):
            payments.check_allocations(amount, "GBP", CLIENT, pairs)


@pytest.mark.parametrize(
    ("invoice", "code"),
    [
        (open_invoice(Decimal(5), Decimal(1)), "payment_over_balance"),
        (open_invoice(Decimal(9), state="draft"), "invoice_not_open"),
        (open_invoice(Decimal(9), state="void"), "invoice_not_open"),
        (open_invoice(Decimal(9), currency="EUR"), "allocation_currency"),
        (open_invoice(Decimal(9), client_id=new_id()), "allocation_other_client"),
    ],
)
def test_what_a_payment_can_not_pay(invoice: Open, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        payments.check_allocations(Decimal(10), "GBP", CLIENT, [(invoice, Decimal(5))])
    assert refused.value.code == code


@given(CENTS, CENTS)
def test_every_posting_balances_and_so_does_its_reversal(a: Decimal, b: Decimal) -> None:
    for entries in (
        ledger.invoice_issued(a, b),
        ledger.payment_recorded(max(a, b), min(a, b)),
        ledger.credit_applied(a),
    ):
        assert ledger.balanced(entries)
        assert ledger.balanced(ledger.reversed_(entries))
        assert all((e.debit == 0) != (e.credit == 0) for e in entries)
        assert len(entries) != 1
