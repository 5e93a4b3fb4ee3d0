"""Tax codes and their rates by date."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from timebilling.db import Base


class TaxCode(FirmOwned, Base):
    """A tax code of the firm; its category never changes."""

    __tablename__ = "tax_codes"
    code: Mapped[str]
    label: Mapped[str]
    category: Mapped[str]  # EN 16931 (UNCL5305)
    legal_text: Mapped[str | None]


class TaxRate(FirmOwned, Base):
    """A tax code's percent for a span of days; spans of a code exclude each other."""

    __tablename__ = "tax_rates"
    tax_code_id: Mapped[UUID]
    percent: Mapped[Decimal]
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
