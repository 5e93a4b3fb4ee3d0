"""Who may make whom what, at a firm."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

INVITATION_LIFETIME = timedelta(days=7)
FULL_TIME = 2250  # minutes: 37.5 hours a week
OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that is not allowed, and what to do instead."""

    code: str
    message: str


def role_change_refused(
    *, actor_is_owner: bool, before: Iterable[str], after: Iterable[str], active: bool, other_active_owners: int
) -> Refusal | None:
    """Why a change of roles is refused, or None.

    Only owners make or unmake owners, or anybody could make themselves one; and a firm always has an owner who can sign in.
    """
    was, becomes = OWNER in before, OWNER in after
    if was == becomes:
        return None
    if not actor_is_owner:
        return Refusal(
            "owner_needed", "Only an owner of the firm can make somebody an owner, or no longer one. Ask an owner."
        )
    if was and active and other_active_owners == 0:
        return _LAST_OWNER
    return None


def deactivation_refused(
    *, actor_is_owner: bool, himself: bool, roles: Iterable[str], other_active_owners: int
) -> Refusal | None:
    """Why somebody's access can't be ended, or None."""
    if himself:
        return Refusal("own_account", "You can't end your own access. Ask another owner or partner.")
    if OWNER not in roles:
        return None
    if not actor_is_owner:
        return Refusal("owner_needed", "Only an owner of the firm can end an owner's access. Ask an owner.")
    return _LAST_OWNER if other_active_owners == 0 else None


_LAST_OWNER = Refusal("last_owner", "This is the firm's only owner. Make somebody else an owner first.")


def status(*, active: bool, joined_at: datetime | None) -> str:
    """invited, active or deactivated."""
    if not active:
        return "deactivated"
    return "active" if joined_at else "invited"


def normal_email(email: str) -> str:
    """An address as it is compared and stored: without spaces around it, in lower case. (RFC 5321 would let the part
    before the @ differ by case; no provider in use does.)"""
    return email.strip().lower()
