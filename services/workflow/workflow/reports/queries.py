"""Reports in one statement each, read from indexes; a private client's share is in none of their sums.

Lateness and its cause: a job is late by the days between its deadline and the day it was done. If it lay with the client at
least that long, it is late because of the client (without the wait it would have been in time); else because of us.
"""

from collections.abc import Mapping
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

# One scan for the groups and their sum; groups by size, or the latest first where they are spans of time. Names are looked
# up for those of the page only.
_PAGE = """
SELECT g.*, {name} AS name FROM (
    SELECT g.* FROM ({groups}) g WHERE g.whole = 1 OR (true {after})
    ORDER BY g.whole DESC, g.rank DESC, g.key DESC LIMIT :n) g
ORDER BY g.whole DESC, g.rank DESC, g.key DESC
"""


def _paged(
    uow: Uow, groups: str, by: _By, values: Mapping[str, Any], *, limit: int, cursor: str | None
) -> tuple[list[Row], Row | None, str | None]:
    """The rows of a page, the whole, and where the next page begins."""
    after, position = keyset(["g.rank", "g.key"], cursor, descending=True, casts=["bigint", by.type])
    statement = _PAGE.format(groups=groups, name=by.name, after=after)
    rows = uow.rows(statement, {**values, **position, "firm": uow.firm_id, "n": limit + 2})
    whole = next((row for row in rows if row["whole"]), None)
    found = [row for row in rows if not row["whole"]]
    more = len(found) > limit
    following = encode_cursor((found[limit - 1]["rank"], found[limit - 1]["key"])) if more else None
    return [row | {"key": _shown(row["key"], by)} for row in found[:limit]], whole, following


def _shown(key: Any, by: _By) -> str:
    """A group's key; empty for what has none."""
    return "" if str(key) == by.none else str(key)


def _group(row: Row) -> dict[str, Any]:
    return {"key": row["key"], "name": (row["name"] or "") if row["key"] else ""}


# --- where open work stands ------------------------------------------------------------------------------------------

_STATUSES = ("on_track", "at_risk", "overdue", "blocked", "waiting_for_client")
_STANDING = """
SELECT {key} AS key, grouping({column}) AS whole, count(*) AS rank, {counts},
    count(*) FILTER (WHERE status = 'overdue' AND stuck AND requests_waiting > 0) AS overdue_with_client,
    COALESCE(sum(budget_minutes), 0) AS budget_minutes
FROM (SELECT j.owner_id, j.client_id, j.template_id, j.service, {period} AS period_end, j.budget_minutes, j.requests_waiting,
        CASE WHEN j.open_tasks > 0 THEN j.next_ready_on IS NULL OR j.next_ready_on > :today ELSE j.requests_open > 0 END AS stuck, {status} AS status
    FROM jobs j WHERE j.firm_id = :firm AND {open} AND {seen}) o
GROUP BY GROUPING SETS (({column}), ())
"""


def standing(uow: Uow, *, by: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """Open jobs by derived status, for each owner, client, template, service or month in which the period ends."""
    group = _GROUPS[by]
    groups = _STANDING.format(
        column=group.column,
        key=group.key(group.column),
        counts=", ".join(f"count(*) FILTER (WHERE status = '{s}') AS {s}" for s in _STATUSES),
        period="to_char(j.period_end, 'YYYY-MM')" if by == "period" else "NULL",
        status=STATUS,
        open=OPEN,
        seen=not_hidden("j"),
    )
    rows, whole, following = _paged(uow, groups, group, {"today": today_of(uow)}, limit=limit, cursor=cursor)
    return {
        "today": today_of(uow),
        "items": [{"group": _group(row)} | _standing(row) for row in rows],
        "total": _standing(whole),
        "next_cursor": following,
    }


def _standing(row: Row | None) -> dict[str, Any]:
    counts = {s: row[s] if row else 0 for s in (*_STATUSES, "overdue_with_client")}
    return counts | {"jobs": row["rank"] if row else 0, "budget_minutes": int(row["budget_minutes"]) if row else 0}


# --- who has how much ------------------------------------------------------------------------------------------------

_SPANS = ("overdue", "this_week", "next_week", "later", "undated")
_WORKLOAD = """
SELECT {key} AS key, grouping(t.{column}) AS whole, count(*) AS rank, COALESCE(sum(t.budget_minutes), 0) AS minutes, {counts}
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
    group = _GROUPS[by]
    today = today_of(uow)
    week = today + timedelta(days=6 - (today.isoweekday() - firm_of(uow).week_start) % 7)
    counts = ", ".join(
        f"count(*) FILTER (WHERE {when}) AS {span}, COALESCE(sum(t.budget_minutes) FILTER (WHERE {when}), 0) AS {span}_minutes"
        for span, when in _WHEN.items()
    )
    groups = _WORKLOAD.format(
        column=group.column, key=group.key(f"t.{group.column}"), counts=counts, open=OPEN_TASKS, seen=not_hidden("t")
    )
    values = {"today": today, "week": week, "next_week": week + timedelta(days=7)}
    rows, whole, following = _paged(uow, groups, group, values, limit=limit, cursor=cursor)
    return {
        "today": today,
        "items": [{"group": _group(row)} | _workload(row) for row in rows],
        "total": _workload(whole),
        "next_cursor": following,
    }


def _workload(row: Row | None) -> dict[str, Any]:
    spans = {
        span: {"tasks": row[span] if row else 0, "minutes": int(row[f"{span}_minutes"]) if row else 0}
        for span in _SPANS
    }
    return {"tasks": row["rank"] if row else 0, "minutes": int(row["minutes"]) if row else 0} | spans


# --- how what was delivered went -------------------------------------------------------------------------------------

_DELIVERY = """
WITH done AS (
    SELECT {key} AS key, grouping(key) AS whole, count(*) AS done, avg(cycle) AS cycle_avg,
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
    SELECT {key} AS key, grouping(key) AS whole, count(*) AS made
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
    group = _SPAN_OF_TIME if spans_of_time else _GROUPS[by]
    keys = {
        moment: f"CAST(date_trunc('{by}', j.{moment} AT TIME ZONE :zone) AS date)"
        if spans_of_time
        else f"j.{group.column}"
        for moment in ("closed_at", "created_at")
    }
    groups = _DELIVERY.format(
        key=group.key("key"),
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
    rows, whole, following = _paged(uow, groups, group, values, limit=limit, cursor=cursor)
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


def _delivery(row: Row | None) -> dict[str, Any]:
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
