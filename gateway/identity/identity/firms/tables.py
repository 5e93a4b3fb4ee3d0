from datetime import datetime
from uuid import UUID

from sqlalchemy import SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from identity.db import Base


class Firm(FirmOwned, Versioned, Base):
    """The firm's settings. One row a firm: `id` is the firm's own."""

    __tablename__ = "firms"
    name: Mapped[str]
    time_zone: Mapped[str]
    currency: Mapped[str]
    country: Mapped[str]
    holidays_region: Mapped[str]
    language: Mapped[str]
    week_start: Mapped[int] = mapped_column(SmallInteger)
    quiet_from: Mapped[str]
    quiet_until: Mapped[str]


class SetupToken(Base):
    """A permit to set up one firm. Only its hash is kept."""

    __tablename__ = "setup_tokens"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    firm_id: Mapped[UUID | None]
