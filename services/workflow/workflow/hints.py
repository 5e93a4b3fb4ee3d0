"""Telling open screens of what no other service keeps: that it has changed, never what it says. They ask again."""

from google.protobuf.message import Message

from chassis.uow import Uow
from praxis.workflow.v1.events_pb2 import (
    AutomationChanged,
    FeedChanged,
    RunChanged,
    ScheduleChanged,
    StageChanged,
    TemplateChanged,
    ViewChanged,
)
from workflow.automations.tables import Automation
from workflow.feeds.tables import Feed
from workflow.runs.tables import Run
from workflow.schedules.tables import Schedule
from workflow.stages.tables import Stage
from workflow.templates.tables import Template
from workflow.views.tables import View

Shown = Automation | Feed | Run | Schedule | Stage | Template | View


def hint(uow: Uow, row: Shown) -> None:
    """The row was made, changed or taken away; it is written already, so that its version is the one that will be read."""
    uow.announce(_event(row), subject=row.id, version=1 if isinstance(row, Run) else row.version)


def _event(row: Shown) -> Message:
    id = str(row.id)
    match row:
        case Automation():
            return AutomationChanged(automation_id=id, version=row.version)
        case Feed():
            return FeedChanged(feed_id=id, version=row.version)
        case Run():
            return RunChanged(run_id=id)
        case Schedule():
            return ScheduleChanged(schedule_id=id, client_id=str(row.client_id), version=row.version)
        case Stage():
            return StageChanged(stage_id=id, version=row.version)
        case Template():
            return TemplateChanged(template_id=id, version=row.version)
        case View():
            return ViewChanged(view_id=id, version=row.version)
