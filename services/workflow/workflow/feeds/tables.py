"""Feeds: who may read which due dates by a secret address."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class Feed(FirmOwned, Versioned, Base):
    """A calendar of the due dates of a person, a client or a group of clients, read with the eyes of who set it up."""

    __tablename__ = "feeds"
    staff_id: Mapped[UUID]  # who set it up
    kind: Mapped[str]  # person, client, group
    client_id: Mapped[UUID | None]
    group_id: Mapped[UUID | None]
    secret_hash: Mapped[bytes]  # SHA-256; the secret itself is in the address only
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
