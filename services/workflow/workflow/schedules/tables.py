"""Schedules and what became of each of their periods."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class Schedule(FirmOwned, Versioned, Base):
    """A template that comes again and again for a client."""

    __tablename__ = "schedules"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "template_id"], ["templates.firm_id", "templates.id"]),)
    template_id: Mapped[UUID]
    template_version: Mapped[int | None]  # None: whatever is current when the job is made
    client_id: Mapped[UUID]
    engagement_id: Mapped[UUID | None]
    rule: Mapped[dict[str, Any]]  # see rules.Rule
    starts_on: Mapped[date]  # the anchor
    ends_on: Mapped[date | None]  # no period begins after it
    ahead_days: Mapped[int]
    ahead_before: Mapped[str]  # period_start, period_end, day
    owner_id: Mapped[UUID | None]
    people: Mapped[dict[str, Any]]  # job role -> staff id, named for this schedule
    status: Mapped[str]  # active, paused, ended
    next_start: Mapped[date | None]  # where the first period begins that nothing has become of; None: there is none
    next_on: Mapped[date | None]  # the day its job is made
    created_at: Mapped[datetime]


class SchedulePeriod(FirmOwned, Base):
    """What became of one period: unique per schedule and period, so that nothing is made twice."""

    __tablename__ = "schedule_periods"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "schedule_id"], ["schedules.firm_id", "schedules.id"]),
        UniqueConstraint("firm_id", "schedule_id", "period_start"),
    )
    schedule_id: Mapped[UUID]
    period_start: Mapped[date]
    period_end: Mapped[date]
    day: Mapped[date | None]
    status: Mapped[str]  # made, skipped, refused
    job_id: Mapped[UUID | None]
    code: Mapped[str | None]  # why it was refused
    message: Mapped[str | None]
    by: Mapped[str]  # actor's name
    at: Mapped[datetime]
