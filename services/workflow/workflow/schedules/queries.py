"""Schedules as the API shows them. One of a private client is hidden with it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text

from chassis.errors import DomainError
from chassis.paging import keyset, page
from chassis.uow import Uow
from workflow.copies.queries import staff_named
from workflow.copies.tables import ClientCopy, EngagementCopy
from workflow.copies.usecases import calendar_of
from workflow.dates.rules import period_name
from workflow.schedules import rules
from workflow.schedules.rules import Ahead, Occurrence, Rule
from workflow.schedules.tables import Schedule, SchedulePeriod
from workflow.templates.usecases import Order, plan_each

_LIST = """
SELECT s.id, s.template_id, t.name AS template_name, s.template_version, s.client_id, c.name AS client_name, s.engagement_id,
    s.rule, s.starts_on, s.ends_on, s.ahead_days, s.ahead_before, s.owner_id, s.people, s.status, s.next_start, s.next_on, s.version,
    s.created_at
FROM schedules s
JOIN client_copy c ON c.firm_id = s.firm_id AND c.id = s.client_id
JOIN templates t ON t.firm_id = s.firm_id AND t.id = s.template_id
WHERE s.firm_id = :firm """


def list_schedules(
    uow: Uow, *, client: UUID | None, template_id: UUID | None, status: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """Latest first."""
    after, parameters = keyset(["s.created_at", "s.id"], cursor, descending=True, casts=["timestamptz", "uuid"])
    wanted = {"client_id": client, "template_id": template_id, "status": status}
    where = " ".join(f"AND s.{name} = :{name}" for name, value in wanted.items() if value)
    statement = f"{_LIST} {where} {after} ORDER BY s.created_at DESC, s.id DESC LIMIT :n"
    values = {"firm": uow.firm_id, "n": limit + 1, **wanted, **parameters}
    rows = uow.session.execute(text(statement), values).mappings().all()
    found = page(rows, limit, lambda row: (row["created_at"], row["id"]))
    return found | {"items": _shown(uow, found["items"])}


def schedules(uow: Uow, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """By id those of the ids that may be seen."""
    values = {"firm": uow.firm_id, "ids": list(ids)}
    rows = uow.session.execute(text(f"{_LIST} AND s.id = ANY(:ids)"), values).mappings().all()
    return {shown["id"]: shown for shown in _shown(uow, rows)}


def _shown(uow: Uow, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    people = {UUID(s) for row in rows for s in row["people"].values()} | {row["owner_id"] for row in rows}
    staff = staff_named(uow, {person for person in people if person})
    return [_one(row, staff) for row in rows]


def _one(row: RowMapping, staff: Mapping[UUID, dict[str, Any]]) -> dict[str, Any]:
    names = ("id", "template_version", "engagement_id", "rule", "starts_on", "ends_on", "status", "version")
    return {name: row[name] for name in names} | {
        "template": {"id": row["template_id"], "name": row["template_name"]},
        "client": {"id": row["client_id"], "name": row["client_name"]},
        "says": rules.in_words(Rule.parse(row["rule"]), row["starts_on"]),
        "create": {"days": row["ahead_days"], "before": row["ahead_before"]},
        "owner": staff.get(row["owner_id"]),
        "people": [{"role": role, "staff_id": staff_id} for role, staff_id in row["people"].items()],
        "next_period_start": row["next_start"],
        "next_creation_on": row["next_on"],
    }


_PERIODS = """
SELECT p.period_start, p.period_end, p.day, p.status, p.job_id, j.title AS job_title, p.code, p.message, p.by, p.at
FROM schedule_periods p LEFT JOIN jobs j ON j.firm_id = p.firm_id AND j.id = p.job_id
WHERE p.firm_id = :firm AND p.schedule_id = :schedule {after}
ORDER BY p.period_start DESC LIMIT :n
"""


def list_periods(uow: Uow, schedule_id: UUID, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """What became of each period, latest first."""
    after, parameters = keyset(["p.period_start"], cursor, descending=True, casts=["date"])
    values = {"firm": uow.firm_id, "schedule": schedule_id, "n": limit + 1, **parameters}
    rows = uow.session.execute(text(_PERIODS.format(after=after)), values).mappings().all()
    found = page(rows, limit, lambda row: (row["period_start"],))
    return found | {"items": [period_shown(row) for row in found["items"]]}


def period_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("period_start", "period_end", "day", "status", "code", "message", "by", "at")},
        "name": period_name(row["period_start"], row["period_end"]),
        "job": {"id": row["job_id"], "title": row.get("job_title") or ""} if row["job_id"] else None,
    }


def upcoming(uow: Uow, found: Schedule, order: Order, count: int) -> list[dict[str, Any]]:
    """The next periods of a schedule, with the dates its template gives each, and those that are skipped."""
    rule, ahead = Rule.parse(found.rule), Ahead(found.ahead_days, found.ahead_before)  # type: ignore[arg-type]
    periods = rules.first(rule, found.starts_on, calendar_of(uow), count, since=found.next_start, ends_on=found.ends_on)
    if found.next_start is None and found.next_on is None:
        periods = []
    wanted = [p.period_start for p in periods]
    known = select(SchedulePeriod.period_start, SchedulePeriod.status).where(
        SchedulePeriod.firm_id == uow.firm_id,
        SchedulePeriod.schedule_id == found.id,
        SchedulePeriod.period_start.in_(wanted),
    )
    states: dict[date, str] = dict(uow.session.execute(known).tuples().all())
    client = uow.session.get(ClientCopy, (uow.firm_id, found.client_id))
    engagement = uow.session.get(EngagementCopy, (uow.firm_id, found.engagement_id)) if found.engagement_id else None
    return foreseen(uow, order, client, engagement, periods, ahead, states)


def foreseen(
    uow: Uow,
    order: Order,
    client: ClientCopy | None,
    engagement: EngagementCopy | None,
    periods: Sequence[Occurrence],
    ahead: Ahead,
    states: Mapping[date, str],
) -> list[dict[str, Any]]:
    """Each period with the day its job is made, its title and its due dates; without a client the title has no name in it."""
    someone = client or ClientCopy(
        id=uow.firm_id, name="", status="active", year_end="", partner_id=None, manager_id=None
    )
    made_on = [period.made_on(ahead) for period in periods]
    orders = [
        (
            replace(order, period_start=p.period_start, period_end=p.period_end, starts_on=p.day or day),
            someone,
            engagement,
        )
        for p, day in zip(periods, made_on, strict=True)
    ]
    plans = [a if isinstance(a, DomainError) else a.plan for a in plan_each(uow, orders)]
    return [
        {
            "period_start": period.period_start,
            "period_end": period.period_end,
            "day": period.day,
            "name": period_name(period.period_start, period.period_end),
            "created_on": day,
            "skipped": states.get(period.period_start) == "skipped",
            "title": None if isinstance(plan, DomainError) else plan.title,
            "statutory_due_on": None if isinstance(plan, DomainError) else plan.statutory_due,
            "internal_due_on": None if isinstance(plan, DomainError) else plan.internal_due,
        }
        for period, day, plan in zip(periods, made_on, plans, strict=True)
    ]
