"""HTTP operations on feeds."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from chassis import auth
from chassis.auth import Principal
from chassis.http import NO_CONTENT, Reply, created
from chassis.service import Runtime
from chassis.uow import Uow, unit_of_work
from workflow.feeds import queries, usecases


def list_feeds(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_feeds(uow, limit=limit, cursor=cursor)


def create_feed(uow: Uow, body: dict[str, Any]) -> Reply:
    feed, token = usecases.create_feed(uow, body)
    address = f"{uow.runtime.settings.public_url}/api/workflow/v1/calendar-feeds/{token}"
    shown = {"id": feed.id, "kind": feed.kind, "url": address, "version": feed.version}
    return replace(created(shown, f"/feeds/{feed.id}", etag=feed.version), headers={"cache-control": "no-store"})


def revoke_feed(uow: Uow, feed_id: str) -> Reply:
    usecases.revoke_feed(uow, UUID(feed_id))
    return NO_CONTENT


def read_feed(runtime: Runtime, token: str) -> Reply:
    """Read by a program that has signed in nowhere: with the eyes of who set the feed up."""
    firm_id = usecases.firm_of_token(token)
    with unit_of_work(runtime, auth.system("workflow", firm_id)) as uow:
        staff_id = usecases.read_feed(uow, token).staff_id
        uow.commit()
    with unit_of_work(runtime, Principal("staff", str(staff_id), firm_id)) as uow:
        body = queries.calendar(uow, usecases.read_feed(uow, token))
    headers = {
        "content-type": "text/calendar; charset=utf-8",
        "content-disposition": 'inline; filename="praxis.ics"',
        "cache-control": "private, max-age=300",
    }
    return Reply(body, headers=headers)
