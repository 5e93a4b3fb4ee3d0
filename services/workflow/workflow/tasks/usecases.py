"""What one can do with tasks: begin, finish, skip, reopen, assign, reschedule, and let them wait for one another."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import Conflict, Invalid, NotFound
from chassis.uow import Uow
from workflow.comments.tables import Comment
from workflow.copies.tables import TimeCopy
from workflow.copies.usecases import require_staff, today_of
from workflow.dates.parsing import date_of
from workflow.dates.rules import DateRule, short
from workflow.dependencies.rules import describe, find_cycle
from workflow.jobs.aggregate import WholeJob, load, load_by_task, move_due_date, settle
from workflow.jobs.making import new_dependency
from workflow.jobs.rules import rank
from workflow.jobs.tables import Job
from workflow.tasks import rules
from workflow.tasks.making import new_task
from workflow.tasks.tables import Task
from workflow.templates.usecases import optional_uuid
from workflow.watching.tables import Watcher
from workflow.watching.usecases import Subject, set_watchers

# --- acts ------------------------------------------------------------------------------------------------------------


def start_task(uow: Uow, task_id: UUID, *, despite_block: str | None = None) -> Task:
    """Errors: `task_not_found`, `task_blocked`, `task_closed`, `job_cancelled`, `version_conflict`."""
    return _act(uow, task_id, "start", despite_block)


def finish_task(uow: Uow, task_id: UUID, *, despite_block: str | None = None) -> Task:
    """Errors: `task_not_found`, `task_blocked`, `checklist_open`, `task_closed`, `job_cancelled`, `version_conflict`."""
    return _act(uow, task_id, "finish", despite_block)


def skip_task(uow: Uow, task_id: UUID, reason: str) -> Task:
    """Errors: `task_not_found`, `task_closed`, `job_cancelled`, `version_conflict`."""
    return _act(uow, task_id, "skip", reason)


def reopen_task(uow: Uow, task_id: UUID, reason: str) -> Task:
    """What waits for it is blocked again, or flagged if it has begun. Errors: `task_not_found`, `task_closed`, `job_cancelled`."""
    return _act(uow, task_id, "reopen", reason)


def _act(uow: Uow, task_id: UUID, act: str, reason: str | None) -> Task:
    whole, task = load_by_task(uow, task_id)
    if act_on(uow, whole, task, act, reason):
        settle(uow, whole, why=f"“{task.title}” was {_PARTICIPLE[act]}")
    return task


def act_on(uow: Uow, whole: WholeJob, task: Task, act: str, reason: str | None) -> bool:
    """The act itself; what follows from it is for `settle`. False if the task was there already. Whatever is refused has changed
    nothing. Errors: those of the acts."""
    status = check_act(uow, whole, task, act, reason)
    if status is None:
        return False
    before, task.status = task.status, status
    task.started_at = None if act == "reopen" else task.started_at or uow.now
    uow.audit(
        f"task.{_PARTICIPLE[act]}", "task", task.id, before={"status": before}, after={"status": status}, reason=reason
    )
    return True


def check_act(uow: Uow, whole: WholeJob, task: Task, act: str, reason: str | None) -> str | None:
    """The status an act leads to, None if the task is there already. Errors: `job_cancelled`, `task_closed`, `task_blocked`, `checklist_open`."""
    require_live(whole)
    try:
        status = rules.after(act, task.status)
    except rules.NotPossible as error:
        raise Conflict(
            "task_closed", f"{error} Reopen it first." if task.status != "cancelled" else str(error)
        ) from error
    if status is None:
        return None
    if act in ("start", "finish"):
        require_ready(whole, task, today_of(uow), despite_block=reason)
    if act == "finish":
        _require_checklist(task)
    return status


_PARTICIPLE = {"start": "started", "finish": "finished", "skip": "skipped", "reopen": "reopened"}


def require_live(whole: WholeJob) -> None:
    if whole.job.cancelled_at:
        raise Conflict("job_cancelled", "The job is cancelled. Reinstate it first.")


def require_ready(whole: WholeJob, task: Task, today: date, *, despite_block: str | None = None) -> None:
    """Errors: `task_blocked`. A step that waits for another is not worked on before: a review of what isn't prepared is none. Who knows better says
    why, and that is audited."""
    if despite_block:
        return
    waiting = whole.waiting(task.id)
    if waiting:
        titles = ", ".join(f"“{step.title}”" for step in waiting)
        raise Conflict(
            "task_blocked",
            f"This waits for {titles}. Finish that first, or say why it goes on all the same.",
            waits_for=[{"id": str(step.id), "title": step.title} for step in waiting],
        )
    if task.status == "not_started" and task.ready_on and task.ready_on > today:
        raise Conflict(
            "task_blocked", f"This can't begin before {short(task.ready_on)}, or say why.", ready_on=str(task.ready_on)
        )


def _require_checklist(task: Task) -> None:
    left = [str(line["text"]) for line in task.checklist if not line["done"]]
    if left:
        raise Conflict("checklist_open", f"{len(left)} lines of the checklist are open, “{left[0]}” first.", open=left)


# --- changes ---------------------------------------------------------------------------------------------------------


def change_task(uow: Uow, task_id: UUID, body: Mapping[str, Any]) -> Task:
    """Title, description, budget, priority, watchers, checklist. Errors: `task_not_found`, `unknown_staff`, `version_conflict`."""
    whole, task = load_by_task(uow, task_id)
    columns = [name for name in body if name != "watchers"]
    before = {name: getattr(task, name) for name in columns}
    for name in columns:
        setattr(task, name, _value(task, name, body[name]))
    if "watchers" in body:
        set_watchers(uow, Subject("task", task.id, task.job_id, task.client_id), [UUID(s) for s in body["watchers"]])
    settle(uow, whole)
    after = {name: getattr(task, name) for name in columns} | {k: v for k, v in body.items() if k == "watchers"}
    uow.audit("task.changed", "task", task_id, before=before, after=after)
    return task


def _value(task: Task, name: str, value: Any) -> Any:
    match name:
        case "checklist":
            return rules.edited_checklist(task.checklist, value)
        case "priority":
            return rank(value)
        case _:
            return value


def assign_task(uow: Uow, task_id: UUID, owner_id: UUID | None) -> Task:
    """Errors: `task_not_found`, `unknown_staff`, `version_conflict`."""
    whole, task = load_by_task(uow, task_id)
    require_staff(uow, [("/owner_id", owner_id)])
    if assign(uow, task, owner_id):
        settle(uow, whole)
    return task


def assign(uow: Uow, task: Task, owner_id: UUID | None) -> bool:
    """False if it is theirs already. That they work here was checked."""
    before, task.owner_id = task.owner_id, owner_id
    if before != owner_id:
        uow.audit("task.assigned", "task", task.id, before={"owner_id": before}, after={"owner_id": owner_id})
    return before != owner_id


def reschedule_task(uow: Uow, task_id: UUID, body: Mapping[str, Any]) -> Task:
    """Sets the date by hand and pins it; what follows from it moves along. Errors: `task_not_found`, `date_out_of_range`, `version_conflict`."""
    whole, task = load_by_task(uow, task_id)
    reschedule(uow, task, date_of(body, "due_on"), body["reason"])
    settle(uow, whole, why=f"“{task.title}” was moved")
    return task


def reschedule(uow: Uow, task: Task, new: date | None, reason: str) -> None:
    old, task.due_pinned = task.due_on, True
    if old != new:
        move_due_date(uow, task, new, reason)
    uow.audit("task.due_moved", "task", task.id, before={"due_on": old}, after={"due_on": new}, reason=reason)


def tick_checklist(uow: Uow, task_id: UUID, key: str, done: bool) -> Task:
    """Errors: `task_not_found`, `checklist_line_not_found`, `version_conflict`."""
    whole, task = load_by_task(uow, task_id)
    if not any(line["key"] == key for line in task.checklist):
        raise NotFound("checklist_line_not_found", "The checklist has no such line.", pointer="/key")
    task.checklist = [line | {"done": done} if line["key"] == key else line for line in task.checklist]
    settle(uow, whole)
    uow.audit("task.checklist_ticked", "task", task_id, after={"key": key, "done": done})
    return task


def move_task(uow: Uow, task_id: UUID, job_id: UUID) -> Task:
    """To another job of the same client, behind its tasks. What it waited for and what waited for it stays behind, its date is
    pinned. Errors: `task_not_found`, `job_not_found`, `job_cancelled`, `task_of_another_client`, `task_has_time`, `version_conflict`."""
    whole, task = load_by_task(uow, task_id)
    if job_id == whole.job.id:
        return task
    target = load(uow, job_id)
    for each in (whole, target):
        require_live(each)
    if target.job.client_id != whole.job.client_id:
        raise Conflict(
            "task_of_another_client", "A task can only move to another job of the same client.", pointer="/job_id"
        )
    if uow.session.scalar(select(TimeCopy.id).where(TimeCopy.task_id == task_id, TimeCopy.seconds > 0).limit(1)):
        raise Conflict("task_has_time", "Time was logged on this task at its job. Move the time first.")
    for dependency in [d for d in whole.dependencies if task_id in (d.before_id, d.after_id)]:
        whole.dependencies.remove(dependency)
        uow.session.delete(dependency)
    whole.tasks.remove(task)
    task.job_id, task.key, task.due_rule = job_id, None, None
    task.due_pinned = task.due_on is not None
    task.position = max((t.position for t in target.tasks), default=0) + 1
    target.tasks.append(task)
    for model in (Watcher, Comment):
        column = Watcher.subject_id if model is Watcher else Comment.task_id
        uow.session.execute(update(model).where(model.firm_id == uow.firm_id, column == task_id).values(job_id=job_id))
    settle(uow, whole, why=f"“{task.title}” was moved to another job")
    settle(uow, target)
    uow.audit("task.moved", "task", task_id, before={"job_id": whole.job.id}, after={"job_id": job_id})
    return task


# --- the job's steps -------------------------------------------------------------------------------------------------


def add_task(uow: Uow, job_id: UUID, body: Mapping[str, Any]) -> Job:
    """A task by hand, behind the others. Errors: `job_not_found`, `job_cancelled`, `unknown_staff`, `unknown_role`, `dependency_unknown`,
    `date_out_of_range`, `version_conflict`."""
    whole = load(uow, job_id, version=uow.if_match)
    require_live(whole)
    job, role = whole.job, body.get("role", "")
    if role and role not in job.people and not any(task.role == role for task in whole.tasks):
        raise Invalid("unknown_role", f"The job has no role “{role}”.", pointer="/role")
    owner_id = optional_uuid(body.get("owner_id") or job.people.get(role))
    require_staff(uow, [("/owner_id", optional_uuid(body.get("owner_id")))])
    task = new_task(
        job,
        max((t.position for t in whole.tasks), default=0) + 1,
        title=body["title"],
        description=body.get("description", ""),
        role=role,
        owner_id=owner_id,
        priority=body.get("priority", "normal"),
        budget_minutes=body.get("budget_minutes", 0),
        checklist=body.get("checklist"),
        due_on=date_of(body, "due_on"),
    )
    before = [whole.step(UUID(step_id)) for step_id in dict.fromkeys(body.get("after", []))]
    dependencies = [new_dependency(job.id, step, task, 0) for step in before]
    whole.tasks.append(task)
    whole.dependencies += dependencies
    uow.session.add_all([task, *dependencies])
    settle(uow, whole)
    uow.audit("task.added", "task", task.id, after={"job_id": job_id, "title": task.title})
    return job


def add_dependency(uow: Uow, job_id: UUID, body: Mapping[str, Any]) -> Job:
    """Errors: `job_not_found`, `dependency_unknown`, `dependency_exists`, `dependency_cycle` with its path, `version_conflict`."""
    whole = load(uow, job_id, version=uow.if_match)
    require_live(whole)
    before, after = whole.step(UUID(body["before_id"])), whole.step(UUID(body["after_id"]))
    pairs = [(e.before, e.after) for e in whole.edges]
    if (before.id, after.id) in pairs:
        raise Conflict("dependency_exists", f"“{after.title}” waits for “{before.title}” already.")
    cycle = find_cycle([*pairs, *_date_pairs(whole), (before.id, after.id)])
    if cycle:
        titles = whole.titles
        path = [titles[step_id] for step_id in cycle]
        raise Invalid("dependency_cycle", f"These would wait for each other: {describe(cycle, titles)}.", path=path)
    dependency = new_dependency(job_id, before, after, body.get("lag_days", 0))
    whole.dependencies.append(dependency)
    uow.session.add(dependency)
    settle(uow, whole)
    uow.audit(
        "dependency.added",
        "job",
        job_id,
        after={"before": before.title, "after": after.title, "lag_days": dependency.lag_days},
    )
    return whole.job


def _date_pairs(whole: WholeJob) -> list[tuple[UUID, UUID]]:
    """Whose dates count from whose completion: those must not go in circles either."""
    keys = {step.key: step.id for step in whole.steps if step.key}
    rules_of = [(step.id, DateRule.parse(step.due_rule)) for step in whole.steps if step.due_rule]
    return [(keys[rule.of], step_id) for step_id, rule in rules_of if rule.of in keys]


def remove_dependency(uow: Uow, job_id: UUID, dependency_id: UUID) -> Job:
    """Errors: `job_not_found`, `dependency_not_found`, `version_conflict`."""
    whole = load(uow, job_id, version=uow.if_match)
    dependency = next((d for d in whole.dependencies if d.id == dependency_id), None)
    if dependency is None:
        raise NotFound("dependency_not_found", "The job has no such dependency.")
    titles = whole.titles
    whole.dependencies.remove(dependency)
    uow.session.delete(dependency)
    settle(uow, whole)
    uow.audit(
        "dependency.removed",
        "job",
        job_id,
        before={"before": titles[dependency.before_id], "after": titles[dependency.after_id]},
    )
    return whole.job
