"""What happened with a client."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from clients.db import Base


class Entry(FirmOwned, Base):
    """One thing that happened: kind and what make its name ("job", "done"); title names the subject."""

    __tablename__ = "timeline"
    client_id: Mapped[UUID]
    at: Mapped[datetime]
    kind: Mapped[str]
    what: Mapped[str]
    subject_id: Mapped[UUID]
    title: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor: Mapped[str]
    actor_name: Mapped[str]
