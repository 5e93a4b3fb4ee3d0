"""How documents are numbered, and how far each series has counted."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base


class NumberPattern(FirmOwned, Versioned, Base):
    """A firm's own pattern for a type of document; without one the default counts."""

    __tablename__ = "number_patterns"
    document_type: Mapped[str]  # invoice, credit_note
    pattern: Mapped[str]


class NumberSeries(FirmOwned, Base):
    """The next number of a series; its row is locked from the taking of a number to the commit, so numbers have no gaps."""

    __tablename__ = "number_series"
    series: Mapped[str]
    first_number: Mapped[int] = mapped_column(BigInteger, default=1)
    next_number: Mapped[int] = mapped_column(BigInteger)
