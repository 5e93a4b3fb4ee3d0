"""Who may see which client, as clients tell it."""

from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from identity.db import Base


class ClientAudience(FirmOwned, Base):
    """The staff named on a client; NULL: everybody of the firm."""

    __tablename__ = "client_audiences"
    visible_to: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    version: Mapped[int] = mapped_column(BigInteger)
