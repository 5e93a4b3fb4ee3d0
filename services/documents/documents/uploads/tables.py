"""Uploads on their way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from documents.db import Base


class Upload(FirmOwned, Base):
    """Bytes that were announced for a document: `started`, `proving`, then `stored`, `refused` or `aborted`."""

    __tablename__ = "uploads"

    document_id: Mapped[UUID] = mapped_column(Uuid)
    method: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    refusal: Mapped[str | None] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    store_upload: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(Text)
    part_size: Mapped[int | None] = mapped_column(BigInteger)
    parts: Mapped[int | None] = mapped_column(Integer)
    redirect_url: Mapped[str | None] = mapped_column(Text)
    uploaded_by: Mapped[str] = mapped_column(Text)
    uploaded_by_name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
