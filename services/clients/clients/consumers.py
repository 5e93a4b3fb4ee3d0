"""What this service hears, what it can say again, and what must always hold."""

from chassis import merged
from chassis.consumer import Listen
from clients.contacts.queries import all_contact_states
from clients.copies.usecases import keep_document, keep_firm, keep_invoice, keep_job, keep_request, keep_staff
from clients.custom_fields.queries import all_custom_field_states
from clients.engagements.queries import all_engagement_states, open_at_former_clients
from clients.groups.queries import all_group_states
from clients.merging.queries import all_merges, both_there
from clients.parties.queries import all_client_states
from clients.relationships.queries import all_relationship_states
from praxis.clients.v1 import events_pb2 as events
from praxis.documents.v1 import events_pb2 as documents
from praxis.identity.v1 import events_pb2 as identity
from praxis.timebilling.v1 import events_pb2 as timebilling
from praxis.workflow.v1 import events_pb2 as workflow

LISTENS = [
    Listen(identity.FirmUpdated, keep_firm),
    Listen(identity.StaffChanged, keep_staff),
    Listen(workflow.JobChanged, keep_job),
    Listen(workflow.RequestChanged, keep_request),
    Listen(timebilling.InvoiceChanged, keep_invoice),
    Listen(documents.DocumentChanged, keep_document),
]

TIMERS = {
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
