"""The bound of `boards`: the same board and pages of jobs and tasks by raw SQL behind Flask. No token, no row-level security, no
specification; what hides private clients is a plain condition."""

from datetime import date
from typing import Any

from flask import jsonify, request

from bench.bound_flask import Server, _pool, app

_STATUS = """CASE WHEN j.cancelled_at IS NOT NULL THEN 'cancelled' WHEN j.closed_at IS NOT NULL THEN 'done'
    WHEN j.deadline_on < current_date THEN 'overdue'
    WHEN j.open_tasks > 0 AND (j.next_ready_on IS NULL OR j.next_ready_on > current_date) THEN 'blocked'
    WHEN j.due_on < current_date OR j.next_step_due < current_date THEN 'at_risk' ELSE 'on_track' END"""
_SEEN = "(c.visible_to IS NULL OR %(me)s::uuid = ANY (c.visible_to))"
_CARD = f"""j.id::text, j.title, j.service, j.client_id::text, c.name AS client, j.owner_id::text, j.stage_id::text, j.priority,
    {_STATUS} AS status, j.due_on::text, j.deadline_on::text, j.period_start, j.period_end, j.tasks_total, j.tasks_done,
    j.requests_waiting, j.budget_minutes, j.closed_at::text, j.version, j.due_sort,
    (SELECT o.name FROM staff_copy o WHERE o.firm_id = j.firm_id AND o.id = j.owner_id) AS owner,
    (SELECT COALESCE(sum(x.seconds), 0)::bigint / 60 FROM time_copy x WHERE x.firm_id = j.firm_id AND x.job_id = j.id) AS logged"""
_JOBS = "jobs j JOIN client_copy c ON c.firm_id = j.firm_id AND c.id = j.client_id"

_BOARD = f"""
    SELECT s.id::text AS column_id, s.name AS column_name, COALESCE(n.n, 0) AS n, p.* FROM stages s
    LEFT JOIN (SELECT j.stage_id, count(*) AS n FROM {_JOBS} WHERE j.firm_id = %(firm)s AND j.on_board AND {_SEEN} GROUP BY 1) n ON n.stage_id = s.id
    LEFT JOIN LATERAL (SELECT {_CARD} FROM {_JOBS}
        WHERE j.firm_id = %(firm)s AND j.stage_id = s.id AND j.on_board AND {_SEEN} ORDER BY j.due_sort, j.id LIMIT %(rows)s) p ON true
    WHERE s.firm_id = %(firm)s ORDER BY s.position, p.due_sort, p.id"""

_JOB_PAGE = f"""
    SELECT {_CARD} FROM {_JOBS} WHERE j.firm_id = %(firm)s AND {_SEEN} AND (j.due_sort, j.id) > (%(day)s, %(id)s)
    ORDER BY j.due_sort, j.id LIMIT %(rows)s"""

_TASK_PAGE = f"""
    SELECT p.*, j.title AS job, {_STATUS} AS job_status, j.version AS job_version, o.name AS owner,
        (SELECT COALESCE(sum(x.seconds), 0)::bigint / 60 FROM time_copy x WHERE x.firm_id = p.firm_id AND x.job_id = p.job_id AND x.task_id = p.task_id) AS logged,
        (SELECT jsonb_agg(jsonb_build_object('id', b.id, 'title', b.title)) FROM dependencies d
            JOIN tasks b ON b.firm_id = d.firm_id AND b.id = d.before_id AND b.completed_on IS NULL
            WHERE d.firm_id = p.firm_id AND d.after_id = p.task_id) AS waits_for
    FROM (SELECT t.firm_id, t.id AS task_id, t.id::text, t.job_id, t.position, t.title, t.description, t.role, t.owner_id, t.priority, t.status,
            t.blocked, t.attention, t.due_on::text, t.original_due_on, t.due_moves, t.due_pinned, t.budget_minutes, t.checklist, t.started_at,
            t.completed_at, t.version, t.due_sort, c.name AS client, c.id::text AS client_id
        FROM tasks t JOIN client_copy c ON c.firm_id = t.firm_id AND c.id = t.client_id
        WHERE t.firm_id = %(firm)s AND t.status IN ('not_started', 'in_progress') AND {_SEEN} AND (t.due_sort, t.id) > (%(day)s, %(id)s)
        ORDER BY t.due_sort, t.id LIMIT %(rows)s) p
    JOIN jobs j ON j.firm_id = p.firm_id AND j.id = p.job_id
    LEFT JOIN staff_copy o ON o.firm_id = p.firm_id AND o.id = p.owner_id
    ORDER BY p.due_sort, p.task_id"""


def _rows(statement: str, limit: int) -> list[dict[str, Any]]:
    values = {
        "firm": request.args["firm"],
        "me": request.args["me"],
        "day": request.args.get("day", "0001-01-01"),
        "id": request.args.get("id", "00000000-0000-0000-0000-000000000000"),
        "rows": limit + 1,
    }
    with _pool().connection() as connection:
        cursor = connection.execute(statement, values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def _page(statement: str) -> Any:
    limit = int(request.args["limit"])
    rows = _rows(statement, limit)
    return jsonify(items=rows[:limit], more=len(rows) > limit)


@app.get("/board")
def board() -> Any:
    limit = int(request.args["limit"])
    columns: dict[str, dict[str, Any]] = {}
    for row in _rows(_BOARD, limit):
        column = columns.setdefault(
            row["column_id"], {"name": row["column_name"], "count": row["n"], "cards": [], "more": False}
        )
        if row["id"] and len(column["cards"]) < limit:
            column["cards"].append(row)
    return jsonify(columns=list(columns.values()), today=str(date.today()))  # noqa: DTZ011 (as simple as it goes)


@app.get("/jobs")
def jobs() -> Any:
    return _page(_JOB_PAGE)


@app.get("/tasks")
def tasks() -> Any:
    return _page(_TASK_PAGE)


if __name__ == "__main__":
    Server().run()
