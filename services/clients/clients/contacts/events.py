"""What a contact's state looks like to the other services."""

from clients.contacts.tables import Contact
from praxis.clients.v1.events_pb2 import ContactChanged
from praxis.clients.v1.events_pb2 import ContactRole as Role


def contact_changed(contact: Contact) -> ContactChanged:
    """The contact's current state, with all the clients they act for."""
    return ContactChanged(
        contact_id=str(contact.id),
        name=contact.name,
        email=contact.email or "",
        language=contact.language,
        portal_access=contact.portal_access,
        roles=[
            Role(client_id=str(c), role=role)
            for c, role in sorted((held.client_id, held.role) for held in contact.roles)
        ],
        active=contact.active,
        version=contact.version,
    )
