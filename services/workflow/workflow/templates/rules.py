"""Templates: what a version says, what makes it contradictory, and the plan it gives for a client and a period."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from workflow.automations import rules as automation_rules
from workflow.dates.rules import (
    COMPLETION_ANCHORS,
    Calendar,
    DateRule,
    calendar_known,
    in_words,
    period_name,
    resolve,
    year_end_near,
)
from workflow.dependencies.rules import Edge, describe, find_cycle, in_order
from workflow.jobs.rules import Dated, cascade

PLACEHOLDERS = ("{template}", "{period}", "{client}")
DEFAULT_TITLE = "{template}, {period}"
DEFAULT_REMINDERS = {"first_after_days": 3, "every_days": 4, "at_most": 5, "escalate_after": 3}


class Contradiction(ValueError):
    """A draft that can't be meant: `code` and `pointer` as the API says them, further facts in `more`."""

    def __init__(self, code: str, message: str, pointer: str = "", **more: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.pointer, self.more = code, message, pointer, more


# --- what a template says --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskStep:
    key: str
    title: str
    description: str
    role: str
    due: DateRule | None
    budget_minutes: int
    checklist: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestStep:
    key: str
    title: str
    message: str
    due: DateRule | None
    send: str  # automatically, by_hand
    reminders: dict[str, int]
    items: tuple[dict[str, Any], ...]  # kind, label, help, required, choices


@dataclass(frozen=True, slots=True)
class Content:
    """One version of a template."""

    title: str
    statutory_due: DateRule | None
    internal_due: DateRule | None
    owner_role: str
    roles: Mapping[str, UUID | None]  # job role -> who has it when nothing else decides
    tasks: tuple[TaskStep, ...]
    requests: tuple[RequestStep, ...]
    edges: tuple[Edge[str], ...]

    @property
    def steps(self) -> tuple[TaskStep | RequestStep, ...]:
        return (*self.tasks, *self.requests)

    @property
    def titles(self) -> dict[str, str]:
        return {step.key: step.title for step in self.steps}

    @property
    def budget_minutes(self) -> int:
        return sum(task.budget_minutes for task in self.tasks)

    def before(self, key: str) -> list[str]:
        return [edge.before for edge in self.edges if edge.after == key]


def normal(raw: dict[str, Any]) -> dict[str, Any]:
    """A draft as it is stored: every default written out, so that equal drafts are equal."""

    def rule(value: Any) -> dict[str, Any] | None:
        return DateRule.parse(value).as_json() if value else None

    def only(**values: Any) -> dict[str, Any]:
        return {k: v for k, v in values.items() if v is not None}

    return only(
        title=raw.get("title", DEFAULT_TITLE),
        statutory_due=rule(raw.get("statutory_due")),
        internal_due=rule(raw.get("internal_due")),
        owner_role=raw.get("owner_role", ""),
        roles=[{"role": r["role"], "staff_id": r.get("staff_id")} for r in raw.get("roles", [])],
        tasks=[
            only(
                key=t["key"],
                title=t["title"],
                description=t.get("description", ""),
                role=t.get("role", ""),
                due=rule(t.get("due")),
                budget_minutes=t.get("budget_minutes", 0),
                checklist=t.get("checklist", []),
            )
            for t in raw.get("tasks", [])
        ],
        requests=[
            only(
                key=r["key"],
                title=r["title"],
                message=r.get("message", ""),
                due=rule(r.get("due")),
                send=r.get("send", "automatically"),
                reminders=DEFAULT_REMINDERS | r.get("reminders", {}),
                items=[normal_item(item) for item in r["items"]],
            )
            for r in raw.get("requests", [])
        ],
        dependencies=[
            {"before": d["before"], "after": d["after"], "lag_days": d.get("lag_days", 0)}
            for d in raw.get("dependencies", [])
        ],
        # Left out when there are none: versions from before there were any stay equal to what is saved now.
        automations=[
            {"key": a["key"], "name": a["name"].strip(), **automation_rules.normal(a)}
            for a in raw.get("automations", [])
        ]
        or None,
    )


def normal_item(item: dict[str, Any]) -> dict[str, Any]:
    """An item of a request with its defaults written out."""
    return {
        "kind": item["kind"],
        "label": item["label"],
        "help": item.get("help", ""),
        "required": item.get("required", True),
        "choices": item.get("choices", []),
    }


def parse(raw: dict[str, Any]) -> Content:
    """A stored version (see `normal`) as the rules see it."""

    def rule(value: Any) -> DateRule | None:
        return DateRule.parse(value) if value else None

    return Content(
        title=raw["title"],
        statutory_due=rule(raw.get("statutory_due")),
        internal_due=rule(raw.get("internal_due")),
        owner_role=raw["owner_role"],
        roles={r["role"]: UUID(r["staff_id"]) if r["staff_id"] else None for r in raw["roles"]},
        tasks=tuple(
            TaskStep(
                t["key"],
                t["title"],
                t["description"],
                t["role"],
                rule(t.get("due")),
                t["budget_minutes"],
                tuple(t["checklist"]),
            )
            for t in raw["tasks"]
        ),
        requests=tuple(
            RequestStep(
                r["key"], r["title"], r["message"], rule(r.get("due")), r["send"], r["reminders"], tuple(r["items"])
            )
            for r in raw["requests"]
        ),
        edges=tuple(Edge(d["before"], d["after"], d["lag_days"]) for d in raw["dependencies"]),
    )


# --- contradictions --------------------------------------------------------------------------------------------------


def check(content: Content) -> None:
    """Refuses a draft that contradicts itself; an unfinished one passes. Errors: Contradiction."""
    for rule in (_check_keys, _check_title, _check_roles, _check_rules, _check_items, _check_edges):
        rule(content)


def check_publishable(content: Content) -> None:
    """Errors: Contradiction, also for a template that has no tasks."""
    if not content.tasks:
        raise Contradiction(
            "template_without_tasks", "A template needs at least one task before it is published.", "/tasks"
        )
    check(content)


def _check_keys(content: Content) -> None:
    seen: set[str] = set()
    for step, where in _steps(content):
        if step.key in seen:
            raise Contradiction(
                "key_taken",
                f"The key “{step.key}” is used twice. Keys are unique among tasks and requests together.",
                f"{where}/key",
            )
        seen.add(step.key)


def _check_title(content: Content) -> None:
    rest = content.title
    for placeholder in PLACEHOLDERS:
        rest = rest.replace(placeholder, "")
    if "{" in rest or "}" in rest:
        raise Contradiction("placeholder_unknown", "The title may use {template}, {period} and {client}.", "/title")


def _check_roles(content: Content) -> None:
    for i, task in enumerate(content.tasks):
        if task.role and task.role not in content.roles:
            raise Contradiction(
                "unknown_role",
                f"The role “{task.role}” is not one of the template's roles. Add it there first.",
                f"/tasks/{i}/role",
            )
    if content.owner_role and content.owner_role not in content.roles:
        raise Contradiction(
            "unknown_role", f"The role “{content.owner_role}” is not one of the template's roles.", "/owner_role"
        )


def _check_rules(content: Content) -> None:
    kinds = {t.key: "task_completion" for t in content.tasks} | {r.key: "request_completion" for r in content.requests}
    for name, job_rule in (("statutory_due", content.statutory_due), ("internal_due", content.internal_due)):
        if job_rule and job_rule.anchor in COMPLETION_ANCHORS:
            raise Contradiction(
                "anchor_not_allowed", "A job's due date can't depend on when a step is completed.", f"/{name}/anchor"
            )
        _check_calendar(job_rule, f"/{name}")
    for step, where in _steps(content):
        rule = step.due
        if rule and rule.anchor in COMPLETION_ANCHORS and kinds.get(rule.of or "") != rule.anchor:
            raise Contradiction(
                "anchor_unknown", "Name the task or request whose completion the date counts from.", f"{where}/due/of"
            )
        if rule and rule.anchor not in COMPLETION_ANCHORS and rule.of:
            raise Contradiction("anchor_unknown", "Only completion anchors name a task or request.", f"{where}/due/of")
        _check_calendar(rule, f"{where}/due")


def _check_calendar(rule: DateRule | None, where: str) -> None:
    if rule and rule.calendar and not calendar_known(rule.calendar):
        raise Contradiction(
            "calendar_unknown",
            f"There is no holiday calendar “{rule.calendar}”. A calendar is a country or one of its regions, such as US-DC.",
            f"{where}/calendar",
        )


def _check_items(content: Content) -> None:
    for i, request in enumerate(content.requests):
        check_items(request.items, f"/requests/{i}/items")


def check_items(items: Collection[Mapping[str, Any]], where: str) -> None:
    """Refuses a choice without choices, and choices where there is nothing to choose. Errors: Contradiction."""
    for i, item in enumerate(items):
        if item["kind"] == "choice" and len(set(item["choices"])) < 2:
            raise Contradiction(
                "choices_missing", "A choice needs at least two different choices.", f"{where}/{i}/choices"
            )
        if item["kind"] != "choice" and item["choices"]:
            raise Contradiction(
                "choices_not_allowed", "Only an item of kind choice has choices.", f"{where}/{i}/choices"
            )


def _check_edges(content: Content) -> None:
    titles = content.titles
    for i, edge in enumerate(content.edges):
        for end, key in (("before", edge.before), ("after", edge.after)):
            if key not in titles:
                raise Contradiction(
                    "dependency_unknown", f"There is no task or request “{key}”.", f"/dependencies/{i}/{end}"
                )
    cycle = find_cycle([(e.before, e.after) for e in content.edges] + date_edges(content))
    if cycle:
        raise Contradiction(
            "dependency_cycle", f"These wait for each other: {describe(cycle, titles)}.", "/dependencies", path=cycle
        )


def _steps(content: Content) -> Iterator[tuple[TaskStep | RequestStep, str]]:
    yield from ((t, f"/tasks/{i}") for i, t in enumerate(content.tasks))
    yield from ((r, f"/requests/{i}") for i, r in enumerate(content.requests))


def date_edges(content: Content) -> list[tuple[str, str]]:
    """Which steps' dates count from which others' completion: (anchor, step)."""
    return [(s.due.of, s.key) for s in content.steps if s.due and s.due.of]


# --- plans -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a plan depends on besides the template. `people` maps job roles to staff."""

    client_name: str
    template_name: str
    today: date
    starts_on: date
    calendar: Calendar
    period_start: date | None = None
    period_end: date | None = None
    year_end: str = ""  # "MM-DD"
    named: Mapping[str, UUID] = field(default_factory=dict)  # on the call
    engaged: Mapping[str, UUID] = field(default_factory=dict)  # the engagement's people
    partner_id: UUID | None = None  # responsible for the client
    manager_id: UUID | None = None
    active_staff: Collection[UUID] = frozenset()
    owner_id: UUID | None = None  # named on the call
    asks: UUID | None = None  # the staff member who applies it


@dataclass(frozen=True, slots=True)
class PlanWarning:
    code: str
    message: str
    key: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who has a role, and by which rule."""

    staff_id: UUID
    why: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A step with its date and, for a task, its owner."""

    step: TaskStep | RequestStep
    due_on: date | None
    due_why: str | None
    pushed_from: date | None = None  # the date its own rule gives, where what it waits for allows only a later one
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    title: str
    owner: Person | None
    people: dict[str, Person]
    statutory_due: date | None
    internal_due: date | None
    tasks: tuple[Planned, ...]
    requests: tuple[Planned, ...]
    warnings: tuple[PlanWarning, ...]


# The client's responsible people stand in for these job roles, in this order.
RESPONSIBLE = {"partner": ("partner", "manager"), "manager": ("manager", "partner"), "reviewer": ("manager", "partner")}


def resolve_role(role: str, default: UUID | None, s: Situation) -> tuple[Person | None, list[PlanWarning]]:
    """Who has a job role: named on the call, else by the engagement, else responsible for the client, else the
    template's default. People who have left are passed over with a warning."""
    warnings: list[PlanWarning] = []
    for staff_id, why in _candidates(role, default, s):
        if staff_id in s.active_staff:
            return Person(staff_id, why), warnings
        warnings.append(PlanWarning("staff_inactive", f"The {role} by {why} is no longer active.", role=role))
    warnings.append(PlanWarning("role_unresolved", f"Nobody is known for the role “{role}”.", role=role))
    return None, warnings


def _candidates(role: str, default: UUID | None, s: Situation) -> Iterator[tuple[UUID, str]]:
    responsible = {"partner": s.partner_id, "manager": s.manager_id}
    found: list[tuple[UUID | None, str]] = [
        (s.named.get(role), "named on the call"),
        (s.engaged.get(role), "engagement"),
    ]
    found += [(responsible[who], f"client's {who}") for who in RESPONSIBLE.get(role, ())]
    found.append((default, "template default"))
    yield from ((staff_id, why) for staff_id, why in found if staff_id is not None)


def plan(content: Content, s: Situation) -> Plan:
    """Every task, request, date and owner, and what could not be settled. Errors: DateOutOfRange."""
    warnings: list[PlanWarning] = []
    people: dict[str, Person] = {}
    for role, default in content.roles.items():
        person, found = resolve_role(role, default, s)
        warnings += found
        if person:
            people[role] = person
    dates = _Dates(content, s)
    statutory, internal = dates.of_the_law(content.statutory_due), dates.of_job(content.internal_due)
    planned = _behind_what_it_waits_for(
        content, {step.key: dates.of_step(step) for step in _in_date_order(content)}, s.calendar
    )
    warnings += dates.warnings
    warnings += _late(content, planned, statutory, s.today)
    return Plan(
        title=job_title(content.title, s.template_name, s.client_name, s.period_start, s.period_end),
        owner=_owner(content, people, s),
        people=people,
        statutory_due=statutory,
        internal_due=internal,
        tasks=tuple(Planned(t, *planned[t.key], people.get(t.role)) for t in content.tasks),
        requests=tuple(Planned(r, *planned[r.key]) for r in content.requests),
        warnings=tuple(warnings),
    )


def _owner(content: Content, people: Mapping[str, Person], s: Situation) -> Person | None:
    """Who owns the job: named on the call, else the owner role's person, else the client's manager or partner, else who applies it."""
    role_person = people.get(content.owner_role)
    candidates = [
        (s.owner_id, "named on the call"),
        (role_person.staff_id if role_person else None, f"role {content.owner_role}"),
        (s.manager_id, "client's manager"),
        (s.partner_id, "client's partner"),
        (s.asks, "who applies it"),
    ]
    return next(
        (Person(staff_id, why) for staff_id, why in candidates if staff_id in s.active_staff and staff_id), None
    )


class _Dates:
    """Resolves the rules of one plan, each step behind the ones its date counts from."""

    def __init__(self, content: Content, s: Situation) -> None:
        self._titles = content.titles
        self._s = s
        self._due: dict[str, date | None] = {}
        self.warnings: list[PlanWarning] = []
        self._anchors: dict[str, Callable[[], date | None]] = {
            "period_start": lambda: s.period_start,
            "period_end": lambda: s.period_end,
            "job_start": lambda: s.starts_on,
            "client_year_end": lambda: (
                year_end_near(s.year_end, s.period_start, s.period_end, s.starts_on) if s.year_end else None
            ),
        }

    def of_the_law(self, rule: DateRule | None) -> date | None:
        return self._resolve(rule, None, self._s.calendar.of_the_law())[0]

    def of_job(self, rule: DateRule | None) -> date | None:
        return self._resolve(rule, None, self._s.calendar)[0]

    def of_step(self, step: TaskStep | RequestStep) -> tuple[date | None, str | None]:
        due, why = self._resolve(step.due, step.key, self._s.calendar)
        self._due[step.key] = due
        return due, why

    def _resolve(self, rule: DateRule | None, key: str | None, calendar: Calendar) -> tuple[date | None, str | None]:
        if rule is None:
            return None, None
        anchor = self._due.get(rule.of) if rule.of else self._anchors[rule.anchor]()
        words = in_words(rule, anchor, self._titles.get(rule.of or "", ""))
        if anchor is None:
            self.warnings.append(PlanWarning("date_unresolved", f"The date “{words}” can't be worked out yet.", key))
            return None, words
        return resolve(rule, anchor, calendar), words


def _in_date_order(content: Content) -> list[TaskStep | RequestStep]:
    steps = {step.key: step for step in content.steps}
    return [steps[key] for key in in_order(steps, date_edges(content))]


def _behind_what_it_waits_for(
    content: Content, planned: Mapping[str, tuple[date | None, str | None]], calendar: Calendar
) -> dict[str, tuple[date | None, str | None, date | None]]:
    """The same dates and reasons, where the dependencies allow them; else pushed as the job would push them."""
    nodes = {
        step.key: Dated(
            due_on=planned[step.key][0],
            completed_on=None,
            open=True,
            pinned=False,
            rule=step.due,
            of=step.due.of if step.due else None,
        )
        for step in content.steps
    }
    moved = cascade(nodes, calendar, content.edges)
    return {
        key: (
            moved[key].on,
            f"{why}, moved behind what it waits for" if moved[key].pushed_from else why,
            moved[key].pushed_from,
        )
        for key, (_, why) in planned.items()
    }


def _late(
    content: Content,
    planned: Mapping[str, tuple[date | None, str | None, date | None]],
    statutory: date | None,
    today: date,
) -> Iterator[PlanWarning]:
    for step in content.steps:
        due = planned[step.key][0]
        if due and due < today:
            yield PlanWarning("date_passed", f"“{step.title}” would be due on a day that has passed.", step.key)
        if due and statutory and due > statutory:
            yield PlanWarning(
                "due_after_deadline", f"“{step.title}” would be due after the job's statutory date.", step.key
            )


def job_title(pattern: str, template: str, client: str, start: date | None, end: date | None) -> str:
    """A job's title, e.g. "VAT return, Q3 2026"; without a period nothing dangles."""
    title = (
        pattern.replace("{template}", template).replace("{period}", period_name(start, end)).replace("{client}", client)
    )
    return " ".join(title.split()).strip(" ,–-") or template
