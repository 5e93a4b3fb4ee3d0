"""What differs between two versions of a template, and what a version changes in a job made from another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workflow.templates.rules import Plan, Planned, RequestStep, TaskStep

Values = Mapping[str, Any]


# --- versions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. `kind`: added, removed, changed; for a change, `field` and what it was and is."""

    part: str  # template, role, task, request, dependency, automation
    key: str
    title: str
    kind: str
    field: str | None = None
    before: Any = None
    after: Any = None


_PARTS = (
    ("roles", "role", "role"),
    ("tasks", "task", "key"),
    ("requests", "request", "key"),
    ("automations", "automation", "key"),
)
_OWN = ("title", "statutory_due", "internal_due", "owner_role")


def differences(before: Values, after: Values) -> list[Difference]:
    """Between two contents as they are stored (`templates.rules.normal`), in the order of the template."""
    found = [
        Difference("template", "", "", "changed", name, before.get(name), after.get(name))
        for name in _OWN
        if before.get(name) != after.get(name)
    ]
    for name, part, key in _PARTS:
        found += _parts(part, {p[key]: p for p in before.get(name) or ()}, {p[key]: p for p in after.get(name) or ()})
    edges = [{(d["before"], d["after"]): d for d in content.get("dependencies") or ()} for content in (before, after)]
    for first, second in edges[0] | edges[1]:
        old, new = edges[0].get((first, second)), edges[1].get((first, second))
        if old != new:
            kind = "changed" if old and new else "added" if new else "removed"
            lags = (old["lag_days"], new["lag_days"]) if old and new else (None, None)
            found.append(
                Difference("dependency", f"{first} → {second}", "", kind, "lag_days" if old and new else None, *lags)
            )
    return found


def _parts(part: str, before: Mapping[str, Values], after: Mapping[str, Values]) -> Iterator[Difference]:
    for key in [*after, *(k for k in before if k not in after)]:
        old, new = before.get(key), after.get(key)
        title = str((new or old or {}).get("title") or (new or old or {}).get("name") or "")
        if old is None or new is None:
            yield Difference(part, key, title, "added" if old is None else "removed")
            continue
        for field in dict.fromkeys([*new, *old]):
            if old.get(field) != new.get(field):
                yield Difference(part, key, title, "changed", field, old.get(field), new.get(field))


# --- jobs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What a version changes in one job: of the job itself, a task, a request or a dependency. Values as JSON has them."""

    subject: str  # job, task, request, dependency
    key: str  # of the step in the template; of a dependency "before → after"
    title: str
    kind: str  # added, removed, changed
    field: str | None = None
    before: Any = None
    after: Any = None

    def inverted(self) -> "Change":
        kind = {"added": "removed", "removed": "added"}.get(self.kind, self.kind)
        return Change(self.subject, self.key, self.title, kind, self.field, self.after, self.before)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def merged(subject: str, key: str, title: str, current: Values, old: Values, new: Values) -> Iterator[Change]:
    """Fields that the version changes and nobody has changed by hand: what was set by hand stays."""
    for field, value in new.items():
        if value != old.get(field) and current.get(field) == old.get(field):
            yield Change(subject, key, title, "changed", field, current.get(field), value)


def steps(
    subject: str, current: Mapping[str, Values], old: Mapping[str, Values], new: Mapping[str, Values]
) -> Iterator[Change]:
    """Steps by key: those the version adds, takes away and changes. A step that is gone by hand stays gone."""
    for key, values in new.items():
        if key in current and key in old:
            yield from merged(subject, key, str(current[key]["title"]), current[key], old[key], values)
        elif key not in current and key not in old:
            yield Change(subject, key, str(values["title"]), "added")
    for key, values in current.items():
        if key in old and key not in new:
            yield Change(subject, key, str(values["title"]), "removed")


def edges(
    current: Mapping[tuple[str, str], int], old: Mapping[tuple[str, str], int], new: Mapping[tuple[str, str], int]
) -> Iterator[Change]:
    """Dependencies by the keys of their ends, with their lag in days."""
    for ends, lag in new.items():
        name = " → ".join(ends)
        if ends not in current and ends not in old:
            yield Change("dependency", name, "", "added", "lag_days", None, lag)
        elif current.get(ends) == old.get(ends) and ends in current and current[ends] != lag:
            yield Change("dependency", name, "", "changed", "lag_days", current[ends], lag)
    for ends, lag in current.items():
        if ends in old and ends not in new:
            yield Change("dependency", " → ".join(ends), "", "removed", "lag_days", lag, None)


def of_tasks(plan: Plan) -> dict[str, Values]:
    return {planned.step.key: _task(planned) for planned in plan.tasks}


def of_requests(plan: Plan) -> dict[str, Values]:
    return {planned.step.key: _request(planned) for planned in plan.requests}


def _task(planned: Planned) -> Values:
    step = planned.step
    assert isinstance(step, TaskStep)
    return {
        "title": step.title,
        "description": step.description,
        "role": step.role,
        "owner_id": str(planned.person.staff_id) if planned.person else None,
        "budget_minutes": step.budget_minutes,
        "checklist": list(step.checklist),
        "due_rule": step.due.as_json() if step.due else None,
        "due_on": planned.due_on.isoformat() if planned.due_on else None,
    }


def _request(planned: Planned) -> Values:
    step = planned.step
    assert isinstance(step, RequestStep)
    return {
        "title": step.title,
        "message": step.message,
        "reminders": dict(step.reminders),
        "items": [dict(item) for item in step.items],
        "due_rule": step.due.as_json() if step.due else None,
        "due_on": planned.due_on.isoformat() if planned.due_on else None,
    }


def in_words(value: Any) -> str | None:
    """A value as people read it in a list of changes."""
    if value is None:
        return None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(str(v.get("label", v)) if isinstance(v, Mapping) else str(v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in value.items())
    return str(value)
