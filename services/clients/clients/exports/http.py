"""The export over HTTP: parse, call, map."""

from chassis.http import Reply
from chassis.uow import Uow
from clients.exports import usecases


def export(uow: Uow, format: str = "xlsx", kind: str | None = None) -> Reply:
    media_type, name, pieces = usecases.export(uow, format, kind)
    headers = {"content-type": media_type, "content-disposition": f'attachment; filename="{name}"'}
    return Reply(pieces, headers=headers | {"cache-control": "no-store"})
