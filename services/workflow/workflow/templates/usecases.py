"""What one can do with templates: draft, publish, archive, and see what a version would make."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, Invalid, NotFound
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
from workflow.hints import hint
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
    hint(uow, template)
    uow.audit("template.created", "template", template.id, after={"name": template.name, "service": template.service})
    return template


def change_template(uow: Uow, template_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> Template:
    """Errors: `template_not_found`, `version_conflict`."""
    template = uow.get(Template, template_id, lock=True, version=if_match)
    before = {name: getattr(template, name) for name in body}
    for name, value in body.items():
        setattr(template, name, value.strip() if name in ("name", "service") else value)
    uow.session.flush()
    hint(uow, template)
    uow.audit("template.changed", "template", template_id, before=before, after=dict(body))
    return template


def save_draft(uow: Uow, template_id: UUID, content: Mapping[str, Any], *, if_match: int | None) -> Template:
    """Replaces the draft. Errors: `template_not_found`, `version_conflict`, and the contradictions of `rules.check`."""
    template = uow.get(Template, template_id, lock=True, version=if_match)
    before, template.draft = template.draft, _checked_draft(uow, content)
    template.draft_differs = template.current_version is None or template.draft != _current(uow, template).content
    uow.session.flush()
    if template.draft != before:
        hint(uow, template)
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
    hint(uow, template)
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
class Order:
    """What a call says about the jobs to be made, the same for every client."""

    template: Template
    number: int | None  # None: the draft
    content: rules.Content
    today: date
    starts_on: date
    period_start: date | None
    period_end: date | None
    named: Mapping[str, UUID]  # people by role
    owner_id: UUID | None
    asks: UUID | None  # the staff member who applies it


@dataclass(frozen=True)
class Application:
    """A version of a template about to be applied: to whom, for when, and the plan it gives."""

    order: Order
    client: ClientCopy
    engagement: EngagementCopy | None
    plan: rules.Plan

    @property
    def template(self) -> Template:
        return self.order.template


def order_of(uow: Uow, template_id: UUID, body: Mapping[str, Any], *, asks: UUID | None = None) -> Order:
    """Errors: `template_not_found`, `template_not_published`, `template_archived`, `unknown_staff`, `unknown_role`,
    `period_invalid`, `date_out_of_range`."""
    template = uow.get(Template, template_id)
    number, content = _chosen(uow, template, body)
    start, end = period_of(body)
    today = today_of(uow)
    if asks is None and uow.principal.kind == "staff":
        asks = UUID(uow.principal.id)
    return Order(
        template=template,
        number=number,
        content=content,
        today=today,
        starts_on=date_of(body, "starts_on") or today,
        period_start=start,
        period_end=end,
        named=_named(uow, body, content),
        owner_id=optional_uuid(body.get("owner_id")),
        asks=asks,
    )


def plan_application(uow: Uow, template_id: UUID, body: Mapping[str, Any]) -> Application:
    """The plan for a client, a period, an engagement and named people.

    Errors: those of `order_of`, `client_not_found`, `client_former`, `engagement_not_found`, `date_out_of_range`.
    """
    order = order_of(uow, template_id, body)
    client = client_of(uow, UUID(body["client_id"]), for_new_work=True)
    engagement_id = optional_uuid(body.get("engagement_id"))
    engagement = engagement_of(uow, engagement_id, client.id) if engagement_id else None
    (planned,) = plan_for(uow, order, [(client, engagement)])
    if isinstance(planned, DomainError):
        raise planned
    return planned


def plan_for(
    uow: Uow, order: Order, clients: Sequence[tuple[ClientCopy, EngagementCopy | None]]
) -> list[Application | DomainError]:
    """The plan for each client, or why there is none (`date_out_of_range`)."""
    return plan_each(uow, [(order, client, engagement) for client, engagement in clients])


def plan_each(
    uow: Uow, asked: Sequence[tuple[Order, ClientCopy, EngagementCopy | None]]
) -> list[Application | DomainError]:
    """The plan for each, or why there is none (`date_out_of_range`). As many statements as for one."""
    engaged = [_engaged(engagement) for _, _, engagement in asked]
    involved: set[UUID | None] = set()
    for (order, client, _), people in zip(asked, engaged, strict=True):
        involved |= {*order.named.values(), *order.content.roles.values(), order.owner_id, order.asks}
        involved |= {client.partner_id, client.manager_id, *people.values()}
    active = active_staff(uow, involved)
    calendar = calendar_of(uow)
    planned: list[Application | DomainError] = []
    for (order, client, engagement), people in zip(asked, engaged, strict=True):
        situation = rules.Situation(
            client_name=client.name,
            template_name=order.template.name,
            today=order.today,
            starts_on=order.starts_on,
            calendar=calendar,
            period_start=order.period_start,
            period_end=order.period_end,
            year_end=client.year_end,
            named=order.named,
            engaged=people,
            partner_id=client.partner_id,
            manager_id=client.manager_id,
            active_staff=active,
            owner_id=order.owner_id,
            asks=order.asks,
        )
        try:
            with dates_checked():
                planned.append(Application(order, client, engagement, rules.plan(order.content, situation)))
        except DomainError as error:
            planned.append(error)
    return planned


def _engaged(engagement: EngagementCopy | None) -> dict[str, UUID]:
    return {role: UUID(staff_id) for role, staff_id in engagement.people.items()} if engagement else {}


def preview_warnings(uow: Uow, applications: Sequence[Application]) -> list[list[rules.PlanWarning]]:
    """Each plan's own warnings, and those that need a look at what is there already."""
    if not applications:
        return []
    clients = [application.client.id for application in applications]
    made = existing_jobs(uow, applications[0].order, clients)
    asked = any(application.plan.requests for application in applications)
    reachable = reachable_in_portal(uow, clients) if asked else set()
    return [list(_warnings(a, a.client.id in made, a.client.id in reachable)) for a in applications]


def _warnings(application: Application, made: bool, reachable: bool) -> Iterator[rules.PlanWarning]:
    yield from application.plan.warnings
    if made:
        yield rules.PlanWarning("period_already_made", "The client has a job from this template for this period.")
    if application.plan.requests and not reachable:
        yield rules.PlanWarning("portal_contact_missing", "No contact of the client can use the portal to answer.")


def existing_jobs(uow: Uow, order: Order, client_ids: Collection[UUID]) -> dict[UUID, Job]:
    """By client the latest job made from the template for the period, unless it was cancelled."""
    same = select(Job).where(
        Job.firm_id == uow.firm_id,
        Job.template_id == order.template.id,
        Job.client_id.in_(client_ids),
        Job.period_start.is_not_distinct_from(order.period_start),
        Job.period_end.is_not_distinct_from(order.period_end),
        Job.cancelled_at.is_(None),
    )
    return {job.client_id: job for job in uow.session.scalars(same.order_by(Job.repeat_no))}


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
