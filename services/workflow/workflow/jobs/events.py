"""What a job's state looks like to the other services."""

from praxis.workflow.v1.events_pb2 import JobChanged
from workflow.jobs.rules import Facts, priority_of
from workflow.jobs.tables import Job


def job_changed(job: Job, stage: str, facts: Facts) -> JobChanged:
    """The job's current state, with the status of the moment it is announced."""
    return JobChanged(
        job_id=str(job.id),
        client_id=str(job.client_id),
        engagement_id=str(job.engagement_id or ""),
        title=job.title,
        service=job.service,
        period_start=str(job.period_start or ""),
        period_end=str(job.period_end or ""),
        owner_id=str(job.owner_id or ""),
        stage=stage,
        status=job.status,
        due_on=str(facts.due_on or ""),
        budget_minutes=job.budget_minutes,
        tasks_total=job.tasks_total,
        tasks_done=job.tasks_done,
        closed=facts.closed or facts.cancelled,
        version=job.version,
        priority=priority_of(job.priority),
    )
