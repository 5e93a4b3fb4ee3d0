"""Dates of request bodies, and the API's errors about dates."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from chassis.errors import Invalid
from workflow.dates.rules import EARLIEST, LATEST, DateOutOfRange


def period_of(body: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """Both days of the period, or neither. Errors: `period_invalid`, `date_out_of_range`."""
    start, end = date_of(body, "period_start"), date_of(body, "period_end")
    if (start is None) != (end is None):
        raise Invalid(
            "period_invalid",
            "A period has a first and a last day.",
            pointer="/period_start" if start is None else "/period_end",
        )
    if start and end and end < start:
        raise Invalid("period_invalid", "The period ends before it starts.", pointer="/period_end")
    return start, end


def range_of(first: date | str, last: date | str, longest: int) -> tuple[date, date]:
    """The first and last day of a range of at most `longest` days. Errors: `range_invalid`, `date_out_of_range`."""
    days = {"first_day": str(first), "last_day": str(last)}
    begins, ends = required_date(days, "first_day"), required_date(days, "last_day")
    if ends < begins:
        raise Invalid("range_invalid", "The last day comes before the first.", pointer="/last_day")
    if (ends - begins).days >= longest:
        raise Invalid("range_invalid", f"At most {longest} days at a time.", pointer="/last_day")
    return begins, ends


def required_date(body: Mapping[str, Any], name: str) -> date:
    """A date that the specification requires. Errors: `date_out_of_range`."""
    day = date_of(body, name)
    assert day is not None
    return day


def date_of(body: Mapping[str, Any], name: str) -> date | None:
    """An optional date of a body. Errors: `date_out_of_range`."""
    if body.get(name) is None:
        return None
    day = date.fromisoformat(body[name])
    if not EARLIEST <= day <= LATEST:
        raise Invalid("date_out_of_range", "Dates lie between 1900 and 2200.", pointer=f"/{name}")
    return day


@contextmanager
def dates_checked() -> Iterator[None]:
    """Turns a date outside 1900 … 2200 into the API's error."""
    try:
        yield
    except DateOutOfRange as error:
        raise Invalid("date_out_of_range", "Dates lie between 1900 and 2200.") from error
