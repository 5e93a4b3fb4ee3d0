"""What other services tell of a client: the last state of each thing is kept, and what has changed goes into the timeline."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.merged import standing
from chassis.uow import Uow
from clients.contacts.tables import Contact, ContactRole
from clients.copies.tables import ClientUse, StaffCopy
from clients.timeline import rules
from clients.timeline.usecases import NOBODY, Actor, record
from praxis.common.v1.types_pb2 import Money
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.portal.v1.events_pb2 import ContactInvited
from praxis.timebilling.v1.events_pb2 import (
    InvoiceChanged,
    InvoiceReminderDue,
    InvoiceSent,
    PaymentRecorded,
    PaymentReturned,
    StatementSent,
)
from praxis.workflow.v1.events_pb2 import CommentWritten, JobChanged, RequestChanged, RequestReminderDue


def job(uow: Uow, event: JobChanged) -> None:
    state = rules.job_state(event.status, closed=event.closed)
    more = {"due_on": event.due_on}
    _hear(uow, "job", event.job_id, event, state, event.title, details=more, engagement=event.engagement_id or None)


def request(uow: Uow, event: RequestChanged) -> None:
    more = {"due_on": event.due_on, "job": event.job_title, "reason": event.return_reason}
    _hear(uow, "request", event.request_id, event, event.status, event.title, details=more)


def invoice(uow: Uow, event: InvoiceChanged) -> None:
    more = {"total": _money(event.total), "due_on": event.due_on}
    _hear(uow, "invoice", event.invoice_id, event, event.status, event.number or "draft", details=more)


def invoice_sent(uow: Uow, event: InvoiceSent) -> None:
    """Also a second time: each sending is news."""
    record(uow, standing(uow, event.client_id), "invoice", "sent", event.invoice_id, event.number, by=NOBODY)


def statement_sent(uow: Uow, event: StatementSent) -> None:
    """Named by the days it is about."""
    title, details = f"{event.first} – {event.last}", {"balance": _money(event.balance)}
    record(uow, standing(uow, event.client_id), "statement", "sent", event.document_id, title, by=NOBODY, **details)


def document(uow: Uow, event: DocumentChanged) -> None:
    state = f"stored {event.current_version}" if event.status == "stored" else event.status
    live = event.status not in ("refused", "deleted")
    # The PDF of an invoice is told of by the invoice.
    told = event.kind != "invoice"
    by = _actor(uow, event.uploaded_by if event.status == "stored" else "")
    _hear(uow, "document", event.document_id, event, state, event.name, live=live, told=told, by=by)


def payment(uow: Uow, event: PaymentRecorded) -> None:
    of = standing(uow, event.client_id)
    values = {"id": event.payment_id, "client": of, "kind": "payment", "label": _money(event.amount), "live": True}
    values |= {"engagement": None}
    uow.session.execute(_KEEP, values | {"state": "recorded", "version": 1, "firm": uow.firm_id})
    details = {"received_on": event.received_on}
    record(uow, of, "payment", "recorded", event.payment_id, _money(event.amount), by=NOBODY, **details)


def payment_returned(uow: Uow, event: PaymentReturned) -> None:
    of = standing(uow, event.client_id)
    record(uow, of, "payment", event.kind, event.payment_id, _money(event.amount), by=NOBODY)


def request_reminder(uow: Uow, event: RequestReminderDue) -> None:
    _reminded(uow, "request", event.request_id, event.client_id, number=event.number)


def invoice_reminder(uow: Uow, event: InvoiceReminderDue) -> None:
    _reminded(uow, "invoice", event.invoice_id, event.client_id, number=event.level, open=_money(event.balance))


def comment(uow: Uow, event: CommentWritten) -> None:
    if event.what == "added":
        by = _actor(uow, f"staff:{event.author_id}" if event.author_id else "")
        of = standing(uow, event.client_id)
        record(uow, of, "comment", "added", event.comment_id, _label(uow, event.job_id), by=by, job_id=event.job_id)


def invited(uow: Uow, event: ContactInvited) -> None:
    """The contact's clients all see that they were invited to the portal."""
    contact = uow.session.get(Contact, (uow.firm_id, UUID(event.contact_id)))
    if contact is None:
        return
    clients = select(ContactRole.client_id).where(ContactRole.contact_id == contact.id).distinct()
    for client_id in uow.session.scalars(clients).all():
        record(uow, client_id, "contact", "invited", contact.id, contact.name, by=NOBODY)


def _hear(
    uow: Uow,
    kind: str,
    id: str,
    event: Any,
    state: str,
    label: str,
    *,
    live: bool = True,
    told: bool = True,
    by: Actor = NOBODY,
    details: Mapping[str, str] | None = None,
    engagement: str | None = None,
) -> None:
    """Keeps a newer state, and tells what it says that the one before did not."""
    if not event.client_id:
        return
    of = standing(uow, event.client_id)
    values = {
        "id": id,
        "client": of,
        "kind": kind,
        "label": label,
        "live": live,
        "state": state,
        "engagement": engagement,
    }
    kept = uow.session.execute(_KEEP, values | {"version": event.version, "firm": uow.firm_id}).first()
    uow.keep()
    what = rules.what(kind, kept.before, state) if kept and told else None
    if what:
        record(uow, of, kind, what, id, label, by=by, **(details or {}))


# One statement, so that of two workers who hear of one thing each tells another change. What is sent again fills in an engagement.
_KEEP = text(
    "INSERT INTO client_uses AS u (firm_id, id, client_id, kind, label, engagement_id, live, state, version) "
    "VALUES (:firm, CAST(:id AS uuid), :client, :kind, :label, CAST(:engagement AS uuid), :live, :state, :version) "
    "ON CONFLICT (firm_id, id) DO UPDATE SET client_id = excluded.client_id, label = excluded.label, live = excluded.live, "
    "engagement_id = excluded.engagement_id, state = excluded.state, version = excluded.version "
    "WHERE u.version < excluded.version OR u.version = excluded.version AND u.engagement_id IS DISTINCT FROM excluded.engagement_id "
    "RETURNING old.state AS before"
)


def _reminded(uow: Uow, kind: str, id: str, client_id: str, **details: Any) -> None:
    record(uow, standing(uow, client_id), kind, "reminded", id, _label(uow, id), by=NOBODY, **details)


def _label(uow: Uow, id: str) -> str:
    kept = uow.session.get(ClientUse, (uow.firm_id, UUID(id)))
    return kept.label if kept else ""


def _actor(uow: Uow, actor: str) -> Actor:
    """Who it was, by name if they are known here."""
    kind, _, id = actor.partition(":")
    model: Any = {"staff": StaffCopy, "contact": Contact}.get(kind)
    who = uow.session.get(model, (uow.firm_id, UUID(id))) if model else None
    return Actor(actor, who.name if who else "")


def _money(money: Money) -> str:
    return f"{money.amount} {money.currency}"
