"""Bringing a version of a template to jobs that nobody has begun, and taking that back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.errors import Conflict, DomainError, Invalid, NotFound
from chassis.uow import Uow
from workflow.copies.tables import ClientCopy, EngagementCopy
from workflow.copies.usecases import today_of
from workflow.dependencies.rules import describe, find_cycle
from workflow.jobs.aggregate import WholeJob, load, settle
from workflow.jobs.making import new_dependency, planned_request, planned_task, searchable
from workflow.jobs.tables import Job
from workflow.requests.making import new_items
from workflow.requests.rules import UNSENT
from workflow.requests.sending import take_back
from workflow.requests.tables import Request, RequestItem
from workflow.rollouts import rules
from workflow.rollouts.rules import Change
from workflow.runs import usecases as runs
from workflow.runs.tables import Run, RunItem
from workflow.tasks.rules import checklist_of
from workflow.tasks.tables import Task
from workflow.templates import rules as template_rules
from workflow.templates.tables import Template
from workflow.templates.usecases import Application, Order, plan_for, version_of

MOST = 1000  # jobs at once


@dataclass(frozen=True)
class RollOut:
    """What a version would do to one job: the changes, and the plans they come from."""

    whole: WholeJob
    client_name: str
    changes: list[Change]
    plan: template_rules.Plan | None = None


def contents(uow: Uow, template: Template, number: int | None) -> dict[str, Any]:
    """A version's content, or the draft's. Errors: `template_version_not_found`."""
    return template.draft if number is None else version_of(uow, template, number).content


def target(uow: Uow, template_id: UUID, number: int | None) -> tuple[Template, int]:
    """The version to roll out: the latest unless another is named. Errors: `template_not_found`, `template_not_published`,
    `template_version_not_found`."""
    template = uow.get(Template, template_id)
    chosen = number or template.current_version
    if chosen is None:
        raise Conflict("template_not_published", "This template has no published version yet.")
    version_of(uow, template, chosen)
    return template, chosen


def jobs_of(uow: Uow, template: Template, number: int, wanted: Sequence[UUID] | None) -> list[Job]:
    """Open jobs made from other versions, or of those the ones named; only what the caller may see. Errors: `job_not_found`, `too_many_jobs`."""
    visible = (ClientCopy.firm_id == Job.firm_id) & (ClientCopy.id == Job.client_id)
    found = select(Job).join(ClientCopy, visible).where(Job.firm_id == uow.firm_id, Job.template_id == template.id)
    if wanted is None:
        found = found.where(Job.template_version != number, Job.closed_at.is_(None), Job.cancelled_at.is_(None))
    else:
        found = found.where(Job.id.in_(wanted))
    jobs = list(uow.session.scalars(found.order_by(Job.due_sort, Job.id).limit(MOST + 1)))
    if len(jobs) > MOST:
        raise Invalid("too_many_jobs", f"These are more than {MOST} jobs. Name some of them.")
    if wanted is not None and len(jobs) < len(set(wanted)):
        raise NotFound("job_not_found", "One of these is no job of the template.", pointer="/job_ids")
    return jobs


def roll_out(uow: Uow, template_id: UUID, body: Mapping[str, Any]) -> Run:
    """Hands it to the worker. Errors: those of `target` and `jobs_of`, `nothing_to_roll_out`."""
    template, number = target(uow, template_id, body.get("template_version"))
    wanted = [UUID(id) for id in body["job_ids"]] if body.get("job_ids") else None
    jobs = jobs_of(uow, template, number, wanted)
    if not jobs:
        raise Conflict("nothing_to_roll_out", "No open job was made from another version.")
    items = [runs.item(job.client_id, job_id=job.id) for job in jobs]
    return runs.begin(uow, "roll_out", items, template_id=template.id, template_version=number, parameters={})


def undo(uow: Uow, run_id: UUID) -> Run:
    """Takes a roll-out back, in every job that nobody has begun since. Errors: `run_not_found`, `run_not_undoable`, `run_under_way`,
    `run_undone`."""
    run = uow.get(Run, run_id, lock=True)
    if run.kind != "roll_out":
        raise Conflict("run_not_undoable", "Only a roll-out can be taken back.")
    if run.finished_at is None:
        raise Conflict("run_under_way", "This run is still under way.")
    if uow.session.scalar(select(Run.id).where(Run.firm_id == uow.firm_id, Run.undoes == run.id)):
        raise Conflict("run_undone", "This run was taken back already.")
    done = select(RunItem).where(RunItem.firm_id == uow.firm_id, RunItem.run_id == run.id, RunItem.status == "done")
    items = []
    for row in uow.session.scalars(done.order_by(RunItem.position)):
        taken = runs.item(row.client_id, job_id=row.job_id)
        taken.before = row.before
        items.append(taken)
    return runs.begin(
        uow,
        "undo",
        items,
        template_id=run.template_id,
        template_version=run.template_version,
        parameters={},
        undoes=run.id,
    )


# --- one job ---------------------------------------------------------------------------------------------------------


def foresee(uow: Uow, template: Template, number: int, job_id: UUID) -> RollOut:
    """What the version changes in the job. Errors: `job_not_found`, `job_closed`, `job_started`, `job_current`, `date_out_of_range`."""
    whole = load(uow, job_id)
    job = whole.job
    _not_begun(whole)
    if job.template_version == number:
        raise Conflict("job_current", "This job was made from this version.")
    old = _plan(uow, template, job.template_version, job)
    new = _plan(uow, template, number, job)
    return RollOut(whole, new.client.name, list(_changes(whole, old, new)), new.plan)


def _not_begun(whole: WholeJob) -> None:
    job = whole.job
    if job.closed_at or job.cancelled_at:
        raise Conflict("job_closed", f"“{job.title}” is closed.")
    begun = any(task.status in ("in_progress", "done", "skipped") for task in whole.tasks)
    answered = any(request.status not in (*UNSENT, "sent", "cancelled") for request in whole.requests)
    if begun or answered:
        raise Conflict("job_started", f"“{job.title}” has begun.")


def _plan(uow: Uow, template: Template, number: int | None, job: Job) -> Application:
    """The plan of a version for what the job is about, with the people it has. Errors: `date_out_of_range`."""
    content = template_rules.parse(contents(uow, template, number))
    named = {role: UUID(staff_id) for role, staff_id in job.people.items() if role in content.roles}
    order = Order(
        template=template,
        number=number,
        content=content,
        today=today_of(uow),
        starts_on=job.starts_on,
        period_start=job.period_start,
        period_end=job.period_end,
        named=named,
        owner_id=job.owner_id,
        asks=None,
    )
    client = uow.session.get(ClientCopy, (uow.firm_id, job.client_id))
    engagement = uow.session.get(EngagementCopy, (uow.firm_id, job.engagement_id)) if job.engagement_id else None
    if client is None:
        raise NotFound("job_not_found", "There is no such job.")
    (planned,) = plan_for(uow, order, [(client, engagement)])
    if isinstance(planned, DomainError):
        raise planned
    return planned


def _changes(whole: WholeJob, old: Application, new: Application) -> Iterable[Change]:
    job = whole.job
    yield Change("job", "", job.title, "changed", "template_version", job.template_version, new.order.number)
    yield from rules.merged("job", "", job.title, _of_job(job), _of_plan(old.plan), _of_plan(new.plan))
    tasks = {t.key: _of_task(t) for t in whole.tasks if t.key and t.status != "cancelled"}
    pinned = {t.key for t in whole.tasks if t.due_pinned} | {r.key for r in whole.requests if r.due_pinned}
    requests = {r.key: _of_request(r) for r in whole.requests if r.key and r.status != "cancelled"}
    found = [
        *rules.steps("task", tasks, rules.of_tasks(old.plan), rules.of_tasks(new.plan)),
        *rules.steps("request", requests, rules.of_requests(old.plan), rules.of_requests(new.plan)),
    ]
    yield from (c for c in found if not (c.key in pinned and c.field in ("due_on", "due_rule")))
    yield from rules.edges(_of_edges(whole), _planned_edges(old), _planned_edges(new))


def _of_job(job: Job) -> dict[str, Any]:
    return {"title": job.title, "statutory_due": _iso(job.statutory_due), "internal_due": _iso(job.internal_due)}


def _of_plan(plan: template_rules.Plan) -> dict[str, Any]:
    return {
        "title": plan.title,
        "statutory_due": _iso(plan.statutory_due),
        "internal_due": _iso(plan.internal_due),
    }


def _of_task(task: Task) -> dict[str, Any]:
    names = ("title", "description", "role", "budget_minutes", "due_rule")
    return {name: getattr(task, name) for name in names} | {
        "owner_id": str(task.owner_id) if task.owner_id else None,
        "checklist": [line["text"] for line in task.checklist],
        "due_on": _iso(task.due_on),
    }


def _of_request(request: Request) -> dict[str, Any]:
    names = ("title", "message", "reminders", "due_rule")
    return {name: getattr(request, name) for name in names} | {
        "items": [_of_item(item) for item in request.items],
        "due_on": _iso(request.due_on),
    }


def _of_item(item: RequestItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ("kind", "label", "help", "required", "choices")}


def _of_edges(whole: WholeJob) -> dict[tuple[str, str], int]:
    keys = {step.id: step.key for step in whole.steps}
    ends = {(keys.get(e.before), keys.get(e.after)): e.lag_days for e in whole.edges}
    return {(before, after): lag for (before, after), lag in ends.items() if before and after}


def _planned_edges(application: Application) -> dict[tuple[str, str], int]:
    return {(edge.before, edge.after): edge.lag_days for edge in application.order.content.edges}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


# --- making the changes ----------------------------------------------------------------------------------------------


def change(uow: Uow, whole: WholeJob, changes: Iterable[Change], plan: template_rules.Plan | None, why: str) -> None:
    """Makes the changes and lets the job settle. What is taken away is cancelled, so that it can come back. `plan` has the steps that
    are new. Errors: `dependency_cycle`."""
    job = whole.job
    for each in changes:
        match each.subject:
            case "job":
                _set(job, each)
            case "dependency":
                _set_edge(uow, whole, each)
            case _:
                _set_step(uow, whole, each, plan)
    if any(each.field == "title" and each.subject == "job" for each in changes):
        client = uow.session.get(ClientCopy, (uow.firm_id, job.client_id))
        job.search_text = searchable(job.title, client.name if client else "")
    if plan:
        _in_plan_order(whole, plan)
    pairs = [(edge.before, edge.after) for edge in whole.edges]
    if cycle := find_cycle(pairs):
        raise Conflict("dependency_cycle", f"These would wait for each other: {describe(cycle, whole.titles)}.")
    uow.session.flush()
    settle(uow, whole, why=why)


def _in_plan_order(whole: WholeJob, plan: template_rules.Plan) -> None:
    """Tasks as the version has them; those it does not have come behind."""
    places = {planned.step.key: i for i, planned in enumerate(plan.tasks)}
    order = sorted(whole.tasks, key=lambda task: (places.get(task.key or "", len(places)), task.position))
    for position, task in enumerate(order, 1):
        task.position = position


def _set_step(uow: Uow, whole: WholeJob, each: Change, plan: template_rules.Plan | None) -> None:
    there = next(
        (s for s in whole.steps if s.key == each.key and isinstance(s, Task) == (each.subject == "task")), None
    )
    if each.kind == "removed":
        assert there is not None
        if isinstance(there, Request):
            take_back(uow, there)
        there.status = "cancelled"
    elif each.kind == "added":
        _bring(uow, whole, each, there, plan)
    elif isinstance(there, Request) and each.field == "items":
        there.items = new_items(each.after)
        there.changed_at = uow.now
    elif there is not None:
        _set(there, each)
        if isinstance(there, Request):
            there.changed_at = uow.now


def _bring(
    uow: Uow, whole: WholeJob, each: Change, there: Task | Request | None, plan: template_rules.Plan | None
) -> None:
    if there is not None:  # it was taken away before, and comes back
        there.status = "not_started" if isinstance(there, Task) else "draft" if there.send == "by_hand" else "scheduled"
        return
    assert plan is not None
    planned = next(p for p in (*plan.tasks, *plan.requests) if p.step.key == each.key)
    if each.subject == "task":
        task = planned_task(whole.job, max((t.position for t in whole.tasks), default=0) + 1, planned)
        whole.tasks.append(task)
        uow.session.add(task)
    else:
        place = max((r.position for r in whole.requests), default=0) + 1
        request = planned_request(whole.job, place, planned, uow.now)
        whole.requests.append(request)
        uow.session.add(request)


def _set(row: Any, each: Change) -> None:
    assert each.field is not None
    value = each.after
    if each.field in ("due_on", "statutory_due", "internal_due"):
        value = date.fromisoformat(value) if value else None
    elif each.field == "owner_id":
        value = UUID(value) if value else None
    elif each.field == "checklist":
        value = checklist_of(value)
    setattr(row, each.field, value)
    if each.field == "due_on":
        row.original_due_on = value
        row.pushed_from = None


def _set_edge(uow: Uow, whole: WholeJob, each: Change) -> None:
    first, second = each.key.split(" → ")
    steps = {step.key: step for step in whole.steps}
    before, after = steps[first], steps[second]
    there = next((d for d in whole.dependencies if (d.before_id, d.after_id) == (before.id, after.id)), None)
    if each.kind == "removed" and there:
        whole.dependencies.remove(there)
        uow.session.delete(there)
    elif there:
        there.lag_days = each.after
    elif each.kind == "added":
        made = new_dependency(whole.job.id, before, after, each.after or 0)
        whole.dependencies.append(made)
        uow.session.add(made)


# --- in the worker ---------------------------------------------------------------------------------------------------


def roll_out_chunk(uow: Uow, run: Run, items: Sequence[RunItem]) -> None:
    template = uow.get(Template, run.template_id)
    for row in items:
        _attempt(uow, row, lambda row=row: _roll_out_one(uow, template, run, row))


def undo_chunk(uow: Uow, run: Run, items: Sequence[RunItem]) -> None:
    for row in items:
        _attempt(uow, row, lambda row=row: _undo_one(uow, run, row))


def _attempt(uow: Uow, row: RunItem, act: Any) -> None:
    """One job's trouble is no other's."""
    try:
        with uow.attempt():
            act()
    except DomainError as error:
        runs.settle_item(row, error)
    else:
        assert row.job_id is not None
        runs.settle_item(row, row.job_id)


def _roll_out_one(uow: Uow, template: Template, run: Run, row: RunItem) -> None:
    assert row.job_id is not None
    found = foresee(uow, template, run.template_version, row.job_id)
    change(uow, found.whole, found.changes, found.plan, f"version {run.template_version} was rolled out")
    row.before = {"changes": [each.as_json() for each in found.changes]}
    _audit(uow, found.whole.job, found.changes)


def _undo_one(uow: Uow, run: Run, row: RunItem) -> None:
    """Takes back what still is as the roll-out left it."""
    assert row.job_id is not None
    whole = load(uow, row.job_id)
    _not_begun(whole)
    if whole.job.template_version != run.template_version:
        raise Conflict("job_changed_since", f"“{whole.job.title}” was brought to another version since.")
    changes = [Change(**each).inverted() for each in reversed((row.before or {}).get("changes", []))]
    standing = [each for each in changes if _stands(whole, each)]
    change(uow, whole, standing, None, "the roll-out was taken back")
    _audit(uow, whole.job, standing)


def _stands(whole: WholeJob, each: Change) -> bool:
    if each.kind != "changed" or each.subject == "dependency":
        return True
    if each.subject == "job":
        now = _of_job(whole.job) | {"template_version": whole.job.template_version}
        return bool(now.get(each.field or "") == each.before)
    step = next((s for s in whole.steps if s.key == each.key and isinstance(s, Task) == (each.subject == "task")), None)
    if step is None:
        return False
    values = _of_task(step) if isinstance(step, Task) else _of_request(step)
    return bool(values.get(each.field or "") == each.before)


def _audit(uow: Uow, job: Job, changes: Sequence[Change]) -> None:
    after = {"template_version": job.template_version, "changes": len(changes)}
    uow.audit("job.rolled_out", "job", job.id, after=after)
