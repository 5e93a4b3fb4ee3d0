"""Finding what a typed line may mean, over the copies of jobs and clients and one's own recent work."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.uow import Uow
from timebilling.copies.usecases import today
from timebilling.time_entries import natural

SHOWN, LOOKED_AT = 10, 60

_JOBS = text(
    """SELECT j.id AS job_id, j.title AS job_title, c.id AS client_id, c.name AS client_name
    FROM job_copy j JOIN client_copy c ON c.firm_id = j.firm_id AND c.id = j.client_id
    WHERE j.firm_id = :firm AND j.id = ANY(:ids)"""
)
# Ids only, of whatever the firm has; the question above shows those that may be seen.
_FOUND = text("SELECT search_jobs(CAST(:words AS text[]), :most)")
_RECENT = text(
    """SELECT job_id FROM (SELECT job_id, day, id FROM time_entries WHERE firm_id = :firm AND staff_id = :staff
       ORDER BY day DESC, id DESC LIMIT 100) last GROUP BY job_id ORDER BY max(day) DESC, job_id LIMIT :most"""
)
_ACTIVITIES = text(
    "SELECT id, name, billable FROM activities WHERE firm_id = :firm AND active ORDER BY name, id LIMIT 500"
)


def quick_entry(uow: Uow, typed: str) -> dict[str, Any]:
    """What a line says, and the jobs it may mean, best first. Changes nothing."""
    parsed = natural.parse(typed, today(uow))
    recent = _ids(uow, _RECENT, staff=uow.principal.uuid, most=SHOWN) if uow.principal.kind == "staff" else []
    found = (
        recent
        if not parsed.words
        else _ids(uow, _FOUND, words=[_like(w) for w in _telling(parsed.words)], most=LOOKED_AT)
    )
    wanted = {"firm": uow.firm_id, "ids": found}
    jobs = [dict(r) for r in uow.session.execute(_JOBS, wanted).mappings()] if found else []
    activities = [dict(r) for r in uow.session.execute(_ACTIVITIES, {"firm": uow.firm_id}).mappings()]
    activity = natural.activity_of(parsed.words, activities)
    billable = parsed.billable if parsed.billable is not None else activity["billable"] if activity else True
    return {
        "seconds": parsed.seconds,
        "day": parsed.day,
        "billable": billable,
        "activity_id": activity["id"] if activity else None,
        "activity_name": activity["name"] if activity else None,
        "candidates": natural.rank(parsed.words, jobs, recent)[:SHOWN],
    }


def _ids(uow: Uow, question: Any, **values: Any) -> list[UUID]:
    return list(uow.session.scalars(question, {"firm": uow.firm_id, **values}))


def _telling(words: tuple[str, ...]) -> list[str]:
    """Words worth a search: an index of three-letter groups finds nothing by less, unless there is nothing else."""
    return [w for w in words if len(w) >= 3][:10] or list(words[:10])


def _like(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
