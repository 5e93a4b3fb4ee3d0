"""Keeping and giving out the firm's own pictures. Whoever sends one has made it anew, so that it is nothing but a picture."""

import hashlib
from uuid import UUID

from sqlalchemy import select, text

from chassis.db import new_id
from chassis.errors import Invalid, NotFound
from chassis.uow import Uow
from documents.media import media_type
from documents.pictures.tables import Picture
from documents.store import store_of

MOST = 1024 * 1024
TYPES = ("image/png", "image/jpeg")


def keep(uow: Uow, content: bytes, said: str) -> Picture:
    """Keeps a picture; the same bytes once. Errors: `picture_too_large`, `picture_type_differs` (422)."""
    if len(content) > MOST:
        raise Invalid("picture_too_large", "A picture may have at most 1 MB.")
    if said not in TYPES or media_type(content) != said:
        raise Invalid("picture_type_differs", "These bytes are not a picture of the type they are said to be.")
    digest = hashlib.sha256(content).hexdigest()
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"), {"what": f"picture:{uow.firm_id}:{digest}"}
    )
    known = uow.session.scalars(
        select(Picture).where(Picture.firm_id == uow.firm_id, Picture.sha256 == digest)
    ).one_or_none()
    if known is not None:
        return known
    id = new_id()
    key = f"{uow.firm_id}/{id}"
    store_version, stored = store_of(uow.runtime.settings).put(key, [content], len(content))
    picture = Picture(
        id=id,
        key=key,
        store_version=store_version,
        size=stored.size,
        sha256=stored.sha256,
        media_type=said,
        created_at=uow.now,
    )
    uow.add(picture)
    uow.audit("picture.kept", "picture", id, after={"sha256": digest, "size": stored.size, "media_type": said})
    return picture


def read(uow: Uow, picture_id: UUID) -> tuple[Picture, bytes]:
    """A picture and its bytes. Errors: `picture_not_found` (404)."""
    picture = uow.session.get(Picture, (uow.firm_id, picture_id))
    content = store_of(uow.runtime.settings).read(picture.key, picture.store_version) if picture else b""
    if picture is None or not content:
        raise NotFound("picture_not_found", "There is no such picture.")
    return picture, content
