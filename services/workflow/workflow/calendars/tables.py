"""Closures of the firm, working weeks and leave of its staff. What is taken back stays as a row: others are told of it by its version."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class Closure(FirmOwned, Versioned, Base):
    """Days on which the whole firm is closed, both ends included."""

    __tablename__ = "closures"
    first_day: Mapped[date]
    last_day: Mapped[date]
    name: Mapped[str]
    removed_at: Mapped[datetime | None]


class WorkingWeek(FirmOwned, Versioned, Base):
    """How long a person works on Monday … Sunday from a day on. One per person and day, among those that stand."""

    __tablename__ = "working_weeks"
    staff_id: Mapped[UUID]
    from_on: Mapped[date]
    minutes: Mapped[list[int]] = mapped_column(ARRAY(BigInteger()))
    removed_at: Mapped[datetime | None]


class Leave(FirmOwned, Versioned, Base):
    """Days on which a person is away, wholly or for some minutes of each."""

    __tablename__ = "leave"
    staff_id: Mapped[UUID]
    first_day: Mapped[date]
    last_day: Mapped[date]
    minutes: Mapped[int | None]  # of each day; None: the whole day
    kind: Mapped[str]  # see rules.LEAVE_KINDS; why somebody is away is nobody's business but theirs and their managers'
    note: Mapped[str]
    removed_at: Mapped[datetime | None]
