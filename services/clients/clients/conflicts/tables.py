"""Conflict checks and what they found. Facts of their day: a check is made anew, not changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Integer
from sqlalchemy.dialects.postgresql import REAL
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from clients.db import Base


class ConflictCheck(FirmOwned, Versioned, Base):
    """One check of some names against everybody ever recorded."""

    __tablename__ = "conflict_checks"
    names: Mapped[list[str]]
    client_id: Mapped[UUID | None]  # for whom it was made
    at: Mapped[datetime]
    by_actor: Mapped[str]
    by_name: Mapped[str]
    found: Mapped[int] = mapped_column(Integer)  # matches in all, also those the reader may not see
    decision: Mapped[str | None]
    reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]


class ConflictMatch(FirmOwned, Base):
    """Somebody whose name is like one that was checked."""

    __tablename__ = "conflict_matches"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "check_id"], ["conflict_checks.firm_id", "conflict_checks.id"]),)
    check_id: Mapped[UUID]
    kind: Mapped[str]
    client_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    name: Mapped[str]
    likeness: Mapped[float] = mapped_column(REAL)
    status: Mapped[str | None]  # on that day
