"""Runs and what happened to each thing in them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from workflow.db import Base


class Run(FirmOwned, Base):
    """One act on many things, and who asked for it."""

    __tablename__ = "runs"
    kind: Mapped[str]  # apply, roll_out, undo
    template_id: Mapped[UUID]
    template_version: Mapped[int]
    parameters: Mapped[dict[str, Any]]  # what was asked for, the same for every item
    undoes: Mapped[UUID | None]  # the run that this one takes back
    asked_kind: Mapped[str]  # staff, partner
    asked_by: Mapped[UUID]
    asked_by_name: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class RunItem(FirmOwned, Base):
    """One client or job of a run. What has happened to it is written once, together with its effect."""

    __tablename__ = "run_items"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "run_id"], ["runs.firm_id", "runs.id"]),)
    run_id: Mapped[UUID]
    position: Mapped[int]
    client_id: Mapped[UUID]
    engagement_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]  # the job that was made, changed, or was there already
    status: Mapped[str]  # waiting, done, refused, failed
    code: Mapped[str | None]  # why it was refused or has failed
    message: Mapped[str | None]
    before: Mapped[dict[str, Any] | None]  # what a roll-out has changed, as it was
