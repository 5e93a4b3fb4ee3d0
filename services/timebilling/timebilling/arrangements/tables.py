"""What was agreed to be charged for an engagement, and what was billed by it."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base


class Arrangement(FirmOwned, Versioned, Base):
    """The fee terms of an engagement; `id` is the engagement's. What was billed by it is the sum of its live bills."""

    __tablename__ = "arrangements"
    client_id: Mapped[UUID]
    title: Mapped[str]
    kind: Mapped[str]  # hourly, capped, fixed, recurring, milestone, retainer, contingent
    amount: Mapped[Decimal | None]  # the cap, the fee, the fee of each period
    currency: Mapped[str]
    every: Mapped[str]  # monthly, quarterly, yearly; recurring only
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    bill_from: Mapped[date | None]  # recurring: periods that ended before are not billed
    in_advance: Mapped[bool] = mapped_column(
        default=False
    )  # recurring: billed when a period begins, not when it is over
    issue: Mapped[bool] = mapped_column(default=False)  # recurring: bills don't stay drafts
    send: Mapped[bool] = mapped_column(default=False)  # and are mailed to the client
    # Why a bill was not made, or stayed a draft though it was to be issued: the code, the message and (of a draft) its invoice.
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    open: Mapped[bool]


class Milestone(FirmOwned, Base):
    """A part of a milestone fee, to be billed when it is reached."""

    __tablename__ = "milestones"
    arrangement_id: Mapped[UUID]
    title: Mapped[str]
    amount: Mapped[Decimal]
    reached_on: Mapped[date | None]


class ArrangementBill(FirmOwned, Base):
    """A line of a draft or invoice that bills an arrangement. `live` until the invoice is void."""

    __tablename__ = "arrangement_bills"
    arrangement_id: Mapped[UUID]
    kind: Mapped[str]  # progress, milestone, recurring, final
    period: Mapped[date | None]  # recurring: the period's first day
    milestone_id: Mapped[UUID | None]
    invoice_id: Mapped[UUID]
    line_id: Mapped[UUID]
    amount: Mapped[Decimal]
    live: Mapped[bool] = mapped_column(default=True)
    waits: Mapped[bool] = mapped_column(default=False)  # recurring: to be issued by itself, refused so far, tried again
