"""Clearing away what is past its keeping, some at a time, once a week for each firm."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from chassis.uow import Uow
from praxis.identity.v1.events_pb2 import FirmUpdated
from workflow.automations.rules import KEPT, TRIGGERS
from workflow.copies.usecases import day_begins, today_of

EVERY = timedelta(days=7)
CHUNK = 2000

# A happening and what automations made of it go together.
_HAPPENINGS = text("""
WITH old AS (
    SELECT h.id FROM happenings h WHERE h.firm_id = :firm AND h.kind = ANY(:kinds) AND h.at < :before
      AND NOT EXISTS (SELECT 1 FROM automation_runs r WHERE r.firm_id = :firm AND r.happening_id = h.id AND r.at >= :before)
    ORDER BY h.kind, h.at LIMIT :chunk),
logged AS (DELETE FROM automation_runs r USING old WHERE r.firm_id = :firm AND r.happening_id = old.id)
DELETE FROM happenings h USING old WHERE h.firm_id = :firm AND h.id = old.id""")

_RUNS = text("""
WITH old AS (
    SELECT id FROM runs WHERE firm_id = :firm AND created_at < :before AND finished_at < :before ORDER BY created_at LIMIT :chunk),
items AS (DELETE FROM run_items i USING old WHERE i.firm_id = :firm AND i.run_id = old.id)
DELETE FROM runs r USING old WHERE r.firm_id = :firm AND r.id = old.id""")


def begin(uow: Uow, _event: FirmUpdated) -> None:
    """A firm that is known is kept house for."""
    _plan(uow, today_of(uow))


def clear(uow: Uow, day: str, at_once: int = CHUNK) -> None:
    """Clears what is older than its keeping; goes on at once while there is more, else in a week."""
    # As with the calendar: a clock that runs a little behind the plan's does not look at one day for ever.
    today = max(today_of(uow), date.fromisoformat(day))
    values: dict[str, Any] = {"firm": uow.firm_id, "before": uow.now - KEPT, "kinds": sorted(TRIGGERS)}
    few = max(at_once // 100, 1)  # a run has up to a thousand items
    happenings: Any = uow.session.execute(_HAPPENINGS, values | {"chunk": at_once})
    runs: Any = uow.session.execute(_RUNS, values | {"chunk": few})
    if happenings.rowcount == at_once or runs.rowcount == few:
        uow.later("clear", uow.firm_id, day=day)
    else:
        _plan(uow, today)


def _plan(uow: Uow, today: date) -> None:
    day = today + EVERY
    uow.later("clear", uow.firm_id, at=day_begins(uow, day), day=day.isoformat())
