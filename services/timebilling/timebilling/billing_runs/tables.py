"""Billing runs: many clients at once, in the worker."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from timebilling.db import Base


class BillingRun(FirmOwned, Base):
    """What is to be done for each of the run's clients. It is over when none of them waits."""

    __tablename__ = "billing_runs"
    until: Mapped[date | None]
    group_by: Mapped[str]
    issue: Mapped[bool]
    send: Mapped[bool]
    issued_on: Mapped[date | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class BillingRunItem(FirmOwned, Base):
    """One client of a run and what became of it."""

    __tablename__ = "billing_run_items"
    run_id: Mapped[UUID]
    client_id: Mapped[UUID]
    state: Mapped[str]  # waiting, done, skipped (nothing to bill), failed
    invoice_id: Mapped[UUID | None]
    code: Mapped[str | None]
    message: Mapped[str | None]
    finished_at: Mapped[datetime | None]
