"""Expenses paid for clients."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base
from timebilling.money import ZERO


class Disbursement(FirmOwned, Versioned, Base):
    """What one person paid on one day for one job, in the currency its client is billed in. Approved, it never changes."""

    __tablename__ = "disbursements"
    __singular__ = "disbursement"
    staff_id: Mapped[UUID]
    client_id: Mapped[UUID]
    job_id: Mapped[UUID]
    day: Mapped[date]  # in the firm's zone
    description: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[Decimal]  # paid, tax and all
    tax: Mapped[Decimal] = mapped_column(default=ZERO)  # in it
    tax_recoverable: Mapped[bool] = mapped_column(default=True)
    markup_percent: Mapped[Decimal] = mapped_column(default=ZERO)
    billable: Mapped[bool] = mapped_column(default=True)
    document_id: Mapped[UUID | None]  # the receipt
    status: Mapped[str]  # draft, submitted, returned, approved
    return_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
