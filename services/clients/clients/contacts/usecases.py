"""What one can do with contacts: load, decide, save, announce."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.db import new_id
from chassis.errors import NotFound
from chassis.uow import Uow
from clients.contacts import rules
from clients.contacts.events import contact_changed
from clients.contacts.tables import Contact, ContactRole
from clients.copies.usecases import firm_defaults
from clients.parties.finding import find
from clients.parties.rules import former_names
from clients.timeline.usecases import record
from clients.trail import audit_change

_FACTS = ("name", "email", "phone", "language", "portal_access", "active", "external_id")


def create_contact(uow: Uow, body: Mapping[str, Any]) -> Contact:
    """A new contact, linked to the clients named. Errors: those of its fields, `client_not_found`, `portal_access_needs_email`, `external_id_taken`."""
    facts = rules.checked({field: value for field, value in body.items() if field != "clients"})
    contact = Contact(
        id=new_id(),
        name=facts["name"],
        language=facts.get("language") or firm_defaults(uow).language,
        portal_access=facts.get("portal_access", False),
        active=True,
        former_names=[],
        **{field: facts.get(field) for field in ("email", "phone", "external_id")},
        created_at=uow.now,
        updated_at=uow.now,
    )
    _require_reachable(contact)
    for link in body.get("clients", ()):
        client = find(uow, link["client_id"])
        _set_roles(contact, client.id, link["roles"])
        record(
            uow,
            client.id,
            "contact",
            "linked",
            contact.id,
            contact.name,
            roles=rules.roles(link["roles"]),
        )
    uow.add(contact)
    _announce(uow, contact)
    uow.audit("contact.created", "contact", contact.id, after=_shown(contact))
    return contact


def change_contact(uow: Uow, contact_id: UUID, body: Mapping[str, Any], *, if_match: int | None) -> Contact:
    """Changes the given fields; a contact made inactive loses the portal. Errors: `contact_not_found`, `version_conflict`, those of `create_contact`."""
    facts = rules.checked(body)
    contact = uow.get(Contact, contact_id, lock=True, version=if_match)
    before = _shown(contact)
    contact.former_names = former_names(contact.former_names, contact.name, facts.get("name"))
    for field, value in facts.items():
        setattr(contact, field, value)
    if not contact.active and "portal_access" not in facts:
        contact.portal_access = False
    _require_reachable(contact)
    if _shown(contact) != before:
        _save(uow, contact, "contact.changed", before)
    return contact


def link_client(uow: Uow, contact_id: UUID, client_id: UUID, roles: Sequence[str], *, if_match: int | None) -> Contact:
    """The contact acts for the client in exactly these roles. Errors: `contact_not_found`, `client_not_found`, `version_conflict`."""
    contact = uow.get(Contact, contact_id, lock=True, version=if_match)
    client_id = find(uow, client_id).id
    before = _shown(contact)
    _set_roles(contact, client_id, roles)
    if _shown(contact) != before:
        record(uow, client_id, "contact", "linked", contact.id, contact.name, roles=rules.roles(roles))
        _save(uow, contact, "contact.linked", before)
    return contact


def unlink_client(uow: Uow, contact_id: UUID, client_id: UUID, *, if_match: int | None) -> None:
    """The contact acts for the client no more. Errors: `contact_not_found`, `client_not_found`, `contact_not_linked`, `version_conflict`."""
    contact = uow.get(Contact, contact_id, lock=True, version=if_match)
    client_id = find(uow, client_id).id
    before = _shown(contact)
    if str(client_id) not in before["clients"]:
        raise NotFound("contact_not_linked", "The contact does not act for this client.")
    # The version counts first: without this client the contact may be one that the caller can't see any more.
    contact.updated_at = uow.now
    uow.session.flush()
    _set_roles(contact, client_id, [])
    record(uow, client_id, "contact", "unlinked", contact.id, contact.name)
    _save(uow, contact, "contact.unlinked", before)


def _set_roles(contact: Contact, client_id: UUID, roles: Sequence[str]) -> None:
    wanted = rules.roles(roles)
    held = {row.role: row for row in contact.roles if row.client_id == client_id}
    for role, row in held.items():
        if role not in wanted:
            contact.roles.remove(row)
    contact.roles.extend(
        ContactRole(id=new_id(), client_id=client_id, role=role) for role in wanted if role not in held
    )


def _require_reachable(contact: Contact) -> None:
    rules.require_reachable(portal_access=contact.portal_access, active=contact.active, email=contact.email)


def _save(uow: Uow, contact: Contact, action: str, before: Mapping[str, Any]) -> None:
    """Writes, announces and audits a change."""
    contact.updated_at = uow.now
    uow.session.flush()
    _announce(uow, contact)
    audit_change(uow, action, "contact", contact.id, before=before, after=_shown(contact))


def _announce(uow: Uow, contact: Contact) -> None:
    uow.announce(contact_changed(contact), subject=contact.id, version=contact.version)


def _shown(contact: Contact) -> dict[str, Any]:
    """The contact as the audit shows it."""
    clients: dict[str, list[str]] = {}
    for row in contact.roles:
        clients.setdefault(str(row.client_id), []).append(row.role)
    return {field: getattr(contact, field) for field in _FACTS} | {
        "clients": {k: sorted(v) for k, v in clients.items()}
    }
