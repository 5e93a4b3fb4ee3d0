from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from identity.db import Base


class ApiClient(FirmOwned, Versioned, Base):
    """A partner system with access to one firm, within its scopes."""

    __tablename__ = "api_clients"
    name: Mapped[str]
    digest: Mapped[bytes]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
