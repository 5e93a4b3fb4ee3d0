"""The forecast of one job, for today."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.uow import Uow
from workflow.copies.usecases import calendar_of
from workflow.dependencies.rules import Edge
from workflow.forecast.making import forecast_step
from workflow.forecast.rules import Leg, forecast

_STEPS = """
SELECT id, 'task' AS kind, title, status, completed_on, budget_minutes AS minutes, due_on, NULL::jsonb AS reminders
FROM tasks WHERE firm_id = :firm AND job_id = :job
UNION ALL
SELECT id, 'request', title, status, completed_on, 0, due_on, reminders FROM requests WHERE firm_id = :firm AND job_id = :job
"""

_EDGES = (
    "SELECT before_id AS before, after_id AS after, lag_days FROM dependencies WHERE firm_id = :firm AND job_id = :job"
)


def forecast_of(uow: Uow, job: dict[str, Any], today: date) -> dict[str, Any] | None:
    """When the job is done at the planned pace, how late that is, because of what; None once nothing is open."""
    if job["closed_at"] or job["cancelled_at"]:
        return None
    ids = {"firm": uow.firm_id, "job": job["id"]}
    steps = {
        row["id"]: forecast_step(
            row["kind"],
            row["title"],
            row["status"],
            row["completed_on"],
            minutes=row["minutes"],
            due_on=row["due_on"],
            reminders=row["reminders"],
        )
        for row in uow.rows(_STEPS, ids)
    }
    edges = [Edge(**row) for row in uow.rows(_EDGES, ids)]
    deadline = job["deadline_on"]
    found = forecast(steps, edges, today, calendar_of(uow), deadline)
    if found is None:
        return None
    return {
        "finish_on": found.finish_on,
        "late_days": found.late_days,
        "says": found.says(deadline),
        "path": [_leg(leg) for leg in found.path],
    }


def _leg(leg: Leg[UUID]) -> dict[str, Any]:
    return {
        "kind": leg.step.kind,
        "id": leg.key,
        "title": leg.step.title,
        "starts_on": leg.starts.day,
        "finishes_on": leg.finishes.day,
        "waits_until": leg.lag_until,
    }
