"""Templates and their published versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from chassis.db import FirmOwned, Versioned
from workflow.db import Base


class Template(FirmOwned, Versioned, Base):
    """A recurring service. Contents are documents (see `templates.rules.normal`): a version is read and kept whole, and
    its steps have keys by which jobs and other versions refer to them."""

    __tablename__ = "templates"
    name: Mapped[str]
    service: Mapped[str]
    description: Mapped[str]
    draft: Mapped[dict[str, Any]]
    current_version: Mapped[int | None]  # the latest published
    draft_differs: Mapped[bool]
    archived: Mapped[bool]


class TemplateVersion(FirmOwned, Base):
    """A published version; the database refuses to change it."""

    __tablename__ = "template_versions"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "template_id"], ["templates.firm_id", "templates.id"]),
        UniqueConstraint("firm_id", "template_id", "number"),
    )
    template_id: Mapped[UUID]
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID]
