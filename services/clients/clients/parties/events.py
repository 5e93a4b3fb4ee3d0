"""What a client's state looks like to the other services."""

from uuid import UUID

from clients.parties import rules
from clients.parties.tables import Client
from praxis.clients.v1.events_pb2 import Address, ClientChanged, ClientRemoved
from praxis.common.v1.types_pb2 import Audience


def client_changed(client: Client) -> ClientChanged:
    """The client's current state."""
    return ClientChanged(
        client_id=str(client.id),
        number=client.number,
        name=client.name,
        kind=client.kind,
        status=client.status,
        currency=client.currency,
        language=client.language,
        country=client.country,
        year_end=client.year_end or "",
        partner_id=str(client.partner_id or ""),
        manager_id=str(client.manager_id or ""),
        tags=client.tags,
        other_names=client.other_names,
        custom={key: str(value) for key, value in client.custom.items()},
        audience=audience(client),
        address=Address(**client.address) if client.address else None,
        tax_label=_tax_label(client),
        version=client.version,
    )


def client_removed(client_id: UUID) -> ClientRemoved:
    """A client that nothing had been done for is gone."""
    return ClientRemoved(client_id=str(client_id))


def audience(client: Client) -> Audience:
    """Who may see what belongs to the client."""
    return Audience(private=client.visible_to is not None, staff_ids=[str(s) for s in client.visible_to or ()])


def _tax_label(client: Client) -> str:
    vat = next((number.shown for number in client.tax_numbers if number.scheme == "vat"), None)
    return rules.tax_label(client.country, vat)
