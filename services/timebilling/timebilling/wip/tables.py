"""Work in progress: one item per approved billable entry or disbursement, and what happened to it."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from timebilling.db import Base


class WipItem(FirmOwned, Base):
    """What has become of an item's standard value; the database holds the WIP identity for each. `id` is the entry's, or the disbursement's."""

    __tablename__ = "wip_items"
    __singular__ = "wip_item"
    kind: Mapped[str]  # time, disbursement
    client_id: Mapped[UUID]
    job_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    activity_id: Mapped[UUID | None]
    day: Mapped[date]
    seconds: Mapped[int]
    billable_seconds: Mapped[int]
    currency: Mapped[str]
    standard: Mapped[Decimal]
    billed: Mapped[Decimal]
    written_down: Mapped[Decimal]
    written_up: Mapped[Decimal]
    written_off: Mapped[Decimal]
    remaining: Mapped[Decimal]
    state: Mapped[str]  # unbilled, reserved, billed, written_off, withdrawn
    invoice_id: Mapped[UUID | None]
    carried_until: Mapped[date | None]  # not billed before the day after
    carry_reason: Mapped[str | None]


class WipMovement(FirmOwned, Base):
    """A fact: one of an item's figures went up or down. Append-only; the items must equal their sums."""

    __tablename__ = "wip_movements"
    item_id: Mapped[UUID]
    job_id: Mapped[UUID]
    currency: Mapped[str]
    kind: Mapped[str]  # standard, billed, written_down, written_up, written_off
    amount: Mapped[Decimal]  # signed
    invoice_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    actor: Mapped[str | None]  # who did it
    at: Mapped[datetime]


class AdjustmentLimit(FirmOwned, Base):
    """How much a role may write up, down or off, in one act and of one job in a month; a role without any has the default of `rules.limit_of`."""

    __tablename__ = "adjustment_limits"
    role: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[Decimal]
