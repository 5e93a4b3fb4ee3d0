from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from identity.db import Base


class Staff(FirmOwned, Versioned, Base):
    """A person of the firm: what they may do (roles), what they cost and charge by (grade), how much they work."""

    __tablename__ = "staff"
    __singular__ = "staff"
    name: Mapped[str]
    email: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    grade: Mapped[str]
    weekly_capacity_minutes: Mapped[int]
    skills: Mapped[list[str]] = mapped_column(ARRAY(Text))
    active: Mapped[bool]
    joined_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # accepted the invitation
    # Not part of the state others keep: written past the mapper, so that signing in makes no new version.
    last_sign_in_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Invitation(FirmOwned, Base):
    """A mailed permit to join. Its token follows from the id and the installation's key: nothing secret is stored."""

    __tablename__ = "invitations"
    staff_id: Mapped[UUID]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    accepted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
