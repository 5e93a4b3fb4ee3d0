from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from identity.db import Base


class Session(FirmOwned, Base):
    """One sign-in of one member of staff on one device: the family its refresh tokens belong to."""

    __tablename__ = "sessions"
    staff_id: Mapped[UUID]
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_why: Mapped[str | None]  # signed_out, reuse, deactivated, password_changed
    source: Mapped[str]
    user_agent: Mapped[str]


class RefreshToken(FirmOwned, Base):
    """One link in a session's chain: shown once, it is spent and the next takes its place."""

    __tablename__ = "refresh_tokens"
    session_id: Mapped[UUID]
    digest: Mapped[bytes]
    issued_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


# --- before a firm is known: exempt from row-level security (see migrations/versions/0001_first.py) ---------------------


class Credential(Base):
    """A person's password, whichever firms they work for. The address is kept as a keyed hash only."""

    __tablename__ = "credentials"
    address: Mapped[bytes] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    changed_at: Mapped[datetime]


class SignInAddress(Base):
    """Which staff members an address signs in as: one per firm."""

    __tablename__ = "sign_in_addresses"
    address: Mapped[bytes] = mapped_column(primary_key=True)
    firm_id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID]


class PasswordReset(Base):
    """A mailed permit to set a new password."""

    __tablename__ = "password_resets"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    address: Mapped[bytes]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Attempts(Base):
    """Wrong tries of an address or from a network address, so that all processes slow down together."""

    __tablename__ = "attempts"
    key: Mapped[bytes] = mapped_column(primary_key=True)
    tries: Mapped[int]
    last_at: Mapped[datetime]
