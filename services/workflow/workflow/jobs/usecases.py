"""What one can do with jobs: make, change, move along, cancel."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from chassis.errors import Conflict, Invalid, NotFound
from chassis.merged import standing
from chassis.uow import Uow
from praxis.clients.v1.events_pb2 import ClientChanged, ClientMerged, ClientRemoved
from workflow.copies.tables import ClientCopy
from workflow.copies.usecases import (
    client_of,
    engagement_of,
    follow_client_merge,
    forget_client,
    keep_client,
    require_staff,
    today_of,
)
from workflow.dates.parsing import date_of, period_of
from workflow.jobs.aggregate import WholeJob, facts_of, load, record_move, settle, settle_new
from workflow.jobs.events import job_changed
from workflow.jobs.making import already_made, made_from, new_job, searchable
from workflow.jobs.rules import rank
from workflow.jobs.tables import Job
from workflow.requests.rules import UNSENT, WITH_CLIENT
from workflow.requests.sending import hand_over, take_back
from workflow.requests.tables import Request
from workflow.stages.tables import Stage
from workflow.stages.usecases import stages_of
from workflow.tasks.rules import OPEN
from workflow.templates.usecases import Application, existing_jobs, optional_uuid, plan_application
from workflow.watching.usecases import Subject, set_watchers

# --- making ----------------------------------------------------------------------------------------------------------


def create_job(uow: Uow, body: Mapping[str, Any]) -> Job:
    """A job, from a template's published version or empty. Errors: those of `plan_application`, `stage_not_found`,
    `title_missing`, `period_already_made`, `dates_from_template`."""
    stage = _first_stage(uow, optional_uuid(body.get("stage_id")))
    whole = _from_template(uow, body, stage) if body.get("template_id") else _empty(uow, body, stage)
    settle_new(uow, [whole])
    job = whole.job
    if stage.kind == "done" and job.closed_at is None:
        raise Conflict(
            "job_has_open_tasks", "A job with open tasks can't begin in a stage for finished jobs.", pointer="/stage_id"
        )
    after = {
        "title": job.title,
        "client_id": job.client_id,
        "template_id": job.template_id,
        "template_version": job.template_version,
    }
    uow.audit("job.created", "job", job.id, after=after)
    return job


def _first_stage(uow: Uow, stage_id: UUID | None) -> Stage:
    stages = stages_of(uow)
    for stage in stages:
        if stage_id in (None, stage.id):
            return stage
    raise NotFound("stage_not_found", "There is no such stage.", pointer="/stage_id")


def _empty(uow: Uow, body: Mapping[str, Any], stage: Stage) -> WholeJob:
    if not body.get("title"):
        raise Invalid("title_missing", "A job without a template needs a title.", pointer="/title")
    if body.get("people"):
        raise Invalid("unknown_role", "Only a template has roles.", pointer="/people")
    client = client_of(uow, UUID(body["client_id"]), for_new_work=True)
    engagement_id = optional_uuid(body.get("engagement_id"))
    if engagement_id:
        engagement_of(uow, engagement_id, client.id)
    owner_id = optional_uuid(body.get("owner_id"))
    require_staff(uow, [("/owner_id", owner_id)])
    start, end = period_of(body)
    job = new_job(
        uow.now,
        client_id=client.id,
        client_name=client.name,
        engagement_id=engagement_id,
        title=body["title"].strip(),
        service=body.get("service", ""),
        period=(start, end),
        starts_on=date_of(body, "starts_on") or today_of(uow),
        owner_id=owner_id or client.manager_id or client.partner_id,
        priority=rank(body.get("priority", "normal")),
        stage_id=stage.id,
        statutory_due=date_of(body, "statutory_due_on"),
        internal_due=date_of(body, "internal_due_on"),
    )
    return WholeJob(job)


def _from_template(uow: Uow, body: Mapping[str, Any], stage: Stage) -> WholeJob:
    for name in ("internal_due_on", "statutory_due_on"):
        if body.get(name):
            raise Invalid(
                "dates_from_template", "The template gives the due dates. Move them on the job.", pointer=f"/{name}"
            )
    application = plan_application(uow, UUID(body["template_id"]), body)
    repeat_no = _repeat_no(uow, application, again=body.get("again", False))
    whole = made_from(application, uow.now, stage.id, repeat_no)
    if body.get("title", "").strip():
        whole.job.title = body["title"].strip()
        whole.job.search_text = searchable(whole.job.title, application.client.name)
    whole.job.service = body.get("service") or whole.job.service
    whole.job.priority = rank(body.get("priority", "normal"))
    return whole


def _repeat_no(uow: Uow, application: Application, *, again: bool) -> int:
    """0, or the next number if the job is made again on purpose. Errors: `period_already_made`, naming the job."""
    existing = existing_jobs(uow, application.order, [application.client.id]).get(application.client.id)
    if existing is not None and not again:
        raise already_made(existing)
    return existing.repeat_no + 1 if existing else 0


# --- changing --------------------------------------------------------------------------------------------------------


def change_job(uow: Uow, job_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> Job:
    """Title, owner, engagement, priority, tags, watchers. Errors: `job_not_found`, `version_conflict`, `unknown_staff`, `engagement_not_found`."""
    whole = load(uow, job_id, version=if_match)
    job = whole.job
    columns = [name for name in body if name != "watchers"]
    before = {name: getattr(job, name) for name in columns}
    if "title" in body:
        job.title = body["title"].strip()
        job.search_text = searchable(job.title, client_of(uow, job.client_id).name)
    if "owner_id" in body:
        job.owner_id = optional_uuid(body["owner_id"])
        require_staff(uow, [("/owner_id", job.owner_id)])
    if "tags" in body:
        job.tags = sorted({tag.strip() for tag in body["tags"]})
    if "engagement_id" in body:
        job.engagement_id = optional_uuid(body["engagement_id"])
        if job.engagement_id:
            engagement_of(uow, job.engagement_id, job.client_id)
    if "priority" in body:
        job.priority = rank(body["priority"])
    if "watchers" in body:
        set_watchers(uow, Subject("job", job.id, job.id, job.client_id), [UUID(s) for s in body["watchers"]])
    if "title" in body:
        for request in whole.requests:
            request.changed_at = uow.now  # a request carries its job's title to the client
    settle(uow, whole)
    after = {name: getattr(job, name) for name in columns} | {k: v for k, v in body.items() if k == "watchers"}
    uow.audit("job.changed", "job", job_id, before=before, after=after)
    return job


def move_job(uow: Uow, job_id: UUID, body: Mapping[str, Any]) -> Job:
    """To another stage. Errors: `job_not_found`, `stage_not_found`, `job_cancelled`, `job_has_open_tasks`, `version_conflict`."""
    whole = load(uow, job_id, version=uow.if_match)
    to_stage(uow, whole, _first_stage(uow, UUID(body["stage_id"])), skip=body.get("skip_open_tasks", False))
    settle(uow, whole)
    return whole.job


def to_stage(uow: Uow, whole: WholeJob, stage: Stage, *, skip: bool) -> None:
    """Errors: `job_cancelled`, `job_has_open_tasks`; whatever is refused has changed nothing."""
    job = not_cancelled(whole)
    before = job.stage_id
    if stage.kind == "done":
        _finish_or_refuse(uow, whole, skip=skip)
    job.stage_id = stage.id
    if job.stage_id != before:
        uow.audit(
            "job.moved",
            "job",
            job.id,
            before={"stage_id": before},
            after={"stage_id": job.stage_id, "stage": stage.name},
        )


def _finish_or_refuse(uow: Uow, whole: WholeJob, *, skip: bool) -> None:
    """What is still open keeps a job out of the stages for finished ones, unless it is skipped with it."""
    tasks = [task for task in whole.tasks if task.status in OPEN]
    requests = [request for request in whole.requests if request.status in (*WITH_CLIENT, "scheduled")]
    if (tasks or requests) and not skip:
        open_titles = [*(task.title for task in tasks), *(request.title for request in requests)]
        titles = ", ".join(f"“{title}”" for title in open_titles[:3])
        raise Conflict(
            "job_has_open_tasks",
            f"{len(open_titles)} steps are still open ({titles}). Finish or skip them first.",
            open_tasks=len(tasks),
            open_requests=len(requests),
        )
    for task in tasks:
        task.status = "skipped"
    for request in requests:
        request.status = "waived"
        request.decided_at = uow.now
        take_back(uow, request)


def move_due_date(uow: Uow, job_id: UUID, body: Mapping[str, Any]) -> Job:
    """The statutory, extended or internal date. Errors: `job_not_found`, `job_cancelled`, `date_out_of_range`, `version_conflict`."""
    whole = load(uow, job_id, version=uow.if_match)
    if move_date(uow, whole, body["which"], date_of(body, "due_on"), body["reason"]):
        settle(uow, whole)
    return whole.job


def move_date(uow: Uow, whole: WholeJob, which: str, new: date | None, reason: str) -> bool:
    """False if it is that day already. Errors: `job_cancelled`."""
    job = not_cancelled(whole)
    old = getattr(job, f"{which}_due")
    if old == new:
        return False
    setattr(job, f"{which}_due", new)
    record_move(uow, job.id, "job", job.id, which, old, new, reason)
    uow.audit("job.due_moved", "job", job.id, before={which: old}, after={which: new}, reason=reason)
    return True


def cancel_job(uow: Uow, job_id: UUID, reason: str) -> Job:
    """With its open tasks and requests. Errors: `job_not_found`, `job_cancelled`, `version_conflict`."""
    whole = load(uow, job_id, version=uow.if_match)
    cancel(uow, whole, reason)
    settle(uow, whole)
    return whole.job


def cancel(uow: Uow, whole: WholeJob, reason: str) -> None:
    """Errors: `job_cancelled`."""
    job = not_cancelled(whole)
    for task in whole.tasks:
        if task.status in OPEN:
            task.before_cancel, task.status = task.status, "cancelled"
    for request in whole.requests:
        if request.status in (*UNSENT, *WITH_CLIENT):
            request.before_cancel, request.status = request.status, "cancelled"
            take_back(uow, request)
    job.cancelled_at, job.cancel_reason = uow.now, reason
    uow.audit("job.cancelled", "job", job.id, reason=reason)


def reinstate_job(uow: Uow, job_id: UUID) -> Job:
    """What was cancelled with the job is open again. Errors: `job_not_found`, `job_not_cancelled`, `period_already_made`."""
    whole = load(uow, job_id, version=uow.if_match)
    job = whole.job
    if job.cancelled_at is None:
        raise Conflict("job_not_cancelled", "This job is not cancelled.")
    for step in whole.steps:
        if step.before_cancel:
            step.status, step.before_cancel = step.before_cancel, None
            if isinstance(step, Request) and step.status in WITH_CLIENT:
                hand_over(uow, step)
    job.cancelled_at = job.cancel_reason = None
    settle(uow, whole)
    uow.audit("job.reinstated", "job", job_id)
    return job


def not_cancelled(whole: WholeJob) -> Job:
    """Errors: `job_cancelled`."""
    if whole.job.cancelled_at:
        raise Conflict("job_cancelled", "This job is cancelled. Reinstate it first.")
    return whole.job


# --- what happens by itself ------------------------------------------------------------------------------------------


def turn(uow: Uow, job_id: str, day: str) -> None:
    """A day has begun that may change the job's status, end a lag, or send a request."""
    whole = load(uow, UUID(job_id))
    # The plan knows the day by the firm's clock; a clock that runs a little behind does not undo it.
    settle(uow, whole, today=max(today_of(uow), date.fromisoformat(day)), changed=False)


# How many jobs are told again at once after their stage was renamed, and how long the bus has for it.
STORM = 200
BREATH = timedelta(seconds=1)


def tell_stage(uow: Uow, stage_id: str, behind: str, at_once: int = STORM) -> None:
    """A stage was renamed: its jobs on the board are announced with the new name, some at a time, behind the job where the last
    time ended. Renamed once more meanwhile it begins anew. What has left the board keeps the name it left with."""
    stage = uow.session.get(Stage, (uow.firm_id, UUID(stage_id)))
    if stage is None:
        return
    found = select(Job).where(Job.firm_id == uow.firm_id, Job.stage_id == stage.id, Job.on_board)
    if behind:
        found = found.where(Job.id > UUID(behind))
    jobs = list(uow.session.scalars(found.order_by(Job.id).limit(at_once).with_for_update()))
    for job in jobs:
        job.changed_at = uow.now
    uow.session.flush()
    for job in jobs:
        uow.announce(job_changed(job, stage.name, facts_of(job)), subject=job.id, version=job.version)
    if len(jobs) == at_once:
        uow.later("stage_renamed", stage.id, at=uow.now + BREATH, stage_id=stage_id, behind=str(jobs[-1].id))


def follow_client(uow: Uow, event: ClientChanged) -> None:
    """Keeps the client; its jobs are found by its new name."""
    if keep_client(uow, event):
        _find_by_name(uow, UUID(event.client_id), event.name)


# Both may have a job of one template and period: those that move count on after those that stand.
_COUNT_ON = text("""
    UPDATE jobs j SET repeat_no = j.repeat_no + 1 + same.last
    FROM (SELECT template_id, period_start, period_end, max(repeat_no) AS last FROM jobs
          WHERE firm_id = :firm AND client_id = :into AND template_id IS NOT NULL AND cancelled_at IS NULL GROUP BY 1, 2, 3) same
    WHERE j.firm_id = :firm AND j.client_id = :old AND j.cancelled_at IS NULL AND j.template_id = same.template_id
      AND j.period_start IS NOT DISTINCT FROM same.period_start AND j.period_end IS NOT DISTINCT FROM same.period_end""")


def follow_merge(uow: Uow, event: ClientMerged) -> None:
    """Jobs, tasks, requests and whatever else belonged to the client given up belongs to the one that stands."""
    old, into = UUID(event.client_id), UUID(event.into_client_id)
    uow.session.execute(_COUNT_ON, {"firm": uow.firm_id, "old": old, "into": standing(uow, into)})
    into = follow_client_merge(uow, old, into)
    if client := uow.session.get(ClientCopy, (uow.firm_id, into)):
        _find_by_name(uow, into, client.name)


def forget(uow: Uow, event: ClientRemoved) -> None:
    forget_client(uow, UUID(event.client_id))


def _find_by_name(uow: Uow, client_id: UUID, name: str) -> None:
    for job_id, title, known in uow.session.execute(
        select(Job.id, Job.title, Job.search_text).where(Job.client_id == client_id)
    ):
        words = searchable(title, name)
        if words != known:
            # Not a change of the job: its version stays.
            uow.session.execute(
                update(Job).where(Job.firm_id == uow.firm_id, Job.id == job_id).values(search_text=words)
            )
