"""What this service listens to, what it does later, what it can say again, and how it checks itself."""

from collections.abc import Callable
from functools import partial

from chassis import merged
from chassis.consumer import Listen
from praxis.clients.v1.events_pb2 import (
    ClientChanged,
    ClientMerged,
    ClientRemoved,
    ContactChanged,
    EngagementChanged,
    GroupChanged,
)
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged
from praxis.workflow.v1.events_pb2 import AvailabilityChanged, JobChanged, RequestChanged, TaskChanged
from workflow.applications import usecases as applications
from workflow.automations import usecases as automations
from workflow.calendars import queries as calendar_queries
from workflow.copies import usecases as copies
from workflow.jobs import checks
from workflow.jobs import queries as job_queries
from workflow.jobs import usecases as job_usecases
from workflow.keeping import usecases as keeping
from workflow.requests import queries as request_queries
from workflow.requests import usecases as request_usecases
from workflow.rollouts import usecases as rollouts
from workflow.runs import usecases as run_usecases
from workflow.schedules import usecases as schedule_usecases
from workflow.stages import usecases as stage_usecases
from workflow.tasks import queries as task_queries

LISTENS = [
    Listen(FirmUpdated, copies.keep_firm),
    Listen(FirmUpdated, stage_usecases.begin),
    Listen(FirmUpdated, keeping.begin),
    Listen(StaffChanged, copies.keep_staff),
    Listen(ClientChanged, job_usecases.follow_client),
    Listen(ClientMerged, job_usecases.follow_merge),
    Listen(ClientRemoved, job_usecases.forget),
    Listen(ContactChanged, copies.keep_contact),
    Listen(EngagementChanged, copies.keep_engagement),
    Listen(GroupChanged, copies.keep_group),
    Listen(TimeEntryChanged, copies.keep_time),
    Listen(DocumentChanged, copies.keep_document),
]

RUNS = {
    "apply": applications.apply_chunk,
    "roll_out": rollouts.roll_out_chunk,
    "undo": rollouts.undo_chunk,
}

TIMERS: dict[str, Callable[..., object]] = {
    "automation": automations.run,
    "automation_calendar": automations.look_at_the_calendar,
    "clear": keeping.clear,
    "repoint": merged.again,
    "schedule": schedule_usecases.fire,
    "run": partial(run_usecases.go_on, works=RUNS),
    "job_turn": job_usecases.turn,
    "stage_renamed": job_usecases.tell_stage,
    "request_reminder": request_usecases.remind,
}

REPUBLISH = {
    JobChanged: job_queries.job_states,
    TaskChanged: task_queries.task_states,
    RequestChanged: request_queries.request_states,
    AvailabilityChanged: calendar_queries.availability_states,
}

CHECKS = {
    "jobs count their steps": checks.miscounted_jobs,
    "dependencies stay within a job and without a cycle": checks.broken_dependencies,
}
