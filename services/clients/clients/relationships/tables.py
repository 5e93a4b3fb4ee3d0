"""What clients, and others, are to each other."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from clients.db import Base


class Relationship(FirmOwned, Versioned, Base):
    """Kept once, read from both sides: "client is <kind> the other"."""

    __tablename__ = "relationships"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "client_id"], ["clients.firm_id", "clients.id"]),
        ForeignKeyConstraint(["firm_id", "other_client_id"], ["clients.firm_id", "clients.id"]),
    )
    client_id: Mapped[UUID]
    kind: Mapped[str]
    other_client_id: Mapped[UUID | None]
    other_name: Mapped[str | None]  # of one who is not a client
    since: Mapped[date | None]
    until: Mapped[date | None]
    note: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    search_text: Mapped[str] = mapped_column(Computed("fold(coalesce(other_name, ''))", persisted=True), deferred=True)
