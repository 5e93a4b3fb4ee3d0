"""A job with everything in it: loaded whole, changed, then settled: dates, blocks, status and announcements follow."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import and_, select
from sqlalchemy.orm import selectinload

from chassis.db import new_id
from chassis.errors import Invalid, NotFound
from chassis.uow import Uow, lost_update
from workflow.automations import happenings
from workflow.copies.tables import ClientCopy
from workflow.copies.usecases import calendar_of, day_begins, today_of
from workflow.dates.parsing import dates_checked
from workflow.dates.rules import EARLIEST, Calendar, DateRule
from workflow.db import insert_many
from workflow.dependencies.rules import Edge, Node, Readiness, readiness
from workflow.forecast import rules as forecast_rules
from workflow.forecast.making import forecast_step
from workflow.forecast.rules import late_from
from workflow.jobs import rules
from workflow.jobs.events import job_changed
from workflow.jobs.tables import Dependency, DueMove, Job
from workflow.requests import rules as request_rules
from workflow.requests.events import request_changed
from workflow.requests.sending import expire, send
from workflow.requests.tables import Request, RequestItem
from workflow.stages.tables import Stage
from workflow.stages.usecases import stages_of
from workflow.tasks import rules as task_rules
from workflow.tasks.events import task_changed
from workflow.tasks.tables import Task
from workflow.watching.usecases import Subject, tell_watchers

# How long a finished job stays on the board, so that what was dropped on Done does not vanish under one's hands.
STAYS_ON_BOARD = timedelta(days=14)

Step = Task | Request


@dataclass
class NewDependency:
    """A dependency of a job that is not written yet: the columns of `Dependency`."""

    id: UUID
    job_id: UUID
    before_kind: str
    before_id: UUID
    after_kind: str
    after_id: UUID
    lag_days: int


S = TypeVar("S", Task, Request)


class Stood(NamedTuple):
    """How a job or one of its steps stood."""

    status: str
    stage_id: UUID | None = None  # of a job
    blocked: bool = False  # of a task


@dataclass
class WholeJob:
    """One job. Whoever changes it has locked it, so that what follows from the parts follows from all of them."""

    job: Job
    tasks: list[Task] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    dependencies: list[Dependency | NewDependency] = field(default_factory=list)
    _versions: dict[UUID, int] = field(default_factory=dict)  # as loaded
    _stood: dict[UUID, Stood] = field(default_factory=dict)  # when last settled or loaded
    _stages: dict[UUID, Stage] = field(default_factory=dict)

    def stages(self, uow: Uow) -> dict[UUID, Stage]:
        """The firm's stages in order, read once."""
        if not self._stages:
            self._stages = {stage.id: stage for stage in stages_of(uow)}
        return self._stages

    @property
    def steps(self) -> list[Step]:
        return [*self.tasks, *self.requests]

    @property
    def edges(self) -> list[Edge[UUID]]:
        return [Edge(d.before_id, d.after_id, d.lag_days) for d in self.dependencies]

    @property
    def standing(self) -> dict[UUID, Stood]:
        standing = {self.job.id: Stood(self.job.status, stage_id=self.job.stage_id)}
        standing.update({task.id: Stood(task.status, blocked=task.blocked) for task in self.tasks})
        standing.update({request.id: Stood(request.status) for request in self.requests})
        return standing

    @property
    def titles(self) -> dict[UUID, str]:
        return {step.id: step.title for step in self.steps}

    def step(self, step_id: UUID) -> Step:
        """Errors: `dependency_unknown`."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise Invalid("dependency_unknown", "The job has no such task or request.")

    def task(self, task_id: UUID) -> Task:
        return next(task for task in self.tasks if task.id == task_id)

    def request(self, request_id: UUID) -> Request:
        return next(request for request in self.requests if request.id == request_id)

    def waiting(self, step_id: UUID) -> list[Step]:
        """The open steps that a step waits for."""
        open_ones = {step.id: step for step in self.steps if not complete(step)}
        return [open_ones[e.before] for e in self.edges if e.after == step_id and e.before in open_ones]

    def facts(self) -> rules.Facts:
        return facts_of(self.job)


def facts_of(job: Job) -> rules.Facts:
    """What the status is derived from, as the job's columns hold it."""
    due_on, deadline_on = rules.due_dates(job.statutory_due, job.extended_due, job.internal_due)
    return rules.Facts(
        cancelled=job.cancelled_at is not None,
        closed=job.closed_at is not None,
        due_on=due_on,
        deadline_on=deadline_on,
        open_tasks=job.open_tasks,
        next_ready_on=job.next_ready_on,
        requests_open=job.requests_open,
        requests_waiting=job.requests_waiting,
        next_step_due=job.next_step_due,
        last_step_due=job.last_step_due,
        late_from=job.late_from,
    )


def kind_of(step: Step) -> str:
    return "task" if isinstance(step, Task) else "request"


def complete(step: Step) -> bool:
    """Whether what waits for the step can go on."""
    return step.status in (task_rules.CLOSED if isinstance(step, Task) else request_rules.COMPLETE)


# --- loading ---------------------------------------------------------------------------------------------------------


def load(uow: Uow, job_id: UUID, *, version: int | None = None) -> WholeJob:
    """The job, locked. Errors: `job_not_found`, also for a private client's stranger; `version_conflict`."""
    visible = and_(ClientCopy.firm_id == Job.firm_id, ClientCopy.id == Job.client_id)
    statement = (
        select(Job)
        .join(ClientCopy, visible)
        .where(Job.firm_id == uow.firm_id, Job.id == job_id)
        .with_for_update(of=Job)
    )
    job = uow.session.scalar(statement.execution_options(populate_existing=True))
    if job is None:
        raise NotFound("job_not_found", "There is no such job.")
    if version is not None and job.version != version:
        raise lost_update(job.version)
    whole = WholeJob(
        job,
        tasks=_of(uow, select(Task).where(Task.firm_id == uow.firm_id, Task.job_id == job_id).order_by(Task.position)),
        requests=_of(
            uow,
            select(Request)
            .where(Request.firm_id == uow.firm_id, Request.job_id == job_id)
            .order_by(Request.position)
            .options(selectinload(Request.items)),
        ),
        dependencies=_of(
            uow,
            select(Dependency)
            .where(Dependency.firm_id == uow.firm_id, Dependency.job_id == job_id)
            .order_by(Dependency.id),
        ),
    )
    whole._versions = {row.id: row.version for row in (job, *whole.steps)}
    whole._stood = whole.standing
    return whole


def _of(uow: Uow, statement: Any) -> list[Any]:
    return list(uow.session.scalars(statement.execution_options(populate_existing=True)))


def load_by_task(uow: Uow, task_id: UUID) -> tuple[WholeJob, Task]:
    """The job of a task, locked, and the task. `uow.if_match` is the task's. Errors: `task_not_found`, `version_conflict`."""
    whole = _load_by(uow, Task, task_id, "task")
    return whole, _seen(uow, whole.task(task_id))


def load_by_request(uow: Uow, request_id: UUID) -> tuple[WholeJob, Request]:
    """The job of a request, locked, and the request. A contact finds only requests of their clients that were sent.
    Errors: `request_not_found`, `version_conflict`."""
    whole = _load_by(uow, Request, request_id, "request")
    request = whole.request(request_id)
    if uow.principal.kind == "portal" and not _shown_to_contact(uow, request):
        raise NotFound("request_not_found", "There is no such request.")
    return whole, _seen(uow, request)


def _shown_to_contact(uow: Uow, request: Request) -> bool:
    return request.client_id in uow.principal.client_ids and request.status in request_rules.VISIBLE_TO_CLIENT


def _load_by(uow: Uow, model: type[Task] | type[Request], step_id: UUID, name: str) -> WholeJob:
    job_id = uow.session.scalar(select(model.job_id).where(model.firm_id == uow.firm_id, model.id == step_id))
    missing = NotFound(f"{name}_not_found", f"There is no such {name}.")
    if job_id is None:
        raise missing
    try:
        return load(uow, job_id)
    except NotFound as error:
        raise missing from error


def _seen(uow: Uow, step: S) -> S:
    if uow.if_match is not None and step.version != uow.if_match:
        raise lost_update(step.version)
    return step


# --- settling --------------------------------------------------------------------------------------------------------


def settle(uow: Uow, whole: WholeJob, *, today: date | None = None, changed: bool = True, why: str = "") -> None:
    """Draws the consequences of whatever was changed, writes and announces them.

    Dates that count from other steps move (`why` is their reason), blocks come and go, requests that waited are sent, the
    job's facts and status follow. `changed` False: only the calendar has moved on to `today`, and nothing is written unless
    that changes something. Errors: `date_out_of_range`.
    """
    today = today or today_of(uow)
    for request in whole.requests:
        if request_rules.expired(request.status, request.expires_on, today):
            expire(uow, whole.job, request)
    for step in whole.steps:
        _stamp(uow, step, today)
    _move_dates(uow, whole, calendar_of(uow), why)
    ready = _draw(uow, whole, today)
    _write(uow, whole, changed)
    _tell_watchers(uow, whole, today)
    _notice(uow, [whole])
    _plan_next_turn(uow, whole, ready, today)


def settle_new(uow: Uow, wholes: Collection[WholeJob]) -> None:
    """Settles jobs that are all new, in as many statements as for one. Their dates are those of their plans."""
    today = today_of(uow)
    stages = {stage.id: stage for stage in stages_of(uow)}
    ready = []
    for whole in wholes:
        whole._stages = stages
        ready.append(_draw(uow, whole, today))
        for row in (whole.job, *whole.steps):
            row.version = 1
            whole._versions[row.id] = 1
    tasks = [task for whole in wholes for task in whole.tasks]
    requests = [request for whole in wholes for request in whole.requests]
    for request in requests:
        for item in request.items:
            item.request_id = request.id
    insert_many(uow, Job, [whole.job for whole in wholes])
    insert_many(uow, Task, tasks)
    insert_many(uow, Request, requests)
    insert_many(uow, RequestItem, [item for request in requests for item in request.items])
    insert_many(uow, Dependency, [dependency for whole in wholes for dependency in whole.dependencies])
    _notice(uow, wholes)
    for whole, found in zip(wholes, ready, strict=True):
        stage = stages[whole.job.stage_id]
        for row in (whole.job, *whole.steps):
            uow.announce(_state(row, whole, stage.name), subject=row.id, version=1)
        _plan_next_turn(uow, whole, found, today)


def _draw(uow: Uow, whole: WholeJob, today: date) -> dict[UUID, Readiness[UUID]]:
    """Blocks, requests that go out, facts and status follow, in memory."""
    ready = block(whole, today)
    for request in whole.requests:
        early = request.send_on is not None and request.send_on > today
        if request.status == "scheduled" and not early and not ready[request.id].blocked(today):
            send(uow, request)
    _count(uow, whole, ready, today)
    _foresee(uow, whole, today)
    return ready


def _stamp(uow: Uow, step: Step, today: date) -> None:
    """A complete step knows since when, an open one has forgotten it."""
    if not complete(step):
        step.completed_on = None
        if isinstance(step, Task):
            step.completed_at = None
    elif step.completed_on is None:
        step.completed_on = today
        if isinstance(step, Task):
            step.completed_at = uow.now


def _move_dates(uow: Uow, whole: WholeJob, calendar: Calendar, why: str) -> None:
    keys = {step.key: step.id for step in whole.steps if step.key}
    nodes = {}
    for step in whole.steps:
        rule = DateRule.parse(step.due_rule) if step.due_rule else None
        nodes[step.id] = rules.Dated(
            due_on=step.due_on,
            completed_on=step.completed_on,
            open=not complete(step),
            pinned=step.due_pinned,
            rule=rule,
            of=keys.get(rule.of) if rule and rule.of else None,
            pushed_from=step.pushed_from,
        )
    with dates_checked():
        due = rules.cascade(nodes, calendar, whole.edges)
    for step in whole.steps:
        if due[step.id].on != step.due_on:
            move_due_date(uow, step, due[step.id].on, why or "follows what it waits for")
        step.pushed_from = due[step.id].pushed_from


def move_due_date(uow: Uow, step: Step, new: date | None, reason: str) -> None:
    """Moves a step's date and records it."""
    record_move(uow, step.job_id, kind_of(step), step.id, "due", step.due_on, new, reason)
    step.due_on = new
    step.due_moves += 1


def record_move(
    uow: Uow,
    job_id: UUID,
    subject_type: str,
    subject_id: UUID,
    which: str,
    old: date | None,
    new: date | None,
    reason: str,
) -> None:
    uow.session.add(
        DueMove(
            id=new_id(),
            job_id=job_id,
            subject_type=subject_type,
            subject_id=subject_id,
            which=which,
            old=old,
            new=new,
            reason=reason,
            by=uow.principal.name or uow.principal.actor,
            at=uow.now,
        )
    )


def block(whole: WholeJob, today: date) -> dict[UUID, Readiness[UUID]]:
    """Writes down for every step what it waits for; flags what has begun although something before it is open again."""
    ready = readiness({step.id: Node(complete(step), step.completed_on) for step in whole.steps}, whole.edges)
    for step in whole.steps:
        step.waits_for, step.ready_on = len(ready[step.id].waits_for), ready[step.id].ready_on
    titles, due = whole.titles, {step.id: step.due_on for step in whole.steps}
    for task in whole.tasks:
        waits = [day for step_id in ready[task.id].waits_for if (day := due[step_id])]
        task.begins_on = max([whole.job.starts_on, *([task.ready_on] if task.ready_on else []), *waits])
        task.blocked = task.status == "not_started" and ready[task.id].blocked(today)
        begun = task.status in ("in_progress", "done")
        open_before = next(iter(_open_before(task.id, ready, whole.edges)), None) if begun else None
        task.attention = f"“{titles[open_before]}” is not done, though this has begun." if open_before else None
    return ready


def _open_before(step_id: UUID, ready: dict[UUID, Readiness[UUID]], edges: Iterable[Edge[UUID]]) -> Iterator[UUID]:
    """Open steps anywhere before a step, nearest first."""
    before: dict[UUID, list[UUID]] = {}
    for edge in edges:
        before.setdefault(edge.after, []).append(edge.before)
    queue, seen = [step_id], {step_id}
    while queue:
        current = queue.pop(0)
        yield from ready[current].waits_for
        for earlier in before.get(current, ()):
            if earlier not in seen:
                seen.add(earlier)
                queue.append(earlier)


def _count(uow: Uow, whole: WholeJob, ready: dict[UUID, Readiness[UUID]], today: date) -> None:
    """The facts of the job that its status is derived from, and whether it is finished."""
    job = whole.job
    counted = [task for task in whole.tasks if task.status != "cancelled"]
    open_tasks = [task for task in counted if task.status in task_rules.OPEN]
    with_client = [request for request in whole.requests if request.status in request_rules.WITH_CLIENT]
    job.tasks_total, job.open_tasks = len(counted), len(open_tasks)
    job.tasks_done = job.tasks_total - job.open_tasks
    job.requests_waiting = len(with_client)
    job.requests_open = len(with_client) + sum(request.status == "scheduled" for request in whole.requests)
    _count_client_time(uow, job)
    job.budget_minutes = sum(task.budget_minutes for task in counted if task.status != "skipped")
    job.next_ready_on = rules.earliest([_workable_from(task, ready[task.id]) for task in open_tasks])
    due = [*(task.due_on for task in open_tasks), *(request.due_on for request in with_client)]
    job.next_step_due, job.last_step_due = rules.earliest(due), rules.latest(due)
    if job.cancelled_at is None:
        _close_or_open(uow, whole)
    ended = job.closed_at or job.cancelled_at
    job.on_board = ended is None or (job.cancelled_at is None and today < (ended + STAYS_ON_BOARD).date())


def _count_client_time(uow: Uow, job: Job) -> None:
    """While anything lies with the client it is the client's time, once, however much it is."""
    if job.requests_waiting and job.client_since is None:
        job.client_since = uow.now
    elif not job.requests_waiting and job.client_since:
        job.client_seconds = (job.client_seconds or 0) + int((uow.now - job.client_since).total_seconds())
        job.client_since = None


def _foresee(uow: Uow, whole: WholeJob, today: date) -> None:
    """From which day on the deadline can't be kept, and the status that follows from all the facts."""
    job, late = whole.job, None
    if job.closed_at is None and job.cancelled_at is None:
        places = {step.id: i for i, step in enumerate(whole.steps)}
        edges = tuple(Edge(places[e.before], places[e.after], e.lag_days) for e in whole.edges)
        steps = tuple(_foreseen(step) for step in whole.steps)
        late = _late_from(steps, edges, today, calendar_of(uow), whole.facts().deadline_on)
    # Too late already is one state, whatever the day: a day that passes changes nothing.
    job.late_from = EARLIEST if late == today else late
    job.status = rules.derive(whole.facts(), today).status


@lru_cache(maxsize=1000)
def _late_from(
    steps: tuple[forecast_rules.Step, ...],
    edges: tuple[Edge[int], ...],
    today: date,
    calendar: Calendar,
    deadline: date | None,
) -> date | None:
    """By places instead of ids: jobs made from one template foresee the same."""
    return late_from(dict(enumerate(steps)), edges, today, calendar, deadline)


def _foreseen(step: Step) -> forecast_rules.Step:
    if isinstance(step, Task):
        return forecast_step("task", step.title, step.status, step.completed_on, minutes=step.budget_minutes)
    return forecast_step(
        "request", step.title, step.status, step.completed_on, due_on=step.due_on, reminders=step.reminders
    )


def _workable_from(task: Task, ready: Readiness[UUID]) -> date | None:
    """The first day a task can be worked on; work that has begun goes on. None while it waits for something open."""
    if task.status == "in_progress":
        return EARLIEST
    return None if ready.waits_for else ready.ready_on or EARLIEST


def _close_or_open(uow: Uow, whole: WholeJob) -> None:
    """A job is done when nothing in it is open; one without tasks, when it also stands in a stage for done ones.
    Becoming done takes it to such a stage, being taken up again takes it back."""
    job, stages = whole.job, whole.stages(uow)
    stands_in_done = stages[job.stage_id].kind == "done"
    done = not job.open_tasks and not job.requests_open and (job.tasks_total > 0 or stands_in_done)
    if done and job.closed_at is None:
        job.closed_at = uow.now
        target = next((stage.id for stage in stages.values() if stage.kind == "done"), None)
        if target and not stands_in_done:
            job.stage_before_done, job.stage_id = job.stage_id, target
    elif not done and job.closed_at:
        job.closed_at = None
        if stands_in_done and job.stage_before_done in stages:
            job.stage_id = job.stage_before_done
        job.stage_before_done = None


def _write(uow: Uow, whole: WholeJob, changed: bool) -> None:
    session, job = uow.session, whole.job
    if changed or any(session.is_modified(row) for row in (job, *whole.steps) if row in session):
        # Lists and pages of the job are told by its version, whichever part has changed.
        job.changed_at = uow.now
    session.flush()
    stage = whole.stages(uow)[job.stage_id]
    for row in (job, *whole.steps):
        if whole._versions.get(row.id) == row.version:
            continue
        whole._versions[row.id] = row.version
        uow.announce(_state(row, whole, stage.name), subject=row.id, version=row.version)


def _state(row: Job | Step, whole: WholeJob, stage: str) -> Message:
    if isinstance(row, Job):
        return job_changed(row, stage, whole.facts())
    return task_changed(row) if isinstance(row, Task) else request_changed(row, whole.job.title)


def _tell_watchers(uow: Uow, whole: WholeJob, today: date) -> None:
    """Who watches the job hears of another status, who watches a task that it was finished or taken up again."""
    job, stood, news = whole.job, whole._stood, []
    if job.id in stood and job.status != stood[job.id].status:
        says = f"“{job.title}” is {job.status.replace('_', ' ')}: {rules.derive(whole.facts(), today).says}"
        news.append((Subject("job", job.id, job.id, job.client_id), says))
    for task in whole.tasks:
        was, now = stood[task.id].status if task.id in stood else task.status, task.status
        if was != now and (was in task_rules.CLOSED or now in task_rules.CLOSED):
            says = f"“{task.title}” is {now.replace('_', ' ')}."
            news.append((Subject("task", task.id, job.id, job.client_id), says))
    tell_watchers(uow, news)


# --- what happened, for automations ----------------------------------------------------------------------------------

_REQUEST_HAPPENINGS = {status: f"request_{status}" for status in ("submitted", "accepted", "returned", "expired")}


def _notice(uow: Uow, wholes: Collection[WholeJob]) -> None:
    """Writes down what happened since each job was loaded or last settled."""
    noticed = []
    for whole in wholes:
        stood, whole._stood = whole._stood, whole.standing
        noticed += [(whole.job.id, whole.job.client_id, *happened) for happened in _happened(whole, stood)]
    happenings.note(uow, noticed)


def _happened(whole: WholeJob, stood: dict[UUID, Stood]) -> Iterator[tuple[str, str, UUID, dict[str, Any]]]:
    job, facts = whole.job, job_facts(whole.job)
    if before := stood.get(job.id):
        if before.stage_id != job.stage_id:
            yield "stage_entered", "job", job.id, facts
        if before.status != job.status:
            yield "status_turned", "job", job.id, facts | {"status_before": before.status}
    else:
        yield "job_made", "job", job.id, facts
    for task in whole.tasks:
        for kind in _task_happened(task, stood.get(task.id)):
            yield kind, "task", task.id, facts | step_facts(task)
    for request in whole.requests:
        before = stood.get(request.id, Stood("draft"))
        if what := _request_happened(request, before.status):
            yield what, "request", request.id, facts | step_facts(request)


def _task_happened(task: Task, before: Stood | None) -> Iterator[str]:
    if before is None:
        return
    if before.status != task.status and task.status in ("in_progress", "done"):
        yield "task_started" if task.status == "in_progress" else "task_done"
    if task.status == "not_started" and before.blocked != task.blocked:
        yield "task_blocked" if task.blocked else "task_unblocked"


def _request_happened(request: Request, status: str) -> str | None:
    if request.status == "sent" and status in request_rules.UNSENT:
        return "request_sent"
    return _REQUEST_HAPPENINGS.get(request.status) if request.status != status else None


def job_facts(job: Job) -> dict[str, Any]:
    """What automations may ask about a job, as it stands now; ids as text."""
    return {
        "title": job.title,
        "service": job.service,
        "template": str(job.template_id or ""),
        "stage": str(job.stage_id),
        "status": job.status,
        "owner": str(job.owner_id or ""),
        "client": str(job.client_id),
        "job_tag": list(job.tags),
    }


def step_facts(step: Step) -> dict[str, Any]:
    """And about the task or request that something happened to."""
    if isinstance(step, Task):
        return {"step": step.title, "task_key": step.key or "", "task_role": step.role}
    return {"step": step.title, "request_key": step.key or ""}


def _plan_next_turn(uow: Uow, whole: WholeJob, ready: dict[UUID, Readiness[UUID]], today: date) -> None:
    """Asks to be called when the calendar alone changes something here; a plan that has become needless does no harm."""
    job = whole.job
    days = [rules.turns_on(whole.facts(), today)]
    if job.cancelled_at is None:
        waiting = [s for s in whole.steps if s.status in ("not_started", "scheduled")]
        days += [ready[s.id].ready_on for s in waiting if not ready[s.id].waits_for]
        days += [request.send_on for request in whole.requests if request.status == "scheduled"]
        asked = [r.expires_on for r in whole.requests if r.status in request_rules.WITH_CLIENT and r.expires_on]
        days += [last + timedelta(days=1) for last in asked]
    if job.closed_at and job.on_board:
        days.append((job.closed_at + STAYS_ON_BOARD).date())
    day = min((d for d in days if d and d > today), default=None)
    if day:
        uow.later("job_turn", job.id, at=day_begins(uow, day), job_id=str(job.id), day=day.isoformat())
