"""What other services may ask."""

from uuid import UUID

from chassis.errors import NotFound
from chassis.uow import Uow
from clients.parties.events import client_changed
from clients.parties.finding import find
from praxis.clients.v1.clients_pb2 import GetClientRequest, GetClientResponse


def get_client(uow: Uow, request: GetClientRequest) -> GetClientResponse:
    """The client as its events tell it, or the one it was merged into. Errors: `client_not_found`, also for what is no id and for a private client one isn't named on."""
    try:
        client_id = UUID(request.client_id)
    except ValueError:
        raise NotFound("client_not_found", "There is no such client.") from None
    return GetClientResponse(client=client_changed(find(uow, client_id)))
