"""Sign-ins under way, and devices that stay signed in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Integer, LargeBinary, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from portal.db import Base


class SignInAddress(Base):
    """Which contacts of which firms an address may sign in as; the address only as a keyed hash."""

    __tablename__ = "sign_in_addresses"

    address: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    firm_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)


class SignIn(Base):
    """One attempt to sign in: somebody asked for a code for an address."""

    __tablename__ = "sign_ins"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    address: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    tries: Mapped[int] = mapped_column(Integer)
    choice: Mapped[bytes | None] = mapped_column(LargeBinary)  # digest of what lets a proven person choose their firm
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Attempt(Base):
    """A try, counted under a keyed hash."""

    __tablename__ = "attempts"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Device(FirmOwned, Base):
    """A browser that stays signed in for a contact."""

    __tablename__ = "devices"

    contact_id: Mapped[UUID] = mapped_column(Uuid)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    rotated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_why: Mapped[str | None] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)
