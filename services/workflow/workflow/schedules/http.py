"""HTTP operations on schedules."""

from typing import Any
from uuid import UUID

from chassis.errors import DomainError
from chassis.http import Reply
from chassis.uow import Uow
from workflow.copies.tables import ClientCopy
from workflow.copies.usecases import calendar_of, client_of
from workflow.dates.parsing import date_of, dates_checked, required_date
from workflow.schedules import queries, rules, usecases
from workflow.schedules.rules import Ahead, Rule
from workflow.schedules.tables import Schedule, SchedulePeriod
from workflow.templates.usecases import optional_uuid, order_of


def list_schedules(
    uow: Uow,
    client_id: str | None = None,
    template_id: str | None = None,
    status: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    return queries.list_schedules(
        uow,
        client=optional_uuid(client_id),
        template_id=optional_uuid(template_id),
        status=status,
        limit=limit,
        cursor=cursor,
    )


def create_schedules(uow: Uow, body: dict[str, Any]) -> Reply:
    made = usecases.create_schedules(uow, body)
    shown = queries.schedules(uow, [m.id for m in made if not isinstance(m, DomainError)])
    return Reply({"items": [_made(c["client_id"], m, shown) for c, m in zip(body["clients"], made, strict=True)]}, 201)


def _made(client_id: str, made: Schedule | DomainError, shown: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    if isinstance(made, DomainError):
        return {"client_id": client_id, "schedule": None, "error": {"code": made.code, "message": made.message}}
    return {"client_id": client_id, "schedule": shown[made.id], "error": None}


def preview(uow: Uow, body: dict[str, Any]) -> dict[str, Any]:
    asked = {k: body[k] for k in ("template_version", "people", "owner_id") if body.get(k)}
    order = order_of(uow, UUID(body["template_id"]), asked)
    client: ClientCopy | None = client_of(uow, UUID(body["client_id"])) if body.get("client_id") else None
    rule, starts_on, ends_on = Rule.parse(body["rule"]), required_date(body, "starts_on"), date_of(body, "ends_on")
    ahead = Ahead(**body.get("create", {}))
    with dates_checked():
        usecases.check_series(uow, rule, starts_on, ends_on)
        periods = rules.first(rule, starts_on, calendar_of(uow), body.get("count", 24), ends_on=ends_on)
        items = queries.foreseen(uow, order, client, None, periods, ahead, {})
    return {"says": rules.in_words(rule, starts_on), "items": items}


def get_schedule(uow: Uow, schedule_id: str) -> Reply:
    return _reply(uow, usecases.visible(uow, UUID(schedule_id)).id)


def change_schedule(uow: Uow, schedule_id: str, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.change_schedule(uow, UUID(schedule_id), body).id)


def list_occurrences(uow: Uow, schedule_id: str, count: int = 24) -> dict[str, Any]:
    schedule = usecases.visible(uow, UUID(schedule_id))
    order = order_of(uow, schedule.template_id, {"template_version": schedule.template_version})
    with dates_checked():
        return {"items": queries.upcoming(uow, schedule, order, count)}


def list_periods(uow: Uow, schedule_id: str, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    schedule = usecases.visible(uow, UUID(schedule_id))
    return queries.list_periods(uow, schedule.id, limit=limit, cursor=cursor)


def decide_period(uow: Uow, schedule_id: str, body: dict[str, Any]) -> Reply:
    return Reply(_period(usecases.decide_period(uow, UUID(schedule_id), body)), 200)


def _period(row: SchedulePeriod) -> dict[str, Any]:
    return queries.period_shown({"code": None, "message": None, "job_id": None, "day": None} | vars(row))


def _reply(uow: Uow, schedule_id: UUID) -> Reply:
    shown = queries.schedules(uow, [schedule_id])[schedule_id]
    return Reply(shown, etag=shown["version"])
