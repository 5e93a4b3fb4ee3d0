"""Automations: what can be said in one, what contradicts itself, when one applies, and whether it would set itself off."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

# A chain of automations that set each other off is cut here, whatever was seen at saving.
DEEPEST: Final = 5
# A dry run looks back this many days at most, at this many happenings.
LONGEST_LOOK: Final = 92
# What happened and what automations made of it are kept so long; what has been overdue for longer is no news.
KEPT: Final = timedelta(days=365)

# trigger -> what it may be narrowed by
TRIGGERS: Final[Mapping[str, Collection[str]]] = {
    "job_made": (),
    "stage_entered": ("stage_id",),
    "status_turned": ("status",),
    "task_started": ("task_key",),
    "task_done": ("task_key",),
    "task_blocked": ("task_key",),
    "task_unblocked": ("task_key",),
    "request_sent": ("request_key",),
    "request_submitted": ("request_key",),
    "request_accepted": ("request_key",),
    "request_returned": ("request_key",),
    "request_expired": ("request_key",),
    "request_overdue": ("request_key",),
    "due_near": ("days", "of"),
}
# Found by looking at the calendar once a day.
OF_THE_CALENDAR: Final = ("request_overdue", "due_near")

STATUSES: Final = ("on_track", "at_risk", "overdue", "blocked", "waiting_for_client", "done", "cancelled")

# condition -> the fact it is about
CONDITIONS: Final = (
    "service",
    "template",
    "stage",
    "status",
    "owner",
    "client",
    "client_status",
    "client_tag",
    "job_tag",
    "task_key",
    "task_role",
    "request_key",
)
# What stays as it is for a job, whatever automations do to it.
CONSTANT: Final = ("service", "template", "client")

# action -> (fields it needs, fields it may have)
ACTIONS: Final[Mapping[str, tuple[Collection[str], Collection[str]]]] = {
    "assign": (("who",), ("task_key", "job")),
    "move_stage": (("stage_id",), ()),
    "set_date": (("which", "after"), ("task_key",)),
    "notify": (("who", "text"), ()),
    "create_task": (("title",), ("who", "role", "budget_minutes", "due_after", "description")),
    "create_job": (("template_id",), ("same_period", "title")),
    "send_request": ((), ("request_key", "title", "message", "items", "due_after")),
    "apply_tag": (("tag",), ()),
}
RESPONSIBLE: Final = ("job_owner", "task_owner", "client_manager", "client_partner")
WHICH_DATE: Final = ("statutory", "extended", "internal", "task")


class Contradiction(ValueError):
    """An automation that can't be meant: `code` and `pointer` as the API says them."""

    def __init__(self, code: str, message: str, pointer: str, **more: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.pointer, self.more = code, message, pointer, more


# --- what one says ---------------------------------------------------------------------------------------------------


def normal(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An automation as it is stored: equal ones are equal."""
    return {
        "trigger": dict(raw["trigger"]),
        "conditions": [dict(c) for c in raw.get("conditions", [])],
        "actions": [dict(a) for a in raw["actions"]],
    }


def check(content: Mapping[str, Any], where: str = "") -> None:
    """Refuses what isn't known or lacks something, before anything is looked up. Errors: Contradiction `unknown_trigger`,
    `trigger_incomplete`, `unknown_condition`, `condition_incomplete`, `unknown_action`, `action_incomplete`."""
    _check_trigger(content["trigger"], f"{where}/trigger")
    for i, condition in enumerate(content["conditions"]):
        _check_condition(condition, f"{where}/conditions/{i}")
    for i, action in enumerate(content["actions"]):
        _check_action(action, content["trigger"]["on"], f"{where}/actions/{i}")


def _check_trigger(trigger: Mapping[str, Any], where: str) -> None:
    allowed = TRIGGERS.get(trigger["on"])
    if allowed is None:
        raise Contradiction("unknown_trigger", f"Triggers are: {', '.join(TRIGGERS)}.", f"{where}/on")
    for name in trigger:
        if name != "on" and name not in allowed:
            raise Contradiction(
                "trigger_incomplete", f"{trigger['on']} can't be narrowed by {name}.", f"{where}/{name}"
            )
    if trigger["on"] == "due_near" and ("days" not in trigger or trigger.get("of") not in ("job", "task")):
        raise Contradiction(
            "trigger_incomplete", "Say how many days before, and of what: `days`, and `of` job or task.", where
        )
    if "status" in trigger and trigger["status"] not in STATUSES:
        raise Contradiction("unknown_status", f"Statuses are: {', '.join(STATUSES)}.", f"{where}/status")


def _check_condition(condition: Mapping[str, Any], where: str) -> None:
    if condition["field"] not in CONDITIONS:
        raise Contradiction("unknown_condition", f"Conditions are about: {', '.join(CONDITIONS)}.", f"{where}/field")
    if ("is" in condition) == ("is_not" in condition):
        raise Contradiction("condition_incomplete", "A condition says either `is` or `is_not`, with values.", where)


def _check_action(action: Mapping[str, Any], trigger: str, where: str) -> None:
    known = ACTIONS.get(action["do"])
    if known is None:
        raise Contradiction("unknown_action", f"Actions are: {', '.join(ACTIONS)}.", f"{where}/do")
    needed, further = known
    for name in needed:
        if name not in action:
            raise Contradiction("action_incomplete", f"{action['do']} needs `{name}`.", f"{where}/{name}")
    for name in action:
        if name != "do" and name not in (*needed, *further):
            raise Contradiction("action_incomplete", f"{action['do']} has no `{name}`.", f"{where}/{name}")
    _check_details(action, trigger, where)


def _check_details(action: Mapping[str, Any], trigger: str, where: str) -> None:
    about_task = trigger.startswith("task_") or trigger == "due_near" or "task_key" in action
    if action["do"] == "assign" and not action.get("job") and not about_task:
        raise Contradiction(
            "action_incomplete", "Say which task is assigned (`task_key`), or that the `job` is.", f"{where}/task_key"
        )
    if action["do"] == "set_date":
        if action["which"] not in WHICH_DATE:
            raise Contradiction("action_incomplete", f"Dates are: {', '.join(WHICH_DATE)}.", f"{where}/which")
        if action["which"] == "task" and not about_task:
            raise Contradiction("action_incomplete", "Say which task's date is set: `task_key`.", f"{where}/task_key")
    if action["do"] == "send_request" and ("request_key" in action) == ("items" in action):
        raise Contradiction(
            "action_incomplete",
            "Name the job's draft by `request_key`, or write the request: `title` and `items`.",
            where,
        )
    if action["do"] == "send_request" and "items" in action and "title" not in action:
        raise Contradiction("action_incomplete", "A request needs a title.", f"{where}/title")
    for i, who in enumerate(whos(action)):
        named = [name for name in ("staff_id", "role", "responsible") if name in who]
        if len(named) != 1 or who.get("responsible", "job_owner") not in RESPONSIBLE:
            raise Contradiction(
                "action_incomplete",
                f"Somebody is a `staff_id`, a `role`, or who is `responsible` ({', '.join(RESPONSIBLE)}).",
                f"{where}/who/{i}",
            )
    if action["do"] in ("assign", "create_task") and len(whos(action)) > 1:
        raise Contradiction("action_incomplete", "Work is given to one person.", f"{where}/who")


def whos(action: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The people an action names."""
    return action.get("who", ())


def named_staff(content: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, UUID]]:
    for i, action in enumerate(content["actions"]):
        for k, who in enumerate(whos(action)):
            if "staff_id" in who:
                yield f"{where}/actions/{i}/who/{k}/staff_id", UUID(who["staff_id"])


def named_roles(content: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    for i, action in enumerate(content["actions"]):
        if action.get("role"):
            yield f"{where}/actions/{i}/role", action["role"]
        for k, who in enumerate(whos(action)):
            if "role" in who:
                yield f"{where}/actions/{i}/who/{k}/role", who["role"]


def named(content: Mapping[str, Any], name: str, where: str = "") -> Iterator[tuple[str, str]]:
    """What trigger and actions name as `stage_id`, `template_id`, `task_key` or `request_key`."""
    if name in content["trigger"]:
        yield f"{where}/trigger/{name}", content["trigger"][name]
    for i, action in enumerate(content["actions"]):
        if name in action:
            yield f"{where}/actions/{i}/{name}", action[name]


def condition_values(content: Mapping[str, Any], about: str, where: str = "") -> Iterator[tuple[str, str]]:
    """The values that conditions on one field name."""
    for i, condition in enumerate(content["conditions"]):
        if condition["field"] == about:
            side = "is" if "is" in condition else "is_not"
            yield from ((f"{where}/conditions/{i}/{side}/{k}", value) for k, value in enumerate(condition[side]))


# --- when one applies ------------------------------------------------------------------------------------------------


def why_not(content: Mapping[str, Any], kind: str, facts: Mapping[str, Any]) -> str | None:
    """Why an automation does not act on a happening; None if it does."""
    trigger = content["trigger"]
    if trigger["on"] != kind:
        return f"It waits for {trigger['on']}."
    for name, fact in (
        ("stage_id", "stage"), ("status", "status"), ("task_key", "task_key"), ("request_key", "request_key"),
        ("days", "days"), ("of", "of"),
    ):  # fmt: skip
        if name in trigger and trigger[name] != facts.get(fact):
            return f"It waits for {name} {trigger[name]}, this was {facts.get(fact)}."
    return next((said for c in content["conditions"] if (said := _unmet(c, facts))), None)


def _unmet(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> str | None:
    fact = facts.get(condition["field"])
    have = set(fact) if isinstance(fact, (list, tuple)) else {fact} if fact else set()
    wanted = condition.get("is")
    if wanted is not None:
        return None if have & set(wanted) else f"{condition['field']} is not {' or '.join(wanted)}."
    hit = have & set(condition["is_not"])
    return f"{condition['field']} is {', '.join(sorted(hit))}." if hit else None


# --- loops -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """What an action makes happen: a kind of happening, what is known of it, whether it is the same job's, and the tags that
    the automation has given the job by then."""

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    same_job: bool = True
    action: int = 0
    tags: frozenset[str] = frozenset()


def effects(content: Mapping[str, Any], service_of: Callable[[str], str]) -> Iterator[Effect]:
    """What can be seen beforehand of what an automation's actions set off, at once or when a date that they set comes near."""
    yield from _at_once(content, service_of)
    tags = _tags(content["actions"])
    for i, action in enumerate(content["actions"]):
        match action["do"]:
            case "set_date" if action["which"] == "task":
                key = action.get("task_key", content["trigger"].get("task_key"))
                yield Effect("due_near", {"of": "task"} | ({"task_key": key} if key else {}), action=i, tags=tags)
            case "set_date":
                yield Effect("due_near", {"of": "job"}, action=i, tags=tags)
            case "create_task" if "due_after" in action:
                made = {"of": "task", "task_key": "", "task_role": action.get("role", "")}
                yield Effect("due_near", made, action=i, tags=tags)
            case "send_request" if "due_after" in action:
                yield Effect("request_overdue", {"request_key": ""}, action=i, tags=tags)


def _tags(actions: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(action["tag"].strip() for action in actions if action["do"] == "apply_tag")


def _at_once(content: Mapping[str, Any], service_of: Callable[[str], str]) -> Iterator[Effect]:
    for i, action in enumerate(content["actions"]):
        match action["do"]:
            case "move_stage":
                so_far = _tags(content["actions"][:i])
                yield Effect("stage_entered", {"stage": action["stage_id"]}, action=i, tags=so_far)
            case "create_job":
                made = {"template": action["template_id"], "service": service_of(action["template_id"])}
                yield Effect("job_made", made, same_job=False, action=i)
            case "send_request":
                so_far = _tags(content["actions"][:i])
                yield Effect("request_sent", {"request_key": action.get("request_key")}, action=i, tags=so_far)


def may_answer(content: Mapping[str, Any], effect: Effect) -> bool:
    """Whether an automation may act on what another sets off: nothing that is known of it speaks against."""
    trigger = content["trigger"]
    if trigger["on"] != effect.kind:
        return False
    pairs = (("stage_id", "stage"), ("request_key", "request_key"), ("task_key", "task_key"), ("of", "of"))
    if any(n in trigger and f in effect.facts and trigger[n] != effect.facts[f] for n, f in pairs):
        return False
    if any(c["field"] == "job_tag" and effect.tags & set(c.get("is_not", ())) for c in content["conditions"]):
        return False  # it passes over what bears the tag
    return not any(c["field"] in effect.facts and _unmet(c, effect.facts) for c in content["conditions"])


@dataclass(frozen=True, slots=True)
class Loop:
    """Automations that would set each other off for ever, the first and the last the same; and the action that begins it."""

    path: tuple[str, ...]
    action: int


def find_loop(own: str, all_of_them: Mapping[str, Mapping[str, Any]], service_of: Callable[[str], str]) -> Loop | None:
    """A way by which the automation `own` would set itself off, by itself or else through others."""
    itself_first = sorted(all_of_them.items(), key=lambda named: named[0] != own)

    def search(name: str, path: tuple[str, ...], narrowed: Mapping[str, Any], first: int | None) -> Loop | None:
        here = _narrow(narrowed, all_of_them[name])
        if here is None or len(path) > 10:
            return None
        for effect in effects(all_of_them[name], service_of):
            begun = effect.action if first is None else first
            for other, content in itself_first:
                if not may_answer(content, effect):
                    continue
                further = here if effect.same_job else {}
                if other == own:
                    if _narrow(further, content) is not None:
                        return Loop((*path, own), begun)
                elif other not in path and (found := search(other, (*path, other), further, begun)):
                    return found
        return None

    return search(own, (own,), {}, None)


def _narrow(so_far: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is left possible of what stays as it is for a job; None when two automations never concern the same one."""
    left: dict[str, Any] = dict(so_far)
    for condition in content["conditions"]:
        name = condition["field"]
        if name not in CONSTANT or "is" not in condition:
            continue
        values = set(condition["is"]) & left[name] if name in left else set(condition["is"])
        if not values:
            return None
        left[name] = values
    return left


# --- in words --------------------------------------------------------------------------------------------------------


def stopped_by(ref: str, chain: Sequence[str]) -> str | None:
    """Why an automation does not go on, though it would apply: it has led to this itself, or the chain is too long."""
    if ref in chain:
        return "It has led to this itself."
    if len(chain) >= DEEPEST:
        return f"{len(chain)} automations have set each other off; the next one is stopped."
    return None
