"""Saved views."""

from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class View(FirmOwned, Versioned, Base):
    """A list with its filters, order and grouping. It holds no rows: whoever opens it sees what they may see."""

    __tablename__ = "views"
    __table_args__ = (UniqueConstraint("firm_id", "owner_id", "list", "name"),)
    owner_id: Mapped[UUID]  # staff
    name: Mapped[str]
    list: Mapped[str]  # jobs, tasks, requests, board
    filters: Mapped[dict[str, Any]]
    sort: Mapped[str | None]
    group_by: Mapped[str | None]
    shared: Mapped[bool]
