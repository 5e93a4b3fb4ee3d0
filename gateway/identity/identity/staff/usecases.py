"""Inviting people to a firm, changing what they may do, ending their access."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, update

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, Forbidden, NotFound
from chassis.uow import Uow
from identity.firms.tables import Firm
from identity.sessions.queries import address_of, password_hash
from identity.sessions.tables import SignInAddress
from identity.sessions.usecases import check_password, keep_password, password_for, revoke_all
from identity.staff.addresses import valid_email
from identity.staff.queries import active_owners_besides
from identity.staff.rules import (
    FULL_TIME,
    INVITATION_LIFETIME,
    OWNER,
    Refusal,
    deactivation_refused,
    role_change_refused,
)
from identity.staff.tables import Invitation, Staff
from identity.staff.views import staff_changed, staff_facts
from identity.tokens import opaque
from identity.work import Caller, firm_is_known, for_firm, settings_of

if TYPE_CHECKING:
    from chassis.service import Runtime

PURPOSE = "invitation"

# --- the firm's side --------------------------------------------------------------------------------------------------


def invite_staff(uow: Uow, new: dict[str, Any]) -> Staff:
    """Makes a staff member and has their invitation mailed. Errors: `staff_email_taken` (409), `email_invalid` (422), `owner_needed` (403)."""
    email = valid_email(new["email"], "/email")
    _refuse(
        role_change_refused(
            actor_is_owner=_by_owner(uow), before=[], after=new["roles"], active=True, other_active_owners=1
        )
    )
    staff = uow.add(
        Staff(
            id=new_id(),
            name=new["name"].strip(),
            email=email,
            roles=sorted(new["roles"]),
            grade=new["grade"],
            weekly_capacity_minutes=new.get("weekly_capacity_minutes", FULL_TIME),
            skills=new.get("skills", []),
            active=True,
        )
    )
    uow.add(SignInAddress(address=address_of(settings_of(uow.runtime), email), firm_id=uow.firm_id, staff_id=staff.id))
    _invite(uow, staff)
    _changed(uow, staff, "staff.invited", before=None)
    return staff


def invite_again(uow: Uow, staff_id: UUID) -> Staff:
    """Mails a new invitation; the earlier ones stop working. Errors: `staff_already_joined`, `staff_deactivated` (409)."""
    staff = uow.get(Staff, staff_id, lock=True)
    if staff.joined_at is not None:
        raise Conflict(
            "staff_already_joined",
            "They have accepted already. If they forgot their password, they ask for a new one at sign-in.",
        )
    if not staff.active:
        raise Conflict("staff_deactivated", "They have no access any more. Reactivate them first.")
    _invite(uow, staff)
    uow.audit("staff.invited_again", "staff", staff.id)
    return staff


def _invite(uow: Uow, staff: Staff) -> None:
    withdraw = update(Invitation).where(
        Invitation.staff_id == staff.id, Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None)
    )
    uow.session.execute(withdraw.values(withdrawn_at=func.now()))
    invitation = uow.add(Invitation(id=new_id(), staff_id=staff.id, expires_at=uow.now + INVITATION_LIFETIME))
    uow.later("mail_invitation", invitation.id, invitation_id=str(invitation.id))


def change_staff(uow: Uow, staff_id: UUID, change: dict[str, Any]) -> Staff:
    """Changes a staff member. Errors: `owner_needed` (403), `last_owner` (409), `version_conflict` (412)."""
    staff = uow.get(Staff, staff_id, lock=True, version=uow.if_match)
    before = staff_facts(staff)
    if "roles" in change:
        _refuse(
            role_change_refused(
                actor_is_owner=_by_owner(uow),
                before=staff.roles,
                after=change["roles"],
                active=staff.active,
                other_active_owners=active_owners_besides(uow, staff),
            )
        )
    for field, value in change.items():
        setattr(staff, field, sorted(value) if field == "roles" else value)
    uow.session.flush()
    if staff_facts(staff) != before:
        _changed(uow, staff, "staff.changed", before)
    return staff


def deactivate_staff(uow: Uow, staff_id: UUID) -> Staff:
    """Ends somebody's access and signs them out everywhere. Done twice, it is done. Errors: `own_account`, `last_owner` (409), `owner_needed` (403)."""
    staff = uow.get(Staff, staff_id, lock=True)
    if not staff.active:
        return staff
    others = active_owners_besides(uow, staff)
    himself = uow.principal.kind == "staff" and uow.principal.id == str(staff.id)
    _refuse(
        deactivation_refused(
            actor_is_owner=_by_owner(uow), himself=himself, roles=staff.roles, other_active_owners=others
        )
    )
    before = staff_facts(staff)
    staff.active = False
    uow.session.flush()
    revoke_all(uow, staff.id, "deactivated")
    _changed(uow, staff, "staff.deactivated", before)
    return staff


def reactivate_staff(uow: Uow, staff_id: UUID) -> Staff:
    """Gives a former staff member access again, in the roles they had. Errors: `owner_needed` (403) for a former owner."""
    staff = uow.get(Staff, staff_id, lock=True)
    if staff.active:
        return staff
    _refuse(
        role_change_refused(
            actor_is_owner=_by_owner(uow), before=[], after=staff.roles, active=False, other_active_owners=1
        )
    )
    before = staff_facts(staff)
    staff.active = True
    uow.session.flush()
    _changed(uow, staff, "staff.reactivated", before)
    return staff


def _changed(uow: Uow, staff: Staff, action: str, before: dict[str, Any] | None) -> None:
    uow.announce(staff_changed(staff), subject=staff.id, version=staff.version)
    uow.audit(action, "staff", staff.id, before=before, after=staff_facts(staff))


def _by_owner(uow: Uow) -> bool:
    """Whether an owner of the firm acts, by what they are now (their token may be older). Partner systems never are one."""
    if uow.principal.kind != "staff":
        return False
    actor = uow.session.get(Staff, (uow.firm_id, uow.principal.uuid))
    return actor is not None and actor.active and OWNER in actor.roles


def _refuse(refusal: Refusal | None) -> None:
    if refusal:
        kind = Forbidden if refusal.code == "owner_needed" else Conflict
        raise kind(refusal.code, refusal.message)


# --- the invited person's side ----------------------------------------------------------------------------------------


def invitation_token(uow: Uow, invitation: Invitation) -> str:
    """The token that the mail carries."""
    return opaque.derived(settings_of(uow.runtime).key_for(PURPOSE), uow.firm_id, invitation.id).encode()


def look_up(runtime: "Runtime", caller: Caller, shown: str) -> dict[str, Any]:
    """Whom an invitation is for. Errors: `invitation_invalid` (404) for one that is unknown, used, withdrawn or too old."""
    token = _decoded(runtime, shown)
    with for_firm(runtime, token.firm_id, caller) as uow:
        _, staff = _open_invitation(uow, token.id)
        firm = uow.get(Firm, uow.firm_id)
    return {
        "firm": {"id": str(firm.id), "name": firm.name},
        "name": staff.name,
        "email": staff.email,
        "has_password": password_hash(runtime.engine, address_of(settings_of(runtime), staff.email)) is not None,
    }


def accept(runtime: "Runtime", caller: Caller, shown: str, password: str) -> dict[str, Any]:
    """Joins the firm: sets the password, or checks the one the person has already. Errors: `invitation_invalid` (404),
    `password_weak` (422), `sign_in_failed` (401), `too_many_attempts` (429)."""
    invited = look_up(runtime, caller, shown)
    address = address_of(settings_of(runtime), invited["email"])
    new_hash = None
    if invited["has_password"]:
        check_password(runtime, caller, address, password)
    else:
        new_hash = password_for(runtime, password, [invited["name"], invited["email"], invited["firm"]["name"]])
    token = _decoded(runtime, shown)
    with for_firm(runtime, token.firm_id, caller) as uow:
        invitation, staff = _open_invitation(uow, token.id, lock=True)
        before = staff_facts(staff)
        invitation.accepted_at = staff.joined_at = uow.now
        uow.session.flush()
        if new_hash:
            keep_password(uow, address, new_hash)
        _changed(uow, staff, "staff.joined", before)
        uow.commit()
    return invited | {"has_password": True}


def _open_invitation(uow: Uow, id: UUID, *, lock: bool = False) -> tuple[Invitation, Staff]:
    invitation = uow.session.get(Invitation, (uow.firm_id, id), with_for_update=lock or None)
    if invitation is None or not invitation_is_open(invitation, uow.now):
        raise _invalid()
    staff = uow.get(Staff, invitation.staff_id, lock=lock)
    if not staff.active:
        raise _invalid()
    return invitation, staff


def invitation_is_open(invitation: Invitation, now: datetime) -> bool:
    return invitation.accepted_at is None and invitation.withdrawn_at is None and now < invitation.expires_at


def _decoded(runtime: "Runtime", shown: str) -> opaque.Opaque:
    token = opaque.decode_derived(shown, settings_of(runtime).key_for(PURPOSE))
    if token is None or not firm_is_known(runtime, token.firm_id):
        raise _invalid()
    return token


def _invalid() -> DomainError:
    return NotFound("invitation_invalid", "This invitation no longer works. Ask whoever invited you for a new one.")
