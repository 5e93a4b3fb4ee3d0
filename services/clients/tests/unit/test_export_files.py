"""Files of an export: what went in comes out of them, whatever it is, and they come out piece by piece."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.exports import files
from clients.imports import reading

STORABLE = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
CELL = st.text(STORABLE, max_size=30).filter(lambda said: said == said.strip())
TABLE = st.lists(st.lists(CELL, min_size=3, max_size=3).filter(any), min_size=1, max_size=4)
AWKWARD = [
    ["=1+1", "+44 20", "-x"],
    ["@a", "'=quoted", "''"],
    ["0012", "1e5", "2026-03-31"],
    ["_x0041_", "a\r\nb", "\x01"],
    ["<&>\"'", "Müller; Söhne, “AG”", "line\u2028two\x85three"],
    ["", "a\nb", ""],
]


def read(data):
    found = {}
    for row in reading.rows([data]):
        found.setdefault(row.table, []).append([cell or "" for cell in row.cells])
    return found


def tables(rows):
    titles = ["A", "B", "C"]
    return [("clients", titles, [rows[:1], rows[1:]]), ("contacts", titles, [[]]), ("groups", titles, [rows])]


@given(TABLE)
@pytest.mark.parametrize("write", [files.workbook, files.separate])
def test_what_goes_into_a_file_is_what_is_read_from_it(write, rows):
    found = read(b"".join(write(tables(rows))))
    titles = ["A", "B", "C"]
    assert found == {"clients": [titles, *rows], "contacts": [titles], "groups": [titles, *rows]}


@pytest.mark.parametrize("write", [files.workbook, files.separate])
def test_awkward_cells_stay_what_they_are(write):
    assert read(b"".join(write(tables(AWKWARD))))["groups"][1:] == AWKWARD


def test_a_csv_is_excels_and_runs_nothing():
    data = b"".join(files.comma_separated(["A", "B", "C"], [AWKWARD]))
    assert data.startswith(b"\xef\xbb\xbf")
    assert '"\'=1+1","\'+44 20","\'-x"' in data.decode()
    assert read(data) == {"": [["A", "B", "C"], *AWKWARD]}


@pytest.mark.parametrize("write", [files.workbook, files.separate])
def test_a_file_goes_out_while_its_rows_come_in(write):
    asked = []

    def pages():
        for number in range(50):
            asked.append(number)
            yield [[f"{number} {place} {place * number}", "b", "c"] for place in range(500)]

    pieces = write([("clients", ["A", "B", "C"], pages())])
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > 20_000:
            break
    assert len(asked) < 25


def test_a_zip_that_holds_no_table_or_a_broken_one_is_refused():
    def packed(**entries):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, said in entries.items():
                archive.writestr(name.replace("_csv", ".csv"), said)
        return out.getvalue()

    broken = bytearray(packed(clients_csv="name\n" + "".join(f"{n}\n" for n in range(10_000))))
    broken[200:2000] = bytes(1800)
    for data, code in (
        (packed(readme="hello"), "not_a_spreadsheet"),
        (packed(clients_csv=""), "empty_file"),
        (packed(clients_csv='a\n"never closed'), "quote_unclosed"),
        (bytes(broken), "not_a_spreadsheet"),
    ):
        with pytest.raises(reading.Invalid) as refusal:
            list(reading.rows([data]))
        assert refusal.value.code == code
    assert read(packed(**{"a/clients_csv": "name\nA\n", "b/clients_csv": "name\nB\n"})).keys() == {
        "a/clients.csv",
        "b/clients.csv",
    }
