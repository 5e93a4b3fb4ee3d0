"""Tasks and requests as the forecast sees them."""

from collections.abc import Mapping
from datetime import date

from workflow.forecast.rules import Step
from workflow.requests import rules as request_rules
from workflow.tasks import rules as task_rules


def forecast_step(
    kind: str,
    title: str,
    status: str,
    completed_on: date | None,
    *,
    minutes: int = 0,
    due_on: date | None = None,
    reminders: Mapping[str, int] | None = None,
) -> Step:
    """The step of a forecast that a task or request is."""
    done = task_rules.CLOSED if kind == "task" else request_rules.COMPLETE
    return Step(
        kind,
        title,
        complete=status in done,
        completed_on=completed_on,
        minutes=minutes,
        due_on=due_on,
        interval_days=(reminders or {}).get("every_days", 4),
        with_client=status in request_rules.WITH_CLIENT,
        draft=status == "draft",
    )
