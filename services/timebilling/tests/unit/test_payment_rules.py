"""What goes back of a payment, and from which invoices."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from timebilling.payments import rules

D = Decimal
ONE, TWO = UUID(int=1), UUID(int=2)
CENTS = st.integers(1, 10_000).map(lambda n: D(n) / 100)


@given(parts=st.lists(CENTS, min_size=1, max_size=6), share=st.integers(1, 100))
def test_what_is_taken_back_is_just_what_is_needed_and_from_no_invoice_more_than_it_got(
    parts: list[Decimal], share: int
) -> None:
    allocated = [(UUID(int=n), a) for n, a in enumerate(parts)]
    needed = (sum(parts) * share / 100).quantize(D("0.01"))
    back = rules.newest_first(needed, allocated)
    assert sum(a for _, a in back) == needed
    assert all(0 < a <= dict(allocated)[i] for i, a in back)
    # From the last one paid on, without a gap.
    assert [i for i, _ in back] == [i for i, _ in reversed(allocated)][: len(back)]


@pytest.mark.parametrize(
    ("amount", "code"),
    [("0", "refund_not_positive"), ("70.01", "refund_over_payment"), ("20.01", "refund_over_credit"), ("20", None)],
)
def test_a_refund_is_at_most_what_is_left_and_free(amount: str, code: str | None) -> None:
    try:
        rules.check_refund(D(amount), D(100), D(30), D(20), "GBP")
        refused = None
    except DomainError as error:
        refused = error.code
    assert refused == code


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ([(ONE, D(5)), (ONE, D(1))], "allocation_twice"),
        ([(ONE, D(0))], "allocation_not_positive"),
        ([(TWO, D(1))], "allocation_not_found"),
        ([(ONE, D("5.01"))], "take_back_over_allocation"),
    ],
)
def test_nothing_is_taken_back_that_was_not_given(wanted: list[tuple[UUID, Decimal]], code: str) -> None:
    with pytest.raises(DomainError) as refused:
        rules.check_take_back(wanted, {ONE: D(5)}, "/allocations")
    assert refused.value.code == code


def test_money_goes_back_after_it_came_and_not_in_the_future() -> None:
    came, today = date(2026, 3, 2), date(2026, 3, 10)
    for day in (came, today):
        rules.check_day(day, came, today, "/returned_on")
    for day in (date(2026, 3, 1), date(2026, 3, 11)):
        with pytest.raises(DomainError, match="goes back between"):
            rules.check_day(day, came, today, "/returned_on")


@pytest.mark.parametrize(
    ("allocated", "refunded", "status"),
    [
        (0, 0, "unapplied"),
        (4, 0, "part_applied"),
        (10, 0, "applied"),
        (4, 6, "applied"),
        (0, 10, "returned"),
        (0, 3, "unapplied"),
    ],
)
def test_a_payments_status_is_derived(allocated: int, refunded: int, status: str) -> None:
    assert rules.status(D(10), D(allocated), D(refunded), None) == status
    assert rules.status(D(10), D(0), D(0), datetime(2026, 1, 1, tzinfo=UTC)) == "reversed"


def test_only_a_mistake_of_ours_is_reversed() -> None:
    refusals = [
        rules.refusal_to_reverse(datetime(2026, 1, 1, tzinfo=UTC), D(0), None),
        rules.refusal_to_reverse(None, D(0), "pi_1"),
        rules.refusal_to_reverse(None, D(1), None),
        rules.refusal_to_reverse(None, D(0), None),
    ]
    assert [r and r.code for r in refusals] == [
        "payment_reversed",
        "payment_from_provider",
        "payment_has_refunds",
        None,
    ]
