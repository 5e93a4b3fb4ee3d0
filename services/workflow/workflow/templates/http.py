"""HTTP operations on templates."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from chassis.http import Reply, created
from chassis.uow import Uow
from workflow.copies.queries import staff_named
from workflow.templates import queries, rules, usecases
from workflow.templates.tables import Template


def list_templates(
    uow: Uow, archived: bool = False, q: str | None = None, limit: int = 50, cursor: str | None = None
) -> dict[str, Any]:
    return queries.list_templates(uow, archived=archived, q=q, limit=limit, cursor=cursor)


def create_template(uow: Uow, body: dict[str, Any]) -> Reply:
    template = usecases.create_template(uow, body)
    return created(queries.template(uow, template), f"/templates/{template.id}", etag=template.version)


def get_template(uow: Uow, template_id: str) -> Reply:
    return _reply(uow, uow.get(Template, template_id))


def change_template(uow: Uow, template_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.change_template(uow, UUID(template_id), body, if_match=uow.if_match))


def save_draft(uow: Uow, template_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.save_draft(uow, UUID(template_id), body, if_match=uow.if_match))


def publish_template(uow: Uow, template_id: str) -> Reply:
    return _reply(uow, usecases.publish_template(uow, UUID(template_id)))


def get_version(uow: Uow, template_id: str, number: int) -> dict[str, Any]:
    return queries.version(uow, usecases.version_of(uow, uow.get(Template, template_id), number))


def preview_template(uow: Uow, template_id: str, body: dict[str, Any]) -> dict[str, Any]:
    application = usecases.plan_application(uow, UUID(template_id), body)
    return previews(uow, [application])[0]


def previews(uow: Uow, applications: Sequence[usecases.Application]) -> list[dict[str, Any]]:
    """What each application would make: every date, owner and warning."""
    people = {p.person.staff_id for a in applications for p in a.plan.tasks if p.person}
    staff = staff_named(uow, people | {a.plan.owner.staff_id for a in applications if a.plan.owner})
    warnings = usecases.preview_warnings(uow, applications)
    return [_preview(a, staff, found) for a, found in zip(applications, warnings, strict=True)]


def _preview(
    application: usecases.Application, staff: dict[UUID, dict[str, Any]], warnings: list[rules.PlanWarning]
) -> dict[str, Any]:
    order, plan, content = application.order, application.plan, application.order.content
    return {
        "title": plan.title,
        "template_version": order.number,
        "client": {"id": application.client.id, "name": application.client.name},
        "owner": staff.get(plan.owner.staff_id) if plan.owner else None,
        "starts_on": order.starts_on,
        "period_start": order.period_start,
        "period_end": order.period_end,
        "statutory_due_on": plan.statutory_due,
        "internal_due_on": plan.internal_due,
        "budget_minutes": content.budget_minutes,
        "tasks": [_task(planned, content, staff) for planned in plan.tasks],
        "requests": [_request(planned, content) for planned in plan.requests],
        "warnings": [asdict(warning) for warning in warnings],
    }


def _task(planned: rules.Planned, content: rules.Content, staff: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    step = planned.step
    assert isinstance(step, rules.TaskStep)
    return {
        "key": step.key,
        "title": step.title,
        "role": step.role,
        "owner": staff.get(planned.person.staff_id) if planned.person else None,
        "owner_why": planned.person.why if planned.person else None,
        "due_on": planned.due_on,
        "due_why": planned.due_why,
        "budget_minutes": step.budget_minutes,
        "after": content.before(step.key),
        "checklist": list(step.checklist),
    }


def _request(planned: rules.Planned, content: rules.Content) -> dict[str, Any]:
    step = planned.step
    assert isinstance(step, rules.RequestStep)
    after = content.before(step.key)
    return {
        "key": step.key,
        "title": step.title,
        "due_on": planned.due_on,
        "due_why": planned.due_why,
        "sent": "by_hand" if step.send == "by_hand" else "when_ready" if after else "at_once",
        "items": len(step.items),
        "after": after,
    }


def _reply(uow: Uow, template: Template) -> Reply:
    return Reply(queries.template(uow, template), etag=template.version)
