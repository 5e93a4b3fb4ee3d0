"""Operations on branding: parse, call, map."""

from typing import Any

from chassis.http import Reply
from chassis.uow import Uow
from portal.branding import usecases
from portal.branding.tables import Branding


def get_branding(uow: Uow) -> Reply:
    return _shown(usecases.of_firm(uow))


def change_branding(uow: Uow, body: dict[str, Any]) -> Reply:
    branding = usecases.change(uow, body, version=uow.if_match)
    uow.session.flush()
    return _shown(branding)


def get_logo(uow: Uow) -> Reply:
    logo = usecases.logo(uow, usecases.of_firm(uow))
    return Reply(logo.content, headers={"content-type": logo.media_type})


def put_logo(uow: Uow, body: bytes) -> Reply:
    branding = usecases.set_logo(uow, body, version=uow.if_match)
    uow.session.flush()
    return _shown(branding)


def remove_logo(uow: Uow) -> Reply:
    branding = usecases.remove_logo(uow, version=uow.if_match)
    uow.session.flush()
    return _shown(branding)


def _shown(branding: Branding) -> Reply:
    return Reply(usecases.facts(branding) | {"version": branding.version}, etag=branding.version)
