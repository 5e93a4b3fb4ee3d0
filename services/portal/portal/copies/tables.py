"""What the portal knows of what others own."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, Integer, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from portal.db import Base


class FirmCopy(FirmOwned, Base):
    """The firm's settings; its id is the firm's."""

    __tablename__ = "firm_copy"
    __singular__ = "firm"

    name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    quiet_from: Mapped[str] = mapped_column(Text)
    quiet_until: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(BigInteger)


class ClientCopy(FirmOwned, Base):
    __tablename__ = "client_copy"
    __singular__ = "client"

    name: Mapped[str] = mapped_column(Text)
    visible_to: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    version: Mapped[int] = mapped_column(BigInteger)


class ContactCopy(FirmOwned, Base):
    """A contact, with the clients they act for."""

    __tablename__ = "contact_copy"
    __singular__ = "contact"

    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    portal_access: Mapped[bool] = mapped_column(Boolean)
    active: Mapped[bool] = mapped_column(Boolean)
    client_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    version: Mapped[int] = mapped_column(BigInteger)

    @property
    def welcome(self) -> bool:
        """Whether the contact may use the portal now."""
        return self.active and self.portal_access and bool(self.email) and bool(self.client_ids)


class RequestCopy(FirmOwned, Base):
    """A request with its items, as workflow last told it."""

    __tablename__ = "request_copy"
    __singular__ = "request"

    client_id: Mapped[UUID] = mapped_column(Uuid)
    job_id: Mapped[UUID | None] = mapped_column(Uuid)
    job_title: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date | None] = mapped_column(Date)
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    return_reason: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(BigInteger)


class JobCopy(FirmOwned, Base):
    __tablename__ = "job_copy"
    __singular__ = "job"

    client_id: Mapped[UUID] = mapped_column(Uuid)
    title: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date | None] = mapped_column(Date)
    tasks_total: Mapped[int] = mapped_column(Integer)
    tasks_done: Mapped[int] = mapped_column(Integer)
    closed: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(BigInteger)


class DocumentCopy(FirmOwned, Base):
    __tablename__ = "document_copy"
    __singular__ = "document"

    client_id: Mapped[UUID] = mapped_column(Uuid)
    job_id: Mapped[UUID | None] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)


class InvoiceCopy(FirmOwned, Base):
    __tablename__ = "invoice_copy"
    __singular__ = "invoice"

    client_id: Mapped[UUID] = mapped_column(Uuid)
    number: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    issued_on: Mapped[date | None] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    total: Mapped[Decimal] = mapped_column(Numeric)
    balance: Mapped[Decimal] = mapped_column(Numeric)
    currency: Mapped[str] = mapped_column(Text)
    document_id: Mapped[UUID | None] = mapped_column(Uuid)
    version: Mapped[int] = mapped_column(BigInteger)
