"""Signing in and out, and staying signed in."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, Invalid, NotFound, Unauthenticated, Unavailable
from chassis.uow import Uow
from identity.firms.tables import Firm
from identity.sessions import queries, throttle
from identity.sessions.passwords import hashing
from identity.sessions.queries import Home
from identity.sessions.rules import (
    ADDRESS,
    NETWORK,
    RESET_LIFETIME,
    SESSION_LIFETIME,
    Refresh,
    judge_refresh,
    weak_because,
)
from identity.sessions.tables import Credential, PasswordReset, RefreshToken, Session
from identity.staff.permissions import permissions_of
from identity.staff.tables import Staff
from identity.tokens import opaque
from identity.tokens.source import mint_of
from identity.work import INSTALLATION, Caller, firm_is_known, for_firm, settings_of

if TYPE_CHECKING:
    from chassis.service import Runtime


@dataclass(frozen=True)
class SignedIn:
    """A session as its bearer gets it: who, where, and the two tokens."""

    staff: Staff
    firm: Firm
    permissions: list[str]
    access_token: str
    refresh_token: str


# --- with a password --------------------------------------------------------------------------------------------------


def sign_in(runtime: "Runtime", caller: Caller, email: str, password: str, firm_id: UUID | None) -> SignedIn:
    """Signs somebody in. Errors: `too_many_attempts` (429), `sign_in_failed` (401: unknown address, wrong password and no
    access to this firm alike), `choose_firm` (409, with `firms`)."""
    address = queries.address_of(settings_of(runtime), email)
    check_password(runtime, caller, address, password)
    firms = _open_homes(runtime, caller, address)
    if firm_id is not None:
        firms = [(home, firm) for home, firm in firms if home.firm_id == firm_id]
    if not firms:
        raise _failed(runtime, caller, address)
    if len(firms) > 1:
        choices = [{"id": str(firm.id), "name": firm.name} for _, firm in firms]
        raise Conflict("choose_firm", "You work for more than one firm here. Choose one.", firms=choices)
    return start_session(runtime, caller, firms[0][0])


def check_password(runtime: "Runtime", caller: Caller, address: bytes, password: str) -> None:
    """Errors: `too_many_attempts` before anything is hashed; `sign_in_failed`. Takes as long whether or not there is a password."""
    settings = settings_of(runtime)
    secret = settings.key_for("attempts")
    of_address, of_network = (
        throttle.key(secret, "address", address.hex()),
        throttle.key(secret, "network", caller.source),
    )
    throttle.take(runtime.engine, {of_address: ADDRESS, of_network: NETWORK})
    hasher, stored = hashing(settings.hashes_at_once), queries.password_hash(runtime.engine, address)
    try:
        fits = hasher.fits(stored, password)
    except Unavailable:
        throttle.give_back(runtime.engine, of_address, of_network)
        raise
    if not fits:
        raise _failed(runtime, caller, address)
    throttle.forgive(runtime.engine, entirely=of_address, one=of_network)
    if stored and hasher.outdated(stored):
        with runtime.engine.begin() as connection:
            connection.execute(
                update(Credential).where(Credential.address == address).values(password_hash=hasher.make(password))
            )


def _failed(runtime: "Runtime", caller: Caller, address: bytes) -> DomainError:
    """The one answer to every wrong sign-in, after recording it where it belongs: with each firm that knows the address, else
    with the installation, so that either way as much is written."""
    homes = queries.homes(runtime.engine, address) or [Home(INSTALLATION, INSTALLATION)]
    for home in homes:
        with for_firm(runtime, home.firm_id, caller) as uow:
            uow.audit("sign_in.failed", "staff", home.staff_id)
            uow.commit()
    return Unauthenticated(
        "sign_in_failed", "That address and password do not belong together. Check both, or ask for a new password."
    )


def _open_homes(runtime: "Runtime", caller: Caller, address: bytes) -> list[tuple[Home, Firm]]:
    """The firms somebody can sign in to now."""
    found = []
    for home in queries.homes(runtime.engine, address):
        with for_firm(runtime, home.firm_id, caller) as uow:
            staff = uow.get(Staff, home.staff_id)
            if staff.active and staff.joined_at:
                found.append((home, uow.get(Firm, home.firm_id)))
    return found


def start_session(runtime: "Runtime", caller: Caller, home: Home) -> SignedIn:
    """A new session of a person who has proven who they are."""
    with for_firm(runtime, home.firm_id, caller, home.staff_id) as uow:
        session = uow.add(
            Session(
                id=new_id(),
                staff_id=home.staff_id,
                started_at=uow.now,
                ends_at=uow.now + SESSION_LIFETIME,
                source=caller.source,
                user_agent=caller.user_agent,
            )
        )
        uow.session.execute(update(Staff).where(Staff.id == home.staff_id).values(last_sign_in_at=uow.now))
        uow.later("forget_session", session.id, session.ends_at, session_id=str(session.id))
        uow.audit("session.started", "session", session.id, after={"user_agent": caller.user_agent})
        signed_in = _issue(runtime, uow, session)
        uow.commit()
        return signed_in


def _issue(runtime: "Runtime", uow: Uow, session: Session) -> SignedIn:
    """The next pair of tokens of a session, with what the person may do from now on."""
    staff, firm = uow.get(Staff, session.staff_id), uow.get(Firm, uow.firm_id)
    token = opaque.new(uow.firm_id, new_id())
    uow.add(RefreshToken(id=token.id, session_id=session.id, digest=token.digest(), issued_at=uow.now))
    permissions = permissions_of(staff.roles)
    access = mint_of(settings_of(runtime)).staff(
        staff_id=staff.id,
        firm_id=uow.firm_id,
        name=staff.name,
        permissions=permissions,
        grade=staff.grade,
        session_id=session.id,
        now=uow.now,
    )
    return SignedIn(staff, firm, permissions, access, token.encode())


# --- staying signed in ------------------------------------------------------------------------------------------------


def refresh(runtime: "Runtime", caller: Caller, shown: str) -> SignedIn:
    """The next tokens for a refresh token, which is spent by this. Errors: `session_ended` (401); `refresh_raced` (409)."""
    token = opaque.decode(shown)
    if token is None or not firm_is_known(runtime, token.firm_id):
        raise _ended()
    with for_firm(runtime, token.firm_id, caller) as uow:
        row = uow.session.get(RefreshToken, (uow.firm_id, token.id), with_for_update=True)
        if row is None or not hmac.compare_digest(row.digest, token.digest()):
            raise _ended()
        session = uow.get(Session, row.session_id, lock=True)
        verdict = judge_refresh(
            now=uow.now,
            issued_at=row.issued_at,
            spent_at=row.spent_at,
            session_ends_at=session.ends_at,
            revoked_at=session.revoked_at,
        )
        if verdict is Refresh.RACED:
            raise Conflict(
                "refresh_raced", "Another tab has just renewed this session. Repeat your request.", retry_after=1
            )
        if verdict is Refresh.REUSED:
            _revoke(uow, session, "reuse")
            uow.commit()
        if verdict is not Refresh.ROTATE or not uow.get(Staff, session.staff_id).active:
            raise _ended()
        row.spent_at = uow.now
        signed_in = _issue(runtime, uow, session)
        uow.commit()
        return signed_in


def _ended() -> DomainError:
    return Unauthenticated("session_ended", "This session has ended. Sign in again.")


def _revoke(uow: Uow, session: Session, why: str) -> None:
    session.revoked_at, session.revoked_why = uow.now, why
    uow.session.flush()
    uow.audit("session.revoked", "session", session.id, after={"staff_id": str(session.staff_id)}, reason=why)


def sign_out(runtime: "Runtime", caller: Caller, shown: str) -> None:
    """Ends the session of a refresh token. A token that is none, or of an ended session, ends nothing and is no error."""
    token = opaque.decode(shown)
    if token is None or not firm_is_known(runtime, token.firm_id):
        return
    with for_firm(runtime, token.firm_id, caller) as uow:
        row = uow.session.get(RefreshToken, (uow.firm_id, token.id))
        if row is None or not hmac.compare_digest(row.digest, token.digest()):
            return
        session = uow.get(Session, row.session_id, lock=True)
        if session.revoked_at is None:
            _revoke(uow, session, "signed_out")
            uow.commit()


def revoke_all(uow: Uow, staff_id: UUID, why: str) -> None:
    """Ends every session of a member of staff. Access tokens they hold run out within ten minutes."""
    open_sessions = (
        uow.session.query(Session).where(Session.staff_id == staff_id, Session.revoked_at.is_(None)).with_for_update()
    )
    for session in open_sessions:
        _revoke(uow, session, why)


def forget_session(uow: Uow, session_id: str) -> None:
    """Removes an ended session and its chain; what happened stays in the audit."""
    uow.session.execute(text("DELETE FROM sessions WHERE id = :id"), {"id": session_id})


# --- passwords ---------------------------------------------------------------------------------------------------------


def password_for(runtime: "Runtime", password: str, about: list[str], pointer: str = "/password") -> str:
    """The hash of a new password. Errors: `password_weak` (422), saying why."""
    if why := weak_because(password, about):
        raise Invalid("password_weak", why, pointer=pointer)
    return hashing(settings_of(runtime).hashes_at_once).make(password)


def keep_password(uow: Uow, address: bytes, password_hash: str) -> None:
    """Sets, or replaces, the password of an address."""
    statement = insert(Credential).values(address=address, password_hash=password_hash, changed_at=uow.now)
    replace = {"password_hash": statement.excluded.password_hash, "changed_at": statement.excluded.changed_at}
    uow.session.execute(statement.on_conflict_do_update(index_elements=["address"], set_=replace))


def ask_password_reset(runtime: "Runtime", caller: Caller, email: str) -> None:
    """Has a link mailed, if the address is known. Does the same for one that isn't, up to the mail: nobody learns which it was."""
    settings = settings_of(runtime)
    address, secret = queries.address_of(settings, email), settings.key_for("attempts")
    throttle.take(
        runtime.engine,
        {
            throttle.key(secret, "reset", address.hex()): ADDRESS,
            throttle.key(secret, "reset-network", caller.source): NETWORK,
        },
    )
    homes = queries.homes(runtime.engine, address) or [Home(INSTALLATION, INSTALLATION)]
    with for_firm(runtime, homes[0].firm_id, caller) as uow:
        uow.session.execute(text("DELETE FROM password_resets WHERE expires_at < now() - interval '1 day'"))
        row = uow.add(PasswordReset(id=new_id(), address=address, expires_at=uow.now + RESET_LIFETIME))
        uow.later("mail_password_reset", row.id, reset_id=str(row.id))
        uow.audit("password_reset.asked", "staff", homes[0].staff_id)
        uow.commit()


def complete_password_reset(runtime: "Runtime", caller: Caller, shown: str, password: str) -> None:
    """Sets a new password by a mailed token and ends all sessions of the person. Errors: `reset_invalid` (404), `password_weak`."""
    token = opaque.decode_derived(shown, settings_of(runtime).key_for("password reset"))
    if token is None:
        raise _reset_invalid()
    with for_firm(runtime, INSTALLATION, caller) as uow:
        address = _open_reset(uow, token.id).address
    homes = queries.homes(runtime.engine, address)
    if not homes:
        raise _reset_invalid()
    with for_firm(runtime, homes[0].firm_id, caller) as uow:
        staff = uow.get(Staff, homes[0].staff_id)
        about = [staff.name, staff.email]
    password_hash = password_for(runtime, password, about)
    with for_firm(runtime, homes[0].firm_id, caller) as uow:
        _open_reset(uow, token.id, lock=True).used_at = uow.now
        keep_password(uow, address, password_hash)
        _after_new_password(uow, homes[0])
        uow.commit()
    for home in homes[1:]:
        with for_firm(runtime, home.firm_id, caller) as uow:
            _after_new_password(uow, home)
            uow.commit()


def _after_new_password(uow: Uow, home: Home) -> None:
    revoke_all(uow, home.staff_id, "password_changed")
    uow.audit("password.changed", "staff", home.staff_id)


def _open_reset(uow: Uow, id: UUID, *, lock: bool = False) -> PasswordReset:
    row = uow.session.get(PasswordReset, id, with_for_update=lock or None)
    if row is None or not reset_is_open(row, uow.now):
        raise _reset_invalid()
    return row


def reset_is_open(row: PasswordReset, now: datetime) -> bool:
    return row.used_at is None and now < row.expires_at


def _reset_invalid() -> DomainError:
    return NotFound("reset_invalid", "This link no longer works. Ask for a new one.")
