"""Requests and their items."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class Request(FirmOwned, Versioned, Base):
    """Something asked of a client at a job."""

    __tablename__ = "requests"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "job_id"], ["jobs.firm_id", "jobs.id"]),)
    job_id: Mapped[UUID]
    client_id: Mapped[UUID]
    key: Mapped[str | None]
    position: Mapped[int]
    title: Mapped[str]
    message: Mapped[str]
    status: Mapped[str]  # see rules.STATUSES
    send: Mapped[str]  # automatically, by_hand
    due_rule: Mapped[dict[str, Any] | None]
    due_on: Mapped[date | None]
    original_due_on: Mapped[date | None]
    due_moves: Mapped[int]
    due_pinned: Mapped[bool]
    pushed_from: Mapped[date | None]  # its own date, while what it waits for pushes it
    due_sort: Mapped[date] = mapped_column(Computed("COALESCE(due_on, '9999-12-31'::date)", persisted=True))
    waits_for: Mapped[int]
    ready_on: Mapped[date | None]
    reminders: Mapped[dict[str, Any]]  # first_after_days, every_days, at_most
    reminders_sent: Mapped[int]
    reminders_before: Mapped[
        int
    ]  # of these, before it was sent or returned the last time: each time the count begins anew
    next_reminder_at: Mapped[datetime | None]
    send_on: Mapped[date | None]  # not before this day
    expires_on: Mapped[date | None]  # the last day on which it can be answered
    escalated_at: Mapped[datetime | None]  # since when the job's owner knows that reminders were in vain
    return_reason: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    viewed_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    completed_on: Mapped[date | None]
    # The client's time: since when it lies with them now, and for how long it did before.
    waiting_since: Mapped[datetime | None]
    waited_seconds: Mapped[int]
    before_cancel: Mapped[str | None]
    changed_at: Mapped[datetime]  # an item's change is the request's change

    items: Mapped[list["RequestItem"]] = relationship(
        order_by="RequestItem.position", cascade="all, delete-orphan", passive_deletes=True
    )


class RequestItem(FirmOwned, Base):
    """One thing asked, and its answer."""

    __tablename__ = "request_items"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "request_id"], ["requests.firm_id", "requests.id"]),)
    request_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[str]  # file, text, choice, number, date, yes_no, approval
    label: Mapped[str]
    help: Mapped[str]
    required: Mapped[bool]
    choices: Mapped[list[str]]
    status: Mapped[str]  # open, answered, not_applicable, not_available, accepted, returned
    answer: Mapped[str | None]
    document_ids: Mapped[list[UUID]]
    return_reason: Mapped[str | None]
