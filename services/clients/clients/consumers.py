"""What this service hears, what it can say again, and what must always hold."""

from chassis.consumer import Listen
from clients.contacts.queries import all_contact_states
from clients.copies.usecases import keep_firm, keep_staff
from clients.custom_fields.queries import all_custom_field_states
from clients.engagements.queries import all_engagement_states, open_at_former_clients
from clients.groups.queries import all_group_states
from clients.parties.queries import all_client_states
from clients.relationships.queries import all_relationship_states
from praxis.clients.v1 import events_pb2 as events
from praxis.identity.v1 import events_pb2 as identity

LISTENS = [
    Listen(identity.FirmUpdated, keep_firm),
    Listen(identity.StaffChanged, keep_staff),
]

REPUBLISH = {
    events.ClientChanged: all_client_states,
    events.ContactChanged: all_contact_states,
    events.EngagementChanged: all_engagement_states,
    events.GroupChanged: all_group_states,
    events.RelationshipChanged: all_relationship_states,
    events.CustomFieldChanged: all_custom_field_states,
}

CHECKS = {
    "former clients have no open engagement": open_at_former_clients,
}
