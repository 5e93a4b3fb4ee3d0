"""What the actions of an automation would do, and doing it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text

from chassis.errors import Conflict, NotFound
from chassis.uow import Uow
from workflow.automations import rules
from workflow.automations.tables import Happening
from workflow.copies.tables import ClientCopy, StaffCopy
from workflow.copies.usecases import calendar_of, firm_zone
from workflow.dates.rules import DateRule, resolve, short
from workflow.jobs import usecases as jobs
from workflow.jobs.tables import Job
from workflow.requests import usecases as requests
from workflow.requests.rules import UNSENT
from workflow.requests.tables import Request
from workflow.stages.usecases import stages_of
from workflow.tasks import rules as task_rules
from workflow.tasks import usecases as tasks
from workflow.tasks.tables import Task
from workflow.templates.rules import DEFAULT_REMINDERS
from workflow.templates.tables import Template
from workflow.watching.usecases import Subject, may_see, tell


@dataclass(frozen=True)
class Scene:
    """A happening with everything that actions look at, as it is now."""

    happening: Happening
    job: Job
    client: ClientCopy
    subject: Task | Request | None
    tasks: Mapping[str, Task]  # by key, those that the automation names
    requests: Mapping[str, Request]
    staff: Mapping[UUID, str]  # who works at the firm
    stages: Mapping[UUID, str]
    templates: Mapping[UUID, str]
    day: date  # of the happening, in the firm's zone
    calendar: Any = field(repr=False)

    given_up: Sequence[str] = ()  # ids of clients that were merged into the job's

    @property
    def facts(self) -> dict[str, Any]:
        """What conditions ask about: how it was at the happening, and what the client is now, by whichever id it is named."""
        client = [str(self.client.id), *self.given_up]
        now = {"client_status": self.client.status, "client_tag": list(self.client.tags), "client": client}
        return self.happening.facts | now


_GIVEN_UP = text("SELECT id, into_id FROM merged_ids WHERE firm_id = :firm AND into_id = ANY(:ids)")


def scenes(uow: Uow, happenings: Sequence[Happening], content: Mapping[str, Any]) -> list[Scene]:
    """The scenes of happenings, in a few statements however many they are; those of jobs that may not be seen are left out."""
    job_ids, subject_ids = {h.job_id for h in happenings}, {h.subject_id for h in happenings}
    visible = (ClientCopy.firm_id == Job.firm_id) & (ClientCopy.id == Job.client_id)
    found = select(Job, ClientCopy).join(ClientCopy, visible).where(Job.firm_id == uow.firm_id, Job.id.in_(job_ids))
    jobs_found = {job.id: (job, client) for job, client in uow.session.execute(found)}
    steps: dict[type[Task] | type[Request], list[Any]] = {}
    for model, name in ((Task, "task_key"), (Request, "request_key")):
        keys = {key for _, key in rules.named(content, name)}
        wanted = or_(model.id.in_(subject_ids), model.job_id.in_(job_ids) & model.key.in_(keys))
        steps[model] = list(uow.session.scalars(select(model).where(model.firm_id == uow.firm_id, wanted)))
    by_id = {step.id: step for found_steps in steps.values() for step in found_steps}
    staff = {row.id: row.name for row in uow.session.scalars(select(StaffCopy).where(StaffCopy.active))}
    stages = {stage.id: stage.name for stage in stages_of(uow)}
    templates = {row.id: row.name for row in uow.session.execute(select(Template.id, Template.name))}
    zone, calendar = firm_zone(uow), calendar_of(uow)
    given_up: dict[UUID, list[str]] = {}
    if any(rules.condition_values(content, "client")):
        clients = {"firm": uow.firm_id, "ids": [client.id for _, client in jobs_found.values()]}
        for row in uow.session.execute(_GIVEN_UP, clients):
            given_up.setdefault(row.into_id, []).append(str(row.id))
    return [
        Scene(
            happening=h,
            job=jobs_found[h.job_id][0],
            client=jobs_found[h.job_id][1],
            subject=by_id.get(h.subject_id),
            tasks={t.key: t for t in steps[Task] if t.job_id == h.job_id and t.key},
            requests={r.key: r for r in steps[Request] if r.job_id == h.job_id and r.key},
            staff=staff,
            stages=stages,
            templates=templates,
            day=h.at.astimezone(zone).date(),
            calendar=calendar,
            given_up=given_up.get(jobs_found[h.job_id][1].id, ()),
        )
        for h in happenings
        if h.job_id in jobs_found
    ]


# --- who, which, when ------------------------------------------------------------------------------------------------


def _people(scene: Scene, action: Mapping[str, Any]) -> tuple[list[UUID], str]:
    """The people an action names who work here, and in words who they are or why there is nobody."""
    found: list[UUID] = []
    missing: list[str] = []
    for who in rules.whos(action):
        staff_id = _person(scene, who)
        if staff_id and staff_id in scene.staff:
            found.append(staff_id)
        else:
            missing.append(_called(who))
    found = list(dict.fromkeys(found))
    if not found:
        return [], f"Nobody is known as {', '.join(missing)}"
    return found, ", ".join(scene.staff[staff_id] for staff_id in found)


def _person(scene: Scene, who: Mapping[str, Any]) -> UUID | None:
    if "staff_id" in who:
        return UUID(who["staff_id"])
    if "role" in who:
        named = scene.job.people.get(who["role"])
        return UUID(named) if named else None
    subject = scene.subject
    owner = subject.owner_id if isinstance(subject, Task) else None
    return {
        "job_owner": scene.job.owner_id,
        "task_owner": owner,
        "client_manager": scene.client.manager_id,
        "client_partner": scene.client.partner_id,
    }[who["responsible"]]


def _called(who: Mapping[str, Any]) -> str:
    return who.get("role") or str(who.get("responsible", "somebody who has left")).replace("_", " ")


def _task(scene: Scene, action: Mapping[str, Any]) -> Task | None:
    if "task_key" in action:
        return scene.tasks.get(action["task_key"])
    return scene.subject if isinstance(scene.subject, Task) else None


def _day_after(scene: Scene, after: Mapping[str, Any]) -> date:
    rule = DateRule("job_start", amount=after["amount"], unit=after["unit"], roll=after.get("roll", "none"))
    return resolve(rule, scene.day, scene.calendar)


# --- in words --------------------------------------------------------------------------------------------------------


def intended(scene: Scene, action: Mapping[str, Any]) -> str:
    """What an action would do, in words. Errors: DateOutOfRange."""
    people, who = _people(scene, action) if "who" in action else ([], "")
    match action["do"]:
        case "assign":
            task = _task(scene, action)
            what = "the job" if action.get("job") else f"“{task.title}”" if task else "no task of that key"
            return f"{who}: {what} stays as it is." if not people else f"Give {what} to {who}."
        case "move_stage":
            return f"Move the job to {scene.stages.get(UUID(action['stage_id']), 'a stage that is gone')}."
        case "set_date":
            task = _task(scene, action)
            what = f"of “{task.title}”" if action["which"] == "task" and task else f"({action['which']})"
            return f"Set the date {what} to {short(_day_after(scene, action['after']))}."
        case "notify":
            return f"Tell {who}: {_filled(scene, action['text'])}" if people else f"{who}: nobody is told."
        case "create_task":
            return f"Add the task “{_filled(scene, action['title'])}”" + (f" for {who}." if people else ".")
        case "create_job":
            return f"Make a job from “{scene.templates.get(UUID(action['template_id']), 'a template that is gone')}”."
        case "send_request":
            draft = scene.requests.get(action.get("request_key", ""))
            return f"Ask the client: “{draft.title if draft else _filled(scene, action.get('title', ''))}”."
        case _:
            return f"Tag the job “{action['tag']}”."


PLACEHOLDERS = ("{job}", "{client}", "{step}")


def _filled(scene: Scene, words: str) -> str:
    step = scene.subject.title if scene.subject else ""
    return words.replace("{job}", scene.job.title).replace("{client}", scene.client.name).replace("{step}", step)


# --- doing it --------------------------------------------------------------------------------------------------------


def act(uow: Uow, scene: Scene, action: Mapping[str, Any], name: str) -> str:
    """Does it, by the same use cases that people's acts go through, and says what was done. Errors: theirs."""
    return _ACTS[action["do"]](uow, scene, action, f"automation “{name}”")


def _assign(uow: Uow, scene: Scene, action: Mapping[str, Any], _why: str) -> str:
    people, who = _people(scene, action)
    if not people:
        return f"{who}: nothing was assigned."
    if action.get("job"):
        jobs.change_job(uow, scene.job.id, {"owner_id": str(people[0])}, if_match=None)
        return f"The job was given to {who}."
    task = _task(scene, action)
    if task is None or task.status not in task_rules.OPEN:
        return "There is no open task to assign."
    tasks.assign_task(uow, task.id, people[0])
    return f"“{task.title}” was given to {who}."


def _move_stage(uow: Uow, scene: Scene, action: Mapping[str, Any], _why: str) -> str:
    stage_id = UUID(action["stage_id"])
    if stage_id not in scene.stages:
        raise NotFound("stage_not_found", "The stage is gone.")
    jobs.move_job(uow, scene.job.id, {"stage_id": action["stage_id"]})
    return f"The job was moved to {scene.stages[stage_id]}."


def _set_date(uow: Uow, scene: Scene, action: Mapping[str, Any], why: str) -> str:
    day = _day_after(scene, action["after"])
    if action["which"] != "task":
        body = {"which": action["which"], "due_on": day.isoformat(), "reason": why}
        jobs.move_due_date(uow, scene.job.id, body)
        return f"The {action['which']} date was set to {short(day)}."
    task = _task(scene, action)
    if task is None or task.status not in task_rules.OPEN:
        return "There is no open task whose date to set."
    tasks.reschedule_task(uow, task.id, {"due_on": day.isoformat(), "reason": why})
    return f"The date of “{task.title}” was set to {short(day)}."


def _notify(uow: Uow, scene: Scene, action: Mapping[str, Any], why: str) -> str:
    people, who = _people(scene, action)
    told = may_see(uow, scene.client.id, people)
    if not told:
        return "Nobody who may see the client was to be told." if people else f"{who}: nobody was told."
    happened = scene.happening
    subject = Subject(happened.subject_type, happened.subject_id, scene.job.id, scene.client.id)
    tell(uow, told, "automation", subject, f"{_filled(scene, action['text'])} ({why})")
    return f"Told: {', '.join(sorted(scene.staff[p] for p in told))}."


def _create_task(uow: Uow, scene: Scene, action: Mapping[str, Any], _why: str) -> str:
    people, _ = _people(scene, action) if "who" in action else ([], "")
    role = action.get("role", "")
    body: dict[str, Any] = {
        "title": _filled(scene, action["title"])[:200],
        "description": action.get("description", ""),
        "budget_minutes": action.get("budget_minutes", 0),
        "owner_id": str(people[0]) if people else None,
    }
    if role in scene.job.people:
        body["role"] = role
    if "due_after" in action:
        body["due_on"] = _day_after(scene, action["due_after"]).isoformat()
    tasks.add_task(uow, scene.job.id, body)
    return f"The task “{body['title']}” was added."


def _create_job(uow: Uow, scene: Scene, action: Mapping[str, Any], _why: str) -> str:
    job = scene.job
    body: dict[str, Any] = {"template_id": action["template_id"], "client_id": str(job.client_id)}
    if action.get("same_period", True) and job.period_start and job.period_end:
        body |= {"period_start": job.period_start.isoformat(), "period_end": job.period_end.isoformat()}
    if "title" in action:
        body["title"] = _filled(scene, action["title"])[:200]
    try:
        with uow.attempt():
            made = jobs.create_job(uow, body)
    except Conflict as error:
        if error.code != "period_already_made":
            raise
        return f"No job was made: {error.message}"
    return f"The job “{made.title}” was made."


def _send_request(uow: Uow, scene: Scene, action: Mapping[str, Any], _why: str) -> str:
    if "request_key" in action:
        draft = scene.requests.get(action["request_key"])
        if draft is None or draft.status not in UNSENT:
            return "There is no such request left to send."
        requests.send_request(uow, draft.id)
        return f"“{draft.title}” was sent to the client."
    body: dict[str, Any] = {
        "title": _filled(scene, action["title"])[:200],
        "message": _filled(scene, action.get("message", "")),
        "items": action["items"],
        "reminders": DEFAULT_REMINDERS,
    }
    if "due_after" in action:
        body["due_on"] = _day_after(scene, action["due_after"]).isoformat()
    requests.create_request(uow, scene.job.id, body)
    return f"“{body['title']}” was sent to the client."


def _apply_tag(uow: Uow, scene: Scene, action: Mapping[str, Any], _why: str) -> str:
    jobs.change_job(uow, scene.job.id, {"tags": sorted({*scene.job.tags, action["tag"].strip()})}, if_match=None)
    return f"The job was tagged “{action['tag'].strip()}”."


_ACTS: Mapping[str, Callable[[Uow, Scene, Mapping[str, Any], str], str]] = {
    "assign": _assign,
    "move_stage": _move_stage,
    "set_date": _set_date,
    "notify": _notify,
    "create_task": _create_task,
    "create_job": _create_job,
    "send_request": _send_request,
    "apply_tag": _apply_tag,
}
