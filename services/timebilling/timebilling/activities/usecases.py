"""Adding and changing activities."""

from typing import Any

from chassis.uow import Uow
from timebilling.activities.tables import Activity


def create(uow: Uow, body: dict[str, Any]) -> Activity:
    """Errors: `activity_name_taken` (409)."""
    activity = uow.add(Activity(name=body["name"].strip(), billable=body.get("billable", True), active=True))
    uow.audit("activity.created", "activity", activity.id, after=view(activity))
    return activity


def change(uow: Uow, activity_id: str, body: dict[str, Any], if_match: int | None) -> Activity:
    """Errors: `activity_not_found` (404), `version_conflict` (412), `activity_name_taken` (409)."""
    activity = uow.get(Activity, activity_id, lock=True, version=if_match)
    before = view(activity)
    for name, value in body.items():
        setattr(activity, name, value)
    uow.session.flush()
    uow.audit("activity.changed", "activity", activity.id, before=before, after=view(activity))
    return activity


def view(activity: Activity) -> dict[str, Any]:
    return {
        "id": activity.id,
        "name": activity.name,
        "billable": activity.billable,
        "active": activity.active,
        "version": activity.version,
    }
