"""The firm's stages."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class Stage(FirmOwned, Versioned, Base):
    """A column of the board. `kind`: planned, active, waiting, done; a stage of kind done holds finished jobs."""

    __tablename__ = "stages"
    __table_args__ = (UniqueConstraint("firm_id", "name"),)
    name: Mapped[str]
    kind: Mapped[str]
    position: Mapped[int]  # 1, 2, … without gaps
