"""What other services ask of this one."""

from uuid import UUID

from chassis.errors import Invalid
from chassis.uow import Uow
from praxis.workflow.v1.workflow_pb2 import (
    AnswerRequestItemRequest,
    GetJobRequest,
    GetJobResponse,
    GetTaskRequest,
    GetTaskResponse,
    MarkRequestViewedRequest,
    RequestReply,
    SubmitRequestRequest,
)
from workflow.jobs.aggregate import WholeJob
from workflow.jobs.queries import job_state
from workflow.requests import usecases
from workflow.requests.events import request_changed
from workflow.requests.tables import Request
from workflow.tasks.queries import task_state


def get_job(uow: Uow, request: GetJobRequest) -> GetJobResponse:
    return GetJobResponse(job=job_state(uow, _id(request.job_id)))


def get_task(uow: Uow, request: GetTaskRequest) -> GetTaskResponse:
    return GetTaskResponse(task=task_state(uow, _id(request.task_id)))


def mark_request_viewed(uow: Uow, request: MarkRequestViewedRequest) -> RequestReply:
    return _reply(*usecases.mark_viewed(uow, _id(request.request_id)))


def answer_request_item(uow: Uow, request: AnswerRequestItemRequest) -> RequestReply:
    answered = usecases.answer_item(
        uow,
        _id(request.request_id),
        _id(request.item_id),
        outcome=request.outcome or "answered",
        answer=request.answer,
        document_ids=[_id(document_id) for document_id in request.document_ids],
    )
    return _reply(*answered)


def submit_request(uow: Uow, request: SubmitRequestRequest) -> RequestReply:
    return _reply(*usecases.submit_request(uow, _id(request.request_id)))


def _reply(whole: WholeJob, request: Request) -> RequestReply:
    return RequestReply(request=request_changed(request, whole.job.title))


def _id(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise Invalid("id_invalid", "This is not an id.") from error
