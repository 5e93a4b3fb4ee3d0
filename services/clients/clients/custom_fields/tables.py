"""The fields a firm has added. Their values stand on each client."""

from datetime import datetime

from sqlalchemy import Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from clients.db import Base


class CustomField(FirmOwned, Versioned, Base):
    """A field of the firm's own."""

    __tablename__ = "custom_fields"
    __table_args__ = (UniqueConstraint("firm_id", "key"),)
    key: Mapped[str]
    label: Mapped[str]
    kind: Mapped[str]
    choices: Mapped[list[str]]
    position: Mapped[int] = mapped_column(Integer)
    active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
