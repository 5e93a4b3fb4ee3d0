"""A new job with everything in it, from the plan of a template or empty: rows in memory, not yet written."""

import unicodedata
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.db import new_id
from chassis.errors import Conflict
from workflow.jobs.aggregate import NewDependency, Step, WholeJob, kind_of
from workflow.jobs.rules import rank
from workflow.jobs.tables import Dependency, Job
from workflow.requests.making import new_request
from workflow.requests.tables import Request
from workflow.tasks.making import new_task
from workflow.tasks.tables import Task
from workflow.templates import rules as template_rules
from workflow.templates.usecases import Application


def made_from(application: Application, now: datetime, stage_id: UUID, repeat_no: int = 0) -> WholeJob:
    """The job that the application's plan describes."""
    order, plan, template = application.order, application.plan, application.template
    job = new_job(
        now,
        client_id=application.client.id,
        client_name=application.client.name,
        engagement_id=application.engagement.id if application.engagement else None,
        title=plan.title,
        service=template.service,
        period=(order.period_start, order.period_end),
        starts_on=order.starts_on,
        owner_id=plan.owner.staff_id if plan.owner else None,
        stage_id=stage_id,
        statutory_due=plan.statutory_due,
        internal_due=plan.internal_due,
        people={role: str(person.staff_id) for role, person in plan.people.items()},
        template_id=template.id,
        template_version=order.number,
        repeat_no=repeat_no,
    )
    whole = WholeJob(job)
    whole.tasks = [planned_task(job, i, planned) for i, planned in enumerate(plan.tasks, 1)]
    whole.requests = [planned_request(job, i, planned, now) for i, planned in enumerate(plan.requests, 1)]
    steps = {step.key: step for step in whole.steps}
    whole.dependencies = [
        NewDependency(new_id(), job.id, *end(steps[edge.before]), *end(steps[edge.after]), edge.lag_days)
        for edge in order.content.edges
    ]
    return whole


def already_made(existing: Job) -> Conflict:
    return Conflict(
        "period_already_made",
        f"The client has this job for the period already: “{existing.title}”. Say `again` to make another one.",
        job_id=str(existing.id),
    )


def planned_task(job: Job, position: int, planned: template_rules.Planned) -> Task:
    step = planned.step
    assert isinstance(step, template_rules.TaskStep)
    return new_task(
        job,
        position,
        key=step.key,
        title=step.title,
        description=step.description,
        role=step.role,
        owner_id=planned.person.staff_id if planned.person else None,
        budget_minutes=step.budget_minutes,
        checklist=list(step.checklist),
        due_rule=step.due.as_json() if step.due else None,
        due_on=planned.due_on,
        pushed_from=planned.pushed_from,
    )


def planned_request(job: Job, position: int, planned: template_rules.Planned, now: datetime) -> Request:
    step = planned.step
    assert isinstance(step, template_rules.RequestStep)
    return new_request(
        job,
        position,
        now,
        key=step.key,
        title=step.title,
        message=step.message,
        # Settling sends it as soon as nothing that it waits for is open: at once, if there is nothing.
        status="draft" if step.send == "by_hand" else "scheduled",
        send=step.send,
        reminders=step.reminders,
        items=list(step.items),
        due_rule=step.due.as_json() if step.due else None,
        due_on=planned.due_on,
        pushed_from=planned.pushed_from,
    )


def end(step: Step) -> tuple[str, UUID]:
    """Kind and id of a step, as a dependency names it."""
    return kind_of(step), step.id


def new_dependency(job_id: UUID, before: Step, after: Step, lag_days: int) -> Dependency:
    return Dependency(
        id=new_id(),
        job_id=job_id,
        before_kind=kind_of(before),
        before_id=before.id,
        after_kind=kind_of(after),
        after_id=after.id,
        lag_days=lag_days,
    )


def new_job(
    now: datetime,
    *,
    client_id: UUID,
    client_name: str,
    title: str,
    period: tuple[date | None, date | None],
    **values: Any,
) -> Job:
    return Job(
        id=new_id(),
        client_id=client_id,
        title=title,
        search_text=searchable(title, client_name),
        period_start=period[0],
        period_end=period[1],
        **{
            "template_id": None,
            "template_version": None,
            "repeat_no": 0,
            "priority": rank("normal"),
            "people": {},
            "stage_before_done": None,
            "extended_due": None,
        }
        | values,
        client_seconds=0,
        tags=[],
        closed_at=None,
        cancelled_at=None,
        cancel_reason=None,
        created_at=now,
        changed_at=now,
    )


def searchable(title: str, client_name: str) -> str:
    """What a job is found by: title and client without accents and case."""
    return folded(f"{title} {client_name}")


def folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))
