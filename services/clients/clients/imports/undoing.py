"""Taking an import back, last row first: what it made goes, what it changed is as it was, and what others have built on is named and kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import selectinload

from chassis.db import new_id
from chassis.errors import DomainError
from chassis.merged import standing
from chassis.uow import Uow
from clients.contacts.events import contact_changed
from clients.contacts.tables import Contact, ContactRole
from clients.custom_fields.tables import CustomField
from clients.custom_fields.usecases import delete_custom_field
from clients.groups.tables import ClientGroup, GroupMember
from clients.groups.usecases import dissolve_group
from clients.imports import finding
from clients.imports.tables import ImportRow
from clients.imports.trail import audit_all
from clients.imports.writing import UNDONE, give_back, keep, same_subject, tell_groups
from clients.parties.events import client_removed
from clients.parties.tables import Client, TaxNumber
from clients.relationships.tables import Relationship
from clients.relationships.usecases import remove_relationship
from clients.timeline.tables import Entry

Undoing = Callable[[Uow, Sequence[ImportRow], str], None]


def take_back(uow: Uow, undo: Undoing, rows: Sequence[ImportRow], reason: str) -> None:
    """Undoes these rows, given last first."""
    undo(uow, [row for row in rows if row.outcome in ("new", "changed") and row.subject_id], reason)


_BUILT_ON = text("""
    SELECT u.client_id, 'has_' || u.kind AS code, u.label FROM client_uses u WHERE u.live AND u.client_id = ANY (:ids)
    UNION ALL SELECT e.client_id, 'has_engagement', e.title FROM engagements e WHERE e.client_id = ANY (:ids)
    UNION ALL SELECT r.client_id, 'has_contact', k.name FROM contact_roles r JOIN contacts k ON k.firm_id = r.firm_id AND k.id = r.contact_id
        WHERE r.client_id = ANY (:ids)
    UNION ALL SELECT n.client_id, 'has_note', left(n.said, 60) FROM client_notes n WHERE n.client_id = ANY (:ids)
    UNION ALL SELECT x.client_id, 'has_relationship', x.kind FROM relationships x WHERE x.client_id = ANY (:ids)
    UNION ALL SELECT x.other_client_id, 'has_relationship', x.kind FROM relationships x WHERE x.other_client_id = ANY (:ids)
    UNION ALL SELECT q.client_id, 'has_conflict_check', array_to_string(q.names, ', ') FROM conflict_checks q WHERE q.client_id = ANY (:ids)
""")


def _clients(uow: Uow, rows: Sequence[ImportRow], reason: str) -> None:
    ids = sorted({row.subject_id for row in rows if row.subject_id})
    wanted = select(Client).where(Client.id.in_(ids)).options(selectinload(Client.tax_numbers)).order_by(Client.id)
    there = {client.id: client for client in uow.session.scalars(wanted.with_for_update(of=Client))} if ids else {}
    built_on: dict[UUID, tuple[str, str]] = {}
    for id, code, label in uow.session.execute(_BUILT_ON, {"ids": ids}) if ids else ():
        built_on.setdefault(id, (code, label))
    gone: list[Client] = []
    for row in rows:
        assert row.subject_id is not None
        client = there.get(row.subject_id)
        if client is None:
            if standing(uow, row.subject_id) != row.subject_id:
                keep(row, "merged_since", "The client was merged into another since.")
            else:
                row.outcome = UNDONE
        elif row.outcome == "new" and client.id in built_on:
            code, label = built_on[client.id]
            keep(
                row,
                code,
                f"{client.number} {client.name} has {code.removeprefix('has_').replace('_', ' ')} “{label}” since.",
            )
        elif client.version != row.subject_version:
            keep(row, "changed_since", f"{client.number} {client.name} was changed since.")
        elif row.outcome == "new":
            row.outcome = UNDONE
            gone.append(client)
        else:
            give_back(uow, client, row.before or {}, reason)
            row.outcome = UNDONE
    _remove(uow, gone, reason)


def _remove(uow: Uow, gone: Sequence[Client], reason: str) -> None:
    if not gone:
        return
    ids = [client.id for client in gone]
    _leave_groups(uow, ids, reason)
    for client in gone:
        uow.session.expunge(client)
    for table in (TaxNumber, Entry):
        uow.session.execute(delete(table).where(table.firm_id == uow.firm_id, table.client_id.in_(ids)))
    uow.session.execute(delete(Client).where(Client.firm_id == uow.firm_id, Client.id.in_(ids)))
    for client in gone:
        uow.announce(client_removed(client.id), subject=client.id)
    said = ((client.id, {"number": client.number, "name": client.name}, None) for client in gone)
    audit_all(uow, "client.removed", "client", said, reason)


def _leave_groups(uow: Uow, ids: Sequence[UUID], reason: str) -> None:
    of = select(GroupMember.group_id).where(GroupMember.client_id.in_(ids))
    wanted = (
        select(ClientGroup)
        .where(ClientGroup.id.in_(of))
        .options(selectinload(ClientGroup.members))
        .order_by(ClientGroup.id)
    )
    groups = list(uow.session.scalars(wanted.with_for_update(of=ClientGroup)))
    leaving = set(ids)
    for group in groups:
        if group.bill_to_id in leaving:
            group.bill_to_id = None
        for member in [member for member in group.members if member.client_id in leaving]:
            group.members.remove(member)
    tell_groups(uow, groups, reason)


def _contacts(uow: Uow, rows: Sequence[ImportRow], reason: str) -> None:
    held = finding.contacts_locked(uow, {row.subject_id for row in rows if row.subject_id}, lock=True)
    for row in rows:
        assert row.subject_id is not None
        contact = held.get(row.subject_id)
        if contact is None or (row.outcome == "changed" and row.before == {}):
            row.outcome = UNDONE  # it stands or falls with the first row of its contact
        elif contact.version != row.subject_version:
            keep(row, "changed_since", f"{contact.name} was changed since.")
        elif row.outcome == "new":
            _remove_contact(uow, contact, reason)
            del held[row.subject_id]
            row.outcome = UNDONE
        else:
            _give_back(uow, contact, row.before or {}, reason)
            for other in rows:
                if other.subject_id == contact.id:
                    other.subject_version = contact.version
            same_subject(uow, row.import_id, contact.id, contact.version)
            row.outcome = UNDONE


def _remove_contact(uow: Uow, contact: Contact, reason: str) -> None:
    gone = contact_changed(contact)
    gone.active, gone.portal_access, gone.version = False, False, contact.version + 1
    gone.ClearField("roles")
    uow.session.expunge(contact)
    for table, column in ((ContactRole, ContactRole.contact_id), (Contact, Contact.id)):
        uow.session.execute(delete(table).where(table.firm_id == uow.firm_id, column == contact.id))
    uow.announce(gone, subject=contact.id, version=gone.version)
    uow.audit("contact.removed", "contact", contact.id, before={"name": contact.name}, reason=reason)


def _give_back(uow: Uow, contact: Contact, before: Mapping[str, Any], reason: str) -> None:
    for name, value in before.items():
        if name != "roles":
            setattr(contact, name, value)
    wanted = {(UUID(client), role) for client, role in before["roles"]}
    for held in list(contact.roles):
        if (held.client_id, held.role) in wanted:
            wanted.remove((held.client_id, held.role))
        else:
            contact.roles.remove(held)
    contact.roles.extend(ContactRole(id=new_id(), client_id=client, role=role) for client, role in sorted(wanted))
    contact.updated_at = uow.now
    uow.session.flush()
    uow.announce(contact_changed(contact), subject=contact.id, version=contact.version)
    uow.audit("contact.change_undone", "contact", contact.id, after={"name": contact.name}, reason=reason)


def _relationships(uow: Uow, rows: Sequence[ImportRow], _reason: str) -> None:
    for row in rows:
        _by_its_rules(uow, row, Relationship, lambda id: remove_relationship(uow, id, if_match=None))


def _groups(uow: Uow, rows: Sequence[ImportRow], _reason: str) -> None:
    for row in rows:
        members = select(GroupMember.id).where(GroupMember.group_id == row.subject_id).limit(1)
        if uow.session.scalar(members) is not None:
            keep(row, "has_clients", "The group has clients.")
            continue
        _by_its_rules(uow, row, ClientGroup, lambda id: dissolve_group(uow, id, if_match=None), versions=False)


def _custom_fields(uow: Uow, rows: Sequence[ImportRow], _reason: str) -> None:
    for row in rows:
        _by_its_rules(uow, row, CustomField, lambda id: delete_custom_field(uow, id, if_match=None))


def _by_its_rules(uow: Uow, row: ImportRow, table: Any, remove: Any, *, versions: bool = True) -> None:
    held = uow.session.get(table, (uow.firm_id, row.subject_id))
    if held is None:
        row.outcome = UNDONE
        return
    if versions and held.version != row.subject_version:
        keep(row, "changed_since", "It was changed since.")
        return
    try:
        with uow.attempt():
            remove(row.subject_id)
        row.outcome = UNDONE
    except DomainError as error:
        keep(row, error.code, error.message)


UNDO: dict[str, Undoing] = {
    "custom_fields": _custom_fields,
    "groups": _groups,
    "clients": _clients,
    "contacts": _contacts,
    "relationships": _relationships,
}
