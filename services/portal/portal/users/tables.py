"""What the portal itself knows of the people who use it."""

from datetime import datetime

from sqlalchemy import DateTime, Integer
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from portal.db import Base


class PortalUser(FirmOwned, Base):
    """A contact who was invited or has been here; its id is the contact's."""

    __tablename__ = "portal_users"

    invited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    invitations: Mapped[int] = mapped_column(Integer)
    last_seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
