"""The composition root: one screen that shows the whole service."""

from pathlib import Path

from chassis.errors import Conflict
from chassis.service import Service
from praxis.workflow.v1 import workflow_pb2
from workflow import consumers, grpc
from workflow.settings import Settings

service = Service(
    name="workflow",
    root=Path(__file__).resolve().parents[1],
    settings=Settings,
    rpc=[(workflow_pb2.DESCRIPTOR.services_by_name["Workflow"], grpc)],
    listens=consumers.LISTENS,
    timers=consumers.TIMERS,
    merged="client_id",
    republish=consumers.REPUBLISH,
    checks=consumers.CHECKS,
    constraints={
        "uq_stages_firm_id": Conflict("stage_name_taken", "There is a stage of this name already."),
        "uq_jobs_period": Conflict(
            "period_already_made", "The client has this job for the period already. Say `again` to make another one."
        ),
        "uq_views_firm_id": Conflict("view_name_taken", "You have a view of this name already."),
        "uq_dependencies_firm_id": Conflict("dependency_exists", "This dependency exists already."),
        "uq_schedule_periods_firm_id": Conflict("period_already_made", "This period is made or skipped already."),
        "uq_working_weeks": Conflict(
            "working_week_exists", "The person has a working week from this day already. Take that one back first."
        ),
        "fk_jobs_firm_id": Conflict("stage_in_use", "There are jobs in this stage. Move them to another one first."),
    },
)
