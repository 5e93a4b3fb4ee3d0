"""Operations on how documents are numbered."""

from typing import Any

from chassis.http import Reply
from chassis.uow import Uow
from timebilling.numbering import usecases


def list_numbering(uow: Uow) -> dict[str, Any]:
    return {"items": usecases.views(uow), "next_cursor": None}


def set_numbering(uow: Uow, document_type: str, body: dict[str, Any]) -> Reply:
    shown = usecases.set_pattern(uow, document_type, body["pattern"], body.get("start_at"), uow.if_match)
    return Reply(shown, etag=shown["version"])
