"""How a client's or a job's time is rounded where the firm's own policy does not hold."""

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base
from timebilling.time_entries.rules import Rounding


class RoundingPolicy(FirmOwned, Versioned, Base):
    """`id` is the client's or the job's. A job's policy goes before its client's, a client's before the firm's."""

    __tablename__ = "rounding_policies"
    __singular__ = "rounding_policy"
    scope: Mapped[str]  # client, job
    increment: Mapped[int]  # seconds
    direction: Mapped[str]
    minimum: Mapped[int]  # seconds
    per: Mapped[str]  # entry, task

    @property
    def rounding(self) -> Rounding:
        return Rounding(self.increment, self.direction, self.minimum, self.per)
