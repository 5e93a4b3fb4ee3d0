"""A staff member as the API shows them, and as others keep them."""

from typing import Any

from identity.staff.rules import status
from identity.staff.tables import Staff
from praxis.identity.v1.events_pb2 import StaffChanged


def staff_view(staff: Staff) -> dict[str, Any]:
    return {
        "id": str(staff.id),
        **staff_facts(staff),
        "status": status(active=staff.active, joined_at=staff.joined_at),
        "last_sign_in_at": staff.last_sign_in_at.isoformat() if staff.last_sign_in_at else None,
        "version": staff.version,
    }


def staff_facts(staff: Staff) -> dict[str, Any]:
    """What can change about them, as the audit keeps it."""
    return {
        "name": staff.name,
        "email": staff.email,
        "roles": list(staff.roles),
        "grade": staff.grade,
        "weekly_capacity_minutes": staff.weekly_capacity_minutes,
        "skills": list(staff.skills),
        "active": staff.active,
    }


def staff_changed(staff: Staff) -> StaffChanged:
    return StaffChanged(staff_id=str(staff.id), version=staff.version, **staff_facts(staff))
