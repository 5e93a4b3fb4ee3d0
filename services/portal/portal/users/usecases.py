"""Letting contacts in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Conflict, NotFound
from chassis.uow import Uow
from portal.copies.tables import ContactCopy
from portal.users import queries
from portal.users.tables import PortalUser
from praxis.portal.v1.events_pb2 import ContactInvited


@dataclass(frozen=True, slots=True)
class Invitation:
    contact_id: UUID
    email: str
    invited_at: datetime


def invite(uow: Uow, contact_id: UUID) -> Invitation:
    """Has an invitation mailed. Errors: `contact_not_found`, `portal_access_off`, `contact_without_address`."""
    contact = uow.session.get(ContactCopy, (uow.firm_id, contact_id))
    if contact is None or not queries.acts_for_somebody_visible(uow, contact_id):
        raise NotFound(
            "contact_not_found", "There is no such contact. One that was made just now is known here in a moment."
        )
    if not contact.active or not contact.portal_access:
        raise Conflict("portal_access_off", "This contact may not use the portal. Give them portal access first.")
    if not contact.email:
        raise Conflict("contact_without_address", "This contact has no e-mail address. Add one first.")
    user = _user(uow, contact_id)
    user.invited_at, user.invitations = uow.now, user.invitations + 1
    # Each invitation is a mail of its own, with a Message-ID of its own.
    uow.later(
        "mail_invitation", f"{contact_id}:{user.invitations}", contact_id=str(contact_id), number=user.invitations
    )
    uow.announce(ContactInvited(contact_id=str(contact_id), email=contact.email), subject=contact_id)
    uow.audit("contact.invited", "contact", contact_id, after={"email": contact.email})
    return Invitation(contact_id, contact.email, uow.now)


def seen(uow: Uow, contact_id: UUID) -> None:
    """Notes that the contact was here."""
    _user(uow, contact_id).last_seen_at = uow.now


def _user(uow: Uow, contact_id: UUID) -> PortalUser:
    uow.session.execute(
        insert(PortalUser).values(firm_id=uow.firm_id, id=contact_id, invitations=0).on_conflict_do_nothing()
    )
    return uow.get(PortalUser, contact_id, lock=True)
