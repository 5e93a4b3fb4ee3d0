"""Whether a firm takes cards, and the checkouts its clients were sent to."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base


class CardSettings(FirmOwned, Versioned, Base):
    """`id` is the firm's. `account` is its account with Stripe (acct_…), where the installation's is not the firm's own."""

    __tablename__ = "card_settings"
    enabled: Mapped[bool]
    account: Mapped[str | None]


class Checkout(FirmOwned, Base):
    """A page at the provider where an invoice's balance can be paid: open, paid or expired."""

    __tablename__ = "checkouts"
    invoice_id: Mapped[UUID]
    client_id: Mapped[UUID]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    state: Mapped[str]
    session_id: Mapped[str]
    url: Mapped[str]
    payment_id: Mapped[UUID | None]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
