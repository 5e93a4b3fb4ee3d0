"""Which contacts an address belongs to, found before any firm is known."""

import hmac
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, delete, text
from sqlalchemy.dialects.postgresql import insert

from chassis.uow import Uow
from portal.sessions.rules import address_of
from portal.sessions.tables import SignInAddress
from portal.settings import Settings, settings_of


@dataclass(frozen=True, slots=True)
class Home:
    """A contact of a firm."""

    firm_id: UUID
    contact_id: UUID


def hashed(settings: Settings, email: str) -> bytes:
    """The keyed hash an address is found by."""
    return hmac.digest(settings.key_for("addresses"), address_of(email).encode(), "sha256")


def keep(uow: Uow, contact_id: UUID, email: str) -> None:
    """Lets a contact sign in under this address, and no other; empty: not at all."""
    mine = (SignInAddress.firm_id == uow.firm_id) & (SignInAddress.contact_id == contact_id)
    uow.session.execute(delete(SignInAddress).where(mine))
    if email:
        row = {"address": hashed(settings_of(uow.runtime), email), "firm_id": uow.firm_id, "contact_id": contact_id}
        uow.session.execute(insert(SignInAddress).values(row).on_conflict_do_nothing())


def homes(connection: Connection, address: bytes) -> list[Home]:
    """Everybody the address may sign in as, in a steady order."""
    rows = connection.execute(
        text("SELECT firm_id, contact_id FROM sign_in_addresses WHERE address = :address ORDER BY firm_id, contact_id"),
        {"address": address},
    )
    return [Home(row.firm_id, row.contact_id) for row in rows]
