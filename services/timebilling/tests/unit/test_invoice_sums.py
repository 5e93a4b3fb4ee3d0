"""What invoices and credit notes come to: discounts, prices with tax in them, cash rounding, credits, numbers, exchange."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.db import new_id
from chassis.errors import DomainError
from timebilling.credit_notes import rules as crediting
from timebilling.currencies import rules as currencies
from timebilling.ledger import rules as ledger
from timebilling.money import rounded
from timebilling.numbering import rules as numbering
from timebilling.taxes import rules as taxes
from timebilling.taxes.rules import Creditable, Priced, Sums, Tax

D = Decimal
CENTS = st.integers(0, 10**7).map(lambda n: D(n) / 100)
VAT20, VAT7, EXEMPT = Tax("S", D(20), "VAT"), Tax("S", D(7), "VAT"), Tax("E", D(0), "VAT", "Exempt by law")
TAXES = st.sampled_from([VAT20, VAT7, EXEMPT, taxes.OUTSIDE])
LINES = st.lists(
    st.builds(
        lambda amount, percent, tax: Priced(amount, rounded(amount * percent / 100, "GBP"), tax),
        CENTS,
        st.integers(0, 100),
        TAXES,
    ),
    max_size=12,
)


def line(amount: str, tax: Tax = VAT20, discount: str = "0.00") -> Priced:
    return Priced(D(amount), D(discount), tax)


@given(LINES, st.integers(0, 100), st.booleans(), st.sampled_from([None, D("0.05"), D("1")]))
def test_a_document_sums_to_the_cent_whatever_its_discounts(
    lines: list[Priced], percent: int, inclusive: bool, step: Decimal | None
) -> None:
    base = sum((x.amount - x.discount for x in lines), D(0))
    off = rounded(base * percent / 100, "GBP")
    made = taxes.sums(lines, "GBP", inclusive=inclusive, discount=off, cash_step=step)
    assert made.lines_net == sum(x.net for x in made.lines)
    assert made.discount == sum(x.discount_share for x in made.lines) == sum(t.discount for t in made.taxes)
    assert made.net == made.lines_net - made.discount == sum(t.taxable for t in made.taxes)
    assert made.tax == sum(x.tax for x in made.lines) == sum(t.amount for t in made.taxes)
    assert made.total == made.net + made.tax + made.rounding
    assert all(x.net >= x.discount_share >= 0 and x.tax >= 0 for x in made.lines)
    assert abs(made.rounding) <= (step or 0) / 2
    if step:
        assert made.total % step == 0
    if inclusive:
        assert made.net + made.tax == base - off  # the gross is kept exactly
    else:
        for total in made.taxes:  # BR-CO-17
            assert total.amount == rounded(total.taxable * total.tax.percent / 100, "GBP")


@given(LINES)
def test_what_a_price_includes_is_what_would_be_added_to_its_net(lines: list[Priced]) -> None:
    """BR-S-09 allows what rounding to the gross does to a category: a cent."""
    for total in taxes.sums(lines, "GBP", inclusive=True).taxes:
        assert abs(total.amount - rounded(total.taxable * total.tax.percent / 100, "GBP")) <= D("0.01")


def totals(made: Sums) -> tuple[str, str, str, str]:
    return str(made.lines_net), str(made.net), str(made.tax), str(made.total)


def test_published_examples_of_en_16931() -> None:
    """Figures of CEN/TC 434's examples (github.com/ConnectingEurope/eInvoicing-EN16931, ubl/examples)."""
    # ubl-tc434-example8: nine lines at 21 %; the first seven are named there so, the rest is one here.
    energy = ["140.80", "16.16", "167.64", "88.74", "36.75", "56.50", "83.34", "318.98"]
    made = taxes.sums([line(x, Tax("S", D(21), "VAT")) for x in energy], "EUR")
    assert totals(made) == ("908.91", "908.91", "190.87", "1099.78")
    # ubl-tc434-creditnote1: exempt.
    made = taxes.sums([line("100.11", EXEMPT)], "EUR")
    assert totals(made) == ("100.11", "100.11", "0.00", "100.11")
    # ubl-tc434-example1: two rates.
    made = taxes.sums([line("183.23", Tax("S", D(6), "VAT")), line("46.37", Tax("S", D(21), "VAT"))], "EUR")
    assert totals(made) == ("229.60", "229.60", "20.73", "250.33")


def test_a_discount_takes_from_each_category_its_share() -> None:
    made = taxes.sums([line("200.00"), line("90.00", EXEMPT)], "GBP", discount=D("29.00"))
    assert [(t.tax.category, t.taxable, t.discount, t.amount) for t in made.taxes] == [
        ("S", D("180.00"), D("20.00"), D("36.00")),
        ("E", D("81.00"), D("9.00"), D("0.00")),
    ]


def test_a_discount_over_its_base_is_refused() -> None:
    assert taxes.discount_of(D("80.00"), "percent", D("12.5"), "GBP", pointer="/discount") == D("10.00")
    with pytest.raises(DomainError, match="discount_over_amount"):
        taxes.discount_of(D("80.00"), "amount", D("80.01"), "GBP", pointer="/discount")


def test_swiss_cash_is_rounded_to_five_rappen() -> None:
    assert [str(taxes.to_step(D(x), D("0.05"))) for x in ("11.96", "11.975", "11.98", "12.00")] == [
        "11.95",
        "12.00",
        "12.00",
        "12.00",
    ]


# --- credits ----------------------------------------------------------------------------------------------------------


@given(LINES, st.booleans(), st.lists(st.integers(1, 10**6), max_size=6))
def test_credits_in_parts_come_to_exactly_the_invoice(lines: list[Priced], inclusive: bool, wishes: list[int]) -> None:
    made = taxes.sums(lines, "GBP", inclusive=inclusive)
    open_lines = {new_id(): Creditable(m.taxable, m.tax, x.tax.percent) for m, x in zip(made.lines, lines, strict=True)}
    taken = D(0)

    def take(wanted: dict, amount: Decimal) -> None:  # type: ignore[type-arg]
        nonlocal taken
        for credit in crediting.credits(open_lines, wanted, "GBP", inclusive, "/amount"):
            was = open_lines[credit.line_id]
            open_lines[credit.line_id] = Creditable(
                was.taxable, was.tax, was.percent, was.credited + credit.net, was.credited_tax + credit.tax
            )
            assert open_lines[credit.line_id].rest >= 0
            assert open_lines[credit.line_id].rest_tax >= 0
            taken += credit.net + credit.tax

    for wish in wishes:
        left = sum(crediting.whole_rest(open_lines, inclusive).values(), D(0))
        amount = min(D(wish) / 100, left)
        if amount:
            take(crediting.part(open_lines, amount, "GBP", inclusive), amount)
    if taken < made.net + made.tax:
        rest = crediting.whole_rest(open_lines, inclusive)
        take(rest, sum(rest.values(), D(0)))
    assert taken == made.net + made.tax
    with pytest.raises(DomainError, match="credit_over_invoice"):
        crediting.part(open_lines, D("0.01"), "GBP", inclusive)


# --- numbers, exchange, postings --------------------------------------------------------------------------------------


def test_numbers_follow_their_pattern() -> None:
    day = date(2026, 3, 1)
    made = {
        p: (numbering.number(p, 42, day), numbering.series(p, day))
        for p in ("INV-{year}-{number:05}", "{number}/{yy}{month}", "R{number:03}")
    }
    assert list(made.values()) == [("INV-2026-00042", "INV-2026"), ("42/2603", "2603"), ("R042", "R")]
    assert numbering.series("INV-{number:06}", day) == numbering.series("INV-{number}", day) == "INV"
    for pattern in (*numbering.DEFAULTS.values(), *made):
        numbering.check_pattern(pattern)


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_two_numbers_of_a_series_are_never_the_same(one: int, other: int) -> None:
    day = date(2026, 3, 1)
    for pattern in ("INV-{year}-{number:05}", "{number}/{yy}{month}"):
        assert (numbering.number(pattern, one, day) == numbering.number(pattern, other, day)) == (one == other)


@given(CENTS, CENTS, st.decimals("0.01", "200", places=4), st.decimals("0.01", "200", places=4))
def test_differences_of_parts_sum_to_that_of_the_whole(a: Decimal, b: Decimal, then: Decimal, now: Decimal) -> None:
    def between(before: Decimal, after: Decimal) -> Decimal:
        return currencies.difference(after, then, now, "GBP") - currencies.difference(before, then, now, "GBP")

    assert between(D(0), a) + between(a, a + b) == between(D(0), a + b)
    assert between(D(0), a) == -between(a, D(0))


@given(CENTS, CENTS, st.integers(-4, 4).map(lambda n: D(n) / 100), CENTS)
def test_postings_of_billing_balance(net: Decimal, tax: Decimal, rounding: Decimal, gain: Decimal) -> None:
    for entries in (
        ledger.invoice_issued(net, tax, max(rounding, -net - tax)),
        ledger.credit_note_issued(net, tax, max(rounding, -net - tax)),
        ledger.exchange_difference(gain),
        ledger.exchange_difference(-gain),
    ):
        assert ledger.balanced(entries)
