"""The automations that templates carry: a version's become those of the jobs made from it."""

from collections.abc import Mapping
from typing import Any

from chassis.errors import Invalid
from chassis.uow import Uow
from workflow.automations import checking, rules


def check(uow: Uow, content: Mapping[str, Any]) -> None:
    """The automations that a template's draft carries. Errors: those of `checking.check`, `key_taken`, `unknown_step`,
    `automation_triggers_itself`, `automation_loop`."""
    automations = content.get("automations", [])
    seen: dict[str, Mapping[str, Any]] = {}
    steps = {"task_key": {t["key"] for t in content["tasks"]}, "request_key": {r["key"] for r in content["requests"]}}
    for i, automation in enumerate(automations):
        where = f"/automations/{i}"
        if automation["key"] in seen:
            raise Invalid("key_taken", f"The key “{automation['key']}” is used twice.", pointer=f"{where}/key")
        checking.check(uow, automation, where, roles={r["role"] for r in content["roles"]}, steps=steps)
        seen[automation["key"]] = automation
    services = checking.services(uow) if seen else {}
    for i, key in enumerate(seen):
        if loop := rules.find_loop(key, seen, lambda template_id: services.get(template_id, "")):
            code = "automation_triggers_itself" if len(loop.path) == 2 else "automation_loop"
            path = [seen[k]["name"] for k in loop.path]
            pointer = f"/automations/{i}/actions/{loop.action}"
            raise Invalid(code, f"This would go on for ever: {' → '.join(path)}.", pointer=pointer, path=path)


def published(uow: Uow, content: Mapping[str, Any]) -> None:
    """A version that carries these automations was published."""
    look_at_the_calendar(uow, *(a["trigger"]["on"] for a in content.get("automations", [])))


def look_at_the_calendar(uow: Uow, *triggers: str) -> None:
    """Asks the worker to look for what the calendar brings, if somebody waits for that."""
    if set(triggers) & set(rules.OF_THE_CALENDAR):
        uow.later("automation_calendar", uow.firm_id)
