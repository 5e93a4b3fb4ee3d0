"""Finding a client by its id, also by one that was given up when it was merged into another."""

from uuid import UUID

from chassis.errors import NotFound
from chassis.merged import standing
from chassis.uow import Uow
from clients.parties.tables import Client


def find(uow: Uow, client_id: UUID | str, *, lock: bool = False, version: int | None = None) -> Client:
    """The client, or the one it was merged into. Errors: `client_not_found`, `version_conflict`."""
    try:
        return uow.get(Client, client_id, lock=lock, version=version)
    except NotFound:
        if (into := standing(uow, client_id)) == UUID(str(client_id)):
            raise
        return uow.get(Client, into, lock=lock, version=version)
