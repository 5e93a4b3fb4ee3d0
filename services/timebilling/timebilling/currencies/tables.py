"""What foreign money costs."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from timebilling.db import Base


class ExchangeRate(FirmOwned, Base):
    """What one unit of a currency costs in the firm's, from a day until the next one's. Invoices keep the rate they were issued at."""

    __tablename__ = "exchange_rates"
    currency: Mapped[str]
    day: Mapped[date]
    rate: Mapped[Decimal]
    at: Mapped[datetime]
