"""Signing in by a mailed code, and staying signed in on a device."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text

from chassis.auth import Principal, system
from chassis.db import new_id
from chassis.errors import DomainError, Unauthenticated, Unavailable
from chassis.uow import Uow, unit_of_work
from portal.branding.tables import Branding
from portal.copies.tables import ContactCopy
from portal.sessions import addresses, rules, throttle
from portal.sessions.addresses import Home
from portal.sessions.rules import DeviceToken, Verdict
from portal.sessions.tables import Device, SignIn
from portal.settings import settings_of
from portal.users import usecases as users
from praxis.identity.v1.identity_pb2 import IssuePortalTokenRequest

if TYPE_CHECKING:
    from chassis.service import Runtime

# An address nobody has is treated like one that somebody has, in the name of no firm.
NOBODYS = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request came from: its network address as the edge saw it, and what the browser calls itself."""

    source: str
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session as its browser gets it. `device_token` is None when the device keeps the one it has."""

    access_token: str
    expires_in: int  # seconds
    device_token: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A proven person of several firms, who has still to choose; `secret` proves them."""

    secret: str
    firms: list[tuple[Home, str, str]]  # where, the firm's name, the contact's name


@contextmanager
def _for_firm(runtime: "Runtime", firm_id: UUID, caller: Caller) -> Iterator[Uow]:
    """A unit of work of a firm before the contact has a token. Commit it yourself."""
    service = system(runtime.service.name, firm_id)
    principal = Principal(service.kind, service.id, firm_id, name=service.name, source=caller.source)
    with unit_of_work(runtime, principal, firm_id=firm_id) as uow:
        yield uow


# Asking for a code


def ask_code(runtime: "Runtime", caller: Caller, email: str) -> UUID:
    """Has a code mailed if the address may sign in; answers and writes the same if it may not. Returns the sign-in's id.

    Errors: `too_many_attempts` (429), before anything is looked up.
    """
    settings = settings_of(runtime)
    address, secret = addresses.hashed(settings, email), settings.key_for("attempts")
    throttle.take(
        runtime.engine,
        {
            throttle.key(secret, "address", address.hex()): rules.CODES_PER_ADDRESS,
            throttle.key(secret, "network", caller.source): rules.CODES_PER_NETWORK,
        },
    )
    with runtime.engine.connect() as connection:
        found = addresses.homes(connection, address)
    home = found[0] if found else Home(NOBODYS, NOBODYS)
    with _for_firm(runtime, home.firm_id, caller) as uow:
        uow.session.execute(text("DELETE FROM sign_ins WHERE expires_at < now() - interval '1 day'"))
        id = new_id()
        uow.add(SignIn(id=id, address=address, expires_at=uow.now + rules.CODE_LIFETIME, tries=0))
        uow.later("mail_code", id, sign_in_id=str(id))
        uow.audit("sign_in.asked", "contact", home.contact_id)
        uow.commit()
    return id


# Proving oneself


def verify_code(runtime: "Runtime", caller: Caller, sign_in_id: UUID, typed: str) -> "SignedIn | Choice":
    """Signs in by the mailed code. Errors: `too_many_attempts` (429), `code_expired`, `code_wrong` (401)."""
    settings = settings_of(runtime)
    throttle.take(
        runtime.engine,
        {throttle.key(settings.key_for("attempts"), "tries", caller.source): rules.TRIES_PER_NETWORK},
    )
    with _for_firm(runtime, NOBODYS, caller) as uow:
        sign_in = _open_sign_in(uow, sign_in_id)
        sign_in.tries += 1
        homes = addresses.homes(uow.session.connection(), sign_in.address)
        uow.commit()
    fits = rules.code_fits(settings.key_for("codes"), sign_in_id, typed)
    # One transaction after the other: two at once in one request could leave a full pool waiting for itself.
    found = _welcome(runtime, caller, homes) if fits else []
    if not found:
        raise _wrong(sign_in.tries)
    secret = secrets.token_urlsafe(32)
    with _for_firm(runtime, NOBODYS, caller) as uow:
        sign_in = _open_sign_in(uow, sign_in_id, tried=True)
        if len(found) == 1:
            sign_in.used_at = uow.now
        else:
            sign_in.choice = rules.digest(secret.encode())
        uow.commit()
    return _come_in(runtime, caller, sign_in_id, found[0][0]) if len(found) == 1 else Choice(secret, found)


def _come_in(runtime: "Runtime", caller: Caller, sign_in_id: UUID, home: Home) -> SignedIn:
    """Opens the session that a code was used up for; if identity is away, the code and the try are given back."""
    try:
        return _open_session(runtime, caller, home)
    except Unavailable:
        with _for_firm(runtime, NOBODYS, caller) as uow:
            sign_in = uow.session.get(SignIn, sign_in_id, with_for_update=True)
            if sign_in is not None:
                sign_in.used_at, sign_in.tries = None, max(sign_in.tries - 1, 0)
            uow.commit()
        raise


def _open_sign_in(uow: Uow, sign_in_id: UUID, *, tried: bool = False) -> SignIn:
    """The sign-in, locked, while it can still be used; `tried` if this try is among those counted."""
    sign_in = uow.session.get(SignIn, sign_in_id, with_for_update=True)
    over = sign_in is None or sign_in.used_at is not None or uow.now >= sign_in.expires_at
    if sign_in is None or over or sign_in.tries >= rules.CODE_TRIES + tried:
        raise Unauthenticated("code_expired", "This code no longer works. Ask for a new one.")
    return sign_in


def _wrong(tries: int) -> DomainError:
    left = rules.CODE_TRIES - tries
    if left <= 0:
        return Unauthenticated("code_expired", "That code is wrong, and so were the ones before it. Ask for a new one.")
    return Unauthenticated(
        "code_wrong",
        f"That is not the code we sent. Check it and try again; {left} {'try' if left == 1 else 'tries'} left.",
    )


def _welcome(runtime: "Runtime", caller: Caller, homes: list[Home]) -> list[tuple[Home, str, str]]:
    """Of these homes the ones whose contact may come in now, with the firm's and the contact's name."""
    found = []
    for home in homes:
        with _for_firm(runtime, home.firm_id, caller) as uow:
            contact = uow.session.get(ContactCopy, (home.firm_id, home.contact_id))
            branding = uow.session.get(Branding, (home.firm_id, home.firm_id))
            if contact and contact.welcome:
                found.append((home, branding.display_name if branding else "", contact.name))
    return found


def choose_firm(runtime: "Runtime", caller: Caller, sign_in_id: UUID, secret: str, chosen: Home) -> SignedIn:
    """Signs a proven person in to one of their firms. Errors: `code_expired` (401)."""
    with _for_firm(runtime, NOBODYS, caller) as uow:
        sign_in = _open_sign_in(uow, sign_in_id, tried=True)
        known = addresses.homes(uow.session.connection(), sign_in.address)
        proven = sign_in.choice is not None and sign_in.choice == rules.digest(secret.encode())
        if not proven or chosen not in known:
            raise Unauthenticated("code_expired", "This sign-in no longer works. Ask for a new code.")
        sign_in.used_at = uow.now
        uow.commit()
    return _come_in(runtime, caller, sign_in_id, chosen)


# Being signed in


def _open_session(runtime: "Runtime", caller: Caller, home: Home) -> SignedIn:
    with _for_firm(runtime, home.firm_id, caller) as uow:
        token = DeviceToken.new(home.firm_id, new_id())
        uow.add(
            Device(
                id=token.id,
                contact_id=home.contact_id,
                secret=rules.digest(token.secret),
                rotated_at=uow.now,
                created_at=uow.now,
                user_agent=caller.user_agent,
            )
        )
        uow.later("forget_device", token.id, at=uow.now + rules.DEVICE_LIFETIME, device_id=str(token.id))
        uow.audit("contact.signed_in", "contact", home.contact_id, after={"user_agent": caller.user_agent})
        signed_in = _issue(uow, home.contact_id, token.encode())
        uow.commit()
        return signed_in


def renew(runtime: "Runtime", caller: Caller, shown: str) -> SignedIn:
    """The next access token of a device. Errors: `session_ended` (401)."""
    token = DeviceToken.decode(shown)
    if token is None or not _known(runtime, token.firm_id):
        raise _ended()
    with _for_firm(runtime, token.firm_id, caller) as uow:
        device = uow.session.get(Device, (uow.firm_id, token.id), with_for_update=True)
        if device is None:
            raise _ended()
        verdict = rules.judge_device(
            shown=rules.digest(token.secret),
            current=device.secret,
            previous=device.previous_secret,
            rotated_at=device.rotated_at,
            revoked_at=device.revoked_at,
            now=uow.now,
        )
        if verdict is Verdict.REUSED:
            _revoke(uow, device, "reused")
            uow.commit()
        if verdict not in (Verdict.ROTATE, Verdict.KEEP):
            raise _ended()
        next_token = _rotated(uow, device, rules.digest(token.secret)) if verdict is Verdict.ROTATE else None
        signed_in = _issue(uow, device.contact_id, next_token)
        uow.commit()
        return signed_in


def _rotated(uow: Uow, device: Device, shown: bytes) -> str:
    token = DeviceToken.new(uow.firm_id, device.id)
    device.previous_secret, device.secret, device.rotated_at = shown, rules.digest(token.secret), uow.now
    uow.later("forget_device", device.id, at=uow.now + rules.DEVICE_LIFETIME, device_id=str(device.id))
    return token.encode()


def _issue(uow: Uow, contact_id: UUID, device_token: str | None) -> SignedIn:
    """An access token from identity for a contact who may come in. Errors: `session_ended`, `identity_unavailable`."""
    contact = uow.session.get(ContactCopy, (uow.firm_id, contact_id))
    if contact is None or not contact.welcome:
        raise _ended()
    users.seen(uow, contact_id)
    request = IssuePortalTokenRequest(
        firm_id=str(uow.firm_id), contact_id=str(contact_id), client_ids=[str(c) for c in contact.client_ids]
    )
    answer = uow.ask("identity", "IssuePortalToken", request)
    return SignedIn(answer.access_token, answer.expires_in, device_token)


def sign_out(runtime: "Runtime", caller: Caller, shown: str) -> None:
    """Ends the device's session. What is no token of a device ends nothing and is no error."""
    token = DeviceToken.decode(shown)
    if token is None or not _known(runtime, token.firm_id):
        return
    with _for_firm(runtime, token.firm_id, caller) as uow:
        device = uow.session.get(Device, (uow.firm_id, token.id), with_for_update=True)
        digest = rules.digest(token.secret)
        if device and device.revoked_at is None and digest in (device.secret, device.previous_secret):
            _revoke(uow, device, "signed_out")
            uow.commit()


def _revoke(uow: Uow, device: Device, why: str) -> None:
    device.revoked_at, device.revoked_why = uow.now, why
    uow.audit("device.revoked", "contact", device.contact_id, reason=why)


def forget_device(uow: Uow, device_id: str) -> None:
    """Removes a device that was not used for its lifetime; what happened stays in the audit."""
    uow.session.execute(
        text("DELETE FROM devices WHERE firm_id = :firm AND id = :id"), {"firm": uow.firm_id, "id": device_id}
    )


def _ended() -> DomainError:
    return Unauthenticated("session_ended", "You have been signed out. Sign in again.")


def _known(runtime: "Runtime", firm_id: UUID) -> bool:
    """Whether a firm that a cookie names exists: a stranger must not make one known by naming it."""
    if firm_id in runtime.tenants:
        return True
    with runtime.engine.connect() as connection:
        found = connection.execute(text("SELECT 1 FROM tenant WHERE firm_id = :firm"), {"firm": firm_id}).first()
    return found is not None
