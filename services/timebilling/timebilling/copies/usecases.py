"""Keeping copies from events, and asking the owner once for what a copy lacks."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from google.protobuf.json_format import MessageToDict
from sqlalchemy import delete, text

from chassis.copies import keep_newer, uuid_or_none, visible_to
from chassis.errors import NotFound, Unavailable
from chassis.merged import follow, standing
from chassis.uow import Uow
from praxis.clients.v1.clients_pb2 import GetClientRequest
from praxis.clients.v1.events_pb2 import ClientChanged, ClientMerged, ClientRemoved, EngagementChanged, GroupChanged
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from praxis.portal.v1.events_pb2 import BrandingChanged
from praxis.portal.v1.portal_pb2 import GetBrandingRequest
from praxis.workflow.v1.events_pb2 import JobChanged, TaskChanged
from praxis.workflow.v1.workflow_pb2 import GetJobRequest, GetTaskRequest
from timebilling.copies.tables import (
    BrandingCopy,
    ClientCopy,
    EngagementCopy,
    FirmCopy,
    GroupCopy,
    JobCopy,
    StaffCopy,
    TaskCopy,
)


def keep_client(uow: Uow, event: ClientChanged) -> None:
    if standing(uow, event.client_id) != UUID(event.client_id):
        return  # it was merged into another since
    keep_newer(
        uow,
        ClientCopy,
        id=event.client_id,
        version=event.version,
        number=event.number,
        name=event.name,
        status=event.status,
        currency=event.currency,
        language=event.language,
        country=event.country,
        address=MessageToDict(event.address, preserving_proto_field_name=True),
        tax_label=event.tax_label,
        partner_id=uuid_or_none(event.partner_id),
        manager_id=uuid_or_none(event.manager_id),
        visible_to=visible_to(event.audience.private, event.audience.staff_ids),
    )


def follow_merge(uow: Uow, event: ClientMerged) -> None:
    """Time, WIP, invoices, payments, the ledger and whatever else belonged to the client given up belongs to the one that
    stands. What an issued invoice froze of the client stays as it was."""
    old, into = UUID(event.client_id), standing(uow, event.into_client_id)
    _move_rates(uow, old, into)
    for column in ("client_id", "work_client_id"):
        follow(uow, column, old, into)
    for statement in _MOVE_TERMS:
        uow.session.execute(statement, {"firm": uow.firm_id, "old": old, "into": into})
    _forget(uow, old)


def forget_client(uow: Uow, event: ClientRemoved) -> None:
    _forget(uow, UUID(event.client_id))


def _forget(uow: Uow, client_id: UUID) -> None:
    uow.session.execute(delete(ClientCopy).where(ClientCopy.firm_id == uow.firm_id, ClientCopy.id == client_id))
    uow.keep()


# What has the client's own id: where both had it, that of the client that stands is used.
_MOVE_TERMS = tuple(
    text(statement)
    for table in ("client_terms", "rounding_policies", "reminder_pauses")
    for statement in (
        f"UPDATE {table} SET id = :into WHERE firm_id = :firm AND id = :old AND :old <> :into "
        f"AND NOT EXISTS (SELECT 1 FROM {table} WHERE firm_id = :firm AND id = :into)",
        f"DELETE FROM {table} WHERE firm_id = :firm AND id = :old AND :old <> :into",
    )
)
# A rate is found by its key, which names the client. Where both had one for the same days, that of the client that stands is used.
_SAME_DAYS = text("""
    DELETE FROM rates d USING rates s
    WHERE d.firm_id = :firm AND d.client_id = :old AND s.firm_id = :firm AND s.client_id = :into AND s.kind = d.kind
      AND s.key = replace(d.key, CAST(:old AS text), CAST(:into AS text)) AND s.currency = d.currency AND s.valid && d.valid
    RETURNING d.id, d.key, d.amount, d.currency, d.valid::text""")
_MOVE_RATES = text("""
    UPDATE rates SET client_id = :into, key = replace(key, CAST(:old AS text), CAST(:into AS text)), version = version + 1
    WHERE firm_id = :firm AND client_id = :old""")


def _move_rates(uow: Uow, old: UUID, into: UUID) -> None:
    if old == into:
        return
    values = {"firm": uow.firm_id, "old": old, "into": into}
    for rate in uow.session.execute(_SAME_DAYS, values):
        before = {"key": rate.key, "amount": str(rate.amount), "currency": rate.currency, "valid": rate.valid}
        uow.audit(
            "rate.dropped",
            "rate",
            rate.id,
            before=before,
            reason="the client was merged into one with a rate of its own",
        )
    uow.session.execute(_MOVE_RATES, values)


def keep_group(uow: Uow, event: GroupChanged) -> None:
    keep_newer(
        uow,
        GroupCopy,
        id=event.group_id,
        version=event.version,
        name=event.name,
        bill_to_id=None if event.dissolved else uuid_or_none(event.bill_to_client_id),
        client_ids=[] if event.dissolved else [UUID(c) for c in event.client_ids],
    )


def keep_engagement(uow: Uow, event: EngagementChanged) -> None:
    keep_newer(
        uow,
        EngagementCopy,
        id=event.engagement_id,
        version=event.version,
        client_id=standing(uow, event.client_id),
        title=event.title,
        service=event.service,
        status=event.status,
        fee=MessageToDict(event.fee, preserving_proto_field_name=True),
    )


def keep_job(uow: Uow, event: JobChanged) -> None:
    keep_newer(
        uow,
        JobCopy,
        id=event.job_id,
        version=event.version,
        client_id=standing(uow, event.client_id),
        engagement_id=uuid_or_none(event.engagement_id),
        title=event.title,
        service=event.service,
        owner_id=uuid_or_none(event.owner_id),
        closed=event.closed,
    )


def keep_task(uow: Uow, event: TaskChanged) -> None:
    keep_newer(uow, TaskCopy, id=event.task_id, version=event.version, job_id=UUID(event.job_id), title=event.title)


def keep_staff(uow: Uow, event: StaffChanged) -> None:
    keep_newer(
        uow,
        StaffCopy,
        id=event.staff_id,
        version=event.version,
        name=event.name,
        grade=event.grade,
        active=event.active,
        roles=list(event.roles),
    )


def keep_firm(uow: Uow, event: FirmUpdated) -> None:
    uow.memo.pop("firm", None)
    keep_newer(
        uow,
        FirmCopy,
        id=uow.firm_id,
        version=event.version,
        name=event.name,
        time_zone=event.time_zone,
        currency=event.currency,
        country=event.country,
        language=event.language,
    )


def keep_branding(uow: Uow, event: BrandingChanged) -> None:
    keep_newer(
        uow,
        BrandingCopy,
        id=uow.firm_id,
        version=event.version,
        display_name=event.display_name,
        accent=event.accent,
        address=event.address,
        footer=event.footer,
        logo_id=UUID(event.logo_id) if event.logo_id else None,
    )


def fetch_job(uow: Uow, job_id: UUID) -> bool:
    """Asks workflow for a job the copy lacks and keeps it. Errors: `workflow_unavailable` (503). False if there is none."""
    try:
        keep_job(uow, uow.ask("workflow", "GetJob", GetJobRequest(job_id=str(job_id))).job)
    except NotFound:
        return False
    return True


def fetch_task(uow: Uow, task_id: UUID) -> bool:
    """Asks workflow for a task the copy lacks and keeps it. Errors: `workflow_unavailable` (503). False if there is none,
    or the copy has it already."""
    if uow.session.get(TaskCopy, (uow.firm_id, task_id)) is not None:
        return False
    try:
        keep_task(uow, uow.ask("workflow", "GetTask", GetTaskRequest(task_id=str(task_id))).task)
    except NotFound:
        return False
    return True


def fetch_client(uow: Uow, client_id: UUID) -> UUID | None:
    """Asks clients for a client the copy lacks and keeps it. Answers the id that stands, None if there is none.
    Errors: `clients_unavailable` (503)."""
    try:
        state = uow.ask("clients", "GetClient", GetClientRequest(client_id=str(client_id))).client
    except NotFound:
        return None
    keep_client(uow, state)
    return UUID(state.client_id)


def client(uow: Uow, client_id: UUID) -> ClientCopy:
    """The client, or the one it was merged into, if it may be seen. Errors: `client_not_found` (404)."""
    found = uow.session.get(ClientCopy, (uow.firm_id, client_id))
    if found is None and (into := standing(uow, client_id)) != client_id:
        found = uow.session.get(ClientCopy, (uow.firm_id, into))
    if found is None and (stands := fetch_client(uow, client_id)):
        found = uow.session.get(ClientCopy, (uow.firm_id, stands))
    if found is None:
        raise NotFound("client_not_found", "There is no such client.")
    return found


def named_clients(uow: Uow, wanted: Sequence[str]) -> list[UUID]:
    """The clients that a body names in `client_ids`, each once, if all of them may be seen. Errors: `client_not_found` (404)."""
    ids = list(dict.fromkeys(UUID(i) for i in wanted))
    seen = set(
        uow.session.execute(
            text("SELECT id FROM client_copy WHERE firm_id = :firm AND id = ANY(:ids)"),
            {"firm": uow.firm_id, "ids": ids},
        ).scalars()
    )
    for place, id in enumerate(ids):
        if id not in seen:
            raise NotFound("client_not_found", "There is no such client.", pointer=f"/client_ids/{place}")
    return ids


def firm(uow: Uow) -> FirmCopy:
    """The firm's settings. Errors: `firm_unknown` (503) in the first moments of a firm."""
    # Held by the session, which by itself would forget it between two questions.
    found = uow.memo.get("firm") or uow.session.get(FirmCopy, (uow.firm_id, uow.firm_id))
    uow.memo["firm"] = found
    if found is None:
        raise Unavailable(
            "firm_unknown", "The firm's settings have not arrived here yet. Try again shortly.", retry_after=1
        )
    return found


def today(uow: Uow) -> date:
    """The day it is in the firm's zone."""
    return uow.now.astimezone(ZoneInfo(firm(uow).time_zone)).date()


def branding(uow: Uow) -> BrandingCopy:
    """How the firm presents itself: the copy, else the portal's answer (kept), else the firm's bare name."""
    found = uow.session.get(BrandingCopy, (uow.firm_id, uow.firm_id))
    if found is None:
        try:
            keep_branding(uow, uow.ask("portal", "GetBranding", GetBrandingRequest()).branding)
            found = uow.session.get(BrandingCopy, (uow.firm_id, uow.firm_id))
        except (NotFound, Unavailable):
            found = None
    if found is None or not found.display_name:
        return BrandingCopy(display_name=firm(uow).name, accent="", address="", footer="", version=0)
    return found
