"""Merging two clients: load both under lock, decide, move what hangs on the one, announce."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, text
from sqlalchemy.orm import selectinload, undefer

from chassis.db import new_id
from chassis.errors import Conflict
from chassis.merged import follow
from chassis.uow import Uow
from clients.contacts.events import contact_changed
from clients.contacts.tables import Contact, ContactRole
from clients.engagements.events import engagement_changed
from clients.engagements.tables import Engagement
from clients.groups.events import group_changed
from clients.groups.tables import ClientGroup, GroupMember
from clients.merging import rules
from clients.parties.events import client_changed
from clients.parties.finding import find
from clients.parties.tables import Client, TaxNumber
from clients.relationships import rules as relationship_rules
from clients.relationships.events import relationship_changed
from clients.relationships.tables import Relationship
from clients.settings import fields
from clients.timeline.usecases import record
from clients.trail import audit_change
from praxis.clients.v1.events_pb2 import ClientMerged, RelationshipChanged


def merge(uow: Uow, survivor_id: UUID, body: Mapping[str, Any]) -> Client:
    """The duplicate becomes the survivor: its contacts, engagements and whatever other services keep of it follow.
    Errors: `client_not_found`, `version_conflict`, `already_merged`, those of `rules.require_mergeable` and `rules.combined`."""
    merged_id = UUID(body["merged_id"])
    versions = {survivor_id: body["version"], merged_id: body["merged_version"]}
    # In the order of their ids, so that two merges that cross each other wait instead of deadlocking.
    rows = {id: find(uow, id, lock=True, version=versions[id]) for id in sorted(versions)}
    if gone := next((row for id, row in rows.items() if row.id != id), None):
        raise Conflict(
            "already_merged", f"One of the two was merged into {gone.number} meanwhile.", merged_into=str(gone.id)
        )
    survivor, merged = rows[survivor_id], rows[merged_id]
    mine, theirs = facts(survivor), facts(merged)
    rules.require_mergeable(mine, theirs)
    outcome = {field.name: field.result for field in rules.combined(mine, theirs, body.get("take", ()))}

    moved_contacts = _move_contacts(uow, merged.id, survivor.id)
    moved_engagements = _move_engagements(uow, merged.id, survivor.id)
    changed_groups = _move_group(uow, merged.id, survivor.id)
    changed_relationships = _move_relationships(uow, merged.id, survivor.id)
    _move_tax_numbers(uow, survivor, merged)
    uow.session.flush()
    follow(uow, "client_id", merged.id, survivor.id)
    uow.session.expunge(merged)
    uow.session.execute(delete(Client).where(Client.firm_id == uow.firm_id, Client.id == merged_id))
    for name, value in outcome.items():
        setattr(survivor, name, value)
    survivor.updated_at = uow.now
    uow.session.flush()

    uow.announce(client_changed(survivor), subject=survivor.id, version=survivor.version)
    uow.announce(ClientMerged(client_id=str(merged_id), into_client_id=str(survivor.id)), subject=merged_id)
    for contact in moved_contacts:
        uow.announce(contact_changed(contact), subject=contact.id, version=contact.version)
    for engagement in moved_engagements:
        uow.announce(engagement_changed(engagement), subject=engagement.id, version=engagement.version)
    for group in changed_groups:
        uow.announce(group_changed(group), subject=group.id, version=group.version)
    for related in changed_relationships:
        uow.announce(related, subject=related.relationship_id, version=related.version)
    record(
        uow,
        survivor.id,
        "client",
        "merged",
        survivor.id,
        survivor.name,
        merged=theirs["name"],
        reason=body.get("reason"),
    )
    audit_change(
        uow,
        "client.merged",
        "client",
        survivor.id,
        before=mine | {"merged": None},
        after=facts(survivor) | {"merged": theirs},
        reason=body.get("reason"),
    )
    uow.audit("client.merged_away", "client", merged_id, before=theirs, after={"merged_into": str(survivor.id)})
    return survivor


def facts(client: Client) -> dict[str, Any]:
    """The client as the two are compared and the audit shows them."""
    named = (
        "id",
        "number",
        "name",
        "kind",
        "status",
        "currency",
        "language",
        "country",
        "year_end",
        "born_on",
        "address",
        "tags",
    )
    called = ("other_names", "former_names", "custom")
    people = ("partner_id", "manager_id", "visible_to", "external_id")
    tax_numbers = {row.scheme: row.shown for row in client.tax_numbers}
    return {field: getattr(client, field) for field in (*named, *called, *people)} | {"tax_numbers": tax_numbers}


_DROP_SAME_ROLES = text(
    "DELETE FROM contact_roles d WHERE d.firm_id = :firm AND d.client_id = :merged AND EXISTS (SELECT FROM contact_roles s "
    "WHERE s.firm_id = :firm AND s.client_id = :survivor AND s.contact_id = d.contact_id AND s.role = d.role)"
)
_MOVE_ROLES = text("UPDATE contact_roles SET client_id = :survivor WHERE firm_id = :firm AND client_id = :merged")


def _move_contacts(uow: Uow, merged: UUID, survivor: UUID) -> list[Contact]:
    """Whoever acted for the duplicate acts for the survivor, in the same roles, each once."""
    acting = select(ContactRole.contact_id).where(ContactRole.client_id == merged)
    contacts = select(Contact).where(Contact.id.in_(acting)).order_by(Contact.id)
    held = uow.session.scalars(contacts.with_for_update()).all()
    ids = [contact.id for contact in held]
    for contact in held:
        contact.updated_at = uow.now
    uow.session.flush()
    values = {"firm": uow.firm_id, "merged": merged, "survivor": survivor}
    uow.session.execute(_DROP_SAME_ROLES, values)
    uow.session.execute(_MOVE_ROLES, values)
    again = select(Contact).where(Contact.id.in_(ids)).options(selectinload(Contact.roles)).order_by(Contact.id)
    return list(uow.session.scalars(again.execution_options(populate_existing=True)))


def _move_engagements(uow: Uow, merged: UUID, survivor: UUID) -> list[Engagement]:
    held = select(Engagement).where(Engagement.client_id == merged).options(selectinload(Engagement.people))
    engagements = list(uow.session.scalars(held.order_by(Engagement.id).with_for_update()))
    for engagement in engagements:
        engagement.client_id, engagement.updated_at = survivor, uow.now
    uow.session.flush()
    return engagements


def _move_group(uow: Uow, merged: UUID, survivor: UUID) -> list[ClientGroup]:
    """The survivor's group stands; the duplicate's is taken over where the survivor is in none."""
    members = select(GroupMember).where(GroupMember.client_id.in_([merged, survivor]))
    of = {member.client_id: member.group_id for member in uow.session.scalars(members)}
    if merged not in of:
        return []
    locked = select(ClientGroup).where(ClientGroup.id.in_(set(of.values()))).order_by(ClientGroup.id).with_for_update()
    groups = {group.id: group for group in uow.session.scalars(locked.options(selectinload(ClientGroup.members)))}
    group, stands = groups[of[merged]], groups.get(of.get(survivor, of[merged]))
    member = next(held for held in group.members if held.client_id == merged)
    if survivor in of:
        group.members.remove(member)
    else:
        member.client_id = survivor
    if group.bill_to_id == merged:
        group.bill_to_id = survivor if stands is group else None
    group.updated_at = uow.now
    uow.session.flush()
    return [group]


def _move_relationships(uow: Uow, merged: UUID, survivor: UUID) -> list[RelationshipChanged]:
    """Each relationship of the duplicate is the survivor's, in the one form it is kept in. Those the survivor has already, and
    those between the two, are gone."""
    both = [merged, survivor]
    found = select(Relationship).where(or_(Relationship.client_id.in_(both), Relationship.other_client_id.in_(both)))
    found = found.options(undefer(Relationship.search_text)).order_by(Relationship.id)
    related = list(uow.session.scalars(found.with_for_update()))
    mine = [row for row in related if merged not in (row.client_id, row.other_client_id)]
    held = {(row.client_id, row.kind, row.other_client_id or row.search_text) for row in mine}
    told, moved = [], []
    for row in related:
        if merged not in (row.client_id, row.other_client_id):
            continue
        one = survivor if row.client_id == merged else row.client_id
        other = survivor if row.other_client_id == merged else row.other_client_id
        kind = row.kind
        if other is not None and one != other:
            one, kind, other = relationship_rules.kept(one, kind, other)
        sides = (one, kind, other or row.search_text)
        if one == other or sides in held:
            gone = relationship_changed(row)
            gone.removed, gone.version = True, row.version + 1
            told.append(gone)
            uow.session.delete(row)
            continue
        held.add(sides)
        row.client_id, row.kind, row.other_client_id, row.updated_at = one, kind, other, uow.now
        moved.append(row)
    uow.session.flush()
    return [*told, *map(relationship_changed, moved)]


def _move_tax_numbers(uow: Uow, survivor: Client, merged: Client) -> None:
    """What the survivor lacks, sealed anew: a sealed number opens only at the client it was sealed for."""
    held = {row.scheme for row in survivor.tax_numbers}
    for row in merged.tax_numbers:
        if row.scheme not in held:
            number = fields(uow).open(row.sealed, f"{uow.firm_id}/{merged.id}/{row.scheme}")
            kept = TaxNumber(id=new_id(), scheme=row.scheme, shown=row.shown, lookup=row.lookup)
            kept.sealed = fields(uow).seal(number, f"{uow.firm_id}/{survivor.id}/{row.scheme}")
            survivor.tax_numbers.append(kept)
    uow.session.execute(delete(TaxNumber).where(TaxNumber.firm_id == uow.firm_id, TaxNumber.client_id == merged.id))
