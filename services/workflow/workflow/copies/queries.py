"""Names of people, as answers show them."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.uow import Uow
from workflow.copies.tables import StaffCopy


def staff_named(uow: Uow, staff_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Id and name of each, by id."""
    if not staff_ids:
        return {}
    rows = uow.session.execute(select(StaffCopy.id, StaffCopy.name).where(StaffCopy.id.in_(staff_ids)))
    return {row.id: {"id": row.id, "name": row.name} for row in rows}
