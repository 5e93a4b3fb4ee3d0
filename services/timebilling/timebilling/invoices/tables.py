"""Invoices and credit notes, their lines, and which WIP stands behind each line.

What is frozen at issue (`frozen`; PDFs and electronic invoices are made of it, of the columns and of the lines, of nothing else; amounts
and percents are decimal strings, days ISO dates, absent texts ""):

    version            2
    document_type      "380" invoice, "381" credit note (UNCL1001)
    corrects           {id, number, issued_on} of the invoice a credit note corrects, else null; the why is the column `reason`
    seller             name, accent, address (text), footer, country: as branded; and of the settings' `seller`:
                       legal_name, line1, line2, city, region, postcode, vat_id, tax_number, registration, contact, email, phone,
                       iban, bic, account_holder, electronic_address {scheme, id} | null
    buyer              name, number, address {line1, line2, city, region, postcode, country}, country, tax_label (masked);
                       legal_name, vat_id, reference (BT-10), electronic_address {scheme, id} | null
    work_client        {id, name} whose work is billed to the buyer, null where that is the buyer
    order_reference    BT-13
    period             {from, to} of the work, null without work
    language           of the buyer, else of the firm
    tax_inclusive      whether the lines' `amount` and `discount` include tax (`net` never does)
    discount           {kind, value, reason} of the document, null without one; per category it is in `taxes`
    exchange           {currency, rate, net, tax, total}: the firm's currency, what one unit of the invoice's costs in it, the
                       totals in it (BT-6, BT-111); null in the firm's own currency
    lines              how many

Columns: `lines_net` BT-106, `discount` BT-107, `net` BT-109, `tax` BT-110, `rounding` BT-114, `total` BT-115 (before payments). `taxes` has
per category and percent: label, category, percent, taxable (BT-116), tax (BT-117), discount (BT-92), legal_text (BT-120). Lines: `quantity`
in `unit` (UN/ECE Rec 20: HUR hours, C62 pieces), `net` BT-131 after the line's own `discount` (BT-136), `discount_share` its part of the document's.
A credit note has positive amounts, like the invoice it corrects.
"""

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
    """A draft until issued; from then on the database refuses every change but what is paid, credited, sent, rendered, and void."""

    __tablename__ = "invoices"
    kind: Mapped[str] = mapped_column(default="invoice")  # invoice, credit_note
    client_id: Mapped[UUID]  # who is billed
    work_client_id: Mapped[UUID]  # whose work it is
    corrects_id: Mapped[UUID | None]  # of a credit note: the invoice
    reason: Mapped[str | None]  # of a credit note
    state: Mapped[str]  # draft, issued, void; the shown status is derived
    series: Mapped[str] = mapped_column(default="")
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[str | None]
    currency: Mapped[str]
    payment_terms_days: Mapped[int]
    note: Mapped[str] = mapped_column(default="")
    order_reference: Mapped[str] = mapped_column(default="")
    tax_inclusive: Mapped[bool] = mapped_column(default=False)
    discount_kind: Mapped[str | None]  # percent, amount
    discount_value: Mapped[Decimal | None]
    discount_reason: Mapped[str | None]
    issued_on: Mapped[date | None]
    due_on: Mapped[date | None]
    standard: Mapped[Decimal] = mapped_column(default=ZERO)
    lines_net: Mapped[Decimal] = mapped_column(default=ZERO)
    discount: Mapped[Decimal] = mapped_column(default=ZERO)
    net: Mapped[Decimal] = mapped_column(default=ZERO)
    tax: Mapped[Decimal] = mapped_column(default=ZERO)
    rounding: Mapped[Decimal] = mapped_column(default=ZERO)  # to what can be paid in cash; may be negative
    total: Mapped[Decimal] = mapped_column(default=ZERO)
    exchange_rate: Mapped[Decimal | None]  # what one unit costs in base_currency, on the day of issue
    base_currency: Mapped[str | None]  # the firm's, where that is another
    paid: Mapped[Decimal] = mapped_column(default=ZERO)
    bad_debt: Mapped[Decimal] = mapped_column(default=ZERO)  # given up: will not be paid
    credited: Mapped[Decimal] = mapped_column(default=ZERO)  # by credit notes
    taxes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    frozen: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # seller, buyer, labels as issued
    document_id: Mapped[UUID | None]
    void_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]

    @property
    def balance(self) -> Decimal:
        """What is still to be paid; nothing on drafts, void invoices and credit notes."""
        if self.state != "issued" or self.kind != "invoice":
            return ZERO
        return self.total - self.paid - self.bad_debt - self.credited


class InvoiceLine(FirmOwned, Base):
    """A line: text, quantity, price, its tax code and that code's rate on the day."""

    __tablename__ = "invoice_lines"
    __singular__ = "invoice_line"
    invoice_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(default="work")  # work, disbursement, fee (agreed, whatever the work)
    job_id: Mapped[UUID | None]
    description: Mapped[str]
    quantity: Mapped[Decimal]
    unit: Mapped[str] = mapped_column(default="HUR")
    standard: Mapped[Decimal]
    amount: Mapped[Decimal]  # as priced: with tax in it where the invoice says so
    discount_kind: Mapped[str | None]
    discount_value: Mapped[Decimal | None]
    discount_reason: Mapped[str | None]
    discount: Mapped[Decimal] = mapped_column(default=ZERO)  # off the amount
    net: Mapped[Decimal]
    discount_share: Mapped[Decimal] = mapped_column(default=ZERO)  # of the document's discount
    drawn: Mapped[Decimal] = mapped_column(default=ZERO)  # billed in advance, for the work behind this line
    reason: Mapped[str | None]  # of the write-up or write-down
    tax_code_id: Mapped[UUID | None]
    tax_category: Mapped[str]
    tax_percent: Mapped[Decimal]
    tax_label: Mapped[str]
    tax_legal_text: Mapped[str | None]
    tax: Mapped[Decimal]
    credited: Mapped[Decimal] = mapped_column(default=ZERO)  # before tax
    credited_tax: Mapped[Decimal] = mapped_column(default=ZERO)
    arrangement_id: Mapped[UUID | None]  # whose fee or cap it counts towards
    corrects_line_id: Mapped[UUID | None]  # of a credit note's line: the invoice's

    @property
    def taxable(self) -> Decimal:
        """What is billed before tax, after all discounts."""
        return self.net - self.discount_share


class InvoiceItem(FirmOwned, Base):
    """A WIP item on an invoice and what it is billed at. `live` until the draft is dropped, the invoice void or the work returned by a credit
    note; one live row per item. On a credit note (never live): what of the item was credited.
    """

    __tablename__ = "invoice_items"
    invoice_id: Mapped[UUID]
    line_id: Mapped[UUID]
    item_id: Mapped[UUID]
    standard: Mapped[Decimal]
    billed: Mapped[Decimal]
    live: Mapped[bool] = mapped_column(default=True)
