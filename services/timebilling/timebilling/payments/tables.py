"""Payments and what they pay."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from timebilling.db import Base
from timebilling.money import ZERO


class Payment(FirmOwned, Base):
    """Money received. What is not allocated is the client's credit."""

    __tablename__ = "payments"
    client_id: Mapped[UUID]
    currency: Mapped[str]
    amount: Mapped[Decimal]
    allocated: Mapped[Decimal] = mapped_column(default=ZERO)
    received_on: Mapped[date]
    method: Mapped[str]
    reference: Mapped[str]
    created_at: Mapped[datetime]


class PaymentAllocation(FirmOwned, Base):
    """A part of a payment that pays an invoice. Append-only; a reversal is a negative one."""

    __tablename__ = "payment_allocations"
    payment_id: Mapped[UUID]
    invoice_id: Mapped[UUID]
    amount: Mapped[Decimal]
    at: Mapped[datetime]
