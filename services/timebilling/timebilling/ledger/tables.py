"""The ledger: postings and their entries, append-only."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from timebilling.db import Base


class LedgerPosting(FirmOwned, Base):
    """One money event. A correction names the posting it reverses."""

    __tablename__ = "ledger_postings"
    kind: Mapped[str]  # what happened: invoice_issued, payment_recorded, refund_made …
    posted_on: Mapped[date]
    currency: Mapped[str]
    client_id: Mapped[UUID]
    invoice_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    reverses_id: Mapped[UUID | None]
    at: Mapped[datetime]


class LedgerEntry(FirmOwned, Base):
    """A debit or a credit to an account; those of a posting balance, which the database demands at commit."""

    __tablename__ = "ledger_entries"
    posting_id: Mapped[UUID]
    account: Mapped[str]
    debit: Mapped[Decimal]
    credit: Mapped[Decimal]
