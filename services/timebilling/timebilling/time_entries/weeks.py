"""A person's week as a grid: a row per job, task, activity and billability, a cell per day.

A cell shows what all its entries come to; putting another figure into it makes, changes or deletes entries so that it comes to that.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from chassis.errors import Conflict, DomainError, Invalid
from chassis.uow import Uow, lost_update
from timebilling.copies.usecases import today
from timebilling.firm_settings.usecases import load as firm_settings
from timebilling.time_entries import queries, rules, usecases
from timebilling.work import hold_clock, worker

DAYS = 7
MOST = 1000  # entries of a week that a grid can show
KEY = ("job_id", "task_id", "activity_id", "billable")


def week(uow: Uow, first_day: date, staff_id: UUID) -> dict[str, Any]:
    """The seven days from a day on. Errors: `day_out_of_range` (422), `week_too_full` (409)."""
    entries = _entries(uow, first_day, staff_id)
    days = [first_day + timedelta(days=n) for n in range(DAYS)]
    rows: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for entry in entries:
        rows.setdefault(_key(entry), []).append(entry)
    locked = firm_settings(uow).locked_until
    return {
        "first_day": first_day,
        "staff_id": staff_id,
        "locked_until": locked,
        "rows": [_row(own, days) for own in sorted(rows.values(), key=_order)],
        "day_seconds": [sum(e["seconds"] for e in entries if e["day"] == d) for d in days],
        "seconds": sum(e["seconds"] for e in entries),
        "version": _version(entries),
    }


def put(uow: Uow, first_day: date, body: dict[str, Any], if_match: int | None) -> dict[str, Any]:
    """Sets cells to what they are to come to (0 empties one); cells not named stay. All or nothing.

    Errors: `week_refused` (422) with each cell's refusal in `errors`: those of logging and changing time, `day_not_in_week`,
    `cell_twice`, `cell_of_many` (its entries must be changed one by one); `version_conflict` (412).
    """
    staff_id = worker(uow, body.get("staff_id"))
    hold_clock(uow, staff_id)
    entries = _entries(uow, first_day, staff_id)
    if if_match is not None and _version(entries) != if_match:
        raise lost_update(_version(entries))
    seen: set[tuple[Any, ...]] = set()
    errors = []
    for place, cell in enumerate(body["cells"]):
        try:
            _put(uow, first_day, staff_id, cell, entries, seen, body.get("lock_override_reason"))
        except DomainError as refused:
            errors.append({"pointer": f"/cells/{place}", "code": refused.code, "message": refused.message})
    if errors:
        raise Invalid(
            "week_refused", f"Nothing was changed: {errors[0]['message']}", pointer=errors[0]["pointer"], errors=errors
        )
    uow.flush()
    return week(uow, first_day, staff_id)


def copy(uow: Uow, first_day: date, body: dict[str, Any]) -> dict[str, Any]:
    """Logs a former week's entries again as drafts, day by day; what stands there already (same row and narrative) is not doubled.

    Answers how many were copied, and of each that was not, why: `already_there`, or what logging it refused.
    """
    staff_id = worker(uow, body.get("staff_id"))
    hold_clock(uow, staff_id)
    there = {(_key(e), e["narrative"], e["day"]) for e in _entries(uow, first_day, staff_id)}
    source = date.fromisoformat(body["from"]) if body.get("from") else first_day - timedelta(days=DAYS)
    copied, skipped = 0, []
    for entry in reversed(_entries(uow, source, staff_id)):
        day = first_day + (entry["day"] - source)
        try:
            if (_key(entry), entry["narrative"], day) in there:
                raise Conflict("already_there", "This stands in that week already.")
            new = {n: str(entry[n]) for n in ("job_id", "task_id", "activity_id") if entry[n]}
            new |= {n: entry[n] for n in ("seconds", "billable", "narrative")}
            usecases.log_time(uow, new | {"day": str(day), "staff_id": str(staff_id)} | _override(body))
            copied += 1
        except DomainError as refused:
            skipped.append({"id": entry["id"], "code": refused.code, "message": refused.message})
    uow.flush()
    return {"copied": copied, "skipped": skipped, "week": week(uow, first_day, staff_id)}


# --- cells (pure) -----------------------------------------------------------------------------------------------------


def plan(entries: Sequence[dict[str, Any]], wanted: int) -> list[tuple[str, dict[str, Any] | None, int]]:
    """What makes a cell's entries come to `wanted` seconds: (make | change | delete, entry, its new seconds), nothing if they do.

    One entry takes the whole difference: the newest that can. Errors: `entry_approved`, `cell_of_many` (409).
    """
    difference = wanted - sum(e["seconds"] for e in entries)
    if difference == 0:
        return []
    if not entries:
        return [("make", None, wanted)]
    free = [e for e in entries if e["status"] in rules.EDITABLE]
    if not free:
        raise Conflict("entry_approved", "This is approved and does not change any more.")
    if wanted == 0 and len(free) == len(entries):
        return [("delete", e, 0) for e in entries]
    for entry in sorted(free, key=lambda e: str(e["id"]), reverse=True):
        if entry["seconds"] + difference >= 1:
            return [("change", entry, entry["seconds"] + difference)]
        if entry["seconds"] + difference == 0:
            return [("delete", entry, 0)]
    raise Conflict("cell_of_many", "Several entries make up this cell. Change them one by one.")


def _put(
    uow: Uow,
    first_day: date,
    staff_id: UUID,
    cell: dict[str, Any],
    entries: Sequence[dict[str, Any]],
    seen: set[tuple[Any, ...]],
    reason: str | None,
) -> None:
    day = date.fromisoformat(cell["day"])
    if not 0 <= (day - first_day).days < DAYS:
        raise Invalid("day_not_in_week", f"This week ends on {first_day + timedelta(days=DAYS - 1)}.")
    wanted = {n: cell.get(n) for n in KEY}
    key = (*(UUID(wanted[n]) if wanted[n] else None for n in KEY[:-1]), wanted["billable"])
    if (key, day) in seen:
        raise Invalid("cell_twice", "This cell is named twice.")
    seen.add((key, day))
    own = [e for e in entries if _key(e) == key and e["day"] == day]
    override = {"lock_override_reason": reason} if reason else {}
    narrative = {"narrative": cell["narrative"]} if "narrative" in cell else {}
    for act, entry, seconds in plan(own, cell["seconds"]):
        if entry is None:
            new = {n: v for n, v in wanted.items() if v is not None} | {"day": str(day), "seconds": seconds}
            usecases.log_time(uow, new | {"staff_id": str(staff_id)} | narrative | override)
        elif act == "delete":
            usecases.delete(uow, entry["id"], None, reason)
        else:
            usecases.change(uow, entry["id"], {"seconds": seconds} | narrative | override, None)


def _row(entries: Sequence[dict[str, Any]], days: Sequence[date]) -> dict[str, Any]:
    names = (*KEY, "client_id", "client_name", "job_title", "task_title", "activity_name")
    cells = []
    for day in days:
        own = [e for e in entries if e["day"] == day]
        cells.append(
            {
                "day": day,
                "seconds": sum(e["seconds"] for e in own),
                "entry_ids": [e["id"] for e in own],
                "editable": all(e["status"] in rules.EDITABLE for e in own),
            }
        )
    return {n: entries[0][n] for n in names} | {"cells": cells, "seconds": sum(c["seconds"] for c in cells)}


def _order(entries: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    first = entries[0]
    return (
        first["client_name"],
        first["job_title"],
        first["task_title"] or "",
        first["activity_name"] or "",
        str(first["job_id"]),
    )


def _key(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[n] for n in KEY)


def _version(entries: Sequence[dict[str, Any]]) -> int:
    """A number that is another one as soon as an entry of the week is."""
    seen = repr(sorted((str(e["id"]), e["version"]) for e in entries)).encode()
    return int.from_bytes(hashlib.sha256(seen).digest()[:7], "big")


def _override(body: dict[str, Any]) -> dict[str, Any]:
    return {"lock_override_reason": body["lock_override_reason"]} if body.get("lock_override_reason") else {}


def _entries(uow: Uow, first_day: date, staff_id: UUID) -> list[dict[str, Any]]:
    rules.check_day(first_day, today(uow))
    last = first_day + timedelta(days=DAYS - 1)
    page = queries.list_entries(uow, limit=MOST, cursor=None, staff_id=staff_id, day_from=first_day, day_to=last)
    if page["next_cursor"]:
        raise Conflict("week_too_full", f"There are more than {MOST} entries in this week. Use the list.")
    items: list[dict[str, Any]] = page["items"]
    return items
