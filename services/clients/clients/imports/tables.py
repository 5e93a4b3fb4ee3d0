"""Imports: the file as it came, its rows, and what became of each."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from clients.db import Base


class Import(FirmOwned, Versioned, Base):
    """A spreadsheet on its way in. Its file and rows are kept sealed: they hold tax numbers."""

    __tablename__ = "imports"
    file_name: Mapped[str]
    size: Mapped[int]
    encoding: Mapped[str | None]
    state: Mapped[str]
    tables: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)  # name, kind, titles, fields, rows
    rows_total: Mapped[int]
    rows_done: Mapped[int]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    position: Mapped[int]  # rows up to this place are done
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    kept_until: Mapped[datetime]  # its rows, and with them undo
    cleared_at: Mapped[datetime | None]
    by_kind: Mapped[str]
    by_id: Mapped[str]
    by_name: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ImportPart(FirmOwned, Base):
    """A piece of the file, until it is read."""

    __tablename__ = "import_parts"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "import_id"], ["imports.firm_id", "imports.id"]),
        UniqueConstraint("firm_id", "import_id", "number"),
    )
    import_id: Mapped[UUID]
    number: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRow(Base):
    """A row of the file and what became of it."""

    __tablename__ = "import_rows"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "import_id"], ["imports.firm_id", "imports.id"]),)
    firm_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    table_no: Mapped[int] = mapped_column(Integer)
    row_no: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    outcome: Mapped[str | None]
    problems: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    subject_id: Mapped[UUID | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    subject_version: Mapped[int | None]


class ImportKey(Base):
    """What a row of the file is known by, for the rows that name it."""

    __tablename__ = "import_keys"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "import_id"], ["imports.firm_id", "imports.id"]),)
    firm_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int]
