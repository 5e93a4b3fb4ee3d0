"""Answering what the firm asks."""

from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request, url_for

from chassis.errors import DomainError
from portal.pages import web
from portal.pages.blueprint import pages
from portal.pages.brand import Brand
from portal.requests import queries, usecases
from portal.requests.usecases import Typed


@pages.get("/requests/<uuid:id>")
def request_page(id: UUID) -> Any:
    with web.work() as uow:
        g.brand = Brand.of(uow)
        return _page(uow, usecases.view(uow, id))


@pages.post("/requests/<uuid:id>")
def answer(id: UUID) -> Any:
    """One form holds the whole request, so that whichever button is pressed, nothing typed is lost."""
    do, _, what = request.form.get("do", "save").partition(":")
    with web.work() as uow:
        g.brand = Brand.of(uow)
        row = queries.request(uow, id)
        typed = {item["id"]: _typed(item) for item in row.items}
        refused = usecases.save(uow, id, typed, insist=do == "submit")
        if refused:
            return _page(uow, queries.request(uow, id), typed=typed, refused=refused), 422
        try:
            return _then(uow, id, do, what)
        except DomainError as error:
            if error.status not in (409, 422):
                raise
            return _page(uow, queries.request(uow, id), problem=error.message), error.status


def _typed(item: dict[str, Any]) -> Typed:
    """What the form says of an item; what it does not mention stays as it is."""
    given = request.form.get(f"answer-{item['id']}", "").replace("\r\n", "\n").strip()
    outcome = request.form.get(f"outcome-{item['id']}", "answered")
    return Typed(outcome, given if outcome == "answered" else "")


def _then(uow: Any, id: UUID, do: str, what: str) -> Any:
    if do == "submit":
        usecases.submit(uow, id)
        return redirect(url_for("pages.home", done=id), 303)
    if do == "add":
        return redirect(url_for("pages.add_file", id=id, item_id=UUID(what)), 303)
    if do == "remove":
        item_id, document_id = (UUID(part) for part in what.split(":"))
        usecases.remove_file(uow, id, item_id, document_id)
        return redirect(url_for("pages.request_page", id=id, _anchor=f"item-{item_id}"), 303)
    return redirect(url_for("pages.request_page", id=id, saved=1), 303)


def _page(
    uow: Any,
    row: Any,
    *,
    typed: dict[str, Typed] | None = None,
    refused: dict[str, DomainError] | None = None,
    problem: str = "",
) -> str:
    files = queries.documents_named(uow, [d for item in row.items for d in item["document_ids"]])
    return render_template(
        "request.html",
        r=row,
        files=files,
        typed=typed or {},
        refused=refused or {},
        problem=problem,
        saved=request.args.get("saved"),
    )
