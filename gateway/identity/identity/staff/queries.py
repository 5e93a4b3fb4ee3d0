"""Reads about staff."""

from typing import Any

from sqlalchemy import text

from chassis import paging
from chassis.uow import Uow
from identity.staff.rules import OWNER
from identity.staff.tables import Staff
from identity.staff.views import staff_changed, staff_view


def list_staff(uow: Uow, limit: int, cursor: str | None, active: bool | None) -> dict[str, Any]:
    """A page of staff by name."""
    after, parameters = paging.keyset(["name", "id"], cursor)
    which = "" if active is None else "AND active = :active"
    rows = uow.session.execute(
        text(f"SELECT * FROM staff WHERE firm_id = :firm {which} {after} ORDER BY name, id LIMIT :n"),
        {"firm": uow.firm_id, "active": active, "n": limit + 1, **parameters},
    ).all()
    page = paging.page(rows, limit, key=lambda row: (row.name, row.id))
    return page | {"items": [staff_view(row) for row in page["items"]]}


def active_owners_besides(uow: Uow, staff: Staff) -> int:
    """How many others could still do what only owners do. Locks them: two owners can't unmake each other at once."""
    owners = uow.session.execute(
        text(
            "SELECT id FROM staff WHERE :owner = ANY (roles) AND active AND joined_at IS NOT NULL ORDER BY id FOR UPDATE"
        ),
        {"owner": OWNER},
    ).scalars()
    return sum(id != staff.id for id in owners)


def all_staff_states(uow: Uow) -> list[tuple[Any, int, Any]]:
    """Every staff member as an event, for republishing."""
    return [(s.id, s.version, staff_changed(s)) for s in uow.session.query(Staff).order_by(Staff.id)]
