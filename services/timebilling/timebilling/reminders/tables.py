"""How a firm reminds of unpaid invoices, whom not, and what was sent."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base


class ReminderPolicy(FirmOwned, Versioned, Base):
    """`id` is the firm's, so there is one. `levels` in order: {days: after the due date, interest_percent: a year, or null}."""

    __tablename__ = "reminder_policies"
    levels: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class ReminderPause(FirmOwned, Base):
    """A client who is not reminded, for good or up to and including a day; `id` is the client's."""

    __tablename__ = "reminder_pauses"
    until: Mapped[date | None]
    reason: Mapped[str]
    at: Mapped[datetime]


class PaymentReminder(FirmOwned, Base):
    """A level that an invoice has reached. Once per level, never changed."""

    __tablename__ = "payment_reminders"
    invoice_id: Mapped[UUID]
    client_id: Mapped[UUID]
    level: Mapped[int]
    days_overdue: Mapped[int]
    balance: Mapped[Decimal]
    interest: Mapped[Decimal]
    currency: Mapped[str]
    at: Mapped[datetime]


class InterestCharge(FirmOwned, Base):
    """Days for which interest on an overdue invoice was put on a draft, as a line of its own. Gone with a draft that is dropped."""

    __tablename__ = "interest_charges"
    invoice_id: Mapped[UUID]  # the one that was not paid
    line_id: Mapped[UUID]
    first: Mapped[date]
    last: Mapped[date]
    percent: Mapped[Decimal]
    balance: Mapped[Decimal]  # what it is interest on
    amount: Mapped[Decimal]
    at: Mapped[datetime]
