"""What happened, the automations that look out for it, their versions, and the log of their runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class Happening(FirmOwned, Base):
    """Something that happened to a job, as automations see it; append-only."""

    __tablename__ = "happenings"
    kind: Mapped[str]  # see rules.TRIGGERS
    job_id: Mapped[UUID]
    client_id: Mapped[UUID]
    subject_type: Mapped[str]  # job, task, request
    subject_id: Mapped[UUID]
    facts: Mapped[dict[str, Any]]  # what was so at that moment; see happenings.py
    chain: Mapped[list[str]]  # the automations that led to it, the first one first
    occasion: Mapped[str | None]  # what makes a happening of the calendar one: it is found anew each day
    at: Mapped[datetime]


class Automation(FirmOwned, Versioned, Base):
    """A rule of the firm. What it says is in its versions; `trigger` stands here so that what listens is found at once."""

    __tablename__ = "automations"
    name: Mapped[str]
    enabled: Mapped[bool]
    archived: Mapped[bool]
    trigger: Mapped[str]
    current_number: Mapped[int]


class AutomationVersion(FirmOwned, Base):
    """What an automation said; append-only."""

    __tablename__ = "automation_versions"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "automation_id"], ["automations.firm_id", "automations.id"]),
        UniqueConstraint("firm_id", "automation_id", "number"),
    )
    automation_id: Mapped[UUID]
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_by: Mapped[str]  # actor's name


class AutomationRun(FirmOwned, Base):
    """What an automation made of one happening; append-only. The pair is unique: it runs once."""

    __tablename__ = "automation_runs"
    __table_args__ = (UniqueConstraint("firm_id", "happening_id", "ref"),)
    ref: Mapped[str]  # an automation's id, or "<template>/<key>" for one of a template's version
    automation_id: Mapped[UUID | None]
    name: Mapped[str]
    number: Mapped[int]  # version of the automation, or of the template
    happening_id: Mapped[UUID]
    kind: Mapped[str]
    job_id: Mapped[UUID]
    client_id: Mapped[UUID]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    outcome: Mapped[str]  # done, not_met, stopped, failed
    says: Mapped[str]
    acts: Mapped[list[dict[str, Any]]]  # what each action did: do, says
    at: Mapped[datetime]
