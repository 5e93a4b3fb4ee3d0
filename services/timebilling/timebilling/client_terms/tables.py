"""How a client is billed."""

from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned, Versioned
from timebilling.db import Base


class ClientTerms(FirmOwned, Versioned, Base):
    """What of a client's billing differs from the firm's, and what its invoices must name; `id` is the client's."""

    __tablename__ = "client_terms"
    __singular__ = "client"
    payment_terms_days: Mapped[int | None]
    tax_code_id: Mapped[UUID | None]
    tax_inclusive: Mapped[bool] = mapped_column(default=False)
    legal_name: Mapped[str] = mapped_column(default="")
    vat_id: Mapped[str] = mapped_column(default="")
    buyer_reference: Mapped[str] = mapped_column(default="")  # EN 16931 BT-10
    electronic_address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # {scheme, id}: BT-49
