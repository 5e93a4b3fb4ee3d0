"""What documents knows of clients and jobs."""

from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from documents.db import Base


class ClientCopy(FirmOwned, Base):
    __tablename__ = "client_copy"
    __singular__ = "client"

    name: Mapped[str] = mapped_column(Text)
    visible_to: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    version: Mapped[int] = mapped_column(BigInteger)


class JobCopy(FirmOwned, Base):
    __tablename__ = "job_copy"
    __singular__ = "job"

    client_id: Mapped[UUID] = mapped_column(Uuid)
    title: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(BigInteger)
