"""Capacity as the API shows it: loaded in a few statements, worked out by the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.errors import DomainError, NotFound
from chassis.uow import Uow
from workflow.applications.usecases import preview
from workflow.calendars.queries import people as working_people
from workflow.calendars.rules import Person, days_of
from workflow.capacity import rules
from workflow.copies.tables import ClientCopy
from workflow.copies.usecases import calendar_of, firm_of, today_of
from workflow.dates.rules import Calendar, short
from workflow.jobs.conditions import not_hidden
from workflow.jobs.making import already_made
from workflow.jobs.queries import Row
from workflow.jobs.tables import Job
from workflow.templates.rules import TaskStep
from workflow.templates.usecases import Application, existing_jobs
from workflow.watching.usecases import may_see

# What is left of an open task: its budget, once it has begun without the time logged on it.
_LEFT = """GREATEST(t.budget_minutes - CASE WHEN t.status = 'in_progress' THEN (
    SELECT COALESCE(sum(x.seconds), 0) / 60 FROM time_copy x WHERE x.firm_id = t.firm_id AND x.job_id = t.job_id AND x.task_id = t.id)
    ELSE 0 END, 0)::int"""
_BEGINS = (
    "CASE WHEN t.status = 'in_progress' THEN CAST(:today AS date) ELSE GREATEST(CAST(:today AS date), t.begins_on) END"
)
_DUE = "COALESCE(t.due_on, j.due_on)"
_OPEN = f"t.firm_id = :firm AND t.status IN ('not_started', 'in_progress') AND {not_hidden('t')}"
# An open task's job is open; it is said so that only those are read.
_WITH_JOB = "tasks t JOIN jobs j ON j.firm_id = t.firm_id AND j.id = t.job_id AND j.closed_at IS NULL AND j.cancelled_at IS NULL"

# Tasks that begin and end alike are spread as one, and none that can only begin behind the weeks. They are put together as
# the index has them; only for a task that has begun, or has no date of its own, its time or its job are looked up.
_ALONE = "t.status = 'in_progress' OR t.due_sort = '9999-12-31'"
_WORK = f"""
SELECT owner_id, begins, CASE WHEN due IS NOT NULL THEN GREATEST(due, begins) END AS due, sum(minutes)::bigint AS minutes
FROM (SELECT t.owner_id, {_BEGINS} AS begins, {_LEFT} AS minutes,
        CASE WHEN t.due_sort < '9999-12-31' THEN t.due_sort
            ELSE (SELECT j.due_on FROM jobs j WHERE j.firm_id = t.firm_id AND j.id = t.job_id) END AS due
    FROM (SELECT t.firm_id, t.owner_id, t.due_sort, t.begins_on, t.status, sum(t.budget_minutes)::int AS budget_minutes,
            CASE WHEN {_ALONE} THEN t.job_id END AS job_id, CASE WHEN {_ALONE} THEN t.id END AS id
        FROM tasks t WHERE {_OPEN} AND (t.begins_on <= :last OR {_ALONE})
        GROUP BY t.firm_id, t.owner_id, t.due_sort, t.begins_on, t.status, 7, 8) t) w
GROUP BY 1, 2, 3
"""
_PIECES = f"""
SELECT w.*, c.name AS client_name FROM (
    SELECT t.id, t.title, t.job_id, t.client_id, t.owner_id, t.role, t.status, j.title AS job_title, j.service,
        {_BEGINS} AS begins, {_DUE} AS due, {_LEFT} AS minutes
    FROM {_WITH_JOB} WHERE {_OPEN} AND (t.owner_id IS NULL OR t.owner_id = ANY(:owners)) AND {_DUE} <= :last
    ORDER BY {_DUE}, t.id LIMIT :most) w
JOIN client_copy c ON c.firm_id = :firm AND c.id = w.client_id WHERE w.minutes > 0
"""
_STAFF = "SELECT id, name, skills FROM staff_copy WHERE firm_id = :firm AND active ORDER BY name, id"
_MOST_PIECES = 2000


@dataclass(frozen=True)
class Outlook:
    """The firm's people, weeks and work."""

    weeks: rules.Weeks
    calendar: Calendar
    staff: Mapping[UUID, Row]  # id, name, skills
    hours: Mapping[UUID, rules.Hours]
    unassigned_hours: rules.Hours
    load: rules.Load
    unassigned: list[int]
    undated: dict[UUID | None, int]
    _weights: dict[tuple[int, date, date], rules.Weights] = field(default_factory=dict)

    def spread(self, owner: UUID | None, minutes: int, begins: date, due: date) -> dict[int, int]:
        """The minutes in each week; people who work alike share their hours, and so what a span of days weighs."""
        hours = self.hours.get(owner, self.unassigned_hours) if owner else self.unassigned_hours
        span = (id(hours), begins, due)
        weights = self._weights.get(span)
        if weights is None:
            weights = rules.weights(begins, due, hours, self.weeks, self._business_days)
            self._weights[span] = weights
        return rules.share(minutes, weights)

    def _business_days(self, first: date, last: date) -> int:
        return _business_days(self.calendar, first, min(last, first + timedelta(days=731)))

    def add(self, owner: UUID | None, minutes: int, begins: date, due: date | None) -> None:
        """Work of somebody who has left counts as nobody's."""
        who = owner if owner in self.staff else None
        if due is None:
            self.undated[who] = self.undated.get(who, 0) + minutes
            return
        target = self.load.planned[who] if who else self.unassigned
        for week, part in self.spread(who, minutes, begins, due).items():
            target[week] += part


@lru_cache(maxsize=5000)
def _business_days(calendar: Calendar, first: date, last: date) -> int:
    return sum(calendar.is_business_day(first + timedelta(days=i)) for i in range((last - first).days + 1))


def outlook(uow: Uow, count: int) -> Outlook:
    """Everybody's working time and open work in the coming weeks, this one included."""
    today, calendar = today_of(uow), calendar_of(uow)
    first = today - timedelta(days=(today.isoweekday() - firm_of(uow).week_start) % 7)
    weeks = rules.Weeks(first, count, today)
    staff = {row["id"]: row for row in uow.rows(_STAFF, {"firm": uow.firm_id})}
    alike: dict[Person, rules.Hours] = {}
    hours = {}
    for staff_id, person in working_people(uow, today, weeks.last).items():
        if person not in alike:
            days = {d.day: d.minutes for d in days_of(person, today, weeks.last, calendar)}
            alike[person] = rules.Hours(days, person.weekly_minutes // 5)
        hours[staff_id] = alike[person]
    available = {staff_id: [own.within(*span) for span in weeks.spans()] for staff_id, own in hours.items()}
    ahead = (today + timedelta(days=i) for i in range((weeks.last - today).days + 1))
    anybody = rules.Hours({day: int(calendar.is_business_day(day)) for day in ahead}, 1)
    load = rules.Load(available, {staff_id: [0] * count for staff_id in staff})
    made = Outlook(weeks, calendar, staff, hours, anybody, load, [0] * count, {})
    for row in uow.rows(_WORK, {"firm": uow.firm_id, "today": today, "last": weeks.last}):
        made.add(row["owner_id"], row["minutes"], row["begins"], row["due"])
    return made


# --- what is shown ---------------------------------------------------------------------------------------------------


def capacity(uow: Uow, count: int) -> dict[str, Any]:
    """Everybody's available and planned minutes by week, and the work that nobody has."""
    seen = outlook(uow, count)
    return {
        "weeks": _weeks(seen),
        "items": [_person(seen, staff_id) for staff_id in seen.staff],
        "unassigned": {"minutes": seen.unassigned, "undated_minutes": seen.undated.get(None, 0)},
    }


def _weeks(seen: Outlook) -> list[dict[str, date]]:
    return [{"first_day": first, "last_day": last} for first, last in seen.weeks.spans()]


def _person(seen: Outlook, staff_id: UUID) -> dict[str, Any]:
    load = seen.load
    weeks = [
        {"available": available, "planned": planned, "over": max(0, planned - available)}
        for available, planned in zip(load.available[staff_id], load.planned[staff_id], strict=True)
    ]
    return {
        "staff": _named(seen, staff_id),
        "skills": list(seen.staff[staff_id]["skills"]),
        "weeks": weeks,
        "undated_minutes": seen.undated.get(staff_id, 0),
    }


def _named(seen: Outlook, staff_id: UUID) -> dict[str, Any]:
    return {"id": staff_id, "name": seen.staff[staff_id]["name"]}


# --- who could take it -----------------------------------------------------------------------------------------------

_TASK = f"""
SELECT t.id, t.title, t.client_id, t.owner_id, t.role, j.service, {_BEGINS} AS begins, {_DUE} AS due, {_LEFT} AS minutes
FROM {_WITH_JOB} WHERE {_OPEN} AND t.id = :task
"""


def candidates(uow: Uow, task_id: UUID) -> dict[str, Any]:
    """Who could take an open task: those with the skill who may see the client, the freest first.
    Errors: `task_not_found`, also for one that is closed."""
    values = {"firm": uow.firm_id, "today": today_of(uow), "task": task_id}
    found = uow.rows(_TASK, values)
    if not found:
        raise NotFound("task_not_found", "There is no such open task.")
    task = found[0]
    due = task["due"] or today_of(uow) + timedelta(days=13)
    ahead = max(0, (due - today_of(uow)).days) // 7 + 2
    seen = outlook(uow, min(ahead, 26))
    able, why = _able(uow, seen, task)
    rows: list[dict[str, Any]] = []
    for staff_id in able:
        share = seen.spread(staff_id, task["minutes"], task["begins"], due)
        own = share if staff_id == task["owner_id"] else {}
        free = {week: seen.load.free(staff_id, week) + own.get(week, 0) for week in share}
        over = sum(max(0, minutes - free[week]) for week, minutes in share.items())
        rows.append(
            {"staff": _named(seen, staff_id), "free_minutes": sum(free.values()), "over_minutes": over, "why": why}
        )
    rows.sort(key=lambda row: (row["over_minutes"], -row["free_minutes"], row["staff"]["name"]))
    return {"task_id": task_id, "minutes": task["minutes"], "due_on": task["due"], "items": rows}


def _able(uow: Uow, seen: Outlook, work: Row) -> tuple[set[UUID], str]:
    """Those who can do it and may see the client."""
    skills = {staff_id: row["skills"] for staff_id, row in seen.staff.items()}
    able, why = rules.qualified((work["service"], work["role"]), skills)
    return may_see(uow, work["client_id"], able), why


# --- what if ---------------------------------------------------------------------------------------------------------


def what_if(uow: Uow, body: Mapping[str, Any]) -> dict[str, Any]:
    """Who would have too much, and when, if a template were applied to these clients; makes nothing.
    Errors: those of previewing it."""
    order, planned = preview(uow, UUID(body["template_id"]), body)
    existing = existing_jobs(uow, order, [a.client.id for a in planned if isinstance(a, Application)])
    planned = [_unless_made(a, existing) for a in planned]
    seen = outlook(uow, body.get("weeks", 8))
    before = {staff_id: list(minutes) for staff_id, minutes in seen.load.planned.items()}
    unassigned = list(seen.unassigned)
    added = 0
    for application in planned:
        if isinstance(application, Application):
            added += _add(seen, application)
    return {
        "weeks": _weeks(seen),
        "jobs": sum(isinstance(a, Application) for a in planned),
        "refused": [
            {"client_id": UUID(named["client_id"]), "code": refused.code, "message": refused.message}
            for named, refused in zip(body["clients"], planned, strict=True)
            if isinstance(refused, DomainError)
        ],
        "added_minutes": added,
        "breaks": [_break(seen, b) for b in rules.breaks(seen.load, before)],
        "items": [
            _person(seen, staff_id) | {"planned_before": before[staff_id]}
            for staff_id in seen.staff
            if seen.load.planned[staff_id] != before[staff_id]
        ],
        "unassigned": {"before": unassigned, "after": seen.unassigned},
    }


def _unless_made(planned: Application | DomainError, existing: Mapping[UUID, Job]) -> Application | DomainError:
    made = existing.get(planned.client.id) if isinstance(planned, Application) else None
    return already_made(made) if made else planned


def _add(seen: Outlook, application: Application) -> int:
    """The work of a job that is not there, as it would be: a task begins when what it waits for is due."""
    plan, order = application.plan, application.order
    due = {p.step.key: p.due_on for p in (*plan.tasks, *plan.requests)}
    minutes = 0
    for planned in plan.tasks:
        assert isinstance(planned.step, TaskStep)
        budget = planned.step.budget_minutes
        waits = [day for key in order.content.before(planned.step.key) if (day := due.get(key))]
        begins = max([order.starts_on, *waits])
        owner = planned.person.staff_id if planned.person else None
        seen.add(owner, budget, begins, planned.due_on or plan.internal_due or plan.statutory_due)
        minutes += budget
    return minutes


def _break(seen: Outlook, found: rules.Break) -> dict[str, Any]:
    name, first = seen.staff[found.who]["name"], _weeks(seen)[found.week]["first_day"]
    over = found.after - found.available
    return {
        "staff": _named(seen, found.who),
        "week": first,
        "available": found.available,
        "planned_before": found.before,
        "planned_after": found.after,
        "says": f"{name} would have {_hours(over)} too much in the week of {short(first)}: {_hours(found.after)} of {_hours(found.available)}.",
    }


def _hours(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"


# --- suggestions -----------------------------------------------------------------------------------------------------


def suggestions(uow: Uow, count: int) -> dict[str, Any]:
    """Steps that would level the load without moving a date, each with its reason. Nothing is done by asking."""
    seen = outlook(uow, count)
    load = seen.load
    too_much = [s for s in seen.staff if any(load.over(s, w) >= rules.LEAST for w in range(count))]
    values = {"firm": uow.firm_id, "today": seen.weeks.today, "owners": too_much, "last": seen.weeks.last}
    rows = uow.rows(_PIECES, values | {"most": _MOST_PIECES})
    pieces = {row["id"]: piece for row, piece in zip(rows, _pieces(uow, seen, rows), strict=True)}
    by_id = {row["id"]: row for row in rows}
    over_before = _over(load, count)
    steps = rules.level(list(pieces.values()), load, count)
    return {
        "weeks": _weeks(seen),
        "over_before": over_before,
        "over_after": _over(load, count),
        "items": [_step(seen, by_id[step.piece.id], step) for step in steps],
    }


def _over(load: rules.Load, count: int) -> int:
    return sum(load.over(staff_id, week) for staff_id in load.planned for week in range(count))


def _pieces(uow: Uow, seen: Outlook, rows: Sequence[Row]) -> list[rules.Piece]:
    skills = {staff_id: row["skills"] for staff_id, row in seen.staff.items()}
    audiences = _audiences(uow, {row["client_id"] for row in rows})
    found = []
    for row in rows:
        able, why = rules.qualified((row["service"], row["role"]), skills)
        audience = audiences.get(row["client_id"])
        owner = row["owner_id"] if row["owner_id"] in seen.staff else None
        share = seen.spread(owner, row["minutes"], row["begins"], row["due"])
        first, last = (
            seen.weeks.of(max(row["begins"], seen.weeks.today)),
            seen.weeks.of(max(row["due"], seen.weeks.today)),
        )
        window = range(first, last + 1) if first is not None and last is not None else range(0)
        found.append(
            rules.Piece(
                id=row["id"],
                owner=owner,
                due=row["due"],
                share=share,
                window=window,
                candidates=frozenset(able if audience is None else able & set(audience)),
                why=why,
                begun=row["status"] == "in_progress",
            )
        )
    return found


def _audiences(uow: Uow, client_ids: set[UUID]) -> dict[UUID, list[UUID] | None]:
    found = select(ClientCopy.id, ClientCopy.visible_to).where(
        ClientCopy.firm_id == uow.firm_id, ClientCopy.id.in_(client_ids)
    )
    return {row.id: row.visible_to for row in uow.session.execute(found)}


def _step(seen: Outlook, row: Row, step: rules.Suggestion) -> dict[str, Any]:
    weeks = _weeks(seen)
    origin = step.piece.owner
    to = seen.staff[step.to]["name"]
    work, amount = f"“{row['title']}” of {row['job_title']} for {row['client_name']}", _hours(step.minutes)
    due = f"it stays due on {short(row['due'])}"
    if step.kind == "shift":
        week, other = short(weeks[step.week]["first_day"]), short(weeks[step.to_week or 0]["first_day"])
        says = f"{to}: do {amount} of {work} in the week of {other} instead of that of {week}; {_hours(step.free)} are free there, and {due}."
    elif step.kind == "assign":
        says = (
            f"Give {work} ({amount}) to {to}, who has {_hours(step.free)} free in its weeks; {due}. {step.piece.why}."
        )
    else:
        name = seen.staff[origin]["name"] if origin else ""
        week = short(weeks[step.week]["first_day"])
        says = f"Hand {work} ({amount}) from {name}, who has too much in the week of {week}, to {to}, who has {_hours(step.free)} free in its weeks; {due}. {step.piece.why}."
    return {
        "kind": step.kind,
        "task": {"id": row["id"], "title": row["title"], "job_id": row["job_id"], "job_title": row["job_title"]},
        "client": {"id": row["client_id"], "name": row["client_name"]},
        "from": _named(seen, origin) if origin else None,
        "to": _named(seen, step.to),
        "minutes": step.minutes,
        "week": weeks[step.week]["first_day"],
        "to_week": weeks[step.to_week]["first_day"] if step.to_week is not None else None,
        "due_on": row["due"],
        "says": says,
    }
