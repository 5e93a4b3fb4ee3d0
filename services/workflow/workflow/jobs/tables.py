"""Jobs, what in them waits for what, and every move of a due date."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from workflow.db import Base

_INTERNAL_FIRST = "internal_due, extended_due, statutory_due"


class Job(FirmOwned, Versioned, Base):
    """A job with the facts its status is derived from. Every change of anything in the job counts its version up."""

    __tablename__ = "jobs"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "stage_id"], ["stages.firm_id", "stages.id"]),)
    client_id: Mapped[UUID]
    engagement_id: Mapped[UUID | None]
    template_id: Mapped[UUID | None]
    template_version: Mapped[int | None]
    repeat_no: Mapped[int]  # 0, or how often the template had been applied to the client and period before
    title: Mapped[str]
    service: Mapped[str]
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]
    starts_on: Mapped[date]
    owner_id: Mapped[UUID | None]
    stage_id: Mapped[UUID]
    stage_before_done: Mapped[UUID | None]  # where it goes back to if it is taken up again
    priority: Mapped[int]  # rules.PRIORITIES: 1 urgent … 4 low
    people: Mapped[dict[str, Any]]  # job role -> staff id, as resolved when it was made
    statutory_due: Mapped[date | None]
    extended_due: Mapped[date | None]
    internal_due: Mapped[date | None]
    due_on: Mapped[date | None] = mapped_column(Computed(f"COALESCE({_INTERNAL_FIRST})", persisted=True))
    deadline_on: Mapped[date | None] = mapped_column(
        Computed("COALESCE(extended_due, statutory_due, internal_due)", persisted=True)
    )
    # What lists are sorted by: never NULL, jobs without a date last.
    due_sort: Mapped[date] = mapped_column(Computed(f"COALESCE({_INTERNAL_FIRST}, '9999-12-31'::date)", persisted=True))

    # Facts for the status; see rules.Facts. `status` is what was last announced, never what is shown.
    status: Mapped[str]
    tasks_total: Mapped[int]
    tasks_done: Mapped[int]
    open_tasks: Mapped[int]
    requests_open: Mapped[int]
    requests_waiting: Mapped[int]
    next_ready_on: Mapped[date | None]
    next_step_due: Mapped[date | None]
    last_step_due: Mapped[date | None]
    late_from: Mapped[date | None]
    budget_minutes: Mapped[int]
    # The client's time: since when something lies with them now, and for how long it did before.
    client_since: Mapped[datetime | None]
    client_seconds: Mapped[int]
    tags: Mapped[list[str]]

    closed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    on_board: Mapped[bool]  # open, or closed a short while ago
    search_text: Mapped[str] = mapped_column(deferred=True)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Dependency(FirmOwned, Base):
    """`after` can't begin before `before` is complete. Each end is a task or a request of the job."""

    __tablename__ = "dependencies"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "job_id"], ["jobs.firm_id", "jobs.id"]),)
    job_id: Mapped[UUID]
    before_kind: Mapped[str]  # task, request
    before_id: Mapped[UUID]
    after_kind: Mapped[str]
    after_id: Mapped[UUID]
    lag_days: Mapped[int]


class DueMove(FirmOwned, Base):
    """One move of a due date; append-only."""

    __tablename__ = "due_moves"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "job_id"], ["jobs.firm_id", "jobs.id"]),)
    job_id: Mapped[UUID]
    subject_type: Mapped[str]  # job, task, request
    subject_id: Mapped[UUID]
    which: Mapped[str]  # statutory, extended, internal; due for tasks and requests
    old: Mapped[date | None]
    new: Mapped[date | None]
    reason: Mapped[str]
    by: Mapped[str]  # actor's name
    at: Mapped[datetime]
