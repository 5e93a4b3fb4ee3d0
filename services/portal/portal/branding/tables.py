"""How the firm presents itself."""

from uuid import UUID

from sqlalchemy import Boolean, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from portal.db import Base


class Branding(FirmOwned, Versioned, Base):
    """One row a firm; its id is the firm's. Until somebody sets the name, it follows the firm's."""

    __tablename__ = "branding"

    display_name: Mapped[str] = mapped_column(Text)
    own_name: Mapped[bool] = mapped_column(Boolean)
    accent: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    footer: Mapped[str] = mapped_column(Text)
    logo_id: Mapped[UUID | None] = mapped_column(Uuid)  # a picture that documents keep
