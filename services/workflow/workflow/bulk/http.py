"""HTTP operations on many at once."""

from typing import Any

from chassis.uow import Uow
from workflow.bulk import usecases


def change_tasks(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return _answer(usecases.change_tasks(uow, body["items"], body["change"]))


def change_jobs(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return _answer(usecases.change_jobs(uow, body["items"], body["change"]))


def _answer(items: list[dict[str, Any]]) -> dict[str, Any]:
    done = sum(item["done"] for item in items)
    return {"done": done, "failed": len(items) - done, "items": items}
