"""Sending a file for an item: straight from the browser to the store, with a script or by a plain form."""

from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request, url_for

from chassis.errors import BadRequest
from portal.pages import web
from portal.pages.blueprint import pages
from portal.pages.brand import Brand
from portal.requests import queries, usecases
from portal.settings import settings_of


@pages.get("/requests/<uuid:id>/items/<uuid:item_id>/file")
def add_file(id: UUID, item_id: UUID) -> Any:
    """Without a script: a form that posts to the store, which leads back to `file_sent`."""
    with web.work() as uow:
        g.brand = Brand.of(uow)
        row = queries.request(uow, id)
        item = queries.item_of(row, item_id)
        sending, target = usecases.start_file(uow, id, item_id, redirect_to=_back)
        return render_template("add_file.html", r=row, item=item, target=target, sending=sending)


def _back(sending_id: UUID) -> str:
    return settings_of(web.runtime()).public_url + url_for("pages.file_sent", sending_id=sending_id)


@pages.get("/files/<uuid:sending_id>/sent")
def file_sent(sending_id: UUID) -> Any:
    """Where the store sends the browser after a form post: what has arrived becomes part of the answer."""
    with web.work() as uow:
        g.brand = Brand.of(uow)
        sending = usecases.finish_file(uow, sending_id)
    return redirect(url_for("pages.request_page", id=sending.request_id, _anchor=f"item-{sending.item_id}"), 303)


@pages.post("/requests/<uuid:id>/items/<uuid:item_id>/files")
def start_file(id: UUID, item_id: UUID) -> Any:
    """For the script: where to send the file it names."""
    body = request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    name, size, sha256 = body.get("name"), body.get("size"), body.get("sha256", "")
    if (
        not isinstance(name, str)
        or not isinstance(size, int)
        or isinstance(size, bool)
        or size < 1
        or not isinstance(sha256, str)
    ):
        raise BadRequest("request_invalid", "Name the file's `name`, its `size` in bytes and its `sha256`.")
    with web.work() as uow:
        sending, target = usecases.start_file(uow, id, item_id, name=name, size=size, sha256=sha256)
    return {
        "method": target.method,
        "url": target.url,
        "headers": dict(target.headers),
        "fields": dict(target.fields),
        "complete": url_for("pages.complete_file", sending_id=sending.id),
    }, 201


@pages.post("/files/<uuid:sending_id>")
def complete_file(sending_id: UUID) -> Any:
    """For the script: the file was sent."""
    with web.work() as uow:
        sending = usecases.finish_file(uow, sending_id)
        return {"document_id": str(sending.document_id)}
