"""What was meant by "1.5 smith vat review": how long, which day, and which jobs it may be. Pure.

Lengths: `1.5` `1,5` `1.5h` `1h30` `1h 30m` `90m` `72min` `1:12` `01:12:00` (Clio's and Kimai's ways of writing them, too). A bare number is
taken where it stands first or last: hours up to 24, minutes above. Days: `today`, `yesterday`, a weekday (the last one), `2026-11-20`.
`nb` or `non-billable` says so. All other words look for a client, a job or an activity; those that find none are the narrative.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from timebilling.time_entries.rules import DAY

_CLOCK = re.compile(r"^(\d{1,3}):(\d{1,3})(?::(\d{1,3}))?$")
_UNITS = re.compile(
    r"^(?:(\d{1,4}(?:[.,]\d{1,6})?)h(?:ours?|rs?)?)?(?:(\d{1,4}(?:[.,]\d{1,6})?)(?:m(?:in(?:ute)?s?)?)?)?(?:(\d{1,6})s(?:ec(?:ond)?s?)?)?$",
    re.IGNORECASE,
)
_BARE = re.compile(r"^\d{1,4}(?:[.,]\d{1,4})?$")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NOT_BILLABLE = frozenset({"nb", "nonbillable", "non-billable", "unbillable"})


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text says. `seconds` None: it names no length; `billable` None: as the activity says."""

    seconds: int | None
    day: date
    billable: bool | None
    words: tuple[str, ...]


def parse(text: str, today: date) -> Parsed:
    """Takes a text apart. Nothing is an error: what is no length, day or mark is a word."""
    tokens = text.split()
    seconds, tokens = _length(tokens)
    day, billable, words = today, None, []
    named = False
    for token in tokens:
        found = None if named else day_of(token, today)
        if found is not None:
            day, named = found, True
        elif token.casefold() in _NOT_BILLABLE:
            billable = False
        else:
            words.append(token)
    return Parsed(seconds, day, billable, tuple(words))


def _length(tokens: Sequence[str]) -> tuple[int | None, list[str]]:
    """The seconds that are named, and the other tokens."""
    total, rest = 0, []
    for token in tokens:
        length = duration(token)
        if length is None:
            rest.append(token)
        else:
            total += length
    if total:
        return (total, rest) if total <= DAY else (None, list(tokens))
    for place in (0, -1):
        if rest and _BARE.match(rest[place]):
            number = Decimal(rest[place].replace(",", "."))
            seconds = _whole(number * (3600 if number <= 24 else 60))
            if 1 <= seconds <= DAY:
                return seconds, rest[1:] if place == 0 else rest[:-1]
    return None, rest


def duration(token: str) -> int | None:
    """The seconds of a length that says its unit or has a colon; None for any other text. Fields may overflow: 3:143:13 is 5:23:13."""
    clock = _CLOCK.match(token)
    if clock:
        hours, minutes, seconds = (int(g or 0) for g in clock.groups())
        return hours * 3600 + minutes * 60 + seconds
    units = _UNITS.match(token)
    if not units or not any(c.isalpha() for c in token):
        return None
    h, m, s = (Decimal(g.replace(",", ".")) if g else Decimal(0) for g in units.groups())
    return _whole(h * 3600 + m * 60 + s)


def _whole(seconds: Decimal) -> int:
    return int(seconds.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def day_of(token: str, today: date) -> date | None:
    """The day a word names, today or before (a date may be any day); None for any other word."""
    word = token.casefold().rstrip(".,")
    if word == "today":
        return today
    if word == "yesterday":
        return today - timedelta(days=1)
    for number, name in enumerate(_WEEKDAYS):
        if word == name or (len(word) >= 3 and word == name[: len(word)]):
            return today - timedelta(days=(today.weekday() - number) % 7)
    try:
        return date.fromisoformat(token) if len(token) == 10 else None
    except ValueError:
        return None


def matches(word: str, name: str) -> bool:
    """Whether a word begins one of the words of a name, in any case."""
    return any(part.startswith(word.casefold()) for part in re.split(r"[\s\-/,.&()]+", name.casefold()) if part)


def rank(words: Sequence[str], jobs: Iterable[dict[str, Any]], recent: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Jobs that words may mean, best first, each with its `score` (0 to 1: the share of words it explains) and the `narrative` left.

    A word that begins the client's name counts as one that begins the job's title does; of equals, what was worked on last comes first.
    """
    ranked = []
    for job in jobs:
        hits = [matches(w, job["client_name"]) or matches(w, job["job_title"]) for w in words]
        both = any(matches(w, job["client_name"]) for w in words) and any(matches(w, job["job_title"]) for w in words)
        if words and not any(hits):
            continue
        narrative = " ".join(w for w, hit in zip(words, hits, strict=True) if not hit)
        place = recent.index(job["job_id"]) if job["job_id"] in recent else len(recent)
        score = round(sum(hits) / len(words), 2) if words else 0.0
        order = (-sum(hits), not both, place, job["client_name"], job["job_title"], str(job["job_id"]))
        ranked.append((order, {**job, "score": score, "narrative": narrative}))
    return [job for _, job in sorted(ranked, key=lambda r: r[0])]


def activity_of(words: Sequence[str], activities: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The activity that most of the words begin; None if none does (words of two letters say nothing)."""
    best, most = None, 0
    for activity in activities:
        hits = sum(matches(w, activity["name"]) for w in words if len(w) >= 3)
        if hits > most:
            best, most = activity, hits
    return best
