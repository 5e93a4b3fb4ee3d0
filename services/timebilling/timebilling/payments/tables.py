"""Payments, what they pay, and what goes back."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from timebilling.db import Base
from timebilling.money import ZERO


class Payment(FirmOwned, Base):
    """Money received. What is neither allocated nor returned is the client's credit."""

    __tablename__ = "payments"
    client_id: Mapped[UUID]
    currency: Mapped[str]
    amount: Mapped[Decimal]
    allocated: Mapped[Decimal] = mapped_column(default=ZERO)
    refunded: Mapped[Decimal] = mapped_column(default=ZERO)  # refunds and chargebacks
    received_on: Mapped[date]
    method: Mapped[str]
    reference: Mapped[str]
    provider_id: Mapped[str | None]  # the card provider's own name for it; once per firm
    exchange_rate: Mapped[Decimal | None]  # of foreign money: what one unit cost in the firm's currency when it came
    reversed_at: Mapped[datetime | None]
    reversal_reason: Mapped[str | None]
    created_at: Mapped[datetime]

    @property
    def unapplied(self) -> Decimal:
        """The client's credit from this payment; nothing of one that was entered wrongly."""
        return ZERO if self.reversed_at else self.amount - self.allocated - self.refunded


class PaymentAllocation(FirmOwned, Base):
    """A part of a payment that pays an invoice. Append-only; a reversal is a negative one."""

    __tablename__ = "payment_allocations"
    payment_id: Mapped[UUID]
    invoice_id: Mapped[UUID]
    amount: Mapped[Decimal]
    at: Mapped[datetime]


class Refund(FirmOwned, Base):
    """Money of a payment that went back: given (refund) or taken by the payer's bank (chargeback). Append-only."""

    __tablename__ = "refunds"
    payment_id: Mapped[UUID]
    kind: Mapped[str]
    amount: Mapped[Decimal]
    returned_on: Mapped[date]
    reference: Mapped[str]
    reason: Mapped[str]
    provider_id: Mapped[str | None]
    at: Mapped[datetime]
