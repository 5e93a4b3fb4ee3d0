"""Numbers of documents: a pattern per firm and document type, and the series a number is counted in. Pure."""

import re
from datetime import date

from chassis.errors import Invalid

DEFAULTS = {"invoice": "INV-{number:06}", "credit_note": "CN-{number:06}"}
_PART = re.compile(r"\{(year|yy|month|number)(?::0([1-9]|1[0-2]))?\}")
_PLAIN = re.compile(r"[A-Za-z0-9 ./_-]*")
_SEPARATORS = "-./_ "


def check_pattern(pattern: str) -> None:
    """Errors (422): `number_pattern_invalid`, saying what it lacks.

    A pattern is text with `{number}` once (`{number:05}` fills up with zeros) and perhaps `{year}`, `{yy}`, `{month}`.
    """
    names = [m.group(1) for m in _PART.finditer(pattern)]
    plain = _PART.sub("", pattern)
    if names.count("number") != 1:
        raise _invalid("A pattern has {number} exactly once, e.g. INV-{year}-{number:05}.")
    if not _PLAIN.fullmatch(plain):
        raise _invalid("Beside {number}, {year}, {yy} and {month} a pattern has letters, digits and . / _ - only.")
    if "month" in names and not {"year", "yy"} & set(names):
        raise _invalid("Numbers that begin again each month need the year, or they repeat.")
    if any(m.group(2) and m.group(1) != "number" for m in _PART.finditer(pattern)):
        raise _invalid("Only {number} is filled up with zeros.")


def _invalid(message: str) -> Invalid:
    return Invalid("number_pattern_invalid", message, pointer="/pattern")


def number(pattern: str, sequence: int, day: date) -> str:
    """INV-2026-00042 for INV-{year}-{number:05}, 42 and a day of 2026."""
    return _PART.sub(lambda m: f"{sequence:0{m.group(2) or 1}d}" if m.group(1) == "number" else _dated(m, day), pattern)


def series(pattern: str, day: date) -> str:
    """What numbers are counted within: the pattern without its number. A year in it begins a series each year.

    The zeros that fill a number up, and what stands between, are no part of it: a changed width goes on counting.
    """
    return _PART.sub(lambda m: "" if m.group(1) == "number" else _dated(m, day), pattern).strip(_SEPARATORS)


def _dated(match: re.Match[str], day: date) -> str:
    return {"year": f"{day.year:04d}", "yy": f"{day.year % 100:02d}", "month": f"{day.month:02d}"}[match.group(1)]
