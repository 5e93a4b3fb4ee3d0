"""Contacts and their roles at clients."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.db import FirmOwned, Versioned
from clients.db import Base


class Contact(FirmOwned, Versioned, Base):
    """A person who acts for clients."""

    __tablename__ = "contacts"
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    language: Mapped[str]
    portal_access: Mapped[bool]
    active: Mapped[bool]
    external_id: Mapped[str | None]
    former_names: Mapped[list[str]]  # by itself, when the name changes
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sort_name: Mapped[str] = mapped_column(Text(collation="C"), Computed("fold(name)", persisted=True))
    search_text: Mapped[str] = mapped_column(
        Computed("fold(words(name, email, former_names))", persisted=True), deferred=True
    )

    roles: Mapped[list["ContactRole"]] = relationship(
        cascade="all, delete-orphan", order_by="(ContactRole.client_id, ContactRole.role)"
    )


class ContactRole(FirmOwned, Base):
    """One role of a contact at one client."""

    __tablename__ = "contact_roles"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "contact_id"], ["contacts.firm_id", "contacts.id"]),
        ForeignKeyConstraint(["firm_id", "client_id"], ["clients.firm_id", "clients.id"]),
        UniqueConstraint("firm_id", "contact_id", "client_id", "role"),
    )
    contact_id: Mapped[UUID]
    client_id: Mapped[UUID]
    role: Mapped[str]
