"""What a person is working on right now."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base


class Timer(FirmOwned, Versioned, Base):
    """A person's timer: `id` is theirs, so there is one. It stands still while `started_at` is NULL."""

    __tablename__ = "timers"
    __singular__ = "timer"
    started_at: Mapped[datetime | None]
    client_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    task_id: Mapped[UUID | None]
    activity_id: Mapped[UUID | None]
    billable: Mapped[bool | None]  # NULL: as the activity says
    narrative: Mapped[str] = mapped_column(default="")
