from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from identity.db import Base


class Staff(FirmOwned, Versioned, Base):
    """A person of the firm: what they may do (roles), what they cost and charge by (grade), how much they work."""

    __tablename__ = "staff"
    __singular__ = "staff"
    name: Mapped[str]
    email: Mapped[str]
    roles: Mapped[list[str]]
    grade: Mapped[str]
    weekly_capacity_minutes: Mapped[int]
    skills: Mapped[list[str]]
    active: Mapped[bool]
    joined_at: Mapped[datetime | None]  # accepted the invitation
    # Not part of the state others keep: written past the mapper, so that signing in makes no new version.
    last_sign_in_at: Mapped[datetime | None]


class Invitation(FirmOwned, Base):
    """A mailed permit to join. Its token follows from the id and the installation's key: nothing secret is stored."""

    __tablename__ = "invitations"
    staff_id: Mapped[UUID]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
