"""HTTP operations on starter templates."""

from typing import Any

from chassis.http import Reply
from chassis.uow import Uow
from workflow.starters import usecases
from workflow.templates import queries


def list_starters(uow: Uow) -> dict[str, Any]:
    del uow  # the same for every firm
    return {"items": [_shown(usecases.practice(name)) for name in usecases.PRACTICES]}


def take_over(uow: Uow, practice: str) -> Reply:
    made = usecases.take_over(uow, practice)
    return Reply({"items": [queries.template(uow, template) for template in made]}, 201)


def _shown(practice: dict[str, Any]) -> dict[str, Any]:
    templates = [
        {k: t[k] for k in ("name", "service", "description")} | {"tasks": len(t["content"]["tasks"])}
        for t in practice["templates"]
    ]
    return {"practice": practice["practice"], "name": practice["name"], "templates": templates}
