"""A template applied to many clients: the same plan as for one, in as many statements."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.errors import Conflict, DomainError, Invalid, NotFound
from chassis.merged import all_standing
from chassis.uow import Uow
from workflow.copies.tables import ClientCopy, EngagementCopy
from workflow.jobs.aggregate import WholeJob, settle_new
from workflow.jobs.making import already_made, made_from
from workflow.jobs.tables import Job
from workflow.runs import usecases as runs
from workflow.runs.tables import Run, RunItem
from workflow.stages.usecases import stages_of
from workflow.templates.usecases import Application, Order, existing_jobs, optional_uuid, order_of, plan_for

Named = tuple[UUID, UUID | None]  # client, engagement


def preview(uow: Uow, template_id: UUID, body: Mapping[str, Any]) -> tuple[Order, list[Application | DomainError]]:
    """The plan for each client, or why there is none. Errors: those of `order_of`, `client_twice`."""
    order = order_of(uow, template_id, body)
    return order, _planned(uow, order, _named(uow, body))


def apply(uow: Uow, template_id: UUID, body: Mapping[str, Any]) -> Run:
    """Hands it to the worker, with what is the same for all clients settled now: version, first day, people.
    Errors: those of `order_of`, `client_twice`."""
    order = order_of(uow, template_id, body)
    assert order.number is not None
    named = _named(uow, body)
    known = _clients(uow, [client_id for client_id, _ in named])
    items = []
    for client_id, engagement_id in named:
        row = runs.item(client_id, engagement_id=engagement_id)
        if client_id not in known:  # a private client's stranger is told the same
            runs.settle_item(row, _unknown())
        items.append(row)
    asked = {k: body[k] for k in ("period_start", "period_end", "owner_id", "people", "again") if body.get(k)}
    return runs.begin(
        uow,
        "apply",
        items,
        template_id=template_id,
        template_version=order.number,
        parameters=asked | {"starts_on": order.starts_on.isoformat()},
    )


def apply_chunk(uow: Uow, run: Run, items: Sequence[RunItem]) -> None:
    """Makes the jobs of one chunk and writes down what has become of each client."""
    body = run.parameters | {"template_version": run.template_version}
    try:
        order = order_of(uow, run.template_id, body, asks=run.asked_by if run.asked_kind == "staff" else None)
    except DomainError as error:  # archived, or somebody named has left, since it was asked for
        for row in items:
            runs.settle_item(row, error)
        return
    planned = _planned(uow, order, [(row.client_id, row.engagement_id) for row in items])
    made = _made(uow, order, planned, again=body.get("again", False))
    for row, outcome in zip(items, made, strict=True):
        runs.settle_item(row, outcome.job.id if isinstance(outcome, WholeJob) else outcome)


def _made(
    uow: Uow, order: Order, planned: Sequence[Application | DomainError], *, again: bool
) -> list[WholeJob | DomainError]:
    stage_id = stages_of(uow)[0].id
    existing = existing_jobs(uow, order, [a.client.id for a in planned if isinstance(a, Application)])
    outcomes = [_one(uow, a, existing, stage_id, again=again) for a in planned]
    wholes = [outcome for outcome in outcomes if isinstance(outcome, WholeJob)]
    settle_new(uow, wholes)
    for whole in wholes:
        job = whole.job
        after = {
            "title": job.title,
            "client_id": job.client_id,
            "template_id": job.template_id,
            "template_version": job.template_version,
        }
        uow.audit("job.created", "job", job.id, after=after)
    return outcomes


def _one(
    uow: Uow, application: Application | DomainError, existing: Mapping[UUID, Job], stage_id: UUID, *, again: bool
) -> WholeJob | DomainError:
    if isinstance(application, DomainError):
        return application
    before = existing.get(application.client.id)
    if before and not again:
        return already_made(before)
    return made_from(application, uow.now, stage_id, before.repeat_no + 1 if before else 0)


def _planned(uow: Uow, order: Order, named: Sequence[Named]) -> list[Application | DomainError]:
    """In the order named."""
    clients = _clients(uow, [client_id for client_id, _ in named])
    wanted = [engagement_id for _, engagement_id in named if engagement_id]
    engagements = {e.id: e for e in uow.session.scalars(select(EngagementCopy).where(EngagementCopy.id.in_(wanted)))}
    refusals = [_refusal(clients.get(c), engagements.get(e) if e else None, e) for c, e in named]
    good = [
        (clients[c], engagements[e] if e else None)
        for (c, e), refused in zip(named, refusals, strict=True)
        if not refused
    ]
    plans = iter(plan_for(uow, order, good))
    return [refused or next(plans) for refused in refusals]


def _refusal(
    client: ClientCopy | None, engagement: EngagementCopy | None, engagement_id: UUID | None
) -> DomainError | None:
    if client is None:
        return _unknown()
    if client.status == "former":
        return Conflict("client_former", f"{client.name} is a former client. Make them active again first.")
    if engagement_id and (engagement is None or engagement.client_id != client.id):
        return NotFound("engagement_not_found", "The client has no such engagement.")
    return None


def _unknown() -> NotFound:
    return NotFound("client_not_found", "There is no such client.")


def _named(uow: Uow, body: Mapping[str, Any]) -> list[Named]:
    """By the ids that stand. Errors: `client_twice`."""
    stands = all_standing(uow, (UUID(c["client_id"]) for c in body["clients"]))
    named = [(stands[UUID(c["client_id"])], optional_uuid(c.get("engagement_id"))) for c in body["clients"]]
    seen: set[UUID] = set()
    for i, (client_id, _) in enumerate(named):
        if client_id in seen:
            raise Invalid("client_twice", "This client is named twice.", pointer=f"/clients/{i}/client_id")
        seen.add(client_id)
    return named


def _clients(uow: Uow, client_ids: Collection[UUID]) -> dict[UUID, ClientCopy]:
    return {c.id: c for c in uow.session.scalars(select(ClientCopy).where(ClientCopy.id.in_(client_ids)))}
