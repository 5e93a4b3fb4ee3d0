"""Rate cards: bill and cost rates of every level."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base


class RateRow(FirmOwned, Versioned, Base):
    """A rate per hour for a level's key and a span of days; spans of one key and currency exclude each other."""

    __tablename__ = "rates"
    __singular__ = "rate"
    kind: Mapped[str]  # bill, cost
    level: Mapped[str]
    key: Mapped[str]  # rates.rules.key_of
    job_id: Mapped[UUID | None]
    engagement_id: Mapped[UUID | None]
    client_id: Mapped[UUID | None]
    staff_id: Mapped[UUID | None]
    activity_id: Mapped[UUID | None]
    grade: Mapped[str | None]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
