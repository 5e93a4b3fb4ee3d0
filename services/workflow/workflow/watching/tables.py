"""Watchers."""

from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from workflow.db import Base


class Watcher(FirmOwned, Base):
    """Somebody who wants to be told of a job or a task. A row each: an array's index would not be used behind row-level
    security."""

    __tablename__ = "watchers"
    __table_args__ = (
        UniqueConstraint("firm_id", "subject_id", "staff_id"),
        ForeignKeyConstraint(["firm_id", "job_id"], ["jobs.firm_id", "jobs.id"]),
    )
    job_id: Mapped[UUID]
    subject_id: Mapped[UUID]  # the job, or one of its tasks
    staff_id: Mapped[UUID]
