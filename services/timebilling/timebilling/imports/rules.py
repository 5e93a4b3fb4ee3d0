"""Time from other programs: the CSV exports of Toggl Track, Harvest and Kimai. Pure.

What their columns are called is theirs (detailed reports, in English); the rest is ours: a row becomes a `Row` or says, by column, why not.
A row is known again by the program's own id, or by what it says; two rows of one file that say the same are two.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from chassis.errors import Invalid
from timebilling.time_entries.natural import duration
from timebilling.time_entries.rules import DAY

MOST_ROWS = 5000
# program → what we want → the column names it may have there, in small letters
COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "toggl": {
        "person": ("user", "member"),
        "email": ("email",),
        "client": ("client",),
        "project": ("project",),
        "activity": ("task",),
        "notes": ("description",),
        "billable": ("billable",),
        "day": ("start date",),
        "start": ("start time",),
        "length": ("duration",),
    },
    "harvest": {
        "first": ("first name",),
        "last": ("last name",),
        "client": ("client",),
        "project": ("project",),
        "activity": ("task",),
        "notes": ("notes",),
        "billable": ("billable?", "billable"),
        "day": ("date",),
        "length": ("hours",),
    },
    "kimai": {
        "id": ("id",),
        "person": ("user", "name", "username", "account"),
        "client": ("customer",),
        "project": ("project",),
        "activity": ("activity",),
        "notes": ("description",),
        "billable": ("billable",),
        "day": ("date",),
        "start": ("from", "begin", "start"),
        "length": ("duration",),
    },
}
NEEDED = {
    "toggl": ("project", "day", "length"),
    "harvest": ("project", "day", "length"),
    "kimai": ("project", "day", "length"),
}
_YES, _NO = frozenset({"yes", "y", "true", "1"}), frozenset({"no", "n", "false", "0"})
_DATE = re.compile(r"^(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})$")


@dataclass(frozen=True, slots=True)
class Row:
    """Work as another program had it. `key` tells it from all others of that program."""

    line: int
    key: str
    person: str
    client: str
    project: str
    activity: str
    notes: str
    billable: bool | None
    day: date
    seconds: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a row is not taken: its line in the file (the heading is 1), the column, a stable code."""

    line: int
    column: str
    code: str
    message: str


def read(source: str, text: str, date_order: str | None = None) -> tuple[list[Row], list[Wrong]]:
    """The rows of an export. `date_order` (dmy, mdy) is for dates like 03/04/2026; years first need none.

    Errors (422): `import_empty`, `import_too_large`, `columns_missing`, `csv_unreadable`.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise Invalid("import_empty", "There is nothing in this file.", pointer="/csv")
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True)
    order = date_order or ("mdy" if source == "harvest" else "dmy")
    rows: list[Row] = []
    wrong: list[Wrong] = []
    seen: Counter[str] = Counter()
    try:
        places = _places(source, next(reader))
        for cells in reader:
            if not any(c.strip() for c in cells):
                continue
            if len(rows) + len(wrong) == MOST_ROWS:
                raise Invalid(
                    "import_too_large", f"Import up to {MOST_ROWS} rows at once: split the file.", pointer="/csv"
                )
            values = {name: cells[at].strip() if at < len(cells) else "" for name, at in places.items()}
            found = _row(source, reader.line_num, values, order, seen)
            rows.append(found) if isinstance(found, Row) else wrong.append(found)
    except csv.Error as error:
        raise Invalid("csv_unreadable", f"Line {reader.line_num} is no CSV: {error}", pointer="/csv") from None
    if not rows and not wrong:
        raise Invalid("import_empty", "There is nothing below the headings.", pointer="/csv")
    return rows, wrong


def _delimiter(text: str) -> str:
    heading = text.split("\n", 1)[0]
    return max(",;\t", key=heading.count)


def _places(source: str, heading: list[str]) -> dict[str, int]:
    there = [h.strip().casefold() for h in heading]
    places = {}
    for name, aliases in COLUMNS[source].items():
        at = next((there.index(a) for a in aliases if a in there), None)
        if at is not None:
            places[name] = at
    missing = [COLUMNS[source][n][0] for n in NEEDED[source] if n not in places]
    if missing:
        raise Invalid(
            "columns_missing",
            f"This is not an export of {source.capitalize()}: it has no column {', '.join(missing)}.",
            pointer="/csv",
            missing=missing,
        )
    return places


def _row(source: str, line: int, values: Mapping[str, str], order: str, seen: Counter[str]) -> Row | Wrong:
    day = day_in(values["day"], order)
    if day is None:
        return Wrong(line, "day", "day_invalid", f"{values['day']!r} is not a date.")
    seconds = length_in(values["length"])
    if seconds is None:
        return Wrong(line, "length", "duration_invalid", f"{values['length']!r} is not a length of time.")
    if not 1 <= seconds <= DAY:
        return Wrong(line, "length", "seconds_out_of_range", "Time is between one second and 24 hours per entry.")
    if not values["project"]:
        return Wrong(line, "project", "project_missing", "This was worked on no project.")
    billable = values.get("billable", "").casefold()
    if billable and billable not in _YES | _NO:
        return Wrong(line, "billable", "billable_invalid", f"{values['billable']!r} is neither yes nor no.")
    person = (
        values.get("person") or f"{values.get('first', '')} {values.get('last', '')}".strip() or values.get("email", "")
    )
    own = (
        person,
        *(values.get(n, "") for n in ("client", "project", "activity", "notes", "start")),
        str(day),
        str(seconds),
    )
    if values.get("id"):
        key = f"id:{values['id']}"
    else:
        said = hashlib.sha256("\0".join(own).encode()).hexdigest()
        seen[said] += 1
        key = f"{said}:{seen[said]}"
    return Row(
        line=line,
        key=key,
        person=person,
        client=values.get("client", ""),
        project=values["project"],
        activity=values.get("activity", ""),
        notes=values.get("notes", "")[:2000],
        billable=None if not billable else billable in _YES,
        day=day,
        seconds=seconds,
    )


def day_in(text: str, order: str) -> date | None:
    """A date, alone or before a time; None if it is none. Years first, or days first with dots, mean themselves; else `order`."""
    found = _DATE.match(text.split("T")[0].split(" ")[0])
    if not found:
        return None
    a, b, c = (int(g) for g in found.groups())
    if len(found[1]) == 4:
        year, month, day = a, b, c
    else:
        day, month = (a, b) if order == "dmy" or "." in text else (b, a)
        year = c + 2000 if len(found[3]) == 2 else c
    try:
        return date(year, month, day)
    except ValueError:
        return None


def length_in(text: str) -> int | None:
    """Seconds of `1:30`, `01:30:00`, `2h27m`, or hours as `1.5` or `1,5`; None if it is none."""
    found = duration(text.replace(" ", ""))
    if found is not None:
        return found
    if not re.fullmatch(r"\d{1,3}([.,]\d{1,6})?", text):
        return None
    return int((Decimal(text.replace(",", ".")) * 3600).quantize(Decimal(1), rounding=ROUND_HALF_UP))
