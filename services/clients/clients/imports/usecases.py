"""Bringing a spreadsheet in: its parts, reading, the dry run, the run, and taking it back. What takes long is done by the worker, a chunk
a transaction: progress can be read while it goes on, and a worker that dies leaves whole chunks behind."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select, text

from chassis.auth import Principal
from chassis.db import new_id
from chassis.errors import BadRequest, Conflict, Invalid
from chassis.uow import Uow
from clients.custom_fields.usecases import MOST as MOST_FIELDS
from clients.imports import bulk, engagements, finding, mapping, notes, reading, rules, undoing, writing
from clients.imports.tables import Import, ImportKey, ImportPart, ImportRow
from clients.settings import fields

PART = 900_000  # bytes of one part; a request may have 1 MB
CHUNK = 1000
KEPT_FOR = timedelta(days=90)  # from the last act on it
WRITE = {**writing.WRITE, "engagements": engagements.write, "notes": notes.write}  # in the order they are brought in
UNDO = {**undoing.UNDO, "engagements": engagements.take_back, "notes": notes.take_back}
KINDS = list(WRITE)
CHUNKED = ("checking", "running", "undoing")
AT_WORK = ("reading", *CHUNKED)
_ENCODINGS = (
    "utf-8",
    "windows-1252",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "macroman",
    "utf-16",
)


def start(uow: Uow, body: Mapping[str, Any]) -> Import:
    """A file announced. Errors: `file_too_large`, `encoding_unsupported`."""
    if body["size"] > reading.MOST_BYTES:
        raise Invalid(
            "file_too_large", f"A file may have {reading.MOST_BYTES // 1024**2} MB. Split it.", pointer="/size"
        )
    encoding = body.get("encoding")
    if encoding and encoding.lower() not in _ENCODINGS:
        raise Invalid("encoding_unsupported", f"Choose one of {', '.join(_ENCODINGS)}.", pointer="/encoding")
    made = uow.add(
        Import(
            id=new_id(),
            file_name=body["file_name"].strip(),
            size=body["size"],
            encoding=encoding and encoding.lower(),
            state="uploading",
            tables=[],
            rows_total=0,
            rows_done=0,
            counts={},
            position=0,
            kept_until=uow.now + KEPT_FOR,
            cleared_at=None,
            by_kind=uow.principal.kind,
            by_id=uow.principal.id,
            by_name=uow.principal.name,
            created_at=uow.now,
            updated_at=uow.now,
        )
    )
    uow.later("import_clear", made.id, at=made.kept_until, import_id=str(made.id))
    uow.audit("import.started", "import", made.id, after={"file_name": made.file_name, "size": made.size})
    return made


def add_part(uow: Uow, import_id: UUID, number: int, data: bytes) -> Import:
    """A piece of the file; sent again it replaces itself. Errors: `import_not_found`, `import_not_uploading`, `part_wrong`."""
    held = uow.get(Import, import_id, lock=True)
    _require(held, "uploading")
    length = min(PART, held.size - (number - 1) * PART)
    if length <= 0 or len(data) != length:
        raise BadRequest(
            "part_wrong", f"Part {number} has {max(length, 0)} bytes: parts have {PART}, the last one what is left."
        )
    part = delete(ImportPart).where(
        ImportPart.firm_id == uow.firm_id, ImportPart.import_id == held.id, ImportPart.number == number
    )
    uow.session.execute(part)
    sealed = fields(uow).seal_bytes(data, _place(held, f"part {number}"))
    uow.add(ImportPart(id=new_id(), import_id=held.id, number=number, sealed=sealed))
    return held


def read(uow: Uow, import_id: UUID) -> Import:
    """All parts are there: the worker reads them. Errors: `import_not_found`, `import_not_uploading`, `parts_missing`."""
    held = uow.get(Import, import_id, lock=True)
    _require(held, "uploading")
    many = uow.session.scalar(select(func.count()).select_from(ImportPart).where(ImportPart.import_id == held.id))
    if many != parts_of(held):
        raise Conflict("parts_missing", f"{many} of {parts_of(held)} parts are here. Send the others.")
    return _move(uow, held, "reading")


def check(uow: Uow, import_id: UUID, body: Mapping[str, Any]) -> Import:
    """Says what each column means and asks for a dry run. Errors: `import_not_found`, `import_not_read`, those of `rules.require_mapped`."""
    held = uow.get(Import, import_id, lock=True)
    _require(held, "read", "checked")
    firm = firm_of(uow, held)
    given = {table["table"]: table for table in body.get("tables", ())}
    if unknown := given.keys() - set(range(len(held.tables))):
        raise Invalid("mapping_invalid", f"There is no table {min(unknown)}.", pointer="/tables")
    tables = []
    for number, table in enumerate(held.tables):
        wish = given.get(number, {})
        kind = wish.get("kind", table["kind"])
        wanted = wish.get("fields")
        if wanted is None:
            wanted = table["fields"] if kind == table["kind"] else _suggested(kind, table["titles"], firm)
        if not wish.get("skip", False):
            rules.require_mapped(kind, table["titles"], wanted, _labels(firm), ignore=body.get("ignore_unknown", False))
        tables.append({**table, "kind": kind, "fields": wanted, "skip": wish.get("skip", False)})
    held.tables = tables
    held.rows_total = sum(table["rows"] for table in tables if not table["skip"])
    uow.session.execute(delete(ImportKey).where(ImportKey.firm_id == uow.firm_id, ImportKey.import_id == held.id))
    forget = "UPDATE import_rows SET outcome = NULL, problems = NULL WHERE firm_id = :firm AND import_id = :id AND outcome IS NOT NULL"
    uow.session.execute(text(forget), {"firm": uow.firm_id, "id": held.id})
    return _move(uow, held, "checking")


def run(uow: Uow, import_id: UUID) -> Import:
    """Brings in every row that the dry run found good. Errors: `import_not_found`, `import_not_checked`."""
    held = uow.get(Import, import_id, lock=True)
    _require(held, "checked")
    uow.audit("import.run", "import", held.id, after={"file_name": held.file_name, "rows": held.rows_total})
    return _move(uow, held, "running")


def undo(uow: Uow, import_id: UUID) -> Import:
    """Takes back what was brought in, also what a run has done so far. Errors: `import_not_found`, `import_not_done`."""
    held = uow.get(Import, import_id, lock=True)
    _require(held, "done", "running", code="import_not_done")
    uow.audit("import.undone", "import", held.id, after={"file_name": held.file_name})
    return _move(uow, held, "undoing")


def parts_of(held: Import) -> int:
    """How many parts the file has."""
    return -(-held.size // PART)


def _require(held: Import, *states: str, code: str | None = None) -> None:
    if held.cleared_at is not None:
        raise Conflict(
            "import_cleared", f"Its rows were kept until {held.kept_until:%Y-%m-%d}. Bring the file in anew."
        )
    if held.state not in states:
        raise Conflict(
            code or f"import_not_{states[0]}", f"The import is {held.state}; this needs it to be {' or '.join(states)}."
        )


def _move(uow: Uow, held: Import, state: str) -> Import:
    held.state, held.position, held.rows_done, held.counts, held.problem = state, 0, 0, {}, None
    held.updated_at, held.kept_until = uow.now, uow.now + KEPT_FOR
    uow.session.flush()
    uow.later("import_step", held.id, import_id=str(held.id))
    uow.later("import_clear", held.id, at=held.kept_until, import_id=str(held.id))
    return held


def _place(held: Import, what: str) -> str:
    return f"{held.firm_id}/{held.id}/{what}"


def clear(uow: Uow, import_id: str) -> None:
    """Its time is over: the file's contents go, what became of it stays. One that is at work is left until it isn't."""
    held = uow.get(Import, import_id, lock=True)
    if held.state in AT_WORK:
        held.kept_until = uow.now + timedelta(days=1)
        uow.later("import_clear", held.id, at=held.kept_until, import_id=import_id)
        return
    for table in (ImportPart, ImportRow, ImportKey):
        uow.session.execute(delete(table).where(table.firm_id == uow.firm_id, table.import_id == held.id))
    held.cleared_at = held.updated_at = uow.now
    uow.session.flush()
    uow.audit("import.cleared", "import", held.id, after={"file_name": held.file_name})


# --- the worker's part -----------------------------------------------------------------------------------------------

_VIEW = text("SELECT set_config('app.viewer', :viewer, true)")


def step(uow: Uow, import_id: str) -> None:
    """One transaction of whatever the import is doing; plans the next."""
    held = uow.get(Import, import_id, lock=True)
    # From here on for whom brought the file in: what they can't see isn't there, and what is done is theirs.
    uow.principal = Principal(held.by_kind, held.by_id, uow.firm_id, name=held.by_name, source="worker")  # type: ignore[arg-type]
    uow.session.execute(_VIEW, {"viewer": uow.principal.viewer})
    if held.state == "reading":
        _read(uow, held)
    elif held.state in CHUNKED:
        _chunk(uow, held)
    else:
        return
    held.updated_at = uow.now
    uow.session.flush()
    if held.state in CHUNKED:
        uow.later("import_step", held.id, import_id=import_id)


def _read(uow: Uow, held: Import) -> None:
    """The whole file in one transaction: either all its rows are here, or the reason why not."""
    try:
        with uow.attempt():
            _stage(uow, held, finding.firm_of(uow))
        held.state = "read"
    except Invalid as error:
        held.state, held.tables, held.rows_total, held.problem = "refused", [], 0, error.problem()
    uow.session.execute(delete(ImportPart).where(ImportPart.firm_id == uow.firm_id, ImportPart.import_id == held.id))


def _stage(uow: Uow, held: Import, firm: rules.Firm) -> None:
    tables: list[dict[str, Any]] = []
    batch: list[dict[str, Any]] = []
    place, name = 0, None
    for row in reading.rows(_parts(uow, held), held.encoding):
        if row.table != name:
            name = row.table
            titles = [_title(cell) for cell in row.cells]
            kind = mapping.kind_of(name or held.file_name.rsplit(".", 1)[0], titles, _labels(firm))
            tables.append({"name": name, "kind": kind, "titles": titles, "fields": _suggested(kind, titles, firm), "begin": place, "rows": 0,
                           "skip": False})  # fmt: skip
            continue
        place += 1
        tables[-1]["rows"] += 1
        if place > reading.MOST_ROWS:
            raise reading.refused("too_many_rows", f"A file may have {reading.MOST_ROWS} rows. Split it.")
        sealed = fields(uow).seal_bytes(orjson.dumps(row.cells), _place(held, str(place)))
        batch.append({"place": place, "table_no": len(tables) - 1, "row_no": row.number, "sealed": sealed})
        if len(batch) == CHUNK:
            bulk.stage(uow, held.id, batch)
            batch = []
    bulk.stage(uow, held.id, batch)
    if not place:
        raise reading.refused("empty_file", "The file has a header, but no rows.")
    held.tables = tables
    firm = firm_of(uow, held)
    held.tables = [{**t, "fields": _suggested(t["kind"], t["titles"], firm)} for t in tables]
    held.rows_total = place


def firm_of(uow: Uow, held: Import) -> rules.Firm:
    """What the firm's own words mean, with the fields that the file itself brings."""
    firm = finding.firm_of(uow)
    known, labels = dict(firm.fields), dict(firm.labels)
    for table in held.tables:
        if table["kind"] != "custom_fields" or table["skip"]:
            continue
        wanted = select(ImportRow).where(ImportRow.import_id == held.id, ImportRow.place > table["begin"])
        first = wanted.where(ImportRow.place <= table["begin"] + table["rows"]).order_by(ImportRow.place)
        for row in uow.session.scalars(first.limit(MOST_FIELDS)):
            said = rules.read("custom_fields", table["titles"], table["fields"], _cells(uow, held, row), firm)
            if not said.problems:
                field = rules.new_field(said.facts)
                known.setdefault(field.key, field)
                labels.setdefault(field.key, said.facts["label"])
    return replace(firm, fields=known, labels=labels)


def _cells(uow: Uow, held: Import, row: ImportRow) -> list[reading.Cell]:
    cells: list[reading.Cell] = orjson.loads(fields(uow).open_bytes(row.sealed, _place(held, str(row.place))))
    return cells


def _title(cell: reading.Cell) -> str:
    return cell[:200] if isinstance(cell, str) else ""


def _suggested(kind: str, titles: Sequence[str], firm: rules.Firm) -> list[str | None]:
    return [column.field for column in mapping.suggested(kind, titles, dict.fromkeys(firm.fields, ""))]


def _labels(firm: rules.Firm) -> dict[str, str]:
    return dict(firm.labels)


def _parts(uow: Uow, held: Import) -> Iterator[bytes]:
    for number in range(1, parts_of(held) + 1):
        wanted = select(ImportPart.sealed).where(ImportPart.import_id == held.id, ImportPart.number == number)
        sealed = uow.session.execute(wanted).scalar_one()
        yield fields(uow).open_bytes(sealed, _place(held, f"part {number}"))


def ordered(held: Import) -> list[tuple[int, dict[str, Any]]]:
    """The tables as they are brought in: what others refer to first."""
    tables = [(number, table) for number, table in enumerate(held.tables) if not table["skip"]]
    return sorted(tables, key=lambda pair: (KINDS.index(pair[1]["kind"]), pair[0]))


def _chunk(uow: Uow, held: Import) -> None:
    """The next rows of one table; at the end the state that comes after."""
    back = held.state == "undoing"
    left, tables = held.position, ordered(held)
    for _, table in reversed(tables) if back else tables:
        if left >= table["rows"]:
            left -= table["rows"]
            continue
        many = min(CHUNK, table["rows"] - left)
        first = table["begin"] + (table["rows"] - left - many if back else left)
        wanted = select(ImportRow).where(
            ImportRow.import_id == held.id, ImportRow.place > first, ImportRow.place <= first + many
        )
        rows = list(uow.session.scalars(wanted.order_by(ImportRow.place.desc() if back else ImportRow.place)))
        for row in rows:
            uow.session.expunge(row)  # they are written all at once
        counts = Counter(held.counts)
        reason = f"import {held.file_name}"
        if back:
            undoing.take_back(uow, UNDO[table["kind"]], rows, f"{reason} undone")
            counts.update(row.outcome for row in rows if row.outcome in ("undone", "kept"))
        else:
            _do(uow, held, table, rows, reason)
            counts.update(row.outcome for row in rows if row.outcome)
        bulk.keep_outcomes(uow, held.id, rows)
        held.counts, held.position, held.rows_done = dict(counts), held.position + many, held.rows_done + many
        return
    held.state = {"checking": "checked", "running": "done", "undoing": "undone"}[held.state]


def _do(uow: Uow, held: Import, table: Mapping[str, Any], rows: Sequence[ImportRow], reason: str) -> None:
    firm = firm_of(uow, held)
    dry = held.state == "checking"
    lines = {}
    for row in rows:
        if row.outcome == "bad" and not dry:
            continue  # found bad by the dry run, and so it stays
        said = rules.read(table["kind"], table["titles"], table["fields"], _cells(uow, held, row), firm)
        lines[row.place] = writing.Line(row.place, said)
    writing.do(writing.Work(uow, held.id, reason, firm, dry), WRITE[table["kind"]], list(lines.values()))
    for row in rows:
        if line := lines.get(row.place):
            row.outcome, row.problems = line.outcome, [problem.shown() for problem in line.said.problems] or None
            if not dry:
                row.subject_id, row.before, row.subject_version = line.subject_id, line.before, line.version
                if row.outcome == "same":
                    row.subject_id = None
