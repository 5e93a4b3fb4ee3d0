"""Setting up a feed, taking it back, and finding it by its secret."""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.db import new_id
from chassis.errors import Invalid, NotFound
from chassis.uow import Uow
from workflow.copies.tables import GroupCopy, StaffCopy
from workflow.copies.usecases import client_of
from workflow.feeds.tables import Feed
from workflow.hints import hint

_SECRET = 24  # random bytes behind the firm's id


def create_feed(uow: Uow, body: Mapping[str, Any]) -> tuple[Feed, str]:
    """The feed and its token, which is told this once. Errors: `feed_invalid`, `client_not_found`, `group_not_found`."""
    wanted = {"client": "client_id", "group": "group_id"}.get(body["kind"])
    for name in ("client_id", "group_id"):
        if (name in body) != (name == wanted):
            raise Invalid(
                "feed_invalid", "A feed of a client names the client, one of a group the group.", pointer=f"/{name}"
            )
    client_id = client_of(uow, UUID(body["client_id"])).id if body["kind"] == "client" else None
    group_id = _group(uow, UUID(body["group_id"])).id if body["kind"] == "group" else None
    # The firm's id leads: whoever reads the feed has signed in nowhere, and the secret is looked for in that firm only.
    token = urlsafe_b64encode(uow.firm_id.bytes + secrets.token_bytes(_SECRET)).decode().rstrip("=")
    feed = Feed(
        id=new_id(),
        staff_id=UUID(uow.principal.id),
        kind=body["kind"],
        client_id=client_id,
        group_id=group_id,
        secret_hash=_hash(token),
        created_at=uow.now,
    )
    uow.add(feed)
    hint(uow, feed)
    uow.audit("feed.created", "feed", feed.id, after={"kind": feed.kind, "client_id": client_id, "group_id": group_id})
    return feed, token


def revoke_feed(uow: Uow, feed_id: UUID) -> None:
    """Its address answers nothing from now on. One's own. Errors: `feed_not_found`, `version_conflict`."""
    feed = uow.get(Feed, feed_id, lock=True, version=uow.if_match)
    if feed.staff_id != UUID(uow.principal.id) or feed.revoked_at:
        raise _unknown()
    feed.revoked_at = uow.now
    uow.session.flush()
    hint(uow, feed)
    uow.audit("feed.revoked", "feed", feed.id)


def firm_of_token(token: str) -> UUID:
    """Errors: `feed_not_found`."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        raise _unknown() from None
    if len(raw) != 16 + _SECRET:
        raise _unknown()
    return UUID(bytes=raw[:16])


def read_feed(uow: Uow, token: str) -> Feed:
    """The feed of a secret; when it was last read is noted once an hour. Errors: `feed_not_found`, also when it was revoked or
    whoever set it up has left."""
    works_here = (StaffCopy.firm_id == Feed.firm_id) & (StaffCopy.id == Feed.staff_id) & StaffCopy.active
    found = select(Feed).join(StaffCopy, works_here).where(Feed.firm_id == uow.firm_id, Feed.revoked_at.is_(None))
    feed = uow.session.scalar(found.where(Feed.secret_hash == _hash(token)))
    if feed is None:
        raise _unknown()
    if feed.read_at is None or uow.now - feed.read_at > timedelta(hours=1):
        feed.read_at = uow.now
    return feed


def _group(uow: Uow, group_id: UUID) -> GroupCopy:
    group = uow.session.get(GroupCopy, (uow.firm_id, group_id))
    if group is None or group.dissolved:
        raise NotFound("group_not_found", "There is no such group.", pointer="/group_id")
    return group


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _unknown() -> NotFound:
    return NotFound("feed_not_found", "There is no such calendar.")
