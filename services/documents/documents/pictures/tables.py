"""Pictures of the firm's own."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from documents.db import Base


class Picture(FirmOwned, Base):
    """A small picture that belongs to the firm and to no client: never changed, so an invoice of years ago keeps its logo."""

    __tablename__ = "pictures"

    key: Mapped[str] = mapped_column(Text)
    store_version: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
