"""Operations about tokens."""

from typing import TYPE_CHECKING

from chassis.http import Reply
from identity.tokens.source import keys_of
from identity.work import settings_of

if TYPE_CHECKING:
    from chassis.service import Runtime


def jwks(runtime: "Runtime") -> Reply:
    return Reply(keys_of(settings_of(runtime)).jwks(), headers={"cache-control": "public, max-age=300"})
