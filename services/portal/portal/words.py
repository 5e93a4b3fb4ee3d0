"""Dates, money and sizes as people read them. Pure."""

from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency


def locale_of(language: str) -> str:
    """The locale dates and money are written in. The portal's words are English, so its dates are too: "en-US" keeps its order."""
    return (
        language.replace("-", "_")
        if language.startswith("en") and Locale.parse(language, sep="-", resolve_likely_subtags=True)
        else "en_GB"
    )


def full_date(day: date | None, locale: str) -> str:
    """ "Friday 4 December 2026"; empty for none."""
    return format_date(day, "full", locale=locale) if day else ""


def short_date(day: date | None, locale: str) -> str:
    """ "4 Dec 2026"; empty for none."""
    return format_date(day, "medium", locale=locale) if day else ""


def due_in_words(day: date, today: date, locale: str) -> str:
    """ "Fri 4 Dec · in 10 days": short, relative, and saying so when it is late."""
    days = (day - today).days
    shown = format_skeleton("MMMEd" if day.year == today.year else "yMMMEd", day, locale=locale)
    if days == 0:
        return f"{shown} · today"
    if days in (1, -1):
        return f"{shown} · {'tomorrow' if days == 1 else 'since yesterday'}"
    if abs(days) > 60:
        return str(shown)
    return f"{shown} · in {days} days" if days > 0 else f"{shown} · {-days} days late"


def money(amount: Decimal | str, currency: str, locale: str) -> str:
    """ "£1,234.50", exactly as many decimals as the amount's currency has."""
    return format_currency(Decimal(amount), currency, locale=locale)


def amount(value: Decimal | str, currency: str, locale: str) -> str:
    """ "1,234.50": money in a column that names its currency at the top."""
    return format_currency(Decimal(value), currency, format="#,##0.00", locale=locale)


def day(text: str) -> date | None:
    """A date as events and contracts write it; None for none."""
    return date.fromisoformat(text) if text else None


def size(count: int) -> str:
    """ "48 KB" """
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= factor:
            return (
                f"{count / factor:.1f} {unit}"
                if count < 10 * factor and unit != "KB"
                else f"{count / factor:.0f} {unit}"
            )
    return f"{count} bytes"


def plural(count: int, one: str, many: str) -> str:
    """ "1 question", "3 questions" """
    return f"{count} {one if count == 1 else many}"


# A job's status as a client needs to know it: our delays and risks are ours to talk about, in person.
_PROGRESS = {
    "done": ("Finished", "done"),
    "waiting_for_client": ("Waiting for you", "waiting"),
}


def job_status(status: str) -> tuple[str, str]:
    """A job's status in plain words, with the colour's name."""
    return _PROGRESS.get(status, ("We are working on it", "working"))


# Invoices from the client's side.
_INVOICE = {
    "open": ("To pay", "waiting"),
    "part_paid": ("Part paid", "waiting"),
    "overdue": ("Overdue", "late"),
    "paid": ("Paid", "done"),
    "credited": ("Credited", "quiet"),
    "written_off": ("Closed", "quiet"),
    "issued": ("Credit note", "quiet"),
    "void": ("Void", "quiet"),
}


def invoice_status(status: str) -> tuple[str, str]:
    return _INVOICE.get(status, (status.replace("_", " ").capitalize(), "quiet"))
