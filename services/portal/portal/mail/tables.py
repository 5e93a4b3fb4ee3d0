"""Reminders that wait to be told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from portal.db import Base


class Reminder(FirmOwned, Base):
    """That a contact is to be reminded of a request; told in the next digest."""

    __tablename__ = "reminders"

    contact_id: Mapped[UUID] = mapped_column(Uuid)
    request_id: Mapped[UUID] = mapped_column(Uuid)
    number: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
