"""What a request's state looks like to the other services."""

from praxis.workflow.v1 import events_pb2
from workflow.requests.tables import Request, RequestItem


def request_changed(request: Request, job_title: str) -> events_pb2.RequestChanged:
    """The request with all its items."""
    return events_pb2.RequestChanged(
        request_id=str(request.id),
        job_id=str(request.job_id),
        client_id=str(request.client_id),
        job_title=job_title,
        title=request.title,
        message=request.message,
        status=request.status,
        due_on=str(request.due_on or ""),
        items=[_item(item) for item in request.items],
        return_reason=request.return_reason or "",
        version=request.version,
    )


def _item(item: RequestItem) -> events_pb2.RequestItem:
    return events_pb2.RequestItem(
        item_id=str(item.id),
        kind=item.kind,
        label=item.label,
        help=item.help,
        required=item.required,
        choices=item.choices,
        status=item.status,
        answer=item.answer or "",
        document_ids=[str(document_id) for document_id in item.document_ids],
        return_reason=item.return_reason or "",
    )
