"""Operations on the firm's billing settings."""

from datetime import date
from typing import Any

from chassis.http import Reply
from chassis.uow import Uow
from timebilling.firm_settings import usecases
from timebilling.firm_settings.tables import FirmSettings


def get_settings(uow: Uow) -> Reply:
    return _reply(usecases.load(uow))


def change_settings(uow: Uow, body: dict[str, Any]) -> Reply:
    return _reply(usecases.change(uow, body, uow.if_match))


def lock_period(uow: Uow, body: dict[str, Any]) -> Reply:
    until = date.fromisoformat(body["locked_until"]) if body["locked_until"] else None
    return _reply(usecases.lock_period(uow, until, body.get("reason")))


def _reply(settings: FirmSettings) -> Reply:
    return Reply(usecases.view(settings), etag=settings.version)
