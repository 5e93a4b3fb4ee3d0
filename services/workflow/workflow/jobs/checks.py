"""Invariants of jobs, checked by `python -m workflow check`."""

from collections.abc import Iterable
from itertools import groupby
from uuid import UUID

from sqlalchemy import text

from chassis.uow import Uow
from workflow.dependencies.rules import find_cycle

_MISCOUNTED = text("""
SELECT j.id FROM jobs j
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE t.status <> 'cancelled') AS total,
        count(*) FILTER (WHERE t.status IN ('not_started', 'in_progress')) AS open
    FROM tasks t WHERE t.firm_id = j.firm_id AND t.job_id = j.id) t ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE r.status IN ('sent', 'viewed', 'partly_answered', 'returned')) AS waiting
    FROM requests r WHERE r.firm_id = j.firm_id AND r.job_id = j.id) r ON true
WHERE j.tasks_total <> t.total OR j.open_tasks <> t.open OR j.tasks_done <> t.total - t.open OR j.requests_waiting <> r.waiting
    OR (j.closed_at IS NOT NULL AND j.cancelled_at IS NULL AND (t.open > 0 OR r.waiting > 0))
""")

_EDGES = text("""
SELECT d.job_id, d.before_id, d.after_id, b.job_id AS before_job, a.job_id AS after_job FROM dependencies d
LEFT JOIN (SELECT id, job_id FROM tasks UNION ALL SELECT id, job_id FROM requests) b ON b.id = d.before_id
LEFT JOIN (SELECT id, job_id FROM tasks UNION ALL SELECT id, job_id FROM requests) a ON a.id = d.after_id
ORDER BY d.job_id
""")


def miscounted_jobs(uow: Uow) -> Iterable[str]:
    """Jobs whose counted facts are not what their tasks and requests say."""
    for job_id in uow.session.execute(_MISCOUNTED).scalars():
        yield f"job {job_id}"


def broken_dependencies(uow: Uow) -> Iterable[str]:
    """Dependencies that reach out of their job, and jobs whose steps wait for each other in a circle."""
    for job_id, edges in groupby(uow.session.execute(_EDGES), key=lambda row: row.job_id):
        pairs: list[tuple[UUID, UUID]] = []
        for edge in edges:
            pairs.append((edge.before_id, edge.after_id))
            if edge.before_job != job_id or edge.after_job != job_id:
                yield f"job {job_id}: dependency on another job's step"
        if find_cycle(pairs):
            yield f"job {job_id}: cycle"
