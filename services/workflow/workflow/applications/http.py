"""HTTP operations on a template and many clients."""

from collections import Counter
from typing import Any
from uuid import UUID

from chassis.errors import DomainError
from chassis.http import Reply
from chassis.uow import Uow
from workflow.applications import usecases
from workflow.runs.http import begun
from workflow.templates.http import previews
from workflow.templates.usecases import Application


def preview(uow: Uow, template_id: str, body: dict[str, Any]) -> dict[str, Any]:
    order, planned = usecases.preview(uow, UUID(template_id), body)
    shown = iter(previews(uow, [a for a in planned if isinstance(a, Application)]))
    items = [
        _item(client["client_id"], None if isinstance(outcome, DomainError) else next(shown), outcome)
        for client, outcome in zip(body["clients"], planned, strict=True)
    ]
    warnings = Counter(w["code"] for item in items if item["preview"] for w in item["preview"]["warnings"])
    refused = sum(item["preview"] is None for item in items)
    return {
        "template_version": order.number,
        "clients": len(items),
        "refused": refused,
        "warnings": [{"code": code, "count": count} for code, count in sorted(warnings.items())],
        "items": items,
    }


def _item(client_id: str, shown: dict[str, Any] | None, outcome: Application | DomainError) -> dict[str, Any]:
    error = {"code": outcome.code, "message": outcome.message} if isinstance(outcome, DomainError) else None
    return {"client_id": client_id, "preview": shown, "error": error}


def apply(uow: Uow, template_id: str, body: dict[str, Any]) -> Reply:
    return begun(uow, usecases.apply(uow, UUID(template_id), body))
