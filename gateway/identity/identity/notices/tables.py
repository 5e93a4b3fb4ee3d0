from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from identity.db import Base


class Notice(FirmOwned, Base):
    """Word to one member of staff that they should know of something. The words are those of whoever knew."""

    __tablename__ = "notices"
    staff_id: Mapped[UUID]
    reason: Mapped[str]  # mentioned, watching, request_unanswered, automation
    says: Mapped[str]  # one sentence of plain text
    subject_type: Mapped[str]  # job, task, request, note
    subject_id: Mapped[UUID]
    job_id: Mapped[UUID | None]
    client_id: Mapped[UUID | None]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
