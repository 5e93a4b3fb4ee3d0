"""What was imported from other programs, so that nothing comes twice and all of it can be taken back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from timebilling.db import Base


class TimeImport(FirmOwned, Base):
    """One file that was imported."""

    __tablename__ = "time_imports"
    source: Mapped[str]  # toggl, harvest, kimai
    rows: Mapped[int]
    imported: Mapped[int]
    duplicates: Mapped[int]
    refused: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    undone_at: Mapped[datetime | None]


class ImportedEntry(FirmOwned, Base):
    """Where an entry came from; `id` is the entry's."""

    __tablename__ = "imported_entries"
    import_id: Mapped[UUID]
    source: Mapped[str]
    source_key: Mapped[str]  # imports.rules.Row.key
    line: Mapped[int]
