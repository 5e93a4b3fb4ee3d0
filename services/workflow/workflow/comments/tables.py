"""Comments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class Comment(FirmOwned, Versioned, Base):
    """What somebody said. `client_id` stands here too: a private client's comments fall out with the client."""

    __tablename__ = "comments"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "job_id"], ["jobs.firm_id", "jobs.id"]),)
    job_id: Mapped[UUID]
    client_id: Mapped[UUID]
    task_id: Mapped[UUID | None]  # None: about the job
    author: Mapped[str]  # actor: "staff:<id>", "partner:<id>"
    author_name: Mapped[str]
    body: Mapped[str]
    mentions: Mapped[list[UUID]]
    at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
