"""Copies of what other services own, kept from their events."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import FirmOwned
from workflow.db import Base


class FirmCopy(FirmOwned, Base):
    """The firm's zone, holidays and week; `id` is the firm's."""

    __tablename__ = "firm_copy"
    time_zone: Mapped[str]
    country: Mapped[str]
    holidays_region: Mapped[str]
    week_start: Mapped[int]  # 1 Monday … 7 Sunday
    version: Mapped[int]


class StaffCopy(FirmOwned, Base):
    __tablename__ = "staff_copy"
    name: Mapped[str]
    grade: Mapped[str]
    weekly_capacity_minutes: Mapped[int]
    skills: Mapped[list[str]]
    active: Mapped[bool]
    version: Mapped[int]


class ClientCopy(FirmOwned, Base):
    """A client. Its row is hidden from staff not named on a private one, and everything joined to it with it."""

    __tablename__ = "client_copy"
    name: Mapped[str]
    status: Mapped[str]  # prospect, active, former
    year_end: Mapped[str]  # "MM-DD", empty when unknown
    partner_id: Mapped[UUID | None]
    manager_id: Mapped[UUID | None]
    tags: Mapped[list[str]]
    visible_to: Mapped[list[UUID] | None]  # NULL: everyone
    version: Mapped[int]


class GroupCopy(FirmOwned, Base):
    """Clients seen together; who may not see a private one does not see it here either, by the join to its row."""

    __tablename__ = "group_copy"
    name: Mapped[str]
    client_ids: Mapped[list[UUID]]
    dissolved: Mapped[bool]
    version: Mapped[int]


class ContactCopy(FirmOwned, Base):
    """A contact, as far as requests are concerned: whether they can answer in the portal."""

    __tablename__ = "contact_copy"
    portal_access: Mapped[bool]  # and still active
    version: Mapped[int]


class ContactClient(Base):
    """A client that a contact acts for. A row each: an array's index would not be used behind row-level security."""

    __tablename__ = "contact_clients"
    firm_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(primary_key=True)


class EngagementCopy(FirmOwned, Base):
    __tablename__ = "engagement_copy"
    client_id: Mapped[UUID]
    title: Mapped[str]
    service: Mapped[str]
    status: Mapped[str]  # open, closed
    people: Mapped[dict[str, Any]]  # job role -> staff id
    version: Mapped[int]


class TimeCopy(FirmOwned, Base):
    """A time entry at a job: what the job's time is summed from."""

    __tablename__ = "time_copy"
    job_id: Mapped[UUID]
    task_id: Mapped[UUID | None]
    staff_id: Mapped[UUID]
    day: Mapped[date]
    seconds: Mapped[int]  # raw; 0 once deleted
    version: Mapped[int]


class DocumentCopy(FirmOwned, Base):
    """A document of a client, and the job or request it stands at."""

    __tablename__ = "document_copy"
    client_id: Mapped[UUID]
    job_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None]
    status: Mapped[str]  # pending, stored, refused, deleted
    version: Mapped[int]
