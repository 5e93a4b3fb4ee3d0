"""What this service hears, what it can say again, and what must always hold."""

from collections.abc import Callable

from chassis import merged
from chassis.consumer import Listen
from clients.contacts.queries import all_contact_states
from clients.copies.usecases import keep_firm, keep_staff
from clients.custom_fields.queries import all_custom_field_states
from clients.engagements.queries import all_engagement_states, open_at_former_clients
from clients.groups.queries import all_group_states
from clients.imports import usecases as imports
from clients.merging.queries import all_merges, both_there
from clients.parties.queries import all_client_states
from clients.relationships.queries import all_relationship_states
from clients.timeline import hearing
from praxis.clients.v1 import events_pb2 as events
from praxis.documents.v1 import events_pb2 as documents
from praxis.identity.v1 import events_pb2 as identity
from praxis.portal.v1 import events_pb2 as portal
from praxis.timebilling.v1 import events_pb2 as timebilling
from praxis.workflow.v1 import events_pb2 as workflow

LISTENS = [
    Listen(identity.FirmUpdated, keep_firm),
    Listen(identity.StaffChanged, keep_staff),
    Listen(workflow.JobChanged, hearing.job),
    Listen(workflow.RequestChanged, hearing.request),
    Listen(workflow.RequestReminderDue, hearing.request_reminder),
    Listen(workflow.CommentWritten, hearing.comment),
    Listen(timebilling.InvoiceChanged, hearing.invoice),
    Listen(timebilling.InvoiceSent, hearing.invoice_sent),
    Listen(timebilling.StatementSent, hearing.statement_sent),
    Listen(timebilling.InvoiceReminderDue, hearing.invoice_reminder),
    Listen(timebilling.PaymentRecorded, hearing.payment),
    Listen(timebilling.PaymentReturned, hearing.payment_returned),
    Listen(documents.DocumentChanged, hearing.document),
    Listen(portal.ContactInvited, hearing.invited),
]

TIMERS: dict[str, Callable[..., object]] = {
    "import_step": imports.step,
    "import_clear": imports.clear,
    "repoint": merged.again,
}

REPUBLISH = {
    events.ClientChanged: all_client_states,
    events.ClientMerged: all_merges,
    events.ContactChanged: all_contact_states,
    events.EngagementChanged: all_engagement_states,
    events.GroupChanged: all_group_states,
    events.RelationshipChanged: all_relationship_states,
    events.CustomFieldChanged: all_custom_field_states,
}

CHECKS = {
    "former clients have no open engagement": open_at_former_clients,
    "who was merged is gone": both_there,
}
