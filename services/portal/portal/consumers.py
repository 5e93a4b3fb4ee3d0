"""What the portal hears, does later and tells again."""

from collections.abc import Callable

from chassis import merged
from chassis.consumer import Listen
from portal.branding import usecases as branding
from portal.copies import usecases as copies
from portal.mail import usecases as mail
from portal.sessions import usecases as sessions
from praxis.clients.v1.events_pb2 import ClientChanged, ClientMerged, ClientRemoved, ContactChanged
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.portal.v1.events_pb2 import BrandingChanged
from praxis.timebilling.v1.events_pb2 import InvoiceChanged, InvoiceReminderDue, InvoiceSent, StatementSent
from praxis.workflow.v1.events_pb2 import JobChanged, RequestChanged, RequestReminderDue

LISTENS = [
    Listen(FirmUpdated, copies.keep_firm),
    Listen(ClientChanged, copies.keep_client),
    Listen(ClientMerged, copies.follow_merge),
    Listen(ClientRemoved, copies.forget_client),
    Listen(ContactChanged, copies.keep_contact),
    Listen(RequestChanged, copies.keep_request),
    Listen(RequestReminderDue, mail.reminder_due),
    Listen(JobChanged, copies.keep_job),
    Listen(DocumentChanged, copies.keep_document),
    Listen(InvoiceChanged, copies.keep_invoice),
    Listen(InvoiceReminderDue, mail.invoice_reminder_due),
    Listen(InvoiceSent, mail.invoice_sent),
    Listen(StatementSent, mail.statement_sent),
]
TIMERS: dict[str, Callable[..., object]] = {
    "repoint": merged.again,
    "mail_invitation": mail.mail_invitation,
    "mail_code": mail.mail_code,
    "mail_invoice_reminder": mail.mail_invoice_reminder,
    "send_digest": mail.send_digest,
    "mail_invoice": mail.mail_invoice,
    "mail_statement": mail.mail_statement,
    "forget_device": sessions.forget_device,
}
REPUBLISH = {BrandingChanged: branding.all_states}
