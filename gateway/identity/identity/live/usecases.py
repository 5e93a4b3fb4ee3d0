"""Keeping who may see which client."""

from chassis.copies import keep_newer, visible_to
from chassis.uow import Uow
from identity.live.tables import ClientAudience
from praxis.clients.v1.events_pb2 import ClientChanged


def keep_audience(uow: Uow, event: ClientChanged) -> None:
    named = visible_to(event.audience.private, event.audience.staff_ids)
    keep_newer(uow, ClientAudience, id=event.client_id, version=event.version, visible_to=named)
