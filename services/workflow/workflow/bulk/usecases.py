"""Changing many tasks or jobs at once. Each holds by itself: what is refused is named with its reason and changes nothing, the
others go on. What would be wrong for all of them (somebody who doesn't work here, an impossible date) refuses the whole."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.errors import DomainError, Invalid, NotFound
from chassis.uow import Uow, lost_update
from workflow.copies.usecases import require_staff
from workflow.dates.parsing import date_of
from workflow.jobs import usecases as jobs
from workflow.jobs.aggregate import WholeJob, load, settle
from workflow.jobs.rules import priority_of, rank
from workflow.stages.tables import Stage
from workflow.stages.usecases import stages_of
from workflow.tasks import usecases as tasks
from workflow.tasks.tables import Task
from workflow.templates.usecases import optional_uuid

Results = dict[UUID, DomainError | None]  # None: done


def change_tasks(uow: Uow, items: Sequence[Mapping[str, Any]], change: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Errors for the whole: `unknown_staff`, `date_out_of_range`, `reason_missing`, `item_repeated`."""
    wanted = _by_id(items)
    _check_whole(uow, change)
    found = uow.session.execute(select(Task.id, Task.job_id).where(Task.firm_id == uow.firm_id, Task.id.in_(wanted)))
    of_job: dict[UUID, list[UUID]] = {}
    for task_id, job_id in found:
        of_job.setdefault(job_id, []).append(task_id)
    results: Results = {}
    versions: dict[UUID, int] = {}
    for job_id in sorted(of_job):  # in one order, so that two who do this at once wait instead of blocking each other
        _tasks_of(uow, job_id, of_job[job_id], wanted, change, results, versions)
    return _told(wanted, results, versions, NotFound("task_not_found", "There is no such task."))


def _tasks_of(
    uow: Uow,
    job_id: UUID,
    task_ids: Sequence[UUID],
    wanted: Mapping[UUID, int | None],
    change: Mapping[str, Any],
    results: Results,
    versions: dict[UUID, int],
) -> None:
    """The tasks of one job: it is loaded and settled once."""
    settled: Results = {}
    try:
        with uow.attempt():
            whole = load(uow, job_id)
            for task in whole.tasks:
                if task.id in task_ids:
                    settled[task.id] = _refusal(partial(_change_task, uow, whole, task, wanted[task.id], change))
            if None in settled.values():
                settle(uow, whole, why="changed together with others")
            versions.update({task.id: task.version for task in whole.tasks})
    except NotFound:
        return  # a private client's: as if it were not there
    except DomainError as error:
        settled = {task_id: found or error for task_id, found in settled.items()}
    results.update(settled)


def _change_task(uow: Uow, whole: WholeJob, task: Task, version: int | None, change: Mapping[str, Any]) -> None:
    """Everything is checked before anything is changed."""
    act, due = change.get("act"), change.get("due")
    if version is not None and task.version != version:
        raise lost_update(task.version)
    tasks.require_live(whole)
    if act:
        tasks.check_act(uow, whole, task, act["what"], act.get("reason"))
    if "owner_id" in change:
        tasks.assign(uow, task, optional_uuid(change["owner_id"]))
    if "priority" in change and priority_of(task.priority) != change["priority"]:
        before, task.priority = task.priority, rank(change["priority"])
        uow.audit("task.changed", "task", task.id, before={"priority": before}, after={"priority": task.priority})
    if due:
        tasks.reschedule(uow, task, date_of(due, "due_on"), due["reason"])
    if act:
        tasks.act_on(uow, whole, task, act["what"], act.get("reason"))


def change_jobs(uow: Uow, items: Sequence[Mapping[str, Any]], change: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Errors for the whole: `unknown_staff`, `stage_not_found`, `date_out_of_range`, `item_repeated`."""
    wanted = _by_id(items)
    _check_whole(uow, change)
    stage = _stage(uow, change)
    results: Results = {}
    versions: dict[UUID, int] = {}

    def change_one(job_id: UUID) -> None:
        with uow.attempt():
            whole = load(uow, job_id, version=wanted[job_id])
            _change_job(uow, whole, stage, change)
            settle(uow, whole, why="changed together with others")
            versions[job_id] = whole.job.version

    for job_id in sorted(wanted):
        results[job_id] = _refusal(partial(change_one, job_id))
    return _told(wanted, results, versions, NotFound("job_not_found", "There is no such job."))


def _change_job(uow: Uow, whole: WholeJob, stage: Stage | None, change: Mapping[str, Any]) -> None:
    job, due = whole.job, change.get("due")
    jobs.not_cancelled(whole)
    before = {name: getattr(job, name) for name in ("owner_id", "priority") if name in change}
    if "owner_id" in change:
        job.owner_id = optional_uuid(change["owner_id"])
    if "priority" in change:
        job.priority = rank(change["priority"])
    if before:
        uow.audit("job.changed", "job", job.id, before=before, after={name: getattr(job, name) for name in before})
    if due:
        jobs.move_date(uow, whole, due["which"], date_of(due, "due_on"), due["reason"])
    if stage:
        jobs.to_stage(uow, whole, stage, skip=change.get("skip_open_tasks", False))
    if change.get("cancel"):
        jobs.cancel(uow, whole, change["cancel"])


def _stage(uow: Uow, change: Mapping[str, Any]) -> Stage | None:
    if "stage_id" not in change:
        return None
    stage = next((stage for stage in stages_of(uow) if str(stage.id) == change["stage_id"]), None)
    if stage is None:
        raise NotFound("stage_not_found", "There is no such stage.", pointer="/change/stage_id")
    return stage


def _by_id(items: Sequence[Mapping[str, Any]]) -> dict[UUID, int | None]:
    wanted = {UUID(item["id"]): item.get("version") for item in items}
    if len(wanted) != len(items):
        raise Invalid("item_repeated", "Name each one once.", pointer="/items")
    return wanted


def _check_whole(uow: Uow, change: Mapping[str, Any]) -> None:
    """What would be wrong for all of them. Errors: `unknown_staff`, `reason_missing`, `date_out_of_range`."""
    require_staff(uow, [("/change/owner_id", optional_uuid(change.get("owner_id")))])
    act = change.get("act")
    if act and act["what"] in ("skip", "reopen") and not act.get("reason"):
        raise Invalid("reason_missing", f"Say why you {act['what']} these.", pointer="/change/act/reason")
    if due := change.get("due"):
        date_of(due, "due_on")


def _refusal(change: Callable[[], None]) -> DomainError | None:
    try:
        change()
    except DomainError as error:
        return error
    return None


def _told(
    wanted: Mapping[UUID, int | None], results: Results, versions: Mapping[UUID, int], missing: DomainError
) -> list[dict[str, Any]]:
    """A result for each, in the order they were named."""
    told = []
    for id in wanted:
        error = results.get(id, missing)
        problem = error.problem() if error else {}
        told.append(
            {
                "id": id,
                "done": error is None,
                "code": problem.get("code"),
                "message": problem.get("title"),
                "version": versions.get(id) if error is None else None,
            }
        )
    return told
