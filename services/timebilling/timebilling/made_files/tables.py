"""Files made on request."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from timebilling.db import Base


class MadeFile(FirmOwned, Base):
    """A file that was asked for: waiting for the worker, kept by documents, or refused with the rules it would break."""

    __tablename__ = "made_files"
    __singular__ = "file"
    kind: Mapped[str]  # cii, ubl, ledes, statement
    client_id: Mapped[UUID]
    invoice_id: Mapped[UUID | None]
    first: Mapped[date | None]
    last: Mapped[date | None]
    currency: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    document_id: Mapped[UUID | None]
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    requested_by: Mapped[str]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    run_id: Mapped[UUID | None]  # a statement run
    sent_at: Mapped[datetime | None]


class PaperProgress(FirmOwned, Base):
    """How far a paper is; `id` is the file's, or the invoice's whose PDF it is. Written by `progress.py` while it is made."""

    __tablename__ = "paper_progress"
    stage: Mapped[str]  # composing, proving, storing, failing, kept, refused
    lines: Mapped[int]
    pages: Mapped[int | None]
    tries: Mapped[int]
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[datetime]
