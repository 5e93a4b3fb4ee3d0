"""Documents and their versions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from documents.db import Base


class Document(FirmOwned, Versioned, Base):
    """A file of a client, perhaps of a job. Size, hash and type are those of the current version."""

    __tablename__ = "documents"

    client_id: Mapped[UUID] = mapped_column(Uuid)
    job_id: Mapped[UUID | None] = mapped_column(Uuid)
    request_id: Mapped[UUID | None] = mapped_column(Uuid)
    reference_id: Mapped[UUID | None] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(Text)
    name_folded: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    current_version: Mapped[int] = mapped_column(Integer)
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(Text)
    media_type: Mapped[str | None] = mapped_column(Text)
    uploaded_by: Mapped[str] = mapped_column(Text)
    uploaded_by_name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DocumentVersion(FirmOwned, Base):
    """One state of a document's bytes: never changed, never removed by the application."""

    __tablename__ = "document_versions"

    document_id: Mapped[UUID] = mapped_column(Uuid)
    number: Mapped[int] = mapped_column(Integer)
    key: Mapped[str] = mapped_column(Text)
    store_version: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    uploaded_by: Mapped[str] = mapped_column(Text)
    uploaded_by_name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    restored_from: Mapped[int | None] = mapped_column(Integer)
