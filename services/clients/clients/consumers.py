"""What this service hears, what it can say again, and what must always hold."""

from chassis.consumer import Listen
from clients.contacts.queries import all_contact_states
from clients.copies.usecases import keep_firm, keep_staff
from clients.engagements.queries import all_engagement_states, open_at_former_clients
from clients.parties.queries import all_client_states
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
}

CHECKS = {
    "former clients have no open engagement": open_at_former_clients,
}
