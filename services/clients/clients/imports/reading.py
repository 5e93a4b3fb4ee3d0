"""Spreadsheets as rows of text: CSV of any dialect, a zip of them, XLSX, never more of a file in memory than a piece of it.

A file that can't be read as a whole is refused with one of these codes: `not_a_spreadsheet`, `old_excel`, `encoding_unknown`,
`quote_unclosed`, `line_too_long`, `too_many_rows`, `too_many_columns`, `unpacked_too_large`, `empty_file`.
"""

import codecs
import csv
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from chassis.errors import Invalid
from clients.imports import cells

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 200
MOST_IN_A_CELL = 32_767  # as in Excel
MOST_UNPACKED = 512 * 1024 * 1024
MOST_SHARED = 96 * 1024 * 1024  # of the texts that an XLSX keeps once for all cells; they are held in memory
_LONGEST_LINE = 1024 * 1024
_SAMPLE = 64 * 1024
# How a workbook writes a sign that XML can't hold, such as _x000D_; never one that nothing can hold.
_CODED = re.compile(r"_x(?!0000|[Dd][89A-Fa-f])([0-9A-Fa-f]{4})_")

# A cell is text, None when empty, or says that it held a formula.
Cell = str | None | dict[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table; `number` is the one a spreadsheet shows, so the header is 1."""

    table: str
    number: int
    cells: list[Cell]


def refused(code: str, message: str, **more: Any) -> Invalid:
    return Invalid(code, message, **more)


def rows(parts: Iterable[bytes], encoding: str | None = None) -> Iterator[Row]:
    """Every row that isn't empty, headers first. Stops with a refusal as soon as there is reason for one."""
    pieces = iter(parts)
    head = next(pieces, b"")
    if not head:
        raise refused("empty_file", "The file is empty.")
    stream = _again(head, pieces)
    found = _zip(stream, encoding) if head.startswith(b"PK\x03\x04") else _csv(head, stream, encoding)
    count = 0
    for row in found:
        if len(row.cells) > MOST_COLUMNS:
            raise refused("too_many_columns", f"Row {row.number} has more than {MOST_COLUMNS} columns.", row=row.number)
        if any(isinstance(cell, str) and len(cell) > MOST_IN_A_CELL for cell in row.cells):
            raise refused(
                "cell_too_long",
                f"A cell of row {row.number} has more than {MOST_IN_A_CELL} characters.",
                row=row.number,
            )
        if not any(row.cells):
            continue
        count += 1
        if count > MOST_ROWS + 100:
            raise refused("too_many_rows", f"A file may have {MOST_ROWS} rows. Split it.")
        yield row
    if not count:
        raise refused("empty_file", "The file holds no rows.")


def _again(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


# --- CSV -------------------------------------------------------------------------------------------------------------


def _csv(head: bytes, stream: Iterator[bytes], encoding: str | None) -> Iterator[Row]:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise refused(
            "old_excel", "This is the format of Excel before 2007 (or a file with a password). Save it as XLSX or CSV."
        )
    chosen = _encoding(head, encoding)
    if not chosen.startswith("utf-16") and b"\0" in head:
        raise refused("not_a_spreadsheet", "This is neither CSV nor XLSX.")
    if any(
        head.startswith(mark)
        for mark in (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf", b"<html", b"<!DOCTYPE")
    ):
        raise refused("not_a_spreadsheet", "This is neither CSV nor XLSX.")
    texts = _decoded(stream, chosen)
    first = next(texts, "")
    separator = delimiter(first[:_SAMPLE])
    lines = _lines(_text_again(first, texts))
    reader = csv.reader(lines, delimiter=separator, strict=True)
    number = 0
    try:
        for values in reader:
            number += 1
            yield Row("", number, [cells.unguarded(value).strip() or None for value in values])
    except csv.Error as error:
        if "field larger" in str(error) or "unexpected end" in str(error):
            raise refused(
                "quote_unclosed", f"A quotation mark opened after row {number} is never closed.", row=number + 1
            ) from None
        raise refused("not_a_spreadsheet", f"Row {number + 1} can't be read as CSV: {error}.", row=number + 1) from None


def _encoding(head: bytes, named: str | None) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    return named or "utf-8"


def _decoded(stream: Iterator[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    read = 0
    try:
        for piece in stream:
            for start in range(0, len(piece), _SAMPLE):
                text = decoder.decode(piece[start : start + _SAMPLE])
                read += len(text)
                if "\0" in text:
                    raise refused("not_a_spreadsheet", "This is neither CSV nor XLSX.")
                yield text
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise refused(
            "encoding_unknown",
            f"After {read} characters something isn't {encoding.upper().removesuffix('-SIG')}. Save the file as UTF-8, or name its encoding "
            "(such as windows-1252).",
            pointer="/encoding",
        ) from error


def _text_again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _lines(texts: Iterator[str]) -> Iterator[str]:
    """Lines with their ends, whichever those are; a line without end is refused before it fills the memory."""
    held = ""
    for text in texts:
        held += text
        if len(held) > _LONGEST_LINE and "\n" not in held and "\r" not in held:
            raise refused("line_too_long", "A line has more than a million characters.")
        *whole, held = held.splitlines(keepends=True) or [""]
        if held.endswith("\n"):
            whole.append(held)
            held = ""
        yield from whole
    if held:
        yield held


def delimiter(sample: str) -> str:
    """What separates the cells: whatever splits the header and the next rows into the same number of cells, most of them."""
    best, best_score = ",", 0.0
    for candidate in ";,\t|":
        lines = sample.splitlines(keepends=True)
        try:
            widths = [
                len(row) for row, _ in zip(csv.reader(lines, delimiter=candidate), range(30), strict=False) if row
            ]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        score = widths[0] * sum(width == widths[0] for width in widths) / len(widths)
        if score > best_score:
            best, best_score = candidate, score
    return best


# --- XLSX, and CSVs in a zip ------------------------------------------------------------------------------------------


@contextmanager
def _spooled(stream: Iterator[bytes]) -> Iterator[BinaryIO]:
    """The bytes in a file, since a zip is read from its end."""
    with tempfile.TemporaryFile() as file:
        for piece in stream:
            file.write(piece)
        file.seek(0)
        yield file


def _zip(stream: Iterator[bytes], encoding: str | None) -> Iterator[Row]:
    with _spooled(stream) as file:
        names = _check_zip(file)
        if "[Content_Types].xml" in names:
            yield from _xlsx(file)
        elif tables := [name for name in names if name.lower().endswith(".csv") and not name.startswith("__MACOSX/")]:
            yield from _csvs(file, tables, encoding)
        else:
            raise refused("not_a_spreadsheet", "This is a zip, but neither an XLSX workbook nor one with CSV files.")


def _csvs(file: BinaryIO, names: Sequence[str], encoding: str | None) -> Iterator[Row]:
    """Each file a table, called like the file."""
    called = [PurePosixPath(name).stem for name in names]
    try:
        with zipfile.ZipFile(file) as archive:
            for name, stem in zip(names, called, strict=True):
                with archive.open(name) as entry:
                    pieces = iter(lambda entry=entry: entry.read(_SAMPLE), b"")  # type: ignore[misc]
                    if head := next(pieces, b""):
                        for row in _csv(head, _again(head, pieces), encoding):
                            yield replace(row, table=stem if called.count(stem) == 1 else name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise refused("not_a_spreadsheet", "This zip is broken, or has a password.") from error


def _xlsx(file: BinaryIO) -> Iterator[Row]:
    try:
        book = load_workbook(file, read_only=True, data_only=False, keep_links=False)
    except (
        InvalidFileException,
        KeyError,
        ValueError,
        ParseError,
        DefusedXmlException,
        zipfile.BadZipFile,
        OSError,
    ) as error:
        raise refused("not_a_spreadsheet", "This zip is no XLSX workbook, or a broken one.") from error
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what the file says of its own size is not believed
            for number, row in enumerate(sheet.iter_rows(), 1):
                yield Row(sheet.title, number, [_shown(cell) for cell in row])
    except (KeyError, ValueError, ParseError, DefusedXmlException, zipfile.BadZipFile, EOFError) as error:
        if isinstance(error, Invalid):
            raise
        raise refused("not_a_spreadsheet", "The workbook is broken.") from error
    finally:
        book.close()


def _check_zip(file: BinaryIO) -> list[str]:
    """The names in it. Looks at what the zip says it unpacks to; `zipfile` never reads more of an entry than that."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise refused("not_a_spreadsheet", "This zip is broken.") from error
    shared = sum(
        entry.file_size
        for entry in entries
        if entry.filename.endswith(("sharedStrings.xml", "styles.xml", "workbook.xml"))
    )
    if len(entries) > 2000 or sum(entry.file_size for entry in entries) > MOST_UNPACKED or shared > MOST_SHARED:
        raise refused("unpacked_too_large", "It unpacks to more than can be read. Split it, or save it as CSV.")
    file.seek(0)
    return [entry.filename for entry in entries]


def _shown(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return None
    if cell.data_type == "f":
        return {"formula": str(getattr(value, "text", value))[:200]}
    if cell.data_type == "e":
        return {"formula": str(value)}
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    return _CODED.sub(lambda coded: chr(int(coded[1], 16)), str(value)).strip() or None
