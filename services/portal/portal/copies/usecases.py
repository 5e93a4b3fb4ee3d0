"""Keeping copies from events, one function an event."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from chassis.copies import keep_newer, uuid_or_none, visible_to
from chassis.merged import follow, standing
from chassis.uow import Uow
from portal import words
from portal.branding import usecases as branding
from portal.copies.tables import ClientCopy, ContactCopy, DocumentCopy, FirmCopy, InvoiceCopy, JobCopy, RequestCopy
from portal.sessions import addresses
from praxis.clients.v1.events_pb2 import ClientChanged, ClientMerged, ClientRemoved, ContactChanged
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.timebilling.v1.events_pb2 import InvoiceChanged
from praxis.workflow.v1.events_pb2 import JobChanged, RequestChanged, RequestItem


def keep_firm(uow: Uow, event: FirmUpdated) -> None:
    """The firm's settings; its name is what clients see until it has branding of its own."""
    kept = keep_newer(
        uow,
        FirmCopy,
        id=event.firm_id,
        version=event.version,
        name=event.name,
        time_zone=event.time_zone,
        language=event.language,
        quiet_from=event.quiet_from,
        quiet_until=event.quiet_until,
    )
    if kept:
        branding.follow_firm(uow, event.name)


def keep_client(uow: Uow, event: ClientChanged) -> None:
    if standing(uow, event.client_id) != UUID(event.client_id):
        return  # it was merged into another since
    keep_newer(
        uow,
        ClientCopy,
        id=event.client_id,
        version=event.version,
        name=event.name,
        visible_to=visible_to(event.audience.private, event.audience.staff_ids),
    )


def follow_merge(uow: Uow, event: ClientMerged) -> None:
    """What belonged to the client given up belongs to the one that stands."""
    follow(uow, "client_id", UUID(event.client_id), UUID(event.into_client_id))
    _forget(uow, event.client_id)


def forget_client(uow: Uow, event: ClientRemoved) -> None:
    _forget(uow, event.client_id)


def _forget(uow: Uow, client_id: str) -> None:
    uow.session.execute(delete(ClientCopy).where(ClientCopy.firm_id == uow.firm_id, ClientCopy.id == UUID(client_id)))
    uow.keep()


def keep_contact(uow: Uow, event: ContactChanged) -> None:
    """The contact, and under which address they can sign in."""
    kept = keep_newer(
        uow,
        ContactCopy,
        id=event.contact_id,
        version=event.version,
        name=event.name,
        email=event.email,
        language=event.language,
        portal_access=event.portal_access,
        active=event.active,
        client_ids=[UUID(role.client_id) for role in event.roles],
    )
    if kept:
        addresses.keep(uow, UUID(event.contact_id), event.email if event.active and event.portal_access else "")


def keep_request(uow: Uow, event: RequestChanged) -> None:
    keep_newer(
        uow,
        RequestCopy,
        id=event.request_id,
        version=event.version,
        client_id=standing(uow, event.client_id),
        job_id=uuid_or_none(event.job_id),
        job_title=event.job_title,
        title=event.title,
        message=event.message,
        status=event.status,
        due_on=words.day(event.due_on),
        items=[_item(item) for item in event.items],
        return_reason=event.return_reason,
    )


def _item(item: RequestItem) -> dict[str, Any]:
    return {
        "id": item.item_id,
        "kind": item.kind,
        "label": item.label,
        "help": item.help,
        "required": item.required,
        "choices": list(item.choices),
        "status": item.status,
        "answer": item.answer,
        "document_ids": list(item.document_ids),
        "return_reason": item.return_reason,
    }


def keep_job(uow: Uow, event: JobChanged) -> None:
    keep_newer(
        uow,
        JobCopy,
        id=event.job_id,
        version=event.version,
        client_id=standing(uow, event.client_id),
        title=event.title,
        status=event.status,
        due_on=words.day(event.due_on),
        tasks_total=event.tasks_total,
        tasks_done=event.tasks_done,
        closed=event.closed,
    )


def keep_document(uow: Uow, event: DocumentChanged) -> None:
    keep_newer(
        uow,
        DocumentCopy,
        id=event.document_id,
        version=event.version,
        client_id=standing(uow, event.client_id),
        job_id=uuid_or_none(event.job_id),
        name=event.name,
        kind=event.kind,
        visibility=event.visibility,
        status=event.status,
        size=event.size,
    )


def keep_invoice(uow: Uow, event: InvoiceChanged) -> None:
    keep_newer(
        uow,
        InvoiceCopy,
        id=event.invoice_id,
        version=event.version,
        client_id=standing(uow, event.client_id),
        number=event.number,
        status=event.status,
        issued_on=words.day(event.issued_on),
        due_on=words.day(event.due_on),
        total=Decimal(event.total.amount or 0),
        balance=Decimal(event.balance.amount or 0),
        currency=event.total.currency,
        document_id=uuid_or_none(event.document_id),
    )
