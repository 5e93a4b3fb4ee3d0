"""Groups of clients and who is in them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.db import FirmOwned, Versioned
from clients.db import Base


class ClientGroup(FirmOwned, Versioned, Base):
    """Clients seen together: a family, a group of companies."""

    __tablename__ = "client_groups"
    __singular__ = "group"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "parent_id"], ["client_groups.firm_id", "client_groups.id"]),
        # Who is billed is one of the group. Checked at the end, since group and members are written in turn.
        ForeignKeyConstraint(
            ["firm_id", "id", "bill_to_id"],
            ["client_group_members.firm_id", "client_group_members.group_id", "client_group_members.client_id"],
            name="fk_client_groups_bill_to",
            use_alter=True,
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    name: Mapped[str]
    kind: Mapped[str]
    note: Mapped[str | None]
    parent_id: Mapped[UUID | None]
    bill_to_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sort_name: Mapped[str] = mapped_column(Text(collation="C"), Computed("fold(name)", persisted=True))

    members: Mapped[list["GroupMember"]] = relationship(
        cascade="all, delete-orphan",
        order_by="GroupMember.client_id",
        primaryjoin="and_(ClientGroup.firm_id == GroupMember.firm_id, ClientGroup.id == GroupMember.group_id)",
        foreign_keys="[GroupMember.firm_id, GroupMember.group_id]",
    )


class GroupMember(FirmOwned, Base):
    """A client in a group; a client is in one group at most."""

    __tablename__ = "client_group_members"
    __table_args__ = (
        ForeignKeyConstraint(["firm_id", "group_id"], ["client_groups.firm_id", "client_groups.id"]),
        ForeignKeyConstraint(["firm_id", "client_id"], ["clients.firm_id", "clients.id"]),
        UniqueConstraint("firm_id", "client_id"),
        UniqueConstraint("firm_id", "group_id", "client_id"),
    )
    group_id: Mapped[UUID]
    client_id: Mapped[UUID]
