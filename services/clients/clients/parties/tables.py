"""Clients and what belongs to them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.db import FirmOwned, Versioned
from clients.db import Base


class Client(FirmOwned, Versioned, Base):
    """A person or organisation the firm works for."""

    __tablename__ = "clients"
    number: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    currency: Mapped[str]
    language: Mapped[str]
    country: Mapped[str]
    year_end: Mapped[str | None]  # MM-DD
    born_on: Mapped[date | None]  # of a person
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    tags: Mapped[list[str]]
    other_names: Mapped[list[str]]
    former_names: Mapped[list[str]]  # by itself, when the name changes
    custom: Mapped[dict[str, Any]] = mapped_column(JSONB)  # values of the firm's own fields by key
    partner_id: Mapped[UUID | None]
    manager_id: Mapped[UUID | None]
    visible_to: Mapped[list[UUID] | None]  # NULL: everyone
    external_id: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    # Made by the database, so that no writer can forget them: what lists are sorted by, what search looks at.
    sort_name: Mapped[str] = mapped_column(Text(collation="C"), Computed("fold(name)", persisted=True))
    search_text: Mapped[str] = mapped_column(
        Computed("fold(words(name, number, tags || other_names || former_names))", persisted=True), deferred=True
    )

    tax_numbers: Mapped[list["TaxNumber"]] = relationship(cascade="all, delete-orphan", order_by="TaxNumber.scheme")


class TaxNumber(FirmOwned, Base):
    """A tax number of a client: encrypted, its masked form, and the keyed hash it is found by."""

    __tablename__ = "tax_numbers"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "client_id"], ["clients.firm_id", "clients.id"]),
        UniqueConstraint("firm_id", "client_id", "scheme"),
    )
    client_id: Mapped[UUID]
    scheme: Mapped[str]
    sealed: Mapped[bytes]
    shown: Mapped[str]
    lookup: Mapped[bytes]


class NumberSeries(Base):
    """The next number of the firm's own series of client numbers."""

    __tablename__ = "number_series"
    firm_id: Mapped[UUID] = mapped_column(primary_key=True)
    next: Mapped[int]
