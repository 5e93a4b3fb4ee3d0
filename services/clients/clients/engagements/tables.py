"""Engagements and who works on them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Numeric, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.db import FirmOwned, Versioned
from clients.db import Base


class Engagement(FirmOwned, Versioned, Base):
    """What was agreed with a client."""

    __tablename__ = "engagements"
    __table_args__ = (ForeignKeyConstraint(["firm_id", "client_id"], ["clients.firm_id", "clients.id"]),)
    client_id: Mapped[UUID]
    title: Mapped[str]
    service: Mapped[str]
    status: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    fee_kind: Mapped[str]
    fee_amount: Mapped[Decimal | None] = mapped_column(Numeric(16, 4))
    fee_currency: Mapped[str | None]
    fee_interval: Mapped[str | None]
    fee_description: Mapped[str | None]
    fee_milestones: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    fee_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    close_reason: Mapped[str | None]
    external_id: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    people: Mapped[list["EngagementPerson"]] = relationship(
        cascade="all, delete-orphan", order_by="EngagementPerson.job_role"
    )


class EngagementPerson(FirmOwned, Base):
    """Who holds a job role in an engagement."""

    __tablename__ = "engagement_people"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "engagement_id"], ["engagements.firm_id", "engagements.id"]),
        UniqueConstraint("firm_id", "engagement_id", "job_role"),
    )
    engagement_id: Mapped[UUID]
    job_role: Mapped[str]
    staff_id: Mapped[UUID]
