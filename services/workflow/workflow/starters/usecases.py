"""Templates a firm can begin with. Taken over, they are the firm's own: nothing ties them to these files afterwards."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from sqlalchemy import select

from chassis.errors import NotFound
from chassis.uow import Uow
from workflow.templates.tables import Template
from workflow.templates.usecases import create_template, publish_template

PRACTICES = ("accounting", "law")


@cache
def practice(name: str) -> dict[str, Any]:
    """A practice's starter templates: `practice`, `name`, `templates`. Errors: `practice_not_found`."""
    if name not in PRACTICES:
        raise NotFound("practice_not_found", f"There are starter templates for: {', '.join(PRACTICES)}.")
    found: dict[str, Any] = yaml.safe_load((files("workflow.starters") / f"{name}.yaml").read_text())
    return found


def take_over(uow: Uow, name: str) -> list[Template]:
    """Makes and publishes the practice's templates, except those whose name the firm uses already.

    Errors: `practice_not_found`.
    """
    names = {t["name"] for t in practice(name)["templates"]}
    taken = set(uow.session.execute(select(Template.name).where(Template.name.in_(names))).scalars())
    return [_make(uow, t) for t in practice(name)["templates"] if t["name"] not in taken]


def _make(uow: Uow, starter: dict[str, Any]) -> Template:
    template = create_template(uow, starter)
    return publish_template(uow, template.id)
