"""Statements for many clients at once, in the worker."""

from datetime import date, datetime

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned
from timebilling.db import Base


class StatementRun(FirmOwned, Base):
    """What is to be made for each client; its files (made_files.run_id) tell what became of each. Over when none of them waits."""

    __tablename__ = "statement_runs"
    first: Mapped[date]
    last: Mapped[date]
    send: Mapped[bool]
    message: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
