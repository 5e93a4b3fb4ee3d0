"""A new request, from a template or by hand."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from chassis.db import new_id
from workflow.jobs.tables import Job
from workflow.requests.tables import Request, RequestItem


def new_request(
    job: Job,
    position: int,
    now: datetime,
    *,
    title: str,
    message: str,
    status: str,
    send: str,
    reminders: Mapping[str, int],
    items: list[dict[str, Any]],
    due_on: date | None = None,
    pushed_from: date | None = None,
    send_on: date | None = None,
    expires_on: date | None = None,
    due_rule: dict[str, Any] | None = None,
    key: str | None = None,
) -> Request:
    """A request with its items, none of them answered. A date without a rule was set by hand, and stays."""
    return Request(
        id=new_id(),
        job_id=job.id,
        client_id=job.client_id,
        key=key,
        position=position,
        title=title,
        message=message,
        status=status,
        send=send,
        due_rule=due_rule,
        due_on=due_on,
        original_due_on=due_on,
        pushed_from=pushed_from,
        due_moves=0,
        due_pinned=due_rule is None and due_on is not None,
        waits_for=0,
        reminders=dict(reminders),
        reminders_sent=0,
        reminders_before=0,
        send_on=send_on,
        expires_on=expires_on,
        waited_seconds=0,
        changed_at=now,
        items=new_items(items),
    )


def new_items(items: Iterable[Mapping[str, Any]]) -> list[RequestItem]:
    """Items with their defaults written out (see `templates.rules.normal_item`), all open."""
    return [
        RequestItem(
            id=new_id(),
            position=position,
            kind=item["kind"],
            label=item["label"],
            help=item["help"],
            required=item["required"],
            choices=list(item["choices"]),
            status="open",
            document_ids=[],
        )
        for position, item in enumerate(items, 1)
    ]
