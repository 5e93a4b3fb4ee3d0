"""Operations on how a client is billed."""

from typing import Any
from uuid import UUID

from chassis.http import Reply
from chassis.uow import Uow
from timebilling.client_terms import usecases
from timebilling.copies.usecases import client


def get_client_terms(uow: Uow, client_id: str) -> Reply:
    terms = usecases.load(uow, client(uow, UUID(client_id)).id)
    return Reply(usecases.view(terms), etag=terms.version)


def change_client_terms(uow: Uow, client_id: str, body: dict[str, Any]) -> Reply:
    terms = usecases.change(uow, UUID(client_id), body, uow.if_match)
    return Reply(usecases.view(terms), etag=terms.version)
