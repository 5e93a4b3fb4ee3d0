"""Reports in one statement each, read from indexes; a private client's share is in none of their sums.

Lateness and its cause: a job is late by the days between its deadline and the day it was done. If it lay with the client at
least that long, it is late because of the client (without the wait it would have been in time); else because of us.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chassis.errors import Invalid
from chassis.paging import encode_cursor, keyset
from chassis.uow import Uow
from workflow.copies.usecases import day_begins, firm_of, today_of
from workflow.dates.parsing import date_of
from workflow.jobs.conditions import not_hidden
from workflow.jobs.queries import OPEN, STATUS, Row
from workflow.reports.rules import percentile
from workflow.tasks.queries import OPEN as OPEN_TASKS

LONGEST_SPAN = 1100  # days: three years and some


@dataclass(frozen=True)
class _By:
    """What a report can be by: a column with its type, what stands for none in it, and how a group of it is called."""

    column: str
    type: str = "uuid"
    none: str = "00000000-0000-0000-0000-000000000000"
    name: str = "CAST(g.key AS text)"

    def key(self, column: str) -> str:
        return f"COALESCE({column}, CAST('{self.none}' AS {self.type}))"


def _named(table: str) -> str:
    return f"(SELECT n.name FROM {table} n WHERE n.firm_id = :firm AND n.id = g.key)"


_GROUPS: Mapping[str, _By] = {
    "owner": _By("owner_id", name=_named("staff_copy")),
    "client": _By("client_id", name=_named("client_copy")),
    "template": _By("template_id", name=_named("templates")),
    "service": _By("service", "text", ""),
    "period": _By("period_end", "text", ""),
}
_SPAN_OF_TIME = _By("", "date", "0001-01-01")

# Each row is read once, for its group; the whole is the sum of the groups. Groups by size, or the latest first where they
# are spans of time. Names, and what else is dear, are worked out for the rows of the page only.
_PAGE = """
WITH {before} g AS MATERIALIZED ({groups}),
page AS (
    SELECT NULL AS key, 1 AS whole, COALESCE(sum(rank), 0) AS rank, {sums} FROM g
    UNION ALL (SELECT key, 0, rank, {columns} FROM g WHERE true {after} ORDER BY rank DESC, key DESC LIMIT :n))
SELECT g.*, {name} AS name {more} FROM page g {joins} ORDER BY g.whole DESC, g.rank DESC, g.key DESC
"""


@dataclass(frozen=True)
class _Groups:
    """A statement of `key`, `rank` and columns that add up; what stands before it, and what is joined to a page of it."""

    statement: str
    columns: Sequence[str]
    before: str = ""
    more: str = ""
    joins: str = ""


def _paged(
    uow: Uow, groups: _Groups, by: _By, values: Mapping[str, Any], *, limit: int, cursor: str | None
) -> tuple[list[Row], Row, str | None]:
    """The rows of a page, the whole, and where the next page begins."""
    after, position = keyset(["rank", "key"], cursor, descending=True, casts=["bigint", by.type])
    statement = _PAGE.format(
        before=groups.before,
        groups=groups.statement,
        columns=", ".join(groups.columns),
        sums=", ".join(f"COALESCE(sum({column}), 0) AS {column}" for column in groups.columns),
        after=after,
        name=by.name,
        more=groups.more,
        joins=groups.joins,
    )
    whole, *found = uow.rows(statement, {**values, **position, "firm": uow.firm_id, "n": limit + 1})
    more = len(found) > limit
    following = encode_cursor((found[limit - 1]["rank"], found[limit - 1]["key"])) if more else None
    return [row | {"key": _shown(row["key"], by)} for row in found[:limit]], whole, following


def _shown(key: Any, by: _By) -> str:
    """A group's key; empty for what has none."""
    return "" if str(key) == by.none else str(key)


def _group(row: Row) -> dict[str, Any]:
    return {"key": row["key"], "name": (row["name"] or "") if row["key"] else ""}


# --- where open work stands ------------------------------------------------------------------------------------------

# A job's status is worked out once, hence the fence (OFFSET 0).
_STATUSES = ("on_track", "at_risk", "overdue", "blocked", "waiting_for_client")
_STANDING = """
SELECT {key} AS key, count(*)::int AS rank, {counts},
    (count(*) FILTER (WHERE status = 'overdue' AND stuck AND requests_waiting > 0))::int AS overdue_with_client,
    COALESCE(sum(budget_minutes), 0)::int AS budget_minutes
FROM (SELECT j.owner_id, j.client_id, j.template_id, j.service, {period} AS period_end, j.budget_minutes, j.requests_waiting,
        CASE WHEN j.open_tasks > 0 THEN j.next_ready_on IS NULL OR j.next_ready_on > :today ELSE j.requests_open > 0 END AS stuck, {status} AS status
    FROM jobs j WHERE j.firm_id = :firm AND {open} AND {seen} OFFSET 0) o
GROUP BY {column}
"""


def standing(uow: Uow, *, by: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """Open jobs by derived status, for each owner, client, template, service or month in which the period ends."""
    group = _GROUPS[by]
    statement = _STANDING.format(
        column=group.column,
        key=group.key(group.column),
        counts=", ".join(f"(count(*) FILTER (WHERE status = '{s}'))::int AS {s}" for s in _STATUSES),
        period="to_char(j.period_end, 'YYYY-MM')" if by == "period" else "NULL",
        status=STATUS,
        open=OPEN,
        seen=not_hidden("j"),
    )
    groups = _Groups(statement, (*_STATUSES, "overdue_with_client", "budget_minutes"))
    rows, whole, following = _paged(uow, groups, group, {"today": today_of(uow)}, limit=limit, cursor=cursor)
    return {
        "today": today_of(uow),
        "items": [{"group": _group(row)} | _standing(row) for row in rows],
        "total": _standing(whole),
        "next_cursor": following,
    }


def _standing(row: Row) -> dict[str, Any]:
    counts = {s: row[s] for s in (*_STATUSES, "overdue_with_client")}
    return counts | {"jobs": row["rank"], "budget_minutes": row["budget_minutes"]}


# --- who has how much ------------------------------------------------------------------------------------------------

# Counted from the beginning of time to the end of each span, which is one comparison for a task; a span is what its end has
# more than the one before.
_UNTIL = {
    "overdue": "t.due_sort < :today",
    "this_week": "t.due_sort <= :week",
    "next_week": "t.due_sort <= :next_week",
    "later": "t.due_sort < '9999-12-31'",
}
_WORKLOAD = """
SELECT {key} AS key, sum(t.tasks)::int AS rank, sum(t.minutes)::int AS minutes, {counts}
FROM ({work}) t GROUP BY t.{column} HAVING {seen}
"""
# A person has many tasks due on a day: they are added up by the day first (the fence keeps the two sums apart).
_OF_OWNERS = f"""
SELECT t.owner_id, t.due_sort, count(*)::int AS tasks, sum(t.budget_minutes)::int AS minutes
FROM tasks t WHERE t.firm_id = :firm AND {OPEN_TASKS} AND {not_hidden("t")} GROUP BY t.owner_id, t.due_sort OFFSET 0
"""
# A client has few, which are hidden or seen as one.
_OF_CLIENTS = f"""
SELECT t.client_id, t.due_sort, 1 AS tasks, t.budget_minutes::int AS minutes
FROM tasks t WHERE t.firm_id = :firm AND {OPEN_TASKS}
"""


def workload(uow: Uow, *, by: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """Open tasks and their budgets by when they are due, for each owner or client."""
    group = _GROUPS[by]
    today = today_of(uow)
    week = today + timedelta(days=6 - (today.isoweekday() - firm_of(uow).week_start) % 7)
    counts = {
        f"{span}_{what}": f"COALESCE(sum(t.{what}) FILTER (WHERE {until}), 0)::int"
        for what in ("tasks", "minutes")
        for span, until in _UNTIL.items()
    }
    statement = _WORKLOAD.format(
        column=group.column,
        key=group.key(f"t.{group.column}"),
        counts=", ".join(f"{count} AS {name}" for name, count in counts.items()),
        work=_OF_CLIENTS if by == "client" else _OF_OWNERS,
        seen=not_hidden("t") if by == "client" else "true",
    )
    values = {"today": today, "week": week, "next_week": week + timedelta(days=7)}
    groups = _Groups(statement, ("minutes", *counts))
    rows, whole, following = _paged(uow, groups, group, values, limit=limit, cursor=cursor)
    return {
        "today": today,
        "items": [{"group": _group(row)} | _workload(row) for row in rows],
        "total": _workload(whole),
        "next_cursor": following,
    }


def _workload(row: Row) -> dict[str, Any]:
    ends = [(row[f"{span}_tasks"], row[f"{span}_minutes"]) for span in _UNTIL]
    ends.append((row["rank"], row["minutes"]))
    begins = [(0, 0), *ends]
    spans = {
        span: {"tasks": end[0] - begin[0], "minutes": end[1] - begin[1]}
        for span, begin, end in zip((*_UNTIL, "undated"), begins, ends, strict=False)
    }
    return {"tasks": row["rank"], "minutes": row["minutes"]} | spans


# --- how what was delivered went -------------------------------------------------------------------------------------

# Jobs are looked up day by day, each a short stretch of an index: the day need not be worked out for each job, which costs
# more than finding it. They are added up by how long they took, from which the page's groups and the whole get their sums and
# their medians: from how often each length occurs.
_FINISHED = """
days AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:days AS date[]), CAST(:spans AS date[]), CAST(:begin AS timestamptz[]), CAST(:end AS timestamptz[]))
        AS d (day, span, begins_at, ends_at)),
finished AS MATERIALIZED (
    SELECT key, cycle, count(*)::int AS done, CAST(sum(client_seconds) AS double precision) AS client_seconds,
        (count(*) FILTER (WHERE late > 0))::int AS late, (count(*) FILTER (WHERE late > 0 AND client_seconds >= 86400 * late))::int AS late_client,
        (sum(late) FILTER (WHERE late > 0))::int AS late_days, (count(*) FILTER (WHERE late IS NULL))::int AS without_deadline
    FROM (SELECT {key} AS key, GREATEST(d.day - j.starts_on, 0) AS cycle, d.day - j.deadline_on AS late, j.client_seconds
        FROM days d JOIN jobs j ON j.firm_id = :firm AND j.closed_at >= d.begins_at AND j.closed_at < d.ends_at AND j.cancelled_at IS NULL
        WHERE {seen}) j
    GROUP BY key, cycle),
"""
_DELIVERY = """
SELECT key, {rank} AS rank, COALESCE(m.made, 0) AS made
FROM (SELECT key, sum(done)::int AS done FROM finished GROUP BY key) d
FULL JOIN (SELECT {key} AS key, count(*)::int AS made
    FROM days d JOIN jobs j ON j.firm_id = :firm AND j.created_at >= d.begins_at AND j.created_at < d.ends_at
    WHERE {seen} GROUP BY 1) m USING (key)
"""
_DONE = ("done", "client_seconds", "late", "late_client", "late_days", "without_deadline")
_SUMS = ", ".join(("sum(done * cycle) AS cycle_days", *(f"sum({name}) AS {name}" for name in _DONE)))
_SUMS_OF_PAGE = f"""LEFT JOIN (
    SELECT 0 AS whole, key, {_SUMS}, array_agg(ARRAY[cycle, done] ORDER BY cycle) AS cycles FROM finished JOIN page USING (key) GROUP BY key
    UNION ALL
    SELECT 1, NULL, {_SUMS}, (SELECT array_agg(ARRAY[cycle, n] ORDER BY cycle)
        FROM (SELECT cycle, sum(done)::int AS n FROM finished GROUP BY cycle) a)
    FROM finished) s ON s.whole = g.whole AND (s.whole = 1 OR s.key = g.key)"""


def delivery(
    uow: Uow, *, by: str, first: str | None, last: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """What was made and done in a span, how long it took, and what was late because of whom; for each owner, client,
    template, service, week or month. Errors: `span_invalid`, `span_too_long`, `date_out_of_range`."""
    begin, end = _span(uow, first, last)
    group = _GROUPS.get(by, _SPAN_OF_TIME)
    days = [begin + timedelta(days=i) for i in range((end - begin).days + 1)]
    bounds = [day_begins(uow, day) for day in (*days, end + timedelta(days=1))]
    values = {
        "days": _array(days),
        "spans": _array(_first_of(by, day) for day in days),
        "begin": _array(bounds[:-1]),
        "end": _array(bounds[1:]),
    }
    parts = {"key": group.key("d.span" if group is _SPAN_OF_TIME else f"j.{group.column}"), "seen": not_hidden("j")}
    groups = _Groups(
        _DELIVERY.format(**parts, rank="0" if group is _SPAN_OF_TIME else "COALESCE(d.done, 0)"),
        ("made",),
        before=_FINISHED.format(**parts),
        more="".join(f", s.{name}" for name in ("cycle_days", *_DONE, "cycles")),
        joins=_SUMS_OF_PAGE,
    )
    rows, whole, following = _paged(uow, groups, group, values, limit=limit, cursor=cursor)
    return {
        "from": begin,
        "to": end,
        "items": [{"group": _group(row)} | _delivery(row) for row in rows],
        "total": _delivery(whole),
        "next_cursor": following,
    }


def _array(values: Iterable[date]) -> str:
    """As the database writes it: a thousand values take the driver ten times as long one by one."""
    return "{" + ",".join(value.isoformat() for value in values) + "}"


def _first_of(by: str, day: date) -> date:
    """On which day the week (Monday) or month begins that a day belongs to."""
    return day - timedelta(days=day.weekday()) if by == "week" else day.replace(day=1)


def _span(uow: Uow, first: str | None, last: str | None) -> tuple[date, date]:
    end = date_of({"to": last}, "to") or today_of(uow)
    begin = date_of({"from": first}, "from") or end - timedelta(days=89)
    if end < begin:
        raise Invalid("span_invalid", "The span ends before it begins.")
    if (end - begin).days >= LONGEST_SPAN:
        raise Invalid("span_too_long", f"A report spans {LONGEST_SPAN} days at most.")
    return begin, end


def _delivery(row: Row) -> dict[str, Any]:
    made, cycles = row["made"], row["cycles"] or []
    sums = {name: row[name] or 0 for name in ("cycle_days", *_DONE)}  # none where nothing was done
    done, late = sums["done"], sums["late"]
    return {
        "made": made,
        "done": done,
        "in_time": done - late - sums["without_deadline"],
        "late": late,
        "late_ours": late - sums["late_client"],
        "late_client": sums["late_client"],
        "without_deadline": sums["without_deadline"],
        "cycle_days": _average(sums["cycle_days"], done),
        "cycle_days_median": _days(percentile(cycles, 0.5)),
        "cycle_days_90": _days(percentile(cycles, 0.9)),
        "client_days": _average(sums["client_seconds"] / 86400, done),
        "late_days": _average(sums["late_days"], late),
    }


def _average(days: float, jobs: int) -> float | None:
    return _days(days / jobs) if jobs else None


def _days(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
