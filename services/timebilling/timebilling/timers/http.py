"""Operations on the caller's timer."""

from typing import Any

from chassis.http import NO_CONTENT, Reply
from chassis.uow import Uow
from timebilling.timers import queries, usecases


def get_timer(uow: Uow) -> Reply:
    return _reply(uow)


def list_timers(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.running(uow, limit, cursor)


def start_timer(uow: Uow, body: dict[str, Any]) -> Reply:
    return _reply(uow, logged=usecases.start(uow, body))


def stop_timer(uow: Uow, body: dict[str, Any]) -> Reply:
    return _reply(uow, logged=usecases.stop(uow, body))


def change_timer(uow: Uow, body: dict[str, Any]) -> Reply:
    usecases.change(uow, body, uow.if_match)
    return _reply(uow)


def discard_timer(uow: Uow) -> Reply:
    usecases.discard(uow, uow.if_match)
    return NO_CONTENT


def _reply(uow: Uow, **more: Any) -> Reply:
    timer, version = queries.own(uow)
    return Reply({"timer": timer, **more}, etag=version)
