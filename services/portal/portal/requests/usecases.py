"""What a contact does with a request. Workflow decides; its answer is kept at once, so that the next page shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.db import new_id
from chassis.errors import Conflict, DomainError, NotFound, Unavailable
from chassis.uow import Uow
from portal.copies import usecases as copies
from portal.requests import queries, rules
from portal.requests.tables import Sending
from praxis.documents.v1.documents_pb2 import (
    CompleteUploadRequest,
    CreateDownloadRequest,
    StartUploadRequest,
    StartUploadResponse,
)
from praxis.timebilling.v1.timebilling_pb2 import (
    GetInvoiceRequest,
    GetInvoiceResponse,
    StartCheckoutRequest,
    StartCheckoutResponse,
)
from praxis.workflow.v1.workflow_pb2 import AnswerRequestItemRequest, MarkRequestViewedRequest, SubmitRequestRequest

FORM_MAX = 100 * 1024 * 1024  # bytes a form post may have


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form for one item."""

    outcome: str
    answer: str


def view(uow: Uow, request_id: UUID) -> Any:
    """The request; the first look at it is told to workflow. Errors: `request_not_found`."""
    row = queries.request(uow, request_id)
    if row.status == "sent":
        try:
            reply = uow.ask("workflow", "MarkRequestViewed", MarkRequestViewedRequest(request_id=str(request_id)))
        except (Unavailable, Conflict):
            return row  # it can be read all the same
        copies.keep_request(uow, reply.request)
        row = queries.request(uow, request_id)
    return row


def save(uow: Uow, request_id: UUID, typed: dict[str, Typed], *, insist: bool = False) -> dict[str, DomainError]:
    """Hands what has changed to workflow, item by item; returns what was refused, by item. Errors: `request_not_found`."""
    row = queries.request(uow, request_id)
    refused: dict[str, DomainError] = {}
    for item in row.items:
        form = typed.get(item["id"])
        if form is None or not rules.has_changed(item, form.outcome, form.answer, insist=insist):
            continue
        files = item["document_ids"] if item["kind"] == "file" and form.outcome == "answered" else []
        try:
            _answer(uow, request_id, item, outcome=form.outcome, answer=form.answer, document_ids=files)
        except Unavailable:
            raise
        except DomainError as error:
            refused[item["id"]] = error
    return refused


def submit(uow: Uow, request_id: UUID) -> None:
    """Hands the request in. Errors: `request_not_found`; whatever workflow refuses, e.g. items without an answer."""
    queries.request(uow, request_id)
    reply = uow.ask("workflow", "SubmitRequest", SubmitRequestRequest(request_id=str(request_id)))
    copies.keep_request(uow, reply.request)
    uow.audit("request.submitted", "request", request_id)


def _answer(
    uow: Uow,
    request_id: UUID,
    item: dict[str, Any],
    *,
    outcome: str,
    answer: str = "",
    document_ids: list[str] | None = None,
) -> None:
    ask = AnswerRequestItemRequest(
        request_id=str(request_id), item_id=item["id"], answer=answer, document_ids=document_ids or [], outcome=outcome
    )
    reply = uow.ask("workflow", "AnswerRequestItem", ask)
    copies.keep_request(uow, reply.request)
    uow.audit("request.answered", "request", request_id, after={"item": item["label"], "outcome": outcome})


# Files


def start_file(
    uow: Uow,
    request_id: UUID,
    item_id: UUID,
    *,
    name: str = "",
    size: int = FORM_MAX,
    sha256: str = "",
    redirect_to: Callable[[UUID], str] | None = None,
) -> tuple[Sending, StartUploadResponse]:
    """Where the browser sends a file for an item. Without a hash: a form post, whose bytes the documents service reads
    afterwards, and which leads to `redirect_to(id of the sending)`.

    Errors: `request_not_found`, `item_not_found`, `item_takes_no_file`, `request_closed`; what documents refuses (`too_large`).
    """
    row, item = _file_item(uow, request_id, item_id)
    id = new_id()
    target: StartUploadResponse = uow.ask(
        "documents",
        "StartUpload",
        StartUploadRequest(
            client_id=str(row.client_id),
            job_id=str(row.job_id or ""),
            request_id=str(request_id),
            name=name or item["label"],
            size=size,
            sha256=sha256,
            redirect_url=redirect_to(id) if redirect_to else "",
        ),
    )
    sending = Sending(
        id=id,
        contact_id=uow.principal.uuid,
        upload_id=UUID(target.upload_id),
        document_id=UUID(target.document_id),
        request_id=request_id,
        item_id=item_id,
        started_at=uow.now,
    )
    return uow.add(sending), target


def _file_item(uow: Uow, request_id: UUID, item_id: UUID) -> tuple[Any, dict[str, Any]]:
    row = queries.request(uow, request_id)
    item = queries.item_of(row, item_id)
    if item["kind"] != "file":
        raise Conflict("item_takes_no_file", "This is answered in writing, not by a file.")
    if row.status not in rules.OPEN or item["status"] == "accepted":
        raise Conflict("request_closed", "This has been handed in. Write to the firm if you want to add something.")
    return row, item


def finish_file(uow: Uow, sending_id: UUID) -> Sending:
    """The file has been sent: documents proves it, and it becomes part of the item's answer. Doing it again changes nothing.

    Errors: `upload_not_found`; what documents refuses (`upload_not_received`, `hash_differs`), and workflow.
    """
    sending = uow.session.get(Sending, (uow.firm_id, sending_id), with_for_update=True)
    if sending is None or sending.contact_id != uow.principal.uuid:
        raise NotFound("upload_not_found", "There is no such upload.")
    if sending.done_at is None:
        _take_in(uow, sending, uow.now)
    return sending


def _take_in(uow: Uow, sending: Sending, now: datetime) -> None:
    ids = {"document_id": str(sending.document_id), "upload_id": str(sending.upload_id)}
    document = uow.ask("documents", "CompleteUpload", CompleteUploadRequest(**ids), timeout=10).document
    copies.keep_document(uow, document)
    row = queries.request(uow, sending.request_id)
    item = queries.item_of(row, sending.item_id)
    files = [*(d for d in item["document_ids"] if d != str(sending.document_id)), str(sending.document_id)]
    _answer(uow, sending.request_id, item, outcome="answered", document_ids=files)
    sending.done_at = now


def remove_file(uow: Uow, request_id: UUID, item_id: UUID, document_id: UUID) -> None:
    """Takes a file out of an answer; the last one is taken out by saying that one does not have it. Errors: as `start_file`."""
    _, item = _file_item(uow, request_id, item_id)
    left = [d for d in item["document_ids"] if d != str(document_id)]
    if len(left) != len(item["document_ids"]):
        outcome = "answered" if left else "not_available"
        _answer(uow, request_id, item, outcome=outcome, document_ids=left)


def download(uow: Uow, document_id: UUID) -> str:
    """A signed address of a shared document. Errors: `document_not_found`, `document_not_stored`."""
    answer = uow.ask("documents", "CreateDownload", CreateDownloadRequest(document_id=str(document_id)))
    return str(answer.url)


def invoice(uow: Uow, invoice_id: UUID) -> GetInvoiceResponse:
    """An invoice with its lines. Errors: `invoice_not_found`."""
    answer: GetInvoiceResponse = uow.ask("timebilling", "GetInvoice", GetInvoiceRequest(invoice_id=str(invoice_id)))
    return answer


def checkout(uow: Uow, invoice_id: UUID) -> str:
    """The card provider's page for an invoice. Errors: `invoice_not_found`, `invoice_not_open`, `card_payments_off`, `card_payments_unavailable`."""
    answer: StartCheckoutResponse = uow.ask(
        "timebilling", "StartCheckout", StartCheckoutRequest(invoice_id=str(invoice_id)), timeout=15.0
    )
    return answer.url
