"""Setting up firms, and changing their settings."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from chassis.db import new_id
from chassis.errors import Forbidden, Invalid
from chassis.uow import Uow
from identity.firms import views
from identity.firms.rules import DEFAULTS, faults
from identity.firms.tables import Firm
from identity.firms.world import known
from identity.sessions import queries, throttle
from identity.sessions.rules import NETWORK
from identity.sessions.tables import SignInAddress
from identity.sessions.usecases import check_password, keep_password, password_for
from identity.staff.addresses import valid_email
from identity.staff.rules import FULL_TIME, OWNER
from identity.staff.tables import Staff
from identity.staff.views import staff_changed, staff_facts
from identity.work import Caller, for_firm, settings_of

if TYPE_CHECKING:
    from chassis.service import Runtime

TOKEN_LIFETIME = timedelta(days=1)


@dataclass(frozen=True)
class Owner:
    """The first person of a firm."""

    name: str
    email: str
    password: str


# --- setting up -------------------------------------------------------------------------------------------------------


def setup_needed(runtime: "Runtime") -> bool:
    """Whether no firm has been set up yet."""
    with runtime.engine.connect() as connection:
        return not queries.any_firm_exists(connection)


def make_setup_token(runtime: "Runtime") -> str:
    """A token that sets up one firm within a day. It is told once; only its hash is kept."""
    token = secrets.token_urlsafe(24)
    with runtime.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO setup_tokens (digest, expires_at) VALUES (:digest, now() + :lifetime)"),
            {"digest": _digest(token), "lifetime": TOKEN_LIFETIME},
        )
    return token


def set_up(runtime: "Runtime", caller: Caller, token: str, firm: dict[str, Any], owner: Owner) -> Firm:
    """Sets up a firm for whoever holds a set-up token. Errors: `setup_token_refused` (403), and those of `found_firm`."""
    settings = settings_of(runtime)
    tries = throttle.key(settings.key_for("attempts"), "setup", caller.source)
    throttle.take(runtime.engine, {tries: NETWORK})
    if settings.setup_token and hmac.compare_digest(token.encode(), settings.setup_token.encode()):
        made = found_firm(runtime, caller, firm, owner, permit=_only_the_first)
    else:
        _check_token(runtime, token)
        made = found_firm(runtime, caller, firm, owner, permit=lambda uow: _use_token(uow, token))
    throttle.give_back(runtime.engine, tries)
    return made


def found_firm(
    runtime: "Runtime", caller: Caller, firm: dict[str, Any], owner: Owner, permit: Callable[[Uow], None] | None = None
) -> Firm:
    """Makes a firm and its owner; `permit` is asked, and used up, in the same transaction.

    Errors: `time_zone_unknown`, `currency_unknown`, `country_unknown`, `region_unknown`, `email_invalid`, `password_weak` (422);
    `sign_in_failed` (401) if the owner's address already has a password here and this is another.
    """
    settings = DEFAULTS | firm
    _check(settings, "/firm/")
    email = valid_email(owner.email, "/owner/email")
    address = queries.address_of(settings_of(runtime), email)
    password_hash = None
    if queries.password_hash(runtime.engine, address):
        check_password(runtime, caller, address, owner.password)
    else:
        password_hash = password_for(runtime, owner.password, [owner.name, email, firm["name"]], "/owner/password")
    firm_id, staff_id = new_id(), new_id()
    with for_firm(runtime, firm_id, caller) as uow:
        if permit:
            permit(uow)
        made = uow.add(Firm(id=firm_id, **settings))
        staff = Staff(
            id=staff_id,
            name=owner.name,
            email=email,
            roles=[OWNER],
            grade="partner",
            skills=[],
            active=True,
            joined_at=uow.now,
        )
        staff.weekly_capacity_minutes = FULL_TIME
        uow.add(staff)
        uow.add(SignInAddress(address=address, firm_id=firm_id, staff_id=staff_id))
        if password_hash:
            keep_password(uow, address, password_hash)
        uow.announce(views.firm_updated(made), subject=firm_id, version=made.version)
        uow.announce(staff_changed(staff), subject=staff_id, version=staff.version)
        uow.audit("firm.set_up", "firm", firm_id, after=views.settings_view(made))
        uow.audit("staff.joined", "staff", staff_id, after=staff_facts(staff))
        uow.commit()
        return made


def _only_the_first(uow: Uow) -> None:
    """The installation's own token works until there is a firm, also when two come at once."""
    uow.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('first firm', 0))"))
    if queries.any_firm_exists(uow.session.connection()):
        raise _refused()


def _check_token(runtime: "Runtime", token: str) -> None:
    """Says no before anything is looked at or hashed; `_use_token` decides."""
    with runtime.engine.connect() as connection:
        if not connection.execute(_TOKEN_IS_GOOD, {"digest": _digest(token)}).first():
            raise _refused()


def _use_token(uow: Uow, token: str) -> None:
    if not uow.session.execute(_USE_TOKEN, {"digest": _digest(token), "firm": uow.firm_id}).first():
        raise _refused()


_TOKEN_IS_GOOD = text("SELECT 1 FROM setup_tokens WHERE digest = :digest AND used_at IS NULL AND expires_at > now()")
_USE_TOKEN = text(
    "UPDATE setup_tokens SET used_at = now(), firm_id = :firm WHERE digest = :digest AND used_at IS NULL AND expires_at > now() RETURNING 1"
)


def _refused() -> Forbidden:
    return Forbidden(
        "setup_token_refused",
        "This set-up token does not work (any more). The operator makes one by: python -m identity setup-token",
        pointer="/token",
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


# --- settings ---------------------------------------------------------------------------------------------------------


def change_firm(uow: Uow, change: dict[str, Any]) -> Firm:
    """Changes the firm's settings. Errors: `version_conflict` (412); 422 as `found_firm`."""
    firm = uow.get(Firm, uow.firm_id, lock=True, version=uow.if_match)
    before = views.settings_view(firm)
    _check(before | change, "/")
    for field, value in change.items():
        setattr(firm, field, value)
    uow.session.flush()
    if (after := views.settings_view(firm)) != before:
        uow.announce(views.firm_updated(firm), subject=firm.id, version=firm.version)
        uow.audit("firm.changed", "firm", firm.id, before=before, after=after)
    return firm


def all_firm_states(uow: Uow) -> list[tuple[UUID, int, Any]]:
    """The firm as an event, for republishing."""
    firm = uow.session.get(Firm, (uow.firm_id, uow.firm_id))
    return [(firm.id, firm.version, views.firm_updated(firm))] if firm else []


def _check(settings: dict[str, Any], where: str) -> None:
    for fault in faults(settings, known()):
        raise Invalid(fault.code, fault.message, pointer=where + fault.field)
