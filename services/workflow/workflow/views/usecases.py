"""Keeping views."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text

from chassis.db import new_id
from chassis.errors import Forbidden, Invalid, NotFound
from chassis.paging import keyset, page
from chassis.uow import Uow, lost_update
from workflow.hints import hint
from workflow.views import rules
from workflow.views.tables import View


def list_views(uow: Uow, list: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
    """One's own and the shared ones by name. A partner system has none of its own."""
    mine = View.owner_id == uow.principal.uuid if uow.principal.kind == "staff" else View.shared
    found = select(View).where(View.firm_id == uow.firm_id, or_(mine, View.shared))
    if list:
        found = found.where(View.list == list)
    after, values = keyset(["name", "id"], cursor)
    if after:
        found = found.where(text(after.removeprefix("AND ")).bindparams(**values))
    rows = uow.session.scalars(found.order_by(View.name, View.id).limit(limit + 1)).all()
    return page(rows, limit, lambda view: (view.name, view.id))


def create_view(uow: Uow, body: Mapping[str, Any]) -> View:
    """Errors: `staff_only`, `view_misfit`, `view_name_taken`."""
    if uow.principal.kind != "staff":
        raise Forbidden("staff_only", "Only a person of the firm can keep a view.")
    view = View(
        id=new_id(),
        owner_id=uow.principal.uuid,
        name=body["name"].strip(),
        list=body["list"],
        filters=body.get("filters", {}),
        sort=body.get("sort"),
        group_by=body.get("group_by"),
        shared=body.get("shared", False),
    )
    _check(view)
    uow.add(view)
    hint(uow, view)
    uow.audit("view.created", "view", view.id, after=_shown(view))
    return view


def change_view(uow: Uow, view_id: UUID, body: Mapping[str, Any]) -> View:
    """Errors: `view_not_found`, `not_your_view`, `view_misfit`, `view_name_taken`, `version_conflict`."""
    view = _own(uow, view_id)
    before = _shown(view)
    for name, value in body.items():
        setattr(view, name, value.strip() if name == "name" else value)
    _check(view)
    uow.session.flush()
    hint(uow, view)
    uow.audit("view.changed", "view", view_id, before=before, after=_shown(view))
    return view


def delete_view(uow: Uow, view_id: UUID) -> None:
    """Errors: `view_not_found`, `not_your_view`, `version_conflict`."""
    view = _own(uow, view_id)
    uow.session.delete(view)
    hint(uow, view)
    uow.audit("view.deleted", "view", view_id, before=_shown(view))


def _own(uow: Uow, view_id: UUID) -> View:
    view = uow.session.get(View, (uow.firm_id, view_id))
    mine = view is not None and uow.principal.kind == "staff" and view.owner_id == uow.principal.uuid
    if view is None or not (mine or view.shared):
        raise NotFound("view_not_found", "There is no such view.")
    if not mine:
        raise Forbidden("not_your_view", "Only who made a view can change it. Make one of your own from it.")
    if uow.if_match is not None and view.version != uow.if_match:
        raise lost_update(view.version)
    return view


def _check(view: View) -> None:
    if found := rules.misfit(view.list, view.filters, view.sort, view.group_by):
        raise Invalid("view_misfit", found[1], pointer=found[0])


def _shown(view: View) -> dict[str, Any]:
    return {name: getattr(view, name) for name in ("name", "list", "filters", "sort", "group_by", "shared")}
