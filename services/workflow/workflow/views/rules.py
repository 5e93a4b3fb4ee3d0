"""Saved views: which filters, orders and groups go with which list. A test compares them with the specification."""

from collections.abc import Mapping
from typing import Any

_JOBS = frozenset(
    {
        "owner",
        "client_id",
        "client_group_id",
        "status",
        "due_from",
        "due_to",
        "service",
        "priority",
        "watcher",
        "tag",
    }
)

FILTERS: Mapping[str, frozenset[str]] = {
    "board": _JOBS,
    "jobs": _JOBS | {"stage_id", "template_id", "engagement_id", "closed"},
    "tasks": _JOBS | {"job_id", "stage_id", "template_id", "role", "open", "blocked", "overdue"},
    "requests": frozenset(
        {
            "client_id",
            "client_group_id",
            "owner",
            "job_id",
            "due_from",
            "due_to",
            "tag",
            "overdue",
            "escalated",
            "status",
        }
        | {"service", "stage_id", "template_id"}
    ),
}
SORTS: Mapping[str, frozenset[str]] = {
    "board": frozenset(),
    "jobs": frozenset({"due_on", "-due_on", "priority", "-created_at"}),
    "tasks": frozenset({"due_on", "-due_on", "priority"}),
    "requests": frozenset({"due_on", "-due_on", "waiting_since"}),
}
GROUPS: Mapping[str, frozenset[str]] = {
    "board": frozenset(),
    "jobs": frozenset({"owner", "client", "stage", "status", "priority", "service", "template", "due_month"}),
    "tasks": frozenset({"owner", "client", "job", "status", "priority", "role", "due_week"}),
    "requests": frozenset(),
}


def misfit(list: str, filters: Mapping[str, Any], sort: str | None, group_by: str | None) -> tuple[str, str] | None:
    """What of a view doesn't go with its list: where it stands, and a sentence. None if all does."""
    for name in filters:
        if name not in FILTERS[list]:
            return f"/filters/{name}", f"There is no filter “{name}” on {list}."
    if sort is not None and sort not in SORTS[list]:
        return "/sort", f"{list.capitalize()} can't be sorted by “{sort}”."
    if group_by is not None and group_by not in GROUPS[list]:
        return "/group_by", f"{list.capitalize()} can't be grouped by “{group_by}”."
    return None
