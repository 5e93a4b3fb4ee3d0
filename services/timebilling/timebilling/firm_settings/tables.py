"""How a firm rounds, bills and locks: one row per firm; a firm without one has the defaults."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base
from timebilling.time_entries.rules import Rounding


class FirmSettings(FirmOwned, Versioned, Base):
    """`id` is the firm's, so there is one row."""

    __tablename__ = "firm_settings"
    rounding_increment: Mapped[int] = mapped_column(default=1)  # seconds
    rounding_direction: Mapped[str] = mapped_column(default="up")
    rounding_minimum: Mapped[int] = mapped_column(default=0)  # seconds
    rounding_per: Mapped[str] = mapped_column(default="entry")  # entry, task
    locked_until: Mapped[date | None]
    payment_terms_days: Mapped[int] = mapped_column(default=14)
    default_tax_code_id: Mapped[UUID | None]
    seller: Mapped[dict[str, Any]] = mapped_column(
        JSONB, default=dict
    )  # who bills, beyond branding: see invoices.tables
    cash_rounding: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)  # currency → smallest coin
    approve_before_issue: Mapped[bool] = mapped_column(default=False)

    @property
    def rounding(self) -> Rounding:
        return Rounding(self.rounding_increment, self.rounding_direction, self.rounding_minimum, self.rounding_per)
