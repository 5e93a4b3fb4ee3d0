"""Time worked."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base

_FROZEN = JSONB(none_as_null=True)


class TimeEntry(FirmOwned, Versioned, Base):
    """Time of one person on one day for one job. What approval froze stands in the lower half and never changes."""

    __tablename__ = "time_entries"
    __singular__ = "time_entry"
    staff_id: Mapped[UUID]
    client_id: Mapped[UUID]
    job_id: Mapped[UUID]
    task_id: Mapped[UUID | None]
    activity_id: Mapped[UUID | None]
    day: Mapped[date]  # in the firm's zone
    seconds: Mapped[int]  # raw, never rounded
    started_at: Mapped[datetime | None]  # where the clock is known: a timer's, or as logged
    ended_at: Mapped[datetime | None]
    billable: Mapped[bool]
    narrative: Mapped[str] = mapped_column(default="")
    override_rate: Mapped[Decimal | None]  # per hour
    override_currency: Mapped[str | None]
    override_reason: Mapped[str | None]
    status: Mapped[str]  # draft, submitted, returned, approved
    return_reason: Mapped[str | None]
    created_at: Mapped[datetime]

    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    billable_seconds: Mapped[int | None]
    rounding: Mapped[dict[str, Any] | None] = mapped_column(_FROZEN)
    currency: Mapped[str | None]
    bill_rate: Mapped[Decimal | None]  # per hour; NULL when not billable
    bill_rule: Mapped[dict[str, Any] | None] = mapped_column(_FROZEN)
    cost_currency: Mapped[str | None]
    cost_rate: Mapped[Decimal | None]  # per hour; NULL: unknown, which is not zero
    cost_rule: Mapped[dict[str, Any] | None] = mapped_column(_FROZEN)
