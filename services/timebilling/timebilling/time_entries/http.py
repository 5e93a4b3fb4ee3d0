"""Operations on time entries."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from timebilling.copies.usecases import today
from timebilling.firm_settings.usecases import load
from timebilling.time_entries import queries, quick, rerating, rules, usecases, weeks
from timebilling.work import worker


def list_time_entries(
    uow: Uow,
    limit: int = 50,
    cursor: str | None = None,
    staff_id: str | None = None,
    client_id: str | None = None,
    job_id: str | None = None,
    status: str | None = None,
    day_from: str | None = None,
    day_to: str | None = None,
) -> dict[str, Any]:
    return queries.list_entries(
        uow,
        limit=limit,
        cursor=cursor,
        staff_id=UUID(staff_id) if staff_id else None,
        client_id=UUID(client_id) if client_id else None,
        job_id=UUID(job_id) if job_id else None,
        status=status,
        day_from=date.fromisoformat(day_from) if day_from else None,
        day_to=date.fromisoformat(day_to) if day_to else None,
    )


def log_time(uow: Uow, body: dict[str, Any]) -> Reply:
    entry = usecases.log_time(uow, body)
    return created(entry, f"/time-entries/{entry['id']}", etag=entry["version"])


def get_time_entry(uow: Uow, time_entry_id: str) -> Reply:
    return _reply(queries.get_entry(uow, UUID(time_entry_id)))


def change_time_entry(uow: Uow, time_entry_id: str, body: dict[str, Any]) -> Reply:
    return _reply(usecases.change(uow, UUID(time_entry_id), body, uow.if_match))


def delete_time_entry(uow: Uow, time_entry_id: str, lock_override_reason: str | None = None) -> Reply:
    usecases.delete(uow, UUID(time_entry_id), uow.if_match, lock_override_reason)
    return NO_CONTENT


def submit_time(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.submit(uow, _ids(body), body.get("lock_override_reason"))


def approve_time(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.approve(uow, _ids(body), body.get("lock_override_reason"))


def return_time(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.send_back(uow, _ids(body), body["reason"], body.get("lock_override_reason"))


def take_back_time(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return usecases.take_back(uow, _ids(body), body["reason"], body.get("lock_override_reason"))


def re_rate_time(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    return rerating.re_rate(uow, body)


def why_time_entry(uow: Uow, time_entry_id: str) -> dict[str, Any]:
    return usecases.why(uow, UUID(time_entry_id))


def quick_entry(uow: Uow, text: str) -> dict[str, Any]:
    return quick.quick_entry(uow, text)


def get_week(uow: Uow, first_day: str, staff_id: str | None = None) -> Reply:
    return _reply(weeks.week(uow, date.fromisoformat(first_day), worker(uow, staff_id)))


def put_week(uow: Uow, first_day: str, body: dict[str, Any]) -> Reply:
    return _reply(weeks.put(uow, date.fromisoformat(first_day), body, uow.if_match))


def copy_week(uow: Uow, first_day: str, body: dict[str, Any]) -> dict[str, Any]:
    return weeks.copy(uow, date.fromisoformat(first_day), body)


def my_day(uow: Uow, day: str | None = None) -> dict[str, Any]:
    chosen = date.fromisoformat(day) if day else today(uow)
    page = queries.list_entries(
        uow, limit=1000, cursor=None, staff_id=uow.principal.uuid, day_from=chosen, day_to=chosen
    )
    entries = page["items"]
    return {
        "day": chosen,
        "locked": rules.is_locked(chosen, load(uow).locked_until),
        "seconds": sum(e["seconds"] for e in entries),
        "billable_seconds": sum(e["billable_seconds"] for e in entries),
        "entries": entries,
    }


def _ids(body: dict[str, Any]) -> list[UUID]:
    return [UUID(i) for i in body["ids"]]


def _reply(entry: dict[str, Any]) -> Reply:
    return Reply(entry, etag=entry["version"])
