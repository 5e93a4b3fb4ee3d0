"""Reading statements of banks that each write their own way, and guessing what a line pays."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from timebilling.bank import rules
from timebilling.bank.rules import Candidate, Format

D = Decimal
BRITISH = 'Date,Description,Paid in,Paid out,Balance\n13/11/2026,SMITH LTD INV-000001,"1,200.00",,5000.00\n14/11/2026,Rent,,800.00,4200.00\n'
GERMAN = (
    "Kontoauszug;DE02120300000000202051\n\nBuchungstag;Beguenstigter/Zahlungspflichtiger;Verwendungszweck;Betrag;Waehrung\n"
    "13.11.2026;Müller GmbH;RE 4711 Rechnung INV-000002;1.234,50;EUR\n14.11.2026;Miete;November;-800,00;EUR\n"
)
FRENCH = "Date opération;Libellé;Montant\n03/11/2026;VIR DUPONT;1 500,00\n25/11/2026;FRAIS;-2,50\n"


def read(text: str, **more: Any) -> list[rules.Line]:
    return rules.read(text.encode(), Format(**more), "GBP")


def refusal(content: str | bytes, **more: Any) -> str:
    with pytest.raises(DomainError) as refused:
        rules.read(content if isinstance(content, bytes) else content.encode(), Format(**more), "GBP")
    return refused.value.code


def test_statements_of_different_countries_are_read_without_being_told_how() -> None:
    assert [(x.booked_on, x.amount, x.reference) for x in read(BRITISH)] == [
        (date(2026, 11, 13), D("1200.00"), "SMITH LTD INV-000001"),
        (date(2026, 11, 14), D("-800.00"), "Rent"),
    ]
    german = read(GERMAN)[0]
    assert (german.booked_on, german.amount, german.currency, german.counterparty) == (
        date(2026, 11, 13),
        D("1234.50"),
        "EUR",
        "Müller GmbH",
    )
    assert [x.amount for x in read(FRENCH)] == [D("1500.00"), D("-2.50")]


def test_encodings_and_marks() -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert rules.read(GERMAN.encode(encoding), Format(), "EUR")[0].counterparty == "Müller GmbH"
    latin = GERMAN.encode("windows-1252")
    assert refusal(latin) == "statement_encoding"
    assert rules.read(latin, Format(encoding="windows-1252"), "EUR")[0].counterparty == "Müller GmbH"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "statement_empty"),
        ("   \n", "statement_empty"),
        ("Date,Amount\n", "statement_empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "statement_encoding"),
        ("PK\x03\x04\0", "statement_encoding"),
        ("When,How much\n2026-11-13,5.00\n", "statement_columns_unknown"),
        ("Date,Reference\n2026-11-13,x\n", "statement_columns_unknown"),
        ("Date,Amount\n2026-02-30,5.00\n", "statement_row_invalid"),
        ("Date,Amount\n2026-11-13,five\n", "statement_row_invalid"),
        ("Date,Amount\n2026-11-13,\n", "statement_row_invalid"),
        ("Date,Amount\n,5.00\n", "statement_row_invalid"),
        ("Date,Amount\n2026-11-13,5.0012\n", "statement_row_invalid"),
        ("Date,Amount\n1870-11-13,5.00\n", "statement_row_invalid"),
        ("Date,Amount,Currency\n2026-11-13,5.00,XXX\n", "currency_unknown"),
        ("Date,Amount\n01/02/2026,5.00\n", "statement_date_unclear"),
        ("Date,Amount\n2026-11-13,1.234\n", "statement_amount_unclear"),
        ("Date,Amount\n" + "2026-11-13,5.00\n" * 5001, "statement_too_long"),
    ],
)
def test_what_can_not_be_read_for_sure_is_refused_as_a_whole(content: str | bytes, code: str) -> None:
    assert refusal(content) == code


def test_the_refusal_names_the_row() -> None:
    with pytest.raises(DomainError, match="Row 3") as refused:
        read("Date,Amount\n2026-11-13,5.00\n2026-11-14,oops\n")
    assert refused.value.problem()["row"] == 3


def test_what_is_unclear_can_be_said() -> None:
    assert read("Date,Amount\n01/02/2026,5.00\n", date_order="mdy")[0].booked_on == date(2026, 1, 2)
    assert read("Date,Amount\n01/02/2026,5.00\n", date_order="dmy")[0].booked_on == date(2026, 2, 1)
    assert read("Date;Amount\n2026-11-13;1.234\n", decimal=",")[0].amount == D("1234.00")
    assert read("When|How much\n2026-11-13|5.00\n", columns={"date": "When", "amount": "How much"})[0].amount == D(5)
    # One row that is clear makes the whole column clear.
    assert read("Date,Amount\n01/02/2026,5.00\n13/02/2026,5.00\n")[0].booked_on == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("£1,234.56", "1234.56"),
        ("1'234.56", "1234.56"),
        ("(12.30)", "-12.30"),
        ("12.30-", "-12.30"),
        ("−7.00", "-7.00"),
        ("+7.00", "7.00"),
        ("GBP 7.00", "7.00"),
        ("7.00EUR", "7.00"),
    ],
)
def test_amounts_as_banks_write_them(written: str, means: str) -> None:
    assert read(f'Date;Amount\n2026-11-13;"{written}"\n', decimal=".")[0].amount == D(means)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(DomainError):
        rules.read(b"Date,Amount\n" + content, Format(), "GBP")


@given(
    rows=st.lists(
        st.tuples(st.integers(1, 28), st.integers(-(10**6), 10**6).filter(bool), st.sampled_from(["a", "b", "INV-1"])),
        min_size=1,
        max_size=12,
    ),
    cut=st.integers(0, 11),
)
def test_lines_are_known_again_in_an_overlapping_file(rows: list[tuple[int, int, str]], cut: int) -> None:
    """Files of whole days: however a later one overlaps, its old lines have the marks they had."""
    rows = sorted(rows, key=lambda r: r[0])

    def file(some: list[tuple[int, int, str]]) -> list[rules.Line]:
        return [rules.Line(date(2026, 11, d), D(c) / 100, "GBP", "", r, "") for d, c, r in some]

    first = rows[cut % len(rows)][0]
    whole = rules.fingerprints("acc", file(rows))
    later = rules.fingerprints("acc", file([r for r in rows if r[0] >= first]))
    assert len(set(whole)) == len(rows)
    assert set(later) <= set(whole)
    assert not set(later) & set(rules.fingerprints("other", file(rows)))


def candidate(
    n: int, balance: str, name: str = "Smith Ltd", client: int = 1, currency: str = "GBP", number: str = ""
) -> Candidate:
    return Candidate(
        UUID(int=n), UUID(int=client), name, number or f"INV-{n:06d}", currency, D(balance), date(2026, 1, n)
    )


def suggest(
    amount: str, candidates: list[Candidate], reference: str = "", counterparty: str = ""
) -> list[tuple[int, list[tuple[str, str]], list[str]]]:
    return [
        (s.score, [(c.number, str(a)) for c, a in s.allocations], s.says)
        for s in rules.suggest(D(amount), "GBP", counterparty, reference, candidates)
    ]


def test_number_amount_and_name_together_are_certain() -> None:
    found = suggest(
        "100.00", [candidate(1, "100.00"), candidate(2, "100.00", "Other", 2)], "pay inv000001", "SMITH LIMITED"
    )
    assert found == [
        (100, [("INV-000001", "100.00")], ["number", "amount", "name"]),
        (25, [("INV-000002", "100.00")], ["amount"]),
    ]


def test_one_transfer_for_several_invoices_is_spread_as_named() -> None:
    both = [candidate(1, "60.00"), candidate(2, "40.00"), candidate(3, "100.00")]
    assert suggest("100.00", both, "INV-000001, INV-000002")[0] == (
        85,
        [("INV-000001", "60.00"), ("INV-000002", "40.00")],
        ["number", "amount"],
    )


def test_a_part_payment_fills_the_invoice_it_names_and_no_more() -> None:
    assert suggest("30.00", [candidate(1, "100.00")], "INV-000001") == [(60, [("INV-000001", "30.00")], ["number"])]
    assert suggest("130.00", [candidate(1, "100.00")], "INV-000001") == [(60, [("INV-000001", "100.00")], ["number"])]


def test_a_known_payer_pays_the_oldest_first() -> None:
    assert suggest("150.00", [candidate(1, "100.00"), candidate(2, "100.00")], "", "Smith Ltd") == [
        (15, [("INV-000001", "100.00"), ("INV-000002", "50.00")], ["name"])
    ]


def test_nothing_is_made_up() -> None:
    assert suggest("7.00", [candidate(1, "100.00")], "hello", "Nobody") == []
    assert suggest("100.00", [candidate(1, "100.00", currency="EUR")], "INV-000001") == []
    assert suggest("-100.00", [candidate(1, "100.00")], "INV-000001") == []
    # "12" is in many a reference; a short number must stand by itself.
    assert suggest("7.00", [candidate(1, "100.00", number="12")], "ref 4712") == []
    assert suggest("7.00", [candidate(1, "100.00", number="12")], "no. 12")[0][0] == 60


@given(amount=st.integers(1, 10**6), balances=st.lists(st.integers(1, 10**6), max_size=6))
def test_a_suggestion_never_gives_more_than_came_or_is_owed(amount: int, balances: list[int]) -> None:
    candidates = [candidate(n, str(D(b) / 100), client=n % 2) for n, b in enumerate(balances, 1)]
    for suggestion in rules.suggest(D(amount) / 100, "GBP", "Smith", "INV-000001 INV-000002", candidates):
        assert 0 < sum(a for _, a in suggestion.allocations) <= D(amount) / 100
        assert all(0 < a <= c.balance for c, a in suggestion.allocations)
