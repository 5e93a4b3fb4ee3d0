"""Cells, columns and dates of spreadsheets, as people write them."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.imports import cells, mapping, reading, rules

FIRM = rules.Firm("GB", "en", "GBP", {"ada byron": "1"})
AMERICAN = rules.Firm("US", "en", "USD")


@given(st.text(max_size=40))
def test_a_guarded_cell_is_no_formula_and_comes_back_as_it_was(said):
    shown = cells.guarded(said)
    assert shown[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert cells.unguarded(shown) == said


@given(
    st.lists(
        st.text(
            alphabet=st.characters(blacklist_characters="\n\r\t\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"),
            min_size=1,
            max_size=20,
        ).filter(lambda s: s == s.strip() != ""),
        max_size=6,
    )
)
def test_a_list_in_a_cell_comes_back_as_it_was(values):
    assert cells.listed(cells.joined(values)) == values


@pytest.mark.parametrize(
    "said",
    [
        "1980-03-01",
        "01.03.1980",
        "1/3/1980",
        "1-3-80",
        "1 March 1980",
        "1. März 1980",
        "1 mars 1980",
        "1 de marzo de 1980",
        "1980-03-01T00:00:00",
    ],
)
def test_a_date_is_read_however_it_is_written(said):
    assert rules.day(said, "GB") == date(1980, 3, 1)


def test_where_both_readings_are_possible_the_firms_country_decides():
    assert rules.day("3/1/1980", "US") == date(1980, 3, 1)
    assert rules.day("3/1/1980", "GB") == date(1980, 1, 3)
    assert rules.day("3/31/1980", "GB") == date(1980, 3, 31)


@pytest.mark.parametrize("said", ["", "31.02.1980", "soon", "1980", "99/99/9999", "1980-13-01"])
def test_what_is_no_date_is_refused(said):
    with pytest.raises(Exception, match="no date") as refusal:
        rules.day(said, "GB")
    assert refusal.value.code == "date_invalid"


@pytest.mark.parametrize(
    ("title", "field"),
    [("Mandantennummer", "number"), ("E-mail", None), ("Straße", "line1"), ("Code postal", "postcode"), ("Umsatzsteuer-ID", "vat"),
     ("Fecha de nacimiento", "born_on"), ("Company Nmae", "name"), ("Clinet number", "number"), ("Referred by", "custom.referred_by"), ("Shoe size", None)],
)  # fmt: skip
def test_a_column_is_known_by_its_name_in_several_languages_and_in_spite_of_typos(title, field):
    (column,) = mapping.suggested("clients", [title], {"referred_by": "Referred by"})
    assert column.field == field


def test_no_two_columns_mean_one_field():
    assert [c.field for c in mapping.suggested("clients", ["Name", "Client name", "Nombre"])] == ["name", None, None]


@pytest.mark.parametrize(("table", "kind"), [("Kontakte", "contacts"), ("Groups", "groups"), ("Sheet1", "clients")])
def test_a_table_is_known_by_its_name_else_by_its_columns(table, kind):
    assert mapping.kind_of(table, ["number", "name", "vat"], {}) == kind
    assert mapping.kind_of("Sheet1", ["name", "e-mail", "client", "role"], {}) == "contacts"


@given(
    st.lists(st.lists(st.text(alphabet='aä;,"\n x', max_size=6), min_size=2, max_size=4), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_csv_is_read_as_it_was_written(rows, delimiter):
    width = max(map(len, rows))
    rows = [["title"] * width, *[[*row, *[""] * (width - len(row))] for row in rows]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    data = out.getvalue().encode()
    read = [row.cells for row in reading.rows([data[:7], data[7:]])]
    assert read == [[cell.strip() or None for cell in row] for row in rows if any(cell.strip() for cell in row)]


def test_every_problem_of_a_row_is_told_at_once():
    said = rules.read(
        "clients", ["N", "C", "P"], ["number", "country", "partner"], ["no no", "Atlantis", "Nobody"], FIRM
    )
    assert {problem.code for problem in said.problems} == {
        "number_invalid",
        "unknown_country",
        "unknown_staff",
        "value_missing",
    }


@pytest.mark.parametrize(
    ("said", "decimals", "kept"),
    [("1200", 2, "1200"), ("1,200.50", 2, "1200.50"), ("1.200,50", 2, "1200.50"), ("1'200.5", 2, "1200.5"), ("1 200,00", 2, "1200.00"),
     ("1,200", 2, "1200"), ("1.234.567", 2, "1234567"), ("1,234,567.89", 2, "1234567.89"), ("99.999", 3, "99.999"), ("0.125", 2, "0.125")],
)  # fmt: skip
def test_an_amount_is_read_however_it_is_written(said, decimals, kept):
    assert rules._number(said, decimals) == kept


@pytest.mark.parametrize(
    ("said", "code"),
    [("1.200", "amount_ambiguous"), ("-5", "amount_invalid"), ("1e5", "amount_invalid"), ("", "amount_invalid")],
)
def test_what_is_no_amount_or_two_is_refused(said, code):
    with pytest.raises(Exception, match=r"Write it like 1200\.50") as refusal:
        rules._number(said)
    assert refusal.value.code == code
