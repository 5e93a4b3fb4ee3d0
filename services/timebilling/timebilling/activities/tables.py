"""Kinds of work."""

from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base


class Activity(FirmOwned, Versioned, Base):
    """A kind of work that time is logged on."""

    __tablename__ = "activities"
    name: Mapped[str]
    billable: Mapped[bool] = mapped_column(default=True)
    active: Mapped[bool] = mapped_column(default=True)
