"""Invoices, their lines, and which WIP stands behind each line."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base
from timebilling.money import ZERO


class Invoice(FirmOwned, Versioned, Base):
    """A draft until issued; from then on the database refuses every change but payment, document and void."""

    __tablename__ = "invoices"
    client_id: Mapped[UUID]
    state: Mapped[str]  # draft, issued, void; the shown status is derived
    series: Mapped[str]
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[str | None]
    currency: Mapped[str]
    payment_terms_days: Mapped[int]
    note: Mapped[str] = mapped_column(default="")
    issued_on: Mapped[date | None]
    due_on: Mapped[date | None]
    standard: Mapped[Decimal] = mapped_column(default=ZERO)
    net: Mapped[Decimal] = mapped_column(default=ZERO)
    tax: Mapped[Decimal] = mapped_column(default=ZERO)
    total: Mapped[Decimal] = mapped_column(default=ZERO)
    paid: Mapped[Decimal] = mapped_column(default=ZERO)
    bad_debt: Mapped[Decimal] = mapped_column(default=ZERO)  # given up: will not be paid
    taxes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    frozen: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # seller, buyer, labels as issued
    document_id: Mapped[UUID | None]
    void_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]

    @property
    def balance(self) -> Decimal:
        """What is still to be paid; nothing on drafts and void invoices."""
        return self.total - self.paid - self.bad_debt if self.state == "issued" else ZERO


class InvoiceLine(FirmOwned, Base):
    """A line: text, hours, amount before tax, its tax code and that code's rate on the day."""

    __tablename__ = "invoice_lines"
    __singular__ = "invoice_line"
    invoice_id: Mapped[UUID]
    position: Mapped[int]
    job_id: Mapped[UUID]
    description: Mapped[str]
    quantity: Mapped[Decimal]  # hours
    standard: Mapped[Decimal]
    net: Mapped[Decimal]
    reason: Mapped[str | None]  # of the write-up or write-down
    tax_code_id: Mapped[UUID | None]
    tax_category: Mapped[str]
    tax_percent: Mapped[Decimal]
    tax_label: Mapped[str]
    tax_legal_text: Mapped[str | None]
    tax: Mapped[Decimal]


class InvoiceItem(FirmOwned, Base):
    """A WIP item on an invoice and what it is billed at. `live` until the draft is dropped or the invoice void; one live row per item."""

    __tablename__ = "invoice_items"
    invoice_id: Mapped[UUID]
    line_id: Mapped[UUID]
    item_id: Mapped[UUID]
    standard: Mapped[Decimal]
    billed: Mapped[Decimal]
    live: Mapped[bool] = mapped_column(default=True)


class NumberSeries(FirmOwned, Base):
    """The next number of a series; its row is locked from the taking of a number to the commit, so numbers have no gaps."""

    __tablename__ = "number_series"
    series: Mapped[str]
    next_number: Mapped[int] = mapped_column(BigInteger)
