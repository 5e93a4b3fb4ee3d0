"""What sign-in reads before a firm is known."""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Engine, text

from identity.settings import Settings
from identity.staff.rules import normal_email

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Home:
    """A firm an address works for, and as whom."""

    firm_id: UUID
    staff_id: UUID


def address_of(settings: Settings, email: str) -> bytes:
    """The keyed hash an address is looked up by: the table of addresses tells nobody who works where."""
    return hmac.digest(settings.key_for("address"), normal_email(email).encode(), "sha256")


def password_hash(engine: Engine, address: bytes) -> str | None:
    """The password hash of an address, or None if it has none (yet)."""
    with engine.connect() as connection:
        return connection.execute(
            text("SELECT password_hash FROM credentials WHERE address = :address"), {"address": address}
        ).scalar()


def homes(engine: Engine, address: bytes) -> list[Home]:
    """Where an address works, or worked, or is invited to."""
    with engine.connect() as connection:
        rows = connection.execute(_HOMES, {"address": address}).all()
        return [Home(row.firm_id, row.staff_id) for row in rows]


def any_firm_exists(connection: "Connection") -> bool:
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM sign_in_addresses)")).scalar())


_HOMES = text("SELECT firm_id, staff_id FROM sign_in_addresses WHERE address = :address ORDER BY firm_id")
