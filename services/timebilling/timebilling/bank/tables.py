"""Bank statements as they were imported."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base


class BankImport(FirmOwned, Base):
    """A file of a bank that was read: how many lines it had, and how many of them were new."""

    __tablename__ = "bank_imports"
    account: Mapped[str]
    file_name: Mapped[str]
    lines: Mapped[int]
    new: Mapped[int]
    imported_by: Mapped[str]
    at: Mapped[datetime]


class BankLine(FirmOwned, Versioned, Base):
    """A line of a bank statement: open until it is matched with a payment, or ignored with a reason."""

    __tablename__ = "bank_lines"
    __singular__ = "bank_line"
    import_id: Mapped[UUID]
    account: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    booked_on: Mapped[date]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    counterparty: Mapped[str]
    reference: Mapped[str]
    state: Mapped[str]  # open, matched, ignored, outgoing
    payment_id: Mapped[UUID | None]
    reason: Mapped[str | None]
