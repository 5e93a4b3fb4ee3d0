"""Reports in one statement each, read from indexes; a private client's share is in none of their sums.

Lateness and its cause: a job is late by the days between its deadline and the day it was done. If it lay with the client at
least that long, it is late because of the client (without the wait it would have been in time); else because of us.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import RowMapping, text

from chassis.errors import Invalid
from chassis.paging import encode_cursor, keyset
from chassis.uow import Uow
from workflow.copies.usecases import day_begins, firm_of, today_of
from workflow.dates.parsing import date_of
from workflow.jobs.conditions import not_hidden
from workflow.jobs.queries import OPEN, STATUS
from workflow.tasks.queries import OPEN as OPEN_TASKS

LONGEST_SPAN = 1100  # days: three years and some

# What a report can be by: the column, the table that has its name, and that name.
_GROUPS: Mapping[str, tuple[str, str, str]] = {
    "owner": ("owner_id", "LEFT JOIN staff_copy n ON n.firm_id = :firm AND n.id = CAST(NULLIF(g.key, '') AS uuid)", "n.name"),
    "client": ("client_id", "LEFT JOIN client_copy n ON n.firm_id = :firm AND n.id = CAST(NULLIF(g.key, '') AS uuid)", "n.name"),
    "template": ("template_id", "LEFT JOIN templates n ON n.firm_id = :firm AND n.id = CAST(NULLIF(g.key, '') AS uuid)", "n.name"),
    "service": ("service", "", "g.key"),
    "period": ("period_end", "", "g.key"),
}  # fmt: skip

# One scan for the groups and their sum; groups by size, or the latest first where they are spans of time.
_PAGE = """
SELECT g.*, {name} AS name FROM ({groups}) g {join}
WHERE g.whole = 1 OR (true {after}) ORDER BY g.whole DESC, g.rank DESC, g.key DESC LIMIT :n
"""


def _paged(
    uow: Uow, groups: str, join: str, name: str, values: Mapping[str, Any], *, limit: int, cursor: str | None
) -> tuple[list[RowMapping], RowMapping | None, str | None]:
    """The rows of a page, the whole, and where the next page begins."""
    after, position = keyset(["g.rank", "g.key"], cursor, descending=True, casts=["bigint", "text"])
    statement = text(_PAGE.format(groups=groups, join=join, name=name, after=after))
    parameters = {**values, **position, "firm": uow.firm_id, "n": limit + 2}
    rows = list(uow.session.execute(statement, parameters).mappings())
    whole = next((row for row in rows if row["whole"]), None)
    found = [row for row in rows if not row["whole"]]
    more = len(found) > limit
    following = encode_cursor((found[limit - 1]["rank"], found[limit - 1]["key"])) if more else None
    return found[:limit], whole, following


def _group(row: RowMapping) -> dict[str, Any]:
    return {"key": row["key"], "name": row["name"] or ""}


# --- where open work stands ------------------------------------------------------------------------------------------

_STATUSES = ("on_track", "at_risk", "overdue", "blocked", "waiting_for_client")
_STANDING = """
SELECT COALESCE(CAST({column} AS text), '') AS key, grouping({column}) AS whole, count(*) AS rank, {counts},
    count(*) FILTER (WHERE status = 'overdue' AND stuck AND requests_waiting > 0) AS overdue_with_client,
    COALESCE(sum(budget_minutes), 0) AS budget_minutes
FROM (SELECT j.owner_id, j.client_id, j.template_id, j.service, {period} AS period_end, j.budget_minutes, j.requests_waiting,
        CASE WHEN j.open_tasks > 0 THEN j.next_ready_on IS NULL OR j.next_ready_on > :today ELSE j.requests_open > 0 END AS stuck, {status} AS status
    FROM jobs j WHERE j.firm_id = :firm AND {open} AND {seen}) o
GROUP BY GROUPING SETS (({column}), ())
"""


def standing(uow: Uow, *, by: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """Open jobs by derived status, for each owner, client, template, service or month in which the period ends."""
    column, join, name = _GROUPS[by]
    groups = _STANDING.format(
        column=column,
        counts=", ".join(f"count(*) FILTER (WHERE status = '{s}') AS {s}" for s in _STATUSES),
        period="to_char(j.period_end, 'YYYY-MM')" if by == "period" else "NULL",
        status=STATUS,
        open=OPEN,
        seen=not_hidden("j"),
    )
    rows, whole, following = _paged(uow, groups, join, name, {"today": today_of(uow)}, limit=limit, cursor=cursor)
    return {
        "today": today_of(uow),
        "items": [{"group": _group(row)} | _standing(row) for row in rows],
        "total": _standing(whole),
        "next_cursor": following,
    }


def _standing(row: RowMapping | None) -> dict[str, Any]:
    counts = {s: row[s] if row else 0 for s in (*_STATUSES, "overdue_with_client")}
    return counts | {"jobs": row["rank"] if row else 0, "budget_minutes": int(row["budget_minutes"]) if row else 0}


# --- who has how much ------------------------------------------------------------------------------------------------

_SPANS = ("overdue", "this_week", "next_week", "later", "undated")
_WORKLOAD = """
SELECT COALESCE(CAST(t.{column} AS text), '') AS key, grouping(t.{column}) AS whole, count(*) AS rank, COALESCE(sum(t.budget_minutes), 0) AS minutes, {counts}
FROM tasks t WHERE t.firm_id = :firm AND {open} AND {seen} GROUP BY GROUPING SETS ((t.{column}), ())
"""
_WHEN = {
    "overdue": "t.due_sort < :today",
    "this_week": "t.due_sort >= :today AND t.due_sort <= :week",
    "next_week": "t.due_sort > :week AND t.due_sort <= :next_week",
    "later": "t.due_sort > :next_week AND t.due_sort < '9999-12-31'",
    "undated": "t.due_sort = '9999-12-31'",
}


def workload(uow: Uow, *, by: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """Open tasks and their budgets by when they are due, for each owner or client."""
    column, join, name = _GROUPS[by]
    today = today_of(uow)
    week = today + timedelta(days=6 - (today.isoweekday() - firm_of(uow).week_start) % 7)
    counts = ", ".join(
        f"count(*) FILTER (WHERE {when}) AS {span}, COALESCE(sum(t.budget_minutes) FILTER (WHERE {when}), 0) AS {span}_minutes"
        for span, when in _WHEN.items()
    )
    groups = _WORKLOAD.format(column=column, counts=counts, open=OPEN_TASKS, seen=not_hidden("t"))
    values = {"today": today, "week": week, "next_week": week + timedelta(days=7)}
    rows, whole, following = _paged(uow, groups, join, name, values, limit=limit, cursor=cursor)
    return {
        "today": today,
        "items": [{"group": _group(row)} | _workload(row) for row in rows],
        "total": _workload(whole),
        "next_cursor": following,
    }


def _workload(row: RowMapping | None) -> dict[str, Any]:
    spans = {
        span: {"tasks": row[span] if row else 0, "minutes": int(row[f"{span}_minutes"]) if row else 0}
        for span in _SPANS
    }
    return {"tasks": row["rank"] if row else 0, "minutes": int(row["minutes"]) if row else 0} | spans


# --- how what was delivered went -------------------------------------------------------------------------------------

_DELIVERY = """
WITH done AS (
    SELECT COALESCE(CAST(key AS text), '') AS key, grouping(key) AS whole, count(*) AS done, avg(cycle) AS cycle_avg,
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY cycle) AS cycle,
        avg(client_days) AS client_days, count(*) FILTER (WHERE late > 0) AS late,
        count(*) FILTER (WHERE late > 0 AND client_days >= late) AS late_client, avg(late) FILTER (WHERE late > 0) AS late_days,
        count(*) FILTER (WHERE late IS NULL) AS without_deadline
    FROM (SELECT {done_key} AS key, GREATEST(CAST(j.closed_at AT TIME ZONE :zone AS date) - j.starts_on, 0) AS cycle,
            GREATEST(CAST(j.closed_at AT TIME ZONE :zone AS date) - j.deadline_on, CASE WHEN j.deadline_on IS NULL THEN NULL ELSE 0 END) AS late,
            j.client_seconds / 86400.0 AS client_days
        FROM jobs j WHERE j.firm_id = :firm AND j.closed_at >= :from_at AND j.closed_at < :to_at AND j.cancelled_at IS NULL AND {seen}) d
    GROUP BY GROUPING SETS ((key), ())),
made AS (
    SELECT COALESCE(CAST(key AS text), '') AS key, grouping(key) AS whole, count(*) AS made
    FROM (SELECT {made_key} AS key FROM jobs j WHERE j.firm_id = :firm AND j.created_at >= :from_at AND j.created_at < :to_at AND {seen}) m
    GROUP BY GROUPING SETS ((key), ()))
SELECT COALESCE(d.key, m.key) AS key, COALESCE(d.whole, m.whole) AS whole, {rank} AS rank, COALESCE(m.made, 0) AS made, COALESCE(d.done, 0) AS done,
    d.cycle_avg, d.cycle, d.client_days, COALESCE(d.late, 0) AS late, COALESCE(d.late_client, 0) AS late_client, d.late_days,
    COALESCE(d.without_deadline, 0) AS without_deadline
FROM done d FULL JOIN made m ON m.whole = d.whole AND m.key = d.key
"""


def delivery(
    uow: Uow, *, by: str, first: str | None, last: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """What was made and done in a span, how long it took, and what was late because of whom; for each owner, client,
    template, service, week or month. Errors: `span_invalid`, `span_too_long`, `date_out_of_range`."""
    begin, end = _span(uow, first, last)
    spans_of_time = by in ("week", "month")
    column, join, name = ("", "", "g.key") if spans_of_time else _GROUPS[by]
    keys = {
        moment: f"CAST(date_trunc('{by}', j.{moment} AT TIME ZONE :zone) AS date)" if spans_of_time else f"j.{column}"
        for moment in ("closed_at", "created_at")
    }
    groups = _DELIVERY.format(
        done_key=keys["closed_at"],
        made_key=keys["created_at"],
        seen=not_hidden("j"),
        rank="0" if spans_of_time else "COALESCE(d.done, 0)",
    )
    values = {
        "zone": firm_of(uow).time_zone,
        "from_at": day_begins(uow, begin),
        "to_at": day_begins(uow, end + timedelta(days=1)),
    }
    rows, whole, following = _paged(uow, groups, join, name, values, limit=limit, cursor=cursor)
    return {
        "from": begin,
        "to": end,
        "items": [{"group": _group(row)} | _delivery(row) for row in rows],
        "total": _delivery(whole),
        "next_cursor": following,
    }


def _span(uow: Uow, first: str | None, last: str | None) -> tuple[date, date]:
    end = date_of({"to": last}, "to") or today_of(uow)
    begin = date_of({"from": first}, "from") or end - timedelta(days=89)
    if end < begin:
        raise Invalid("span_invalid", "The span ends before it begins.")
    if (end - begin).days >= LONGEST_SPAN:
        raise Invalid("span_too_long", f"A report spans {LONGEST_SPAN} days at most.")
    return begin, end


def _delivery(row: RowMapping | None) -> dict[str, Any]:
    if row is None:
        return dict.fromkeys(
            ("made", "done", "in_time", "late", "late_ours", "late_client", "without_deadline"), 0
        ) | dict.fromkeys(("cycle_days", "cycle_days_median", "cycle_days_90", "client_days", "late_days"))
    median, ninety = row["cycle"] or (None, None)
    return {
        "made": row["made"],
        "done": row["done"],
        "in_time": row["done"] - row["late"] - row["without_deadline"],
        "late": row["late"],
        "late_ours": row["late"] - row["late_client"],
        "late_client": row["late_client"],
        "without_deadline": row["without_deadline"],
        "cycle_days": _days(row["cycle_avg"]),
        "cycle_days_median": _days(median),
        "cycle_days_90": _days(ninety),
        "client_days": _days(row["client_days"]),
        "late_days": _days(row["late_days"]),
    }


def _days(value: Any) -> float | None:
    return None if value is None else round(float(value), 1)
