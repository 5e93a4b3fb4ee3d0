"""Setting number patterns, and taking the next number."""

from datetime import date
from typing import Any

from sqlalchemy import select, text

from chassis.errors import Conflict, Invalid
from chassis.uow import Uow, lost_update
from timebilling.copies.usecases import today
from timebilling.numbering import rules
from timebilling.numbering.tables import NumberPattern, NumberSeries


def views(uow: Uow) -> list[dict[str, Any]]:
    """How each type of document is numbered, and what a document issued today would get."""
    own = _patterns(uow)
    day = today(uow)
    series = {t: rules.series(p.pattern if p else rules.DEFAULTS[t], day) for t, p in own.items()}
    rows = uow.session.scalars(select(NumberSeries).where(NumberSeries.series.in_(list(series.values()))))
    following = {r.series: r.next_number for r in rows}
    found = []
    for type, stored in own.items():
        pattern = stored.pattern if stored else rules.DEFAULTS[type]
        upcoming = rules.number(pattern, following.get(series[type], 1), day)
        found.append(
            {"document_type": type, "pattern": pattern, "next": upcoming, "version": stored.version if stored else 0}
        )
    return found


def set_pattern(uow: Uow, type: str, pattern: str, start_at: int | None, if_match: int | None) -> dict[str, Any]:
    """Numbers from now on by another pattern; `start_at` goes on from another system's numbers, in a series not begun yet.

    Errors: `number_pattern_invalid`, `number_series_shared` (422), `number_series_begun` (409), `version_conflict` (412).
    """
    rules.check_pattern(pattern)
    own = _patterns(uow)
    day = today(uow)
    series = rules.series(pattern, day)
    for other, stored in own.items():
        if other != type and rules.series(stored.pattern if stored else rules.DEFAULTS[other], day) == series:
            message = f"Each type of document counts by itself, and {other.replace('_', ' ')}s count so already."
            raise Invalid("number_series_shared", message, pointer="/pattern")
    row = own[type]
    if if_match is not None and if_match != (row.version if row else 0):
        raise lost_update(row.version if row else 0)
    before = row.pattern if row else rules.DEFAULTS[type]
    if row is None:
        row = NumberPattern(document_type=type, pattern=pattern)
        uow.session.add(row)
    row.pattern = pattern
    if start_at is not None:
        _begin(uow, series, start_at)
    uow.session.flush()
    uow.audit(
        "numbering.changed",
        "numbering",
        row.id,
        before={"pattern": before},
        after={"pattern": pattern, "start_at": start_at},
    )
    return next(v for v in views(uow) if v["document_type"] == type)


def _begin(uow: Uow, series: str, start_at: int) -> None:
    if uow.session.scalars(select(NumberSeries).where(NumberSeries.series == series)).first():
        raise Conflict(
            "number_series_begun", f"{series} has numbers already; it goes on from them.", pointer="/start_at"
        )
    uow.add(NumberSeries(series=series, first_number=start_at, next_number=start_at))


def take(uow: Uow, type: str, day: date) -> tuple[str, int, str]:
    """(series, sequence, number) for a document issued on a day.

    The series' row stays locked to the end of the transaction: a rollback gives the number back, so there is no gap. Everyone who
    issues waits for it: take it last.
    """
    own = uow.session.scalars(select(NumberPattern.pattern).where(NumberPattern.document_type == type)).first()
    pattern = own or rules.DEFAULTS[type]
    series = rules.series(pattern, day)
    sequence = int(
        uow.session.execute(
            text(
                "INSERT INTO number_series AS s (firm_id, id, series, first_number, next_number) VALUES (:firm, uuidv7(), :series, 1, 2) "
                "ON CONFLICT (firm_id, series) DO UPDATE SET next_number = s.next_number + 1 RETURNING next_number - 1"
            ),
            {"firm": uow.firm_id, "series": series},
        ).scalar_one()
    )
    return series, sequence, rules.number(pattern, sequence, day)


def _patterns(uow: Uow) -> dict[str, NumberPattern | None]:
    stored = {p.document_type: p for p in uow.session.scalars(select(NumberPattern))}
    return {t: stored.get(t) for t in rules.DEFAULTS}
