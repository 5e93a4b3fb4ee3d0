"""Exports of other programs: read as they are, each bad row named."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import DomainError
from timebilling.imports import rules

# Headings as the programs write them (Toggl Track: "Editing and uploading a CSV file", support.toggl.com; Harvest: "Importing and
# exporting data", support.getharvest.com, and its detailed time report; Kimai: its timesheet export), published 2026.
TOGGL = """User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags,Amount ()
Ada Moss,ada@brook.example,Smith Ltd,VAT return Q3,Review,"Called, about ""ledgers\"\"",Yes,2026-11-02,09:00:00,2026-11-02,10:30:00,01:30:00,,
"""
HARVEST = """Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,Invoiced?,Approved?,First Name,Last Name,Roles
11/2/2026,Smith Ltd,VAT return Q3,V3,Review,"Two
lines",1.5,Yes,No,No,Ada,Moss,
"""
KIMAI = """\ufeffDate;From;To;Duration;Rate;User;Customer;Project;Activity;Description;Billable;Exported;Tags;ID
02.11.2026;09:00;10:30;1:30;270;Ada Moss;Smith Ltd;VAT return Q3;Review;Ledgers;1;0;;4711
"""


@pytest.mark.parametrize(("source", "text"), [("toggl", TOGGL), ("harvest", HARVEST), ("kimai", KIMAI)])
def test_the_same_work_is_read_from_each_program(source: str, text: str) -> None:
    rows, wrong = rules.read(source, text)
    assert wrong == []
    (row,) = rows
    assert (row.person, row.client, row.project, row.activity) == ("Ada Moss", "Smith Ltd", "VAT return Q3", "Review")
    assert (row.day, row.seconds, row.billable) == (date(2026, 11, 2), 5400, True)


def test_quotes_and_newlines_inside_cells_stay() -> None:
    assert rules.read("toggl", TOGGL)[0][0].notes == 'Called, about "ledgers"'
    assert rules.read("harvest", HARVEST)[0][0].notes == "Two\nlines"


def test_a_row_is_known_by_the_programs_id_or_by_what_it_says() -> None:
    assert rules.read("kimai", KIMAI)[0][0].key == "id:4711"
    twice = TOGGL + TOGGL.splitlines()[1] + "\n"
    first, second = rules.read("toggl", twice)[0]
    assert first.key == rules.read("toggl", TOGGL)[0][0].key
    assert first.key != second.key  # two that say the same are two
    assert [r.key for r in rules.read("toggl", twice)[0]] == [first.key, second.key]


HEAD = "User,Client,Project,Description,Billable,Start date,Duration\n"


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("Ada,Smith,VAT,,Yes,2026-02-30,01:00:00", "day", "day_invalid"),
        ("Ada,Smith,VAT,,Yes,,01:00:00", "day", "day_invalid"),
        ("Ada,Smith,VAT,,Yes,2026-02-03,long", "length", "duration_invalid"),
        ("Ada,Smith,VAT,,Yes,2026-02-03,-1", "length", "duration_invalid"),
        ("Ada,Smith,VAT,,Yes,2026-02-03,=1+1", "length", "duration_invalid"),
        ("Ada,Smith,VAT,,Yes,2026-02-03,00:00:00", "length", "seconds_out_of_range"),
        ("Ada,Smith,VAT,,Yes,2026-02-03,25:00:00", "length", "seconds_out_of_range"),
        ("Ada,Smith,,,Yes,2026-02-03,01:00:00", "project", "project_missing"),
        ("Ada,Smith,VAT,,perhaps,2026-02-03,01:00:00", "billable", "billable_invalid"),
        ("Ada,Smith", "day", "day_invalid"),  # a short row
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_stay(row: str, column: str, code: str) -> None:
    good = "Ada,Smith,VAT,,Yes,2026-02-03,01:00:00"
    rows, wrong = rules.read("toggl", f"{HEAD}{good}\n{row}\n{good}\n")
    assert len(rows) == 2
    assert [(w.line, w.column, w.code) for w in wrong] == [(3, column, code)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "import_empty"),
        ("\ufeff \n", "import_empty"),
        (HEAD, "import_empty"),
        ("Name,When\nAda,now\n", "columns_missing"),
        (HEAD + 'Ada,"Smith,VAT\n', "csv_unreadable"),
        (HEAD + "Ada,Smith,VAT,,Yes,2026-02-03,01:00:00\n" * 5001, "import_too_large"),
    ],
)
def test_a_file_that_is_no_export_is_refused(text: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        rules.read("toggl", text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-03-04", "mdy", date(2026, 3, 4)),
        ("03/04/2026", "dmy", date(2026, 4, 3)),
        ("03/04/2026", "mdy", date(2026, 3, 4)),
        ("3.4.26", "mdy", date(2026, 4, 3)),
        ("2026-03-04T09:00:00", "dmy", date(2026, 3, 4)),
        ("2026-03-04 09:00", "dmy", date(2026, 3, 4)),
        ("soon", "dmy", None),
        ("31/31/2026", "dmy", None),
    ],
)
def test_dates_are_read_in_their_order(text: str, order: str, day: date | None) -> None:
    assert rules.day_in(text, order) == day


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1.5", 5400), ("1,5", 5400), ("0.33", 1188), ("1:30", 5400), ("1h 30m", 5400), ("", None), ("x", None)],
)
def test_lengths_are_hours_or_clocks(text: str, seconds: int | None) -> None:
    assert rules.length_in(text) == seconds


@given(st.text(max_size=400))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        rows, wrong = rules.read("toggl", HEAD + text)
    except DomainError as error:
        rows, wrong, refused = [], [], error.code
    else:
        refused = ""
    assert rows or wrong or refused in ("import_empty", "csv_unreadable")
