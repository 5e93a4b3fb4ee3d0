"""What one can do with schedules, and what they do by themselves."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, Invalid, NotFound, Unavailable
from chassis.merged import all_standing
from chassis.uow import Uow
from workflow.copies.tables import ClientCopy, EngagementCopy
from workflow.copies.usecases import active_staff, calendar_of, day_begins, today_of
from workflow.dates.parsing import date_of, dates_checked, required_date
from workflow.db import insert_many
from workflow.hints import hint
from workflow.jobs.aggregate import load, settle
from workflow.jobs.usecases import create_job
from workflow.schedules import rules
from workflow.schedules.rules import Ahead, Occurrence, Rule
from workflow.schedules.tables import Schedule, SchedulePeriod
from workflow.templates.usecases import optional_uuid, order_of

MOST_AT_ONCE = 60  # periods that are made in one unit of work, and that may be made up for
MOST_MISSED = 520  # periods that may have passed at all: ten years of weeks

# --- setting up ------------------------------------------------------------------------------------------------------


def create_schedules(uow: Uow, body: Mapping[str, Any]) -> list[Schedule | DomainError]:
    """One schedule per client, or why there is none (`client_not_found`, `client_former`, `engagement_not_found`, `schedule_exists`).

    Errors for all: those of `order_of`, `rrule_invalid`, `schedule_never_fires`, `missed_periods`, `client_twice`, `date_out_of_range`.
    """
    # A series may begin in a period that its template can't be planned for yet: only template and people are checked.
    order = order_of(
        uow, UUID(body["template_id"]), {k: body[k] for k in ("template_version", "people", "owner_id") if body.get(k)}
    )
    rule, starts_on, ends_on, ahead = _series(uow, body)
    missed = _missed(uow, rule, starts_on, ends_on, ahead, body.get("missed"))
    skipped = missed if body.get("missed") == "skip" else []
    made: list[Schedule | DomainError] = []
    clients = _standing(uow, body["clients"])
    for named, refusal in zip(clients, _refusals(uow, clients, order.template.id), strict=True):
        if refusal:
            made.append(refusal)
            continue
        schedule = Schedule(
            id=new_id(),
            template_id=order.template.id,
            template_version=body.get("template_version"),
            client_id=named["client_id"],
            engagement_id=optional_uuid(named.get("engagement_id")),
            rule=rule.as_json(),
            starts_on=starts_on,
            ends_on=ends_on,
            ahead_days=ahead.days,
            ahead_before=ahead.before,
            owner_id=order.owner_id,
            people={role: str(staff_id) for role, staff_id in order.named.items()},
            status="active",
            created_at=uow.now,
        )
        _advance(uow, schedule, after=skipped[-1] if skipped else None, handled=frozenset())
        made.append(schedule)
    schedules = [schedule for schedule in made if isinstance(schedule, Schedule)]
    uow.session.add_all(schedules)
    uow.session.flush()
    insert_many(uow, SchedulePeriod, [_outcome(uow, s, period, "skipped") for s in schedules for period in skipped])
    for schedule in schedules:
        _wake(uow, schedule)
        hint(uow, schedule)
        uow.audit("schedule.created", "schedule", schedule.id, after=_shown(schedule))
    return made


def _series(uow: Uow, body: Mapping[str, Any]) -> tuple[Rule, date, date | None, Ahead]:
    """Errors: `rrule_invalid`, `schedule_never_fires`, `date_out_of_range`."""
    rule = Rule.parse(body["rule"])
    starts_on, ends_on = required_date(body, "starts_on"), date_of(body, "ends_on")
    with dates_checked():
        check_series(uow, rule, starts_on, ends_on)
    ahead = body.get("create", {})
    return rule, starts_on, ends_on, Ahead(ahead.get("days", 0), ahead.get("before", "period_start"))


def check_series(uow: Uow, rule: Rule, starts_on: date, ends_on: date | None) -> None:
    """Errors: `rrule_invalid`, `schedule_never_fires`."""
    try:
        rules.check(rule, starts_on, ends_on, calendar_of(uow))
    except rules.RuleRefused as error:
        raise Invalid(error.code, error.message, pointer="/rule") from error


def _missed(
    uow: Uow,
    rule: Rule,
    starts_on: date,
    ends_on: date | None,
    ahead: Ahead,
    choice: str | None,
    since: date | None = None,
) -> list[Occurrence]:
    """Periods that are over already. Errors: `missed_periods` unless it was said what to do with them."""
    today, found = today_of(uow), []
    for period in rules.occurrences(rule, starts_on, calendar_of(uow), since=since, ends_on=ends_on):
        if max(period.made_on(ahead), period.day or period.period_end) >= today:
            break
        found.append(period)
        if len(found) > MOST_MISSED:
            raise Invalid(
                "missed_periods", f"More than {MOST_MISSED} periods have passed. Begin later.", pointer="/starts_on"
            )
    if found and choice is None:
        raise Invalid(
            "missed_periods",
            f"{len(found)} periods are over already, from {found[0].period_start} on. Say whether to make or to skip them.",
            pointer="/missed",
            count=len(found),
        )
    if choice == "make" and len(found) > MOST_AT_ONCE:
        raise Invalid(
            "missed_periods", f"At most {MOST_AT_ONCE} periods can be made up for. Begin later.", pointer="/missed"
        )
    return found


def _standing(uow: Uow, clients: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As they are named, by the ids that stand."""
    stands = all_standing(uow, (UUID(client["client_id"]) for client in clients))
    return [{**client, "client_id": stands[UUID(client["client_id"])]} for client in clients]


def _refusals(uow: Uow, clients: Sequence[Mapping[str, Any]], template_id: UUID) -> list[DomainError | None]:
    """Per client why it can't have the schedule. Errors: `client_twice`."""
    ids = [client["client_id"] for client in clients]
    if len(set(ids)) < len(ids):
        raise Invalid("client_twice", "A client is named twice.", pointer="/clients")
    known = {c.id: c for c in uow.session.scalars(select(ClientCopy).where(ClientCopy.id.in_(ids)))}
    wanted = [UUID(c["engagement_id"]) for c in clients if c.get("engagement_id")]
    engagements = {e.id: e for e in uow.session.scalars(select(EngagementCopy).where(EngagementCopy.id.in_(wanted)))}
    same = and_(Schedule.template_id == template_id, Schedule.client_id.in_(ids), Schedule.status != "ended")
    there = {s.client_id: s for s in uow.session.scalars(select(Schedule).where(Schedule.firm_id == uow.firm_id, same))}
    return [
        _refusal(known.get(id), c.get("engagement_id"), engagements, there.get(id))
        for id, c in zip(ids, clients, strict=True)
    ]


def _refusal(
    client: ClientCopy | None,
    engagement: str | None,
    engagements: Mapping[UUID, EngagementCopy],
    there: Schedule | None,
) -> DomainError | None:
    if client is None:
        return NotFound("client_not_found", "There is no such client.")
    if client.status == "former":
        return Conflict("client_former", f"{client.name} is a former client. Make them active again first.")
    if engagement:
        found = engagements.get(UUID(engagement))
        if found is None or found.client_id != client.id:
            return NotFound("engagement_not_found", "The client has no such engagement.")
    if there:
        return Conflict(
            "schedule_exists", f"{client.name} has a schedule of this template already.", schedule_id=str(there.id)
        )
    return None


# --- changing --------------------------------------------------------------------------------------------------------


def visible(uow: Uow, schedule_id: UUID, *, lock: bool = False) -> Schedule:
    """Errors: `schedule_not_found`, also for a private client's stranger; `version_conflict`."""
    schedule = uow.get(Schedule, schedule_id, lock=lock, version=uow.if_match if lock else None)
    if uow.session.get(ClientCopy, (uow.firm_id, schedule.client_id)) is None:
        raise NotFound("schedule_not_found", "There is no such schedule.")
    return schedule


def change_schedule(uow: Uow, schedule_id: UUID, body: Mapping[str, Any]) -> Schedule:
    """What is to come changes: the periods nothing has become of yet, and with `also_open_jobs` people and owner of those jobs
    that were made and not begun.

    Errors: `schedule_not_found`, `version_conflict`, `schedule_ended`, `unknown_staff`, `unknown_role`, `engagement_not_found`,
    `template_version_not_found`, `rrule_invalid`, `schedule_never_fires`, `period_overlaps`, `missed_periods`.
    """
    schedule = visible(uow, schedule_id, lock=True)
    if schedule.status == "ended":
        raise Conflict("schedule_ended", "This schedule has ended. Set up a new one.")
    before = _shown(schedule)
    _change_jobs_to_come(uow, schedule, body)
    _change_series(uow, schedule, body)
    resumed = schedule.status == "paused" and body.get("status") == "active"
    schedule.status = body.get("status", schedule.status)
    after = _make_up(uow, schedule, body.get("missed")) if resumed or "rule" in body else None
    _plan_next(uow, schedule, after=after)
    if body.get("also_open_jobs"):
        _pass_on(uow, schedule, body)
    uow.session.flush()
    hint(uow, schedule)
    uow.audit("schedule.changed", "schedule", schedule.id, before=before, after=_shown(schedule))
    return schedule


def _change_jobs_to_come(uow: Uow, schedule: Schedule, body: Mapping[str, Any]) -> None:
    if "template_version" in body:
        schedule.template_version = body["template_version"]
    if "owner_id" in body:
        schedule.owner_id = optional_uuid(body["owner_id"])
    if "engagement_id" in body:
        schedule.engagement_id = optional_uuid(body["engagement_id"])
        if schedule.engagement_id:
            found = uow.session.get(EngagementCopy, (uow.firm_id, schedule.engagement_id))
            if found is None or found.client_id != schedule.client_id:
                raise NotFound("engagement_not_found", "The client has no such engagement.", pointer="/engagement_id")
    asked = {k: body[k] for k in ("people", "owner_id", "template_version") if body.get(k)}
    if asked:
        order = order_of(uow, schedule.template_id, {"template_version": schedule.template_version} | asked)
        if "people" in body:
            schedule.people = {role: str(staff_id) for role, staff_id in order.named.items()}
    elif "people" in body:
        schedule.people = {}
    if "create" in body:
        schedule.ahead_days = body["create"].get("days", 0)
        schedule.ahead_before = body["create"].get("before", "period_start")


def _change_series(uow: Uow, schedule: Schedule, body: Mapping[str, Any]) -> None:
    """Another rule begins with an anchor of its own, behind what has been made."""
    if "ends_on" in body:
        schedule.ends_on = date_of(body, "ends_on")
    if "rule" not in body:
        if "starts_on" in body:
            raise Invalid("rule_missing", "Another first day needs the rule that counts from it.", pointer="/rule")
        return
    starts_on = required_date(body, "starts_on") if body.get("starts_on") else schedule.next_start or today_of(uow)
    rule = Rule.parse(body["rule"])
    with dates_checked():
        check_series(uow, rule, starts_on, schedule.ends_on)
    last = uow.session.scalar(_periods(uow, schedule).order_by(SchedulePeriod.period_start.desc()).limit(1))
    begins = rules.first(rule, starts_on, calendar_of(uow), 1)[0].period_start
    if last and begins <= last.period_end:
        raise Conflict(
            "period_overlaps",
            f"The period to {last.period_end} has been made or skipped already. Begin the new rule behind it.",
            pointer="/starts_on",
        )
    schedule.rule, schedule.starts_on, schedule.next_start = rule.as_json(), starts_on, None


def _make_up(uow: Uow, schedule: Schedule, choice: str | None) -> Occurrence | None:
    """Periods whose day has passed, while it was paused or by another rule: made now, or skipped. Errors: `missed_periods`."""
    if schedule.status != "active":
        return None
    missed = _missed(
        uow, rule_of(schedule), schedule.starts_on, schedule.ends_on, ahead_of(schedule), choice, schedule.next_start
    )
    handled = set(uow.session.scalars(_periods(uow, schedule).with_only_columns(SchedulePeriod.period_start)))
    if choice != "skip" or not missed:
        return None
    insert_many(
        uow, SchedulePeriod, [_outcome(uow, schedule, p, "skipped") for p in missed if p.period_start not in handled]
    )
    return missed[-1]


def _pass_on(uow: Uow, schedule: Schedule, body: Mapping[str, Any]) -> None:
    """People and owner, also for the jobs that were made and that nobody has begun."""
    owner_id = optional_uuid(body.get("owner_id"))
    people = {role: UUID(staff_id) for role, staff_id in schedule.people.items()} if "people" in body else {}
    made = uow.session.scalars(_periods(uow, schedule).where(SchedulePeriod.status == "made"))
    for job_id in [period.job_id for period in made if period.job_id]:
        whole = load(uow, job_id)
        job = whole.job
        if job.closed_at or job.cancelled_at or any(task.status != "not_started" for task in whole.tasks):
            continue
        before = {"owner_id": job.owner_id, "people": job.people}
        job.owner_id = owner_id or job.owner_id
        job.people = job.people | {role: str(staff_id) for role, staff_id in people.items()}
        for task in whole.tasks:
            task.owner_id = people.get(task.role, task.owner_id)
        settle(uow, whole)
        after = {"owner_id": job.owner_id, "people": job.people}
        uow.audit("job.changed", "job", job.id, before=before, after=after, reason="its schedule was changed")


def decide_period(uow: Uow, schedule_id: UUID, body: Mapping[str, Any]) -> SchedulePeriod:
    """Makes one period's job now, or skips it: made up for, early, or left out.

    Errors: `schedule_not_found`, `period_not_in_schedule`, `period_already_made`, `period_already_skipped`, those of making a job.
    """
    schedule = visible(uow, schedule_id, lock=True)
    start = required_date(body, "period_start")
    known = uow.session.scalar(_periods(uow, schedule).where(SchedulePeriod.period_start == start))
    if known is not None and known.status == "made":
        raise Conflict("period_already_made", "This period has its job already.", job_id=str(known.job_id))
    if known is not None and known.status == "skipped" and body["decision"] == "skip":
        raise Conflict("period_already_skipped", "This period is skipped already.")
    period = _occurrence(known) if known else _in_series(uow, schedule, start)
    if known is not None:
        uow.session.delete(known)
        uow.session.flush()
    if body["decision"] == "skip":
        outcome = _outcome(uow, schedule, period, "skipped")
    else:
        outcome = _outcome(uow, schedule, period, "made", job_id=create_job(uow, _body(uow, schedule, period)).id)
    uow.add(outcome)
    _plan_next(uow, schedule)
    uow.session.flush()
    hint(uow, schedule)
    uow.audit(
        f"schedule.period_{outcome.status}",
        "schedule",
        schedule.id,
        after={"period_start": start, "job_id": outcome.job_id},
    )
    return outcome


def _in_series(uow: Uow, schedule: Schedule, start: date) -> Occurrence:
    found = rules.first(
        rule_of(schedule), schedule.starts_on, calendar_of(uow), 1, since=start, ends_on=schedule.ends_on
    )
    if not found or found[0].period_start != start:
        raise Invalid(
            "period_not_in_schedule", "No period of this schedule begins on that day.", pointer="/period_start"
        )
    return found[0]


def _occurrence(known: SchedulePeriod) -> Occurrence:
    return Occurrence(known.period_start, known.period_end, known.day)


# --- what happens by itself ------------------------------------------------------------------------------------------


def fire(uow: Uow, schedule_id: str, day: str) -> None:
    """Makes the jobs of every period whose day has come, whether or not the last one is done. Exactly once each: the schedule
    is locked, and a period can have one outcome only."""
    schedule = uow.get(Schedule, schedule_id, lock=True)
    if schedule.status != "active" or schedule.next_on is None:
        return
    # The plan knows the day by the firm's clock; a clock that runs a little behind does not undo it.
    today = max(today_of(uow), date.fromisoformat(day))
    for _ in range(MOST_AT_ONCE):
        if schedule.next_on is None or schedule.next_on > today or schedule.next_start is None:
            break
        period = _in_series(uow, schedule, schedule.next_start)
        uow.add(_made(uow, schedule, period))
        _advance(uow, schedule, after=period)
    uow.session.flush()
    hint(uow, schedule)
    _wake(uow, schedule)


def _made(uow: Uow, schedule: Schedule, period: Occurrence) -> SchedulePeriod:
    try:
        with uow.attempt():
            job = create_job(uow, _body(uow, schedule, period))
            return _outcome(uow, schedule, period, "made", job_id=job.id)
    except Unavailable:
        raise  # the worker comes back
    except DomainError as error:
        if error.code == "period_already_made":  # by hand, before its day came
            return _outcome(uow, schedule, period, "made", job_id=UUID(error.more["job_id"]))
        return _outcome(uow, schedule, period, "refused", code=error.code, message=error.message)


def _body(uow: Uow, schedule: Schedule, period: Occurrence) -> dict[str, Any]:
    """The call that makes the job. Who has left since is passed over: the template's other ways to find somebody go on."""
    people = {role: UUID(staff_id) for role, staff_id in schedule.people.items()}
    here = active_staff(uow, [*people.values(), schedule.owner_id])
    content = order_of(uow, schedule.template_id, {"template_version": schedule.template_version}).content
    named = {role: staff_id for role, staff_id in people.items() if staff_id in here and role in content.roles}
    return {
        "template_id": str(schedule.template_id),
        "template_version": schedule.template_version,
        "client_id": str(schedule.client_id),
        "engagement_id": str(schedule.engagement_id) if schedule.engagement_id else None,
        "period_start": str(period.period_start),
        "period_end": str(period.period_end),
        "starts_on": str(period.day) if period.day else None,
        "owner_id": str(schedule.owner_id) if schedule.owner_id in here else None,
        "people": [{"role": role, "staff_id": str(staff_id)} for role, staff_id in named.items()],
    }


def _outcome(uow: Uow, schedule: Schedule, period: Occurrence, status: str, **more: Any) -> SchedulePeriod:
    return SchedulePeriod(
        id=new_id(),
        schedule_id=schedule.id,
        period_start=period.period_start,
        period_end=period.period_end,
        day=period.day,
        status=status,
        by=uow.principal.name or uow.principal.actor,
        at=uow.now,
        **more,
    )


def _plan_next(uow: Uow, schedule: Schedule, *, after: Occurrence | None = None) -> None:
    """Finds the first period nothing has become of, and asks the worker to come on its day."""
    _advance(uow, schedule, after=after)
    if schedule.status == "active":
        _wake(uow, schedule)
    else:
        uow.cancel("schedule", schedule.id)


def _advance(
    uow: Uow, schedule: Schedule, *, after: Occurrence | None = None, handled: Collection[date] | None = None
) -> None:
    """Finds the first period (behind `after`) that nothing has become of."""
    since = after.period_start + timedelta(days=1) if after else schedule.next_start
    rule, ahead = rule_of(schedule), ahead_of(schedule)
    if handled is None:
        later = _periods(uow, schedule).where(SchedulePeriod.period_start >= (since or schedule.starts_on))
        handled = set(uow.session.scalars(later.with_only_columns(SchedulePeriod.period_start)))
    schedule.next_start = schedule.next_on = None
    for period in rules.occurrences(rule, schedule.starts_on, calendar_of(uow), since=since, ends_on=schedule.ends_on):
        if period.period_start not in handled:
            with suppress(ValueError):  # a day before 1900: it has long come
                schedule.next_start, schedule.next_on = period.period_start, period.made_on(ahead)
            return


def _wake(uow: Uow, schedule: Schedule) -> None:
    if schedule.next_on is None:
        uow.cancel("schedule", schedule.id)
        return
    at = max(day_begins(uow, schedule.next_on), uow.now)
    uow.later("schedule", schedule.id, at=at, schedule_id=str(schedule.id), day=schedule.next_on.isoformat())


def rule_of(schedule: Schedule) -> Rule:
    return Rule.parse(schedule.rule)


def ahead_of(schedule: Schedule) -> Ahead:
    return Ahead(schedule.ahead_days, schedule.ahead_before)  # type: ignore[arg-type]  # the database holds it to these words


def _periods(uow: Uow, schedule: Schedule) -> Any:
    return select(SchedulePeriod).where(
        SchedulePeriod.firm_id == uow.firm_id, SchedulePeriod.schedule_id == schedule.id
    )


def _shown(schedule: Schedule) -> dict[str, Any]:
    return {
        c.key: getattr(schedule, c.key)
        for c in Schedule.__table__.columns
        if c.key not in ("firm_id", "version", "created_at")
    }
