"""Whose work, on what, on which day: what time entries, timers and disbursements ask before they are written."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text

from chassis.errors import Conflict, Forbidden, NotFound
from chassis.uow import Uow
from timebilling.copies.usecases import fetch_client, fetch_job, fetch_task
from timebilling.firm_settings.tables import FirmSettings
from timebilling.firm_settings.usecases import override_lock
from timebilling.time_entries import rules

ACT = "timebilling:time:act"

# Everything that logging needs to know, in one question; what is missing is NULL.
_CONTEXT = """
SELECT j.id AS job, j.title AS job_title, j.client_id, c.id AS client, c.name AS client_name, c.currency AS client_currency,
       t.id AS task, t.title AS task_title, a.id AS activity, a.name AS activity_name, a.billable AS activity_billable, a.active AS activity_active,
       s.id AS staff, s.name AS staff_name, f.locked_until, z.time_zone, coalesce(pj.increment, pc.increment, f.rounding_increment) AS rounding_increment,
       coalesce(pj.direction, pc.direction, f.rounding_direction) AS rounding_direction,
       coalesce(pj.minimum, pc.minimum, f.rounding_minimum) AS rounding_minimum, coalesce(pj.per, pc.per, f.rounding_per) AS rounding_per
FROM (VALUES (CAST(:firm AS uuid))) AS one (firm_id)
LEFT JOIN job_copy j ON j.firm_id = one.firm_id AND j.id = :job
LEFT JOIN client_copy c ON c.firm_id = one.firm_id AND c.id = j.client_id
LEFT JOIN task_copy t ON t.firm_id = one.firm_id AND t.id = :task AND t.job_id = j.id
LEFT JOIN activities a ON a.firm_id = one.firm_id AND a.id = :activity
LEFT JOIN staff_copy s ON s.firm_id = one.firm_id AND s.id = :staff
LEFT JOIN firm_settings f ON f.firm_id = one.firm_id
LEFT JOIN rounding_policies pj ON pj.firm_id = one.firm_id AND pj.id = j.id
LEFT JOIN rounding_policies pc ON pc.firm_id = one.firm_id AND pc.id = c.id
LEFT JOIN firm_copy z ON z.firm_id = one.firm_id"""


def worker(uow: Uow, named: str | None) -> UUID:
    """Who worked: the caller, or whom a caller who may act for others names."""
    if named is None and uow.principal.kind == "staff":
        return uow.principal.uuid
    if named is None:
        raise Forbidden("not_your_time", "Say whose time this is (staff_id).")
    staff_id = UUID(named)
    check_owner(uow, staff_id)
    return staff_id


def check_owner(uow: Uow, staff_id: UUID) -> None:
    own = uow.principal.kind == "staff" and uow.principal.id == str(staff_id)
    if not own and ACT not in uow.principal.permissions:
        raise Forbidden("not_your_time", "This is somebody else's time. Approvers may change it.")


def context_of(
    uow: Uow, job_id: UUID, task_id: UUID | None, activity_id: UUID | None, staff_id: UUID, keeps: UUID | None = None
) -> Any:
    """What an entry refers to, all of it there and to be seen. What the copy lacks is asked of its owner once."""
    values = {"firm": uow.firm_id, "job": job_id, "task": task_id, "activity": activity_id, "staff": staff_id}
    row = uow.row(_CONTEXT, values)
    if row.job is None and fetch_job(uow, job_id):
        row = uow.row(_CONTEXT, values)
    if row.job is not None and row.client is None and fetch_client(uow, row.client_id):
        row = uow.row(_CONTEXT, values)
    if row.job is None or row.client is None:
        raise NotFound("job_not_found", "There is no such job.", pointer="/job_id")
    if task_id is not None and row.task is None and fetch_task(uow, task_id):
        row = uow.row(_CONTEXT, values)
    if task_id is not None and row.task is None:
        raise NotFound("task_not_found", "The job has no such task.", pointer="/task_id")
    if activity_id is not None and row.activity is None:
        raise NotFound("activity_not_found", "There is no such activity.", pointer="/activity_id")
    if activity_id is not None and not row.activity_active and activity_id != keeps:
        raise Conflict(
            "activity_retired", "This activity is not used any more. Choose another.", pointer="/activity_id"
        )
    if row.staff is None and uow.principal.id != str(staff_id):
        raise NotFound("staff_member_not_found", "There is no such staff member.", pointer="/staff_id")
    return row


def check_day(uow: Uow, context: Row[Any], days: Sequence[date], override_reason: str | None) -> None:
    today = uow.now.astimezone(ZoneInfo(context.time_zone or "UTC")).date()
    rules.check_day(days[-1], today)
    check_lock(uow, context, days, override_reason)


def check_lock(uow: Uow, settings: Any, days: Sequence[date], override_reason: str | None) -> None:
    if any(rules.is_locked(d, settings.locked_until) for d in days) and not override_lock(uow, override_reason):
        raise rules.period_locked(settings.locked_until)


def check_period(day: date, settings: FirmSettings, overridden: bool) -> None:
    if settings.locked_until is not None and rules.is_locked(day, settings.locked_until) and not overridden:
        raise rules.period_locked(settings.locked_until)


def hold_clock(uow: Uow, staff_id: UUID) -> None:
    """Whoever starts or stops a person's timer, or logs their work by the clock, does so one at a time."""
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:who AS text), 7237005))"),
        {"who": f"{uow.firm_id}{staff_id}"},
    )
