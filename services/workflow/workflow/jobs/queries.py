"""Jobs as the API shows them. The status is derived in the same statement that reads the facts, for today in the firm's zone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.errors import NotFound
from chassis.paging import keyset, page
from chassis.uow import Uow
from praxis.workflow.v1.events_pb2 import JobChanged
from workflow.copies.queries import staff_named
from workflow.copies.usecases import today_of
from workflow.dates.rules import EARLIEST
from workflow.forecast.queries import forecast_of
from workflow.jobs import rules
from workflow.jobs.conditions import attributes, due_between, in_group, owner_is
from workflow.jobs.making import folded
from workflow.requests.queries import requests_of_job
from workflow.tasks.queries import tasks_of_job
from workflow.watching.queries import watched_by, watchers_in

Row = dict[str, Any]  # of a statement, by column

OPEN = "j.closed_at IS NULL AND j.cancelled_at IS NULL"

# The same as rules.derive; a test compares the two on random facts.
STATUS = """CASE
    WHEN j.cancelled_at IS NOT NULL THEN 'cancelled'
    WHEN j.closed_at IS NOT NULL THEN 'done'
    WHEN j.deadline_on < :today THEN 'overdue'
    WHEN CASE WHEN j.open_tasks > 0 THEN j.next_ready_on IS NULL OR j.next_ready_on > :today ELSE j.requests_open > 0 END
        THEN CASE WHEN j.requests_waiting > 0 THEN 'waiting_for_client' ELSE 'blocked' END
    WHEN j.due_on < :today OR j.next_step_due < :today OR j.last_step_due > j.deadline_on
        OR (j.late_from <= :today AND j.deadline_on IS NOT NULL) THEN 'at_risk'
    ELSE 'on_track' END"""

# A private client's rows fall out of this join for whoever is not named on it.
VISIBLE = "jobs j JOIN client_copy c ON c.firm_id = j.firm_id AND c.id = j.client_id"

COLUMNS = f"""j.firm_id, j.id, j.title, j.service, j.client_id, c.name AS client_name, j.owner_id, j.stage_id, j.priority, j.period_start, j.period_end,
    j.due_on, j.deadline_on, j.due_sort, j.tasks_total, j.tasks_done, j.open_tasks, j.requests_open, j.requests_waiting,
    j.next_ready_on, j.next_step_due, j.last_step_due, j.late_from, j.client_since, j.client_seconds, now() AS now, j.budget_minutes, j.tags, j.closed_at, j.cancelled_at, j.created_at, j.version,
    {STATUS} AS status"""

# What is looked up only for the rows of a page.
BESIDES = """(SELECT o.name FROM staff_copy o WHERE o.firm_id = p.firm_id AND o.id = p.owner_id) AS owner_name,
    (SELECT COALESCE(sum(x.seconds), 0) FROM time_copy x WHERE x.firm_id = p.firm_id AND x.job_id = p.id) AS logged_seconds"""

# Columns with their types, and whether they descend.
SORTS: dict[str, tuple[dict[str, str], bool]] = {
    "due_on": ({"due_sort": "date", "id": "uuid"}, False),
    "-due_on": ({"due_sort": "date", "id": "uuid"}, True),
    "priority": ({"priority": "bigint", "due_sort": "date", "id": "uuid"}, False),
    "-created_at": ({"created_at": "timestamptz", "id": "uuid"}, True),
}


@dataclass(frozen=True)
class Filters:
    """What a list of jobs is narrowed to. `owner`: "me", "nobody" or a staff id."""

    owner: str | None = None
    client_id: str | None = None
    client_group_id: str | None = None
    status: Sequence[str] = ()
    due_from: str | None = None
    due_to: str | None = None
    service: str | None = None
    priority: Sequence[str] = ()
    watcher: str | None = None
    tag: str | None = None
    stage_id: str | None = None
    template_id: str | None = None
    engagement_id: str | None = None

    def where(self, uow: Uow) -> tuple[str, dict[str, Any]]:
        """Conditions that each begin with AND, and their parameters. Errors: `owner_invalid`, `watcher_invalid`."""
        parts, values = owner_is(uow, self.owner, "j.owner_id")
        for more, given in (
            watched_by(uow, self.watcher, "j.id"),
            attributes("j", self.priority, self.tag),
            in_group("j", self.client_group_id),
        ):
            parts, values = [*parts, *more], values | given
        equal = {
            "client_id": self.client_id,
            "stage_id": self.stage_id,
            "template_id": self.template_id,
            "engagement_id": self.engagement_id,
        }
        for column, value in equal.items():
            if value:
                parts.append(f"AND j.{column} = :{column}")
                values[column] = UUID(value)
        if self.service:
            parts.append("AND j.service = :service")
            values["service"] = self.service
        if self.status:
            parts.append(f"AND ({STATUS}) = ANY(:statuses)")
            values["statuses"] = list(self.status)
        due, between = due_between("j.due_sort", self.due_from, self.due_to)
        return " ".join([*parts, *due]), values | between


# --- lists -----------------------------------------------------------------------------------------------------------


def list_jobs(
    uow: Uow, filters: Filters, *, closed: str | None, sort: str, limit: int, cursor: str | None
) -> dict[str, Any]:
    """A page of jobs. `closed`: "false", "true" or "any"; None leaves it to the statuses that are asked for."""
    where, values = filters.where(uow)
    rows = job_rows(uow, f"{scope(filters, closed)} {where}", values, sort=sort, limit=limit, cursor=cursor)
    return page_of(rows, limit, sort, today_of(uow))


def scope(filters: Filters, closed: str | None) -> str:
    """Open, closed or all jobs; None leaves it to the statuses that are asked for."""
    if closed is None:
        closed = "any" if {"done", "cancelled"} & set(filters.status) else "false"
    return {"false": f"AND {OPEN}", "true": "AND NOT (j.closed_at IS NULL AND j.cancelled_at IS NULL)", "any": ""}[
        closed
    ]


def job_rows(
    uow: Uow, where: str, values: Mapping[str, Any], *, sort: str, limit: int, cursor: str | None
) -> list[Row]:
    """Up to `limit` + 1 rows that may be seen, in order."""
    columns, descending = SORTS[sort]
    after, position = keyset(
        [f"j.{name}" for name in columns], cursor, descending=descending, casts=list(columns.values())
    )
    inner = f"SELECT {COLUMNS} FROM {VISIBLE} WHERE j.firm_id = :firm {where} {after} ORDER BY {order_by(sort, 'j')} LIMIT {limit + 1:d}"
    asked = f"SELECT p.*, {BESIDES} FROM ({inner}) p ORDER BY {order_by(sort, 'p')}"
    return uow.rows(asked, {**values, **position, "firm": uow.firm_id, "today": today_of(uow)})


def order_by(sort: str, table: str) -> str:
    columns, descending = SORTS[sort]
    return ", ".join(f"{table}.{name}{' DESC' if descending else ''}" for name in columns)


def page_of(rows: Sequence[Row], limit: int, sort: str, today: date) -> dict[str, Any]:
    """A page of jobs from up to `limit` + 1 rows."""
    paged = page(rows, limit, lambda row: [row[name] for name in SORTS[sort][0]])
    return {"items": [row_view(row, today) for row in paged["items"]], "next_cursor": paged["next_cursor"]}


def row_view(row: Row, today: date) -> dict[str, Any]:
    """A job as lists and the board show it."""
    return {
        "id": row["id"],
        "title": row["title"],
        "service": row["service"],
        "client": {"id": row["client_id"], "name": row["client_name"]},
        "owner": person(row["owner_id"], row["owner_name"]),
        "stage_id": row["stage_id"],
        "priority": rules.priority_of(row["priority"]),
        "status": row["status"],
        "why": rules.why(facts(row), today),
        "due_on": row["due_on"],
        "deadline_on": row["deadline_on"],
        "late_from": row["late_from"] if row["late_from"] != EARLIEST else today,
        "period_start": row["period_start"],
        "period_end": row["period_end"],
        "tasks_total": row["tasks_total"],
        "tasks_done": row["tasks_done"],
        "requests_waiting": row["requests_waiting"],
        "client_hours": _client_hours(row),
        "budget_minutes": row["budget_minutes"],
        "logged_minutes": int(row["logged_seconds"]) // 60,
        "tags": row["tags"],
        "closed_at": row["closed_at"],
        "version": row["version"],
    }


def _client_hours(row: Row) -> float:
    running = (row["now"] - row["client_since"]).total_seconds() if row["client_since"] else 0.0
    return round(float(row["client_seconds"] + running) / 3600, 1)


def facts(row: Row) -> rules.Facts:
    """The facts of a row."""
    return rules.Facts(
        row["cancelled_at"] is not None,
        row["closed_at"] is not None,
        row["due_on"],
        row["deadline_on"],
        row["open_tasks"],
        row["next_ready_on"],
        row["requests_open"],
        row["requests_waiting"],
        row["next_step_due"],
        row["last_step_due"],
        row["late_from"],
    )


def person(staff_id: UUID | None, name: str | None) -> dict[str, Any] | None:
    return {"id": staff_id, "name": name or ""} if staff_id else None


def count_jobs(uow: Uow, filters: Filters) -> dict[str, int]:
    """Open jobs per derived status."""
    where, values = filters.where(uow)
    counted = (
        f"SELECT {STATUS} AS status, count(*) AS n FROM {VISIBLE} WHERE j.firm_id = :firm AND {OPEN} {where} GROUP BY 1"
    )
    rows = uow.rows(counted, {**values, "firm": uow.firm_id, "today": today_of(uow)})
    counts: dict[str, int] = dict.fromkeys(("on_track", "at_risk", "overdue", "blocked", "waiting_for_client"), 0)
    counts.update({row["status"]: row["n"] for row in rows})
    return counts | {"total": sum(counts.values())}


# --- one job ---------------------------------------------------------------------------------------------------------

_JOB = f"""
SELECT p.*, {BESIDES}, s.name AS stage_name, s.kind AS stage_kind, s.position AS stage_position, s.version AS stage_version,
    t.name AS template_name, e.title AS engagement_title,
    (SELECT count(*) FROM comments m WHERE m.firm_id = p.firm_id AND m.job_id = p.id) AS comments,
    (SELECT count(*) FROM document_copy d WHERE d.firm_id = p.firm_id AND d.job_id = p.id AND d.status = 'stored') AS documents
FROM (SELECT {COLUMNS}, j.statutory_due, j.extended_due, j.internal_due, j.starts_on, j.template_id, j.template_version, j.engagement_id,
        j.people, j.cancel_reason
    FROM {VISIBLE} WHERE j.firm_id = :firm AND j.id = :job) p
JOIN stages s ON s.firm_id = p.firm_id AND s.id = p.stage_id
LEFT JOIN templates t ON t.firm_id = p.firm_id AND t.id = p.template_id
LEFT JOIN engagement_copy e ON e.firm_id = p.firm_id AND e.id = p.engagement_id
"""

_DEPENDENCIES = """
SELECT id, before_kind, before_id, after_kind, after_id, lag_days FROM dependencies
WHERE firm_id = :firm AND job_id = :job ORDER BY id
"""

_MOVES = """
SELECT at, by, subject_type, subject_id, which, old AS "from", new AS "to", reason FROM due_moves
WHERE firm_id = :firm AND job_id = :job ORDER BY id
"""


def job_page(uow: Uow, job_id: UUID) -> dict[str, Any]:
    """The job with everything in it. Errors: `job_not_found`."""
    today = today_of(uow)
    ids = {"firm": uow.firm_id, "job": job_id}
    rows = uow.rows(_JOB, {**ids, "today": today})
    if not rows:
        raise NotFound("job_not_found", "There is no such job.")
    row = rows[0]
    watchers = watchers_in(uow, job_id)
    return row_view(row, today) | {
        "stage": {
            "id": row["stage_id"],
            "name": row["stage_name"],
            "kind": row["stage_kind"],
            "position": row["stage_position"],
            "version": row["stage_version"],
        },
        "statutory_due_on": row["statutory_due"],
        "extended_due_on": row["extended_due"],
        "internal_due_on": row["internal_due"],
        "starts_on": row["starts_on"],
        "template": _template(row),
        "engagement": {"id": row["engagement_id"], "title": row["engagement_title"] or ""}
        if row["engagement_id"]
        else None,
        "people": _people(uow, row["people"]),
        "watchers": watchers.get(job_id, []),
        "comments": row["comments"],
        "tasks": [task | {"watchers": watchers.get(task["id"], [])} for task in tasks_of_job(uow, job_id)],
        "requests": requests_of_job(uow, job_id),
        "dependencies": [_dependency(d) for d in uow.rows(_DEPENDENCIES, ids)],
        "due_moves": uow.rows(_MOVES, ids),
        "documents": row["documents"],
        "forecast": forecast_of(uow, row, today),
        "cancel_reason": row["cancel_reason"],
        "created_at": row["created_at"],
    }


def _template(row: Row) -> dict[str, Any] | None:
    if row["template_id"] is None:
        return None
    return {"id": row["template_id"], "name": row["template_name"], "version": row["template_version"]}


def _people(uow: Uow, people: Mapping[str, str]) -> list[dict[str, Any]]:
    staff = staff_named(uow, [UUID(staff_id) for staff_id in people.values()])
    return [{"role": role, "staff": staff.get(UUID(staff_id))} for role, staff_id in sorted(people.items())]


def _dependency(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "before": {"kind": row["before_kind"], "id": row["before_id"]},
        "after": {"kind": row["after_kind"], "id": row["after_id"]},
        "lag_days": row["lag_days"],
    }


# --- search ----------------------------------------------------------------------------------------------------------

_HITS = """
SELECT j.id, j.title, j.client_id, c.name AS client_name, {status} AS status, j.due_on, j.closed_at
FROM {function} f JOIN jobs j ON j.id = f.id JOIN client_copy c ON c.firm_id = j.firm_id AND c.id = j.client_id
WHERE j.firm_id = :firm ORDER BY f.place LIMIT :n
"""
# Hits on private clients fall out after the function has answered, so it is asked for more than are shown.
_SPARE = 150


def search(uow: Uow, q: str, limit: int) -> dict[str, Any]:
    """Jobs by parts of title and client, open ones first; when nothing has those parts, what looks like the words."""
    words = folded(q).split()[:8]
    if not words:
        return {"items": []}
    patterns = [f"%{_escaped(word)}%" for word in sorted(words, key=len, reverse=True)]
    p1, p2, p3 = [*patterns, "%", "%"][:3]
    parts = {"p1": p1, "p2": p2, "p3": p3, "patterns": patterns}
    found = _hits(uow, "search_open_jobs(:p1, :p2, :p3, :patterns, :most)", limit, **parts)
    if len(found) < limit:
        found += _hits(uow, "search_ended_jobs(:p1, :p2, :p3, :patterns, :most)", limit - len(found), **parts)
    return {"items": found or _hits(uow, "search_jobs_alike(:words, :most)", limit, words=" ".join(words))}


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _hits(uow: Uow, function: str, limit: int, **arguments: Any) -> list[dict[str, Any]]:
    hits = _HITS.format(status=STATUS, function=function)
    parameters = {**arguments, "most": limit + _SPARE, "n": limit, "firm": uow.firm_id, "today": today_of(uow)}
    return [
        {
            "id": row["id"],
            "title": row["title"],
            "client": {"id": row["client_id"], "name": row["client_name"]},
            "status": row["status"],
            "due_on": row["due_on"],
            "closed_at": row["closed_at"],
        }
        for row in uow.rows(hits, parameters)
    ]


# --- state for others ------------------------------------------------------------------------------------------------

_STATES = """
SELECT j.id, j.client_id, j.engagement_id, j.title, j.service, j.period_start, j.period_end, j.owner_id, s.name AS stage, {status} AS status,
    j.due_on, j.budget_minutes, j.tasks_total, j.tasks_done, NOT ({open}) AS closed, j.version, j.priority
FROM {jobs} JOIN stages s ON s.firm_id = j.firm_id AND s.id = j.stage_id
WHERE j.firm_id = :firm {where} ORDER BY j.id
"""


def job_states(uow: Uow) -> Iterable[tuple[UUID, int, JobChanged]]:
    """Current state of every job, for a copy that is new or was dropped."""
    states = text(_STATES.format(status=STATUS, open=OPEN, jobs="jobs j", where=""))
    for row in uow.session.execute(states, {"firm": uow.firm_id, "today": today_of(uow)}).yield_per(500):
        yield row.id, row.version, _state(row)


def job_state(uow: Uow, job_id: UUID) -> JobChanged:
    """Current state of one job. Errors: `job_not_found`, also for a private client's stranger."""
    states = _STATES.format(status=STATUS, open=OPEN, jobs=VISIBLE, where="AND j.id = :job")
    row = uow.row(states, {"firm": uow.firm_id, "today": today_of(uow), "job": job_id})
    if row is None:
        raise NotFound("job_not_found", "There is no such job.")
    return _state(row)


def _state(row: Any) -> JobChanged:
    return JobChanged(
        job_id=str(row.id),
        client_id=str(row.client_id),
        engagement_id=str(row.engagement_id or ""),
        title=row.title,
        service=row.service,
        period_start=str(row.period_start or ""),
        period_end=str(row.period_end or ""),
        owner_id=str(row.owner_id or ""),
        stage=row.stage,
        status=row.status,
        due_on=str(row.due_on or ""),
        budget_minutes=row.budget_minutes,
        tasks_total=row.tasks_total,
        tasks_done=row.tasks_done,
        closed=row.closed,
        version=row.version,
        priority=rules.priority_of(row.priority),
    )
