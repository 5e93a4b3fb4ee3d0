"""Files on their way to an item."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from portal.db import Base


class Sending(FirmOwned, Base):
    """An upload a contact has started for an item."""

    __tablename__ = "sendings"

    contact_id: Mapped[UUID] = mapped_column(Uuid)
    upload_id: Mapped[UUID] = mapped_column(Uuid)
    document_id: Mapped[UUID] = mapped_column(Uuid)
    request_id: Mapped[UUID] = mapped_column(Uuid)
    item_id: Mapped[UUID] = mapped_column(Uuid)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
