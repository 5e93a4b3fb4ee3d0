"""Notes on clients."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from clients.db import Base


class ClientNote(FirmOwned, Versioned, Base):
    """What somebody thought worth knowing of a client."""

    __tablename__ = "client_notes"
    __singular__ = "note"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "client_id"], ["clients.firm_id", "clients.id"]),)
    client_id: Mapped[UUID]
    said: Mapped[str]
    pinned: Mapped[bool]
    mentions: Mapped[list[UUID]]
    author: Mapped[str]  # "staff:<id>", "partner:<id>"
    author_name: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
