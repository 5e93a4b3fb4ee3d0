"""What this service remembers of other services' things, from their events."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from timebilling.db import Base


class ClientCopy(FirmOwned, Base):
    """A client: what an invoice shows of it, and who may see it."""

    __tablename__ = "client_copy"
    __singular__ = "client"
    number: Mapped[str]
    name: Mapped[str]
    status: Mapped[str]
    currency: Mapped[str]
    language: Mapped[str]
    country: Mapped[str]
    address: Mapped[dict[str, Any]] = mapped_column(JSONB)
    tax_label: Mapped[str]
    partner_id: Mapped[UUID | None]
    manager_id: Mapped[UUID | None]
    visible_to: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))  # NULL: everyone
    version: Mapped[int] = mapped_column(BigInteger)


class GroupCopy(FirmOwned, Base):
    """Clients that belong together, and who of them is billed for all; without members it is no more."""

    __tablename__ = "group_copy"
    name: Mapped[str]
    bill_to_id: Mapped[UUID | None]
    client_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    version: Mapped[int] = mapped_column(BigInteger)


class EngagementCopy(FirmOwned, Base):
    """An engagement and its fee terms."""

    __tablename__ = "engagement_copy"
    client_id: Mapped[UUID]
    title: Mapped[str]
    service: Mapped[str]
    status: Mapped[str]
    fee: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(BigInteger)


class JobCopy(FirmOwned, Base):
    """A job: whose it is and what it is called."""

    __tablename__ = "job_copy"
    __singular__ = "job"
    client_id: Mapped[UUID]
    engagement_id: Mapped[UUID | None]
    title: Mapped[str]
    service: Mapped[str]
    owner_id: Mapped[UUID | None]
    closed: Mapped[bool]
    version: Mapped[int] = mapped_column(BigInteger)


class TaskCopy(FirmOwned, Base):
    """A task of a job."""

    __tablename__ = "task_copy"
    __singular__ = "task"
    job_id: Mapped[UUID]
    title: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)


class StaffCopy(FirmOwned, Base):
    """A staff member with the grade that rates go by."""

    __tablename__ = "staff_copy"
    __singular__ = "staff_member"
    name: Mapped[str]
    grade: Mapped[str]
    active: Mapped[bool]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")  # what they may write off goes by them
    version: Mapped[int] = mapped_column(BigInteger)


class FirmCopy(FirmOwned, Base):
    """The firm's own settings; `id` is the firm's."""

    __tablename__ = "firm_copy"
    name: Mapped[str]
    time_zone: Mapped[str]
    currency: Mapped[str]
    country: Mapped[str]
    language: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)


class BrandingCopy(FirmOwned, Base):
    """How the firm presents itself; `id` is the firm's. Version 0: asked for, and there was none."""

    __tablename__ = "branding_copy"
    display_name: Mapped[str]
    accent: Mapped[str]
    address: Mapped[str]
    footer: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    logo_id: Mapped[UUID | None]  # a picture that documents keep
