"""Tasks."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class Task(FirmOwned, Versioned, Base):
    """A step of a job. `client_id` stands here too: lists of tasks join it to hide private clients without the job."""

    __tablename__ = "tasks"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "job_id"], ["jobs.firm_id", "jobs.id"]),)
    job_id: Mapped[UUID]
    client_id: Mapped[UUID]
    key: Mapped[str | None]  # its key in the template
    position: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    role: Mapped[str]
    owner_id: Mapped[UUID | None]
    priority: Mapped[int]  # jobs.rules.PRIORITIES: 1 urgent … 4 low
    status: Mapped[str]  # not_started, in_progress, done, skipped, cancelled
    budget_minutes: Mapped[int]
    checklist: Mapped[list[dict[str, Any]]]  # key, text, done
    due_rule: Mapped[dict[str, Any] | None]
    due_on: Mapped[date | None]
    original_due_on: Mapped[date | None]
    due_moves: Mapped[int]
    due_pinned: Mapped[bool]
    pushed_from: Mapped[date | None]  # its own date, while what it waits for pushes it
    due_sort: Mapped[date] = mapped_column(Computed("COALESCE(due_on, '9999-12-31'::date)", persisted=True))
    waits_for: Mapped[int]  # predecessors that are not complete
    ready_on: Mapped[date | None]  # lags run until this day
    begins_on: Mapped[date]  # as planned: the job's first day, the end of lags, the date of what it waits for
    blocked: Mapped[bool]  # as last announced; lists derive it from the two above and today
    attention: Mapped[str | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    completed_on: Mapped[date | None]
    before_cancel: Mapped[str | None]  # status to return to if the job is reinstated
