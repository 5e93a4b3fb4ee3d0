"""Tables as a CSV, as a zip of CSVs, as a workbook: bytes come out as soon as rows have come in, and nothing else is held. Pure.

Every cell is text, so that no spreadsheet changes a number with zeros in front, and none is run as a formula. xlsxwriter gives a
workbook only once it is whole; a firm's may take longer than a connection waits.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from clients.imports import cells

Cell = str | None
Table = tuple[str, Sequence[str], Iterable[Sequence[Sequence[Cell]]]]  # name, titles, pages of rows

_BOM = "\ufeff".encode()  # without it Excel takes UTF-8 for the code page of the country


def comma_separated(titles: Sequence[str], pages: Iterable[Sequence[Sequence[Cell]]]) -> Iterator[bytes]:
    """One table as CSV; what a spreadsheet would run as a formula is guarded."""
    yield _BOM + _lines([titles])
    for page in pages:
        yield _lines(page)


def _lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([cells.guarded(cell or "") for cell in row] for row in rows)
    return out.getvalue().encode()


class _Outbox(io.RawIOBase):
    """What a zip is written to, and taken away from at once. It can't be gone back in, and a zip needn't."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._held.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        data = b"".join(self._held)
        self._held.clear()
        return data


def zipped(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """The files in a zip, each compressed while it comes."""
    out = _Outbox()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pieces in files:
            with archive.open(name, "w") as entry:
                for piece in pieces:
                    entry.write(piece)
                    yield out.taken()
    yield out.taken()


def separate(tables: Sequence[Table]) -> Iterator[bytes]:
    """A zip with one CSV per table."""
    return zipped((f"{name}.csv", comma_separated(titles, pages)) for name, titles, pages in tables)


# --- XLSX (ISO/IEC 29500, the little that a workbook of texts needs) --------------------------------------------------

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# What XML can't hold, and what would be read as standing for it.
_UNSAID = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


def workbook(tables: Sequence[Table]) -> Iterator[bytes]:
    """A workbook with one sheet per table, its titles fixed on top."""
    numbered = list(enumerate(tables, 1))
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n, _ in numbered
    )
    sheets = "".join(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, (name, _, _) in numbered)
    leads = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in numbered
    )
    frame = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{leads}</Relationships>',
    }
    parts: list[tuple[str, Iterable[bytes]]] = [(name, [(_XML + xml).encode()]) for name, xml in frame.items()]
    parts += [(f"xl/worksheets/sheet{n}.xml", _sheet(titles, pages)) for n, (_, titles, pages) in numbered]
    return zipped(parts)


def _sheet(titles: Sequence[str], pages: Iterable[Sequence[Sequence[Cell]]]) -> Iterator[bytes]:
    frozen = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    view = f'<sheetViews><sheetView workbookViewId="0">{frozen}</sheetView></sheetViews>'
    yield f'{_XML}<worksheet xmlns="{_MAIN}">{view}<sheetData>{_row(titles)}'.encode()
    for page in pages:
        yield "".join(map(_row, page)).encode()
    yield b"</sheetData></worksheet>"


def _row(row: Sequence[Cell]) -> str:
    return f"<row>{''.join(map(_cell, row))}</row>"


def _cell(said: Cell) -> str:
    if not said:
        return "<c/>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(_UNSAID.sub(_coded, said))}</t></is></c>'


def _coded(sign: re.Match[str]) -> str:
    return f"_x{ord(sign[0]):04X}_"
