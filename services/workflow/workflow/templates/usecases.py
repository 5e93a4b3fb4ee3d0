"""What one can do with templates: draft, publish, archive, and see what a version would make."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.db import new_id
from chassis.errors import Conflict, Invalid, NotFound
from chassis.uow import Uow
from workflow.automations import carried
from workflow.copies.tables import ClientCopy, EngagementCopy
from workflow.copies.usecases import (
    active_staff,
    calendar_of,
    client_of,
    engagement_of,
    reachable_in_portal,
    require_staff,
    today_of,
)
from workflow.dates.parsing import date_of, dates_checked, period_of
from workflow.jobs.tables import Job
from workflow.templates import rules
from workflow.templates.tables import Template, TemplateVersion


def create_template(uow: Uow, body: Mapping[str, Any]) -> Template:
    """A new template as a draft. Errors: those of `save_draft`."""
    template = Template(
        id=new_id(),
        name=body["name"].strip(),
        service=body.get("service", "").strip(),
        description=body.get("description", ""),
        draft=_checked_draft(uow, body.get("content", {})),
        draft_differs=True,
        archived=False,
    )
    uow.add(template)
    uow.audit("template.created", "template", template.id, after={"name": template.name, "service": template.service})
    return template


def change_template(uow: Uow, template_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> Template:
    """Errors: `template_not_found`, `version_conflict`."""
    template = uow.get(Template, template_id, lock=True, version=if_match)
    before = {name: getattr(template, name) for name in body}
    for name, value in body.items():
        setattr(template, name, value.strip() if name in ("name", "service") else value)
    uow.session.flush()
    uow.audit("template.changed", "template", template_id, before=before, after=dict(body))
    return template


def save_draft(uow: Uow, template_id: UUID, content: Mapping[str, Any], *, if_match: int | None) -> Template:
    """Replaces the draft. Errors: `template_not_found`, `version_conflict`, and the contradictions of `rules.check`."""
    template = uow.get(Template, template_id, lock=True, version=if_match)
    before, template.draft = template.draft, _checked_draft(uow, content)
    template.draft_differs = template.current_version is None or template.draft != _current(uow, template).content
    uow.session.flush()
    if template.draft != before:
        uow.audit("template.draft_saved", "template", template_id, before=before, after=template.draft)
    return template


def publish_template(uow: Uow, template_id: UUID) -> Template:
    """The draft becomes the next version. Errors: `template_not_found`, `template_without_tasks`, `nothing_to_publish`."""
    template = uow.get(Template, template_id, lock=True, version=uow.if_match)
    content = rules.parse(template.draft)
    with _contradictions_told():
        rules.check_publishable(content)
    if not template.draft_differs:
        raise Conflict("nothing_to_publish", f"The draft is what version {template.current_version} says.")
    _check_defaults(uow, content)
    carried.check(uow, template.draft)
    carried.published(uow, template.draft)
    template.current_version = (template.current_version or 0) + 1
    template.draft_differs = False
    uow.add(
        TemplateVersion(
            id=new_id(),
            template_id=template.id,
            number=template.current_version,
            content=template.draft,
            published_at=uow.now,
            published_by=UUID(uow.principal.id),
        )
    )
    uow.audit("template.published", "template", template_id, after={"number": template.current_version})
    return template


def _checked_draft(uow: Uow, raw: Mapping[str, Any]) -> dict[str, Any]:
    draft = rules.normal(dict(raw))
    content = rules.parse(draft)
    with _contradictions_told():
        rules.check(content)
    _check_defaults(uow, content)
    carried.check(uow, draft)
    return draft


def _check_defaults(uow: Uow, content: rules.Content) -> None:
    require_staff(uow, [(f"/roles/{i}/staff_id", staff_id) for i, staff_id in enumerate(content.roles.values())])


@contextmanager
def _contradictions_told() -> Iterator[None]:
    """Turns a contradiction into the API's error."""
    try:
        yield
    except rules.Contradiction as error:
        raise Invalid(error.code, error.message, pointer=error.pointer, **error.more) from error


def _current(uow: Uow, template: Template) -> TemplateVersion:
    return version_of(uow, template, template.current_version or 0)


def version_of(uow: Uow, template: Template, number: int) -> TemplateVersion:
    """A published version. Errors: `template_version_not_found`."""
    found = select(TemplateVersion).where(
        TemplateVersion.firm_id == uow.firm_id,
        TemplateVersion.template_id == template.id,
        TemplateVersion.number == number,
    )
    version = uow.session.scalar(found)
    if version is None:
        raise NotFound("template_version_not_found", "The template has no such published version.")
    return version


# --- plans -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Application:
    """A version of a template about to be applied: to whom, for when, and the plan it gives."""

    template: Template
    number: int | None  # None: the draft
    content: rules.Content
    client: ClientCopy
    engagement: EngagementCopy | None
    starts_on: date
    period_start: date | None
    period_end: date | None
    plan: rules.Plan


def plan_application(uow: Uow, template_id: UUID, body: Mapping[str, Any]) -> Application:
    """The plan for a client, a period, an engagement and named people.

    Errors: `template_not_found`, `template_not_published`, `template_archived`, `client_not_found`, `client_former`, `engagement_not_found`,
    `unknown_staff`, `unknown_role`, `period_invalid`, `date_out_of_range`.
    """
    template = uow.get(Template, template_id)
    number, content = _chosen(uow, template, body)
    client = client_of(uow, UUID(body["client_id"]), for_new_work=True)
    engagement_id = optional_uuid(body.get("engagement_id"))
    engagement = engagement_of(uow, engagement_id, client.id) if engagement_id else None
    start, end = period_of(body)
    today = today_of(uow)
    named = _named(uow, body, content)
    owner_id = optional_uuid(body.get("owner_id"))
    engaged = {role: UUID(staff_id) for role, staff_id in engagement.people.items()} if engagement else {}
    asks = UUID(uow.principal.id) if uow.principal.kind == "staff" else None
    involved = {
        *named.values(),
        *engaged.values(),
        *content.roles.values(),
        client.partner_id,
        client.manager_id,
        owner_id,
        asks,
    }
    situation = rules.Situation(
        client_name=client.name,
        template_name=template.name,
        today=today,
        starts_on=date_of(body, "starts_on") or today,
        calendar=calendar_of(uow),
        period_start=start,
        period_end=end,
        year_end=client.year_end,
        named=named,
        engaged=engaged,
        partner_id=client.partner_id,
        manager_id=client.manager_id,
        active_staff=active_staff(uow, involved),
        owner_id=owner_id,
        asks=asks,
    )
    with dates_checked():
        plan = rules.plan(content, situation)
    return Application(template, number, content, client, engagement, situation.starts_on, start, end, plan)


def preview_warnings(uow: Uow, application: Application) -> list[rules.PlanWarning]:
    """The plan's own warnings, and those that need a look at what is there already."""
    warnings = list(application.plan.warnings)
    if existing_job(uow, application):
        warnings.append(
            rules.PlanWarning("period_already_made", "The client has a job from this template for this period.")
        )
    if application.plan.requests and not reachable_in_portal(uow, application.client.id):
        warnings.append(
            rules.PlanWarning("portal_contact_missing", "No contact of the client can use the portal to answer.")
        )
    return warnings


def existing_job(uow: Uow, application: Application) -> Job | None:
    """The latest job made from the template for the client and period, unless it was cancelled."""
    same = select(Job).where(
        Job.firm_id == uow.firm_id,
        Job.template_id == application.template.id,
        Job.client_id == application.client.id,
        Job.period_start.is_not_distinct_from(application.period_start),
        Job.period_end.is_not_distinct_from(application.period_end),
        Job.cancelled_at.is_(None),
    )
    return uow.session.scalar(same.order_by(Job.repeat_no.desc()).limit(1))


def _chosen(uow: Uow, template: Template, body: Mapping[str, Any]) -> tuple[int | None, rules.Content]:
    if body.get("draft"):
        return None, rules.parse(template.draft)
    if template.archived:
        raise Conflict("template_archived", "This template is archived. Take it back into use first.")
    number = body.get("template_version") or template.current_version
    if number is None:
        raise Conflict("template_not_published", "This template has no published version yet.")
    return number, rules.parse(version_of(uow, template, number).content)


def _named(uow: Uow, body: Mapping[str, Any], content: rules.Content) -> dict[str, UUID]:
    """The people named on the call by role."""
    named = {}
    for i, person in enumerate(body.get("people", [])):
        if person["role"] not in content.roles:
            raise Invalid("unknown_role", f"The template has no role “{person['role']}”.", pointer=f"/people/{i}/role")
        named[person["role"]] = UUID(person["staff_id"])
    require_staff(
        uow,
        [
            *((f"/people/{i}/staff_id", UUID(p["staff_id"])) for i, p in enumerate(body.get("people", []))),
            ("/owner_id", optional_uuid(body.get("owner_id"))),
        ],
    )
    return named


def optional_uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None
