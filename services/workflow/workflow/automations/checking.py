"""Whether what an automation names is there: staff, roles, stages, templates, steps."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.errors import Invalid
from chassis.uow import Uow
from workflow.automations import rules
from workflow.copies.usecases import require_staff
from workflow.stages.usecases import stages_of
from workflow.templates.rules import Contradiction, check_items, normal_item
from workflow.templates.tables import Template

_ROLES = text("""
SELECT r ->> 'role' FROM templates t CROSS JOIN LATERAL jsonb_array_elements(t.draft -> 'roles') r WHERE t.firm_id = :firm
UNION SELECT r ->> 'role' FROM template_versions v CROSS JOIN LATERAL jsonb_array_elements(v.content -> 'roles') r WHERE v.firm_id = :firm
""")


@contextmanager
def contradictions_told() -> Iterator[None]:
    """Turns a contradiction into the API's error."""
    try:
        yield
    except rules.Contradiction as error:
        raise Invalid(error.code, error.message, pointer=error.pointer, **error.more) from error


def check(
    uow: Uow,
    content: Mapping[str, Any],
    where: str,
    *,
    roles: Collection[str] | None = None,
    steps: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Refuses an automation that says something unknown or incomplete, or names what isn't there. `roles` and `steps`
    (`task_key`, `request_key`) are those of the template that carries it; None: any the firm's templates have.
    Errors: those of `rules.check`, `unknown_staff`, `unknown_role`, `unknown_stage`, `unknown_template`, `unknown_step`."""
    with contradictions_told():
        rules.check(content, where)
    owners = [(pointer, _id(value, pointer)) for pointer, value in rules.condition_values(content, "owner", where)]
    require_staff(uow, [*rules.named_staff(content, where), *owners])
    _check_roles(uow, content, where, roles)
    _check_stages(uow, content, where)
    _check_templates(uow, content, where)
    _check_items(content, where)
    for name, keys in (steps or {}).items():
        about = rules.condition_values(content, name, where)
        for pointer, key in (*rules.named(content, name, where), *about):
            if key not in keys:
                raise Invalid("unknown_step", f"The template has no such step: “{key}”.", pointer=pointer)
    for pointer, value in rules.condition_values(content, "status", where):
        if value not in rules.STATUSES:
            raise Invalid("unknown_status", f"Statuses are: {', '.join(rules.STATUSES)}.", pointer=pointer)


def _check_items(content: Mapping[str, Any], where: str) -> None:
    for i, action in enumerate(content["actions"]):
        try:
            items = [normal_item(dict(item)) for item in action.get("items", [])]
            check_items(items, f"{where}/actions/{i}/items")
        except Contradiction as error:
            raise Invalid(error.code, error.message, pointer=error.pointer) from error


def _check_roles(uow: Uow, content: Mapping[str, Any], where: str, roles: Collection[str] | None) -> None:
    named = [
        *rules.named_roles(content, where),
        *rules.condition_values(content, "task_role", where),
    ]
    if not named:
        return
    known = set(uow.session.scalars(_ROLES, {"firm": uow.firm_id})) if roles is None else set(roles)
    for pointer, role in named:
        if role not in known:
            raise Invalid("unknown_role", f"No template has the role “{role}”.", pointer=pointer)


def _check_stages(uow: Uow, content: Mapping[str, Any], where: str) -> None:
    named = [*rules.named(content, "stage_id", where), *rules.condition_values(content, "stage", where)]
    known = {str(stage.id) for stage in stages_of(uow)} if named else set()
    for pointer, stage_id in named:
        if stage_id not in known:
            raise Invalid("unknown_stage", "The board has no such stage.", pointer=pointer)


def _check_templates(uow: Uow, content: Mapping[str, Any], where: str) -> None:
    made = dict(rules.named(content, "template_id", where))
    named = made | dict(rules.condition_values(content, "template", where))
    if not named:
        return
    ids = {_id(value, pointer) for pointer, value in named.items()}
    found = select(Template).where(Template.firm_id == uow.firm_id, Template.id.in_(ids))
    known = {str(template.id): template for template in uow.session.scalars(found)}
    for pointer, template_id in named.items():
        template = known.get(template_id)
        if template is None or (pointer in made and (template.archived or not template.current_version)):
            raise Invalid("unknown_template", "There is no such template with a published version.", pointer=pointer)


def _id(value: str, pointer: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise Invalid("id_invalid", "This is not an id.", pointer=pointer) from error


def services(uow: Uow) -> dict[str, str]:
    """The service of each template, by id."""
    rows = uow.session.execute(select(Template.id, Template.service).where(Template.firm_id == uow.firm_id))
    return {str(row.id): row.service for row in rows}
