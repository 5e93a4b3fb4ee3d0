"""Copies of firms and staff."""

from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from clients.db import Base


class StaffCopy(FirmOwned, Base):
    """A staff member, as far as clients are concerned: who they are and whether they still work here."""

    __tablename__ = "staff_copy"
    name: Mapped[str]
    active: Mapped[bool]
    version: Mapped[int]


class FirmCopy(FirmOwned, Base):
    """The firm's defaults for new clients; `id` is the firm's."""

    __tablename__ = "firm_copy"
    currency: Mapped[str]
    country: Mapped[str]
    language: Mapped[str]
    version: Mapped[int]


class ClientUse(FirmOwned, Base):
    """Something another service has done for a client: what keeps the client from being taken back. `id` is that thing's."""

    __tablename__ = "client_uses"
    client_id: Mapped[UUID]
    kind: Mapped[str]  # job, request, invoice, document, payment
    label: Mapped[str]
    engagement_id: Mapped[UUID | None]  # what a job is done under
    live: Mapped[bool]  # whether it still counts
    state: Mapped[str | None]  # as the timeline tells of it
    version: Mapped[int]
