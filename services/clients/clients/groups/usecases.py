"""What one can do with groups: load, decide, save, announce."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.db import new_id
from chassis.errors import NotFound
from chassis.uow import Uow
from clients.groups import rules
from clients.groups.events import group_changed
from clients.groups.tables import ClientGroup, GroupMember
from clients.parties.finding import find
from clients.parties.rules import tidy
from clients.trail import audit_change

_FACTS = ("name", "kind", "note", "parent_id", "bill_to_id")


def create_group(uow: Uow, body: Mapping[str, Any], id: str | None = None) -> ClientGroup:
    """A new group with its clients. Errors: `client_not_found`, `client_in_another_group`, `bill_to_not_in_group`, `group_not_found`, `group_full`."""
    if body.get("parent_id"):
        _one_move_at_a_time(uow)
    group = ClientGroup(
        id=UUID(id) if id else new_id(),
        kind="other",
        note=None,
        parent_id=None,
        bill_to_id=None,
        created_at=uow.now,
        updated_at=uow.now,
    )
    for client_id in dict.fromkeys(map(UUID, body.get("client_ids", ()))):
        group.members.append(GroupMember(id=new_id(), client_id=find(uow, client_id).id))
    rules.require_room(len(group.members))
    _apply(uow, group, body)
    uow.add(group)
    _announce(uow, group)
    uow.audit("group.created", "group", group.id, after=_shown(group))
    return group


def change_group(uow: Uow, group_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> ClientGroup:
    """Changes the given parts. Errors: `group_not_found`, `version_conflict`, `group_contains_itself`, `bill_to_not_in_group`."""
    if body.get("parent_id"):
        _one_move_at_a_time(uow)
    group = uow.get(ClientGroup, group_id, lock=True, version=if_match)
    before = _shown(group)
    _apply(uow, group, body)
    if _shown(group) != before:
        _save(uow, group, "group.changed", before)
    return group


def add_client(uow: Uow, group_id: UUID, client_id: UUID, *, if_match: int | None) -> ClientGroup:
    """The client belongs to the group. Errors: `group_not_found`, `client_not_found`, `client_in_another_group`, `group_full`, `version_conflict`."""
    group = uow.get(ClientGroup, group_id, lock=True, version=if_match)
    client_id = find(uow, client_id).id
    before = _shown(group)
    if str(client_id) not in before["clients"]:
        group.members.append(GroupMember(id=new_id(), client_id=client_id))
        rules.require_room(len(group.members))
        _save(uow, group, "group.client_added", before)
    return group


def remove_client(uow: Uow, group_id: UUID, client_id: UUID, *, if_match: int | None) -> None:
    """The client leaves the group. Errors: `group_not_found`, `client_not_found`, `client_not_in_group`, `client_is_bill_to`, `version_conflict`."""
    group = uow.get(ClientGroup, group_id, lock=True, version=if_match)
    client_id = find(uow, client_id).id
    member = next((m for m in group.members if m.client_id == client_id), None)
    if member is None:
        raise NotFound("client_not_in_group", "The client is not in this group.")
    rules.require_not_billed(client_id, group.bill_to_id)
    before = _shown(group)
    # The version counts first: without this client the group may be one that the caller can't see any more.
    group.updated_at = uow.now
    uow.session.flush()
    group.members.remove(member)
    _save(uow, group, "group.client_removed", before)


def dissolve_group(uow: Uow, group_id: UUID, *, if_match: int | None) -> None:
    """The group is no more; its clients stay. Errors: `group_not_found`, `group_holds_groups`, `version_conflict`."""
    group = uow.get(ClientGroup, group_id, lock=True, version=if_match)
    inside = select(ClientGroup.name).where(ClientGroup.parent_id == group_id).order_by(ClientGroup.sort_name)
    rules.require_no_groups_inside(uow.session.scalars(inside).all())
    before = _shown(group)
    gone = group_changed(group)
    gone.bill_to_client_id, gone.dissolved, gone.version = "", True, group.version + 1
    gone.ClearField("client_ids")
    uow.session.delete(group)
    uow.session.flush()
    uow.announce(gone, subject=group_id, version=gone.version)
    uow.audit("group.dissolved", "group", group_id, before=before)


def _apply(uow: Uow, group: ClientGroup, body: Mapping[str, Any]) -> None:
    if "name" in body:
        group.name = tidy(body["name"])
    if "note" in body:
        group.note = body["note"] and body["note"].strip()
    if "kind" in body:
        group.kind = body["kind"]
    if "parent_id" in body:
        group.parent_id = body["parent_id"] and UUID(body["parent_id"])
        if group.parent_id:
            _check_parent(uow, group)
    if "bill_to_id" in body:
        group.bill_to_id = body["bill_to_id"] and UUID(body["bill_to_id"])
        if group.bill_to_id:
            group.bill_to_id = find(uow, group.bill_to_id).id
    rules.require_bill_to_inside(group.bill_to_id, {member.client_id for member in group.members})


def _one_move_at_a_time(uow: Uow) -> None:
    """Two moves at once could close a circle that neither sees. Before any row is locked, or the two would wait for each other."""
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"), {"what": f"groups {uow.firm_id}"}
    )


def _check_parent(uow: Uow, group: ClientGroup) -> None:
    with uow.session.no_autoflush:
        above = list(uow.session.execute(_ABOVE, {"id": group.parent_id}))
    if not above:
        raise NotFound("group_not_found", "There is no such group.", pointer="/parent_id")
    rules.require_acyclic(group.id, [(row.id, row.name) for row in above])


_ABOVE = text("""
    WITH RECURSIVE above AS (
        SELECT id, name, parent_id, 1 AS height FROM client_groups WHERE id = :id
        UNION ALL
        SELECT g.id, g.name, g.parent_id, a.height + 1 FROM above a JOIN client_groups g ON g.id = a.parent_id)
    SELECT id, name FROM above ORDER BY height""")


def _save(uow: Uow, group: ClientGroup, action: str, before: Mapping[str, Any]) -> None:
    """Writes, announces and audits a change."""
    group.updated_at = uow.now
    uow.session.flush()
    _announce(uow, group)
    audit_change(uow, action, "group", group.id, before=before, after=_shown(group))


def _announce(uow: Uow, group: ClientGroup) -> None:
    uow.announce(group_changed(group), subject=group.id, version=group.version)


def _shown(group: ClientGroup) -> dict[str, Any]:
    """The group as the audit shows it."""
    return {fact: getattr(group, fact) for fact in _FACTS} | {
        "clients": sorted(str(member.client_id) for member in group.members)
    }
