"""What one can do with requests: ask, answer, hand in, accept, return, do without."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from chassis.errors import Conflict, Invalid, NotFound
from chassis.uow import Uow
from praxis.workflow.v1.events_pb2 import RequestReminderDue
from workflow.copies.usecases import today_of
from workflow.dates.parsing import date_of
from workflow.jobs.aggregate import WholeJob, load, load_by_request, move_due_date, settle
from workflow.jobs.making import new_dependency
from workflow.requests import rules
from workflow.requests.making import new_items, new_request
from workflow.requests.sending import hand_over, plan_reminder, send, take_back, tell_responsible
from workflow.requests.tables import Request, RequestItem
from workflow.tasks.tables import Task
from workflow.templates.rules import DEFAULT_REMINDERS, Contradiction, check_items, normal_item

# --- asking ----------------------------------------------------------------------------------------------------------


def create_request(uow: Uow, job_id: UUID, body: Mapping[str, Any]) -> Request:
    """A further request at a job, sent at once, on a day, or left as a draft. Errors: `job_not_found`, `job_cancelled`, `choices_missing`,
    `choices_not_allowed`, `dependency_unknown`, `date_out_of_range`."""
    whole = load(uow, job_id, version=uow.if_match)
    _require_live(whole)
    request = new_request(
        whole.job,
        max((r.position for r in whole.requests), default=0) + 1,
        uow.now,
        title=body["title"],
        message=body.get("message", ""),
        status="draft",
        send="by_hand",
        reminders=DEFAULT_REMINDERS | body.get("reminders", {}),
        items=_items(body["items"]),
        due_on=date_of(body, "due_on"),
        send_on=date_of(body, "send_on"),
        expires_on=_expiry(uow, body),
    )
    if body.get("send", True):
        if request.send_on and request.send_on > today_of(uow):
            request.status, request.send = "scheduled", "automatically"
        else:
            send(uow, request)
    dependencies = [
        new_dependency(job_id, request, _blockable(whole, UUID(t)), 0) for t in dict.fromkeys(body.get("blocks", []))
    ]
    whole.requests.append(request)
    whole.dependencies += dependencies
    uow.session.add_all([request, *dependencies])
    settle(uow, whole)
    uow.audit(
        "request.created",
        "request",
        request.id,
        after={"job_id": job_id, "title": request.title, "status": request.status},
    )
    return request


def _require_live(whole: WholeJob) -> None:
    """Errors: `job_cancelled`."""
    if whole.job.cancelled_at:
        raise Conflict("job_cancelled", "The job is cancelled. Reinstate it first.")


def _items(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    normal = [normal_item(dict(item)) for item in items]
    try:
        check_items(normal, "/items")
    except Contradiction as error:
        raise Invalid(error.code, error.message, pointer=error.pointer) from error
    return normal


def _blockable(whole: WholeJob, task_id: UUID) -> Task:
    step = whole.step(task_id)
    if not isinstance(step, Task):
        raise Invalid("dependency_unknown", "A request can only be waited for by tasks.", pointer="/blocks")
    return step


def change_request(uow: Uow, request_id: UUID, body: Mapping[str, Any]) -> Request:
    """As long as it was not sent; while it lies with the client only its reminders and its expiry. Errors: `request_not_found`,
    `request_already_sent`, `choices_missing`, `expiry_passed`, `date_out_of_range`, `version_conflict`."""
    whole, request = load_by_request(uow, request_id)
    later_too = request.status in rules.WITH_CLIENT and body.keys() <= {"reminders", "expires_on"}
    if request.status not in rules.UNSENT and not later_too:
        raise Conflict("request_already_sent", "The client has this request. Cancel it and send another one.")
    before = _shown(request)
    if "send_on" in body:
        request.send_on = date_of(body, "send_on")
    if "expires_on" in body:
        request.expires_on = _expiry(uow, body)
    request.title = body.get("title", request.title)
    request.message = body.get("message", request.message)
    request.reminders = request.reminders | body.get("reminders", {})
    if "items" in body:
        request.items = new_items(_items(body["items"]))
    if "reminders" in body and later_too:
        _plan_reminders_anew(uow, request)
    _settle(uow, whole, request)
    uow.audit("request.changed", "request", request_id, before=before, after=_shown(request))
    return request


def _shown(request: Request) -> dict[str, Any]:
    return {
        "title": request.title,
        "message": request.message,
        "items": [item.label for item in request.items],
        "reminders": request.reminders,
        "send_on": request.send_on,
        "expires_on": request.expires_on,
    }


def _expiry(uow: Uow, body: Mapping[str, Any]) -> date | None:
    """Errors: `expiry_passed`, `date_out_of_range`."""
    last = date_of(body, "expires_on")
    if last and last < today_of(uow):
        raise Invalid("expiry_passed", "A request can't expire on a day that has passed.", pointer="/expires_on")
    return last


def _plan_reminders_anew(uow: Uow, request: Request) -> None:
    uow.cancel("request_reminder", request.id)
    plan_reminder(uow, request)


def send_request(uow: Uow, request_id: UUID) -> Request:
    """Also one that has expired: the client is asked once more, without a last day. Errors: `request_not_found`, `job_cancelled`,
    `request_<status>` if it was sent, `version_conflict`."""
    whole, request = _for_act(uow, request_id, "send")
    _require_live(whole)
    if request.status == "expired":
        request.expires_on = None
    send(uow, request)
    return _done(uow, whole, request, "sent")


# --- the client's side -----------------------------------------------------------------------------------------------


def mark_viewed(uow: Uow, request_id: UUID) -> tuple[WholeJob, Request]:
    """A contact has looked at it. Errors: `request_not_found`."""
    whole, request = _for_act(uow, request_id, "view")
    if request.viewed_at is None:
        request.viewed_at = uow.now
        if request.status == "sent":
            request.status = "viewed"
        _settle(uow, whole, request)
        uow.audit("request.viewed", "request", request_id)
    return whole, request


def answer_item(
    uow: Uow, request_id: UUID, item_id: UUID, *, outcome: str, answer: str, document_ids: Sequence[UUID]
) -> tuple[WholeJob, Request]:
    """A contact answers one item; it can be answered anew until the request is handed in.
    Errors: `request_not_found`, `item_not_found`, `request_<status>`, `item_accepted`, `answer_invalid`, `outcome_unknown`."""
    whole, request = _for_act(uow, request_id, "answer")
    item = _item(request, item_id)
    if item.status == "accepted":
        raise Conflict("item_accepted", "This was accepted already.")
    with _refusals_told(Invalid):
        kept = rules.check_answer(item.kind, item.choices, outcome, answer, document_ids)
    before = item.status
    item.status, item.answer, item.document_ids = outcome, kept or None, list(document_ids)
    request.status = "partly_answered"
    request.viewed_at = request.viewed_at or uow.now
    _settle(uow, whole, request)
    after = {"item": item.label, "status": outcome, "documents": [str(d) for d in document_ids]}
    uow.audit("request.item_answered", "request", request_id, before={"status": before}, after=after)
    return whole, request


def submit_request(uow: Uow, request_id: UUID) -> tuple[WholeJob, Request]:
    """A contact hands it in; once more changes nothing. Errors: `request_not_found`, `request_<status>`, `request_incomplete`."""
    whole, request = _for_act(uow, request_id, "submit")
    if request.status == "submitted":
        return whole, request
    left = rules.missing(_states(request))
    if left:
        raise Conflict("request_incomplete", f"{len(left)} things are still open, “{left[0]}” first.", open=left)
    request.status, request.submitted_at, request.return_reason = "submitted", uow.now, None
    take_back(uow, request)
    _settle(uow, whole, request)
    uow.audit("request.submitted", "request", request_id)
    return whole, request


# --- the firm's side -------------------------------------------------------------------------------------------------


def accept_request(uow: Uow, request_id: UUID) -> Request:
    """Everything that was handed in is accepted. Errors: `request_not_found`, `request_<status>`, `version_conflict`."""
    whole, request = _for_act(uow, request_id, "accept")
    for item in request.items:
        if item.status in rules.OUTCOMES:
            item.status, item.return_reason = "accepted", None
    return _accepted(uow, whole, request)


def accept_item(uow: Uow, request_id: UUID, item_id: UUID) -> Request:
    """One item; when the request was handed in and this was the last, the request with it. Errors: `item_not_found`, `item_not_answered`."""
    whole, request = _for_act(uow, request_id, "accept_item")
    item = _item(request, item_id)
    if item.status not in rules.ANSWERED:
        raise Conflict("item_not_answered", "There is no answer to accept.")
    item.status, item.return_reason = "accepted", None
    if request.status == "submitted" and rules.all_accepted(_states(request)):
        return _accepted(uow, whole, request)
    return _done(uow, whole, request, "item_accepted", after={"item": item.label})


def _accepted(uow: Uow, whole: WholeJob, request: Request) -> Request:
    request.status, request.decided_at = "accepted", uow.now
    return _done(uow, whole, request, "accepted")


def return_request(uow: Uow, request_id: UUID, reason: str, items: Mapping[UUID, str]) -> Request:
    """Back to the client: the named items with their reasons, or all that were answered. What waits for it is blocked again.
    Errors: `request_not_found`, `item_not_found`, `item_not_answered`, `request_<status>`, `job_cancelled`, `version_conflict`."""
    whole, request = _for_act(uow, request_id, "return")
    named = items or {item.id: reason for item in request.items if item.status in rules.ANSWERED}
    return _returned(uow, whole, request, reason, named)


def return_item(uow: Uow, request_id: UUID, item_id: UUID, reason: str) -> Request:
    """One item, and the request with it. Errors: as `return_request`."""
    whole, request = _for_act(uow, request_id, "return_item")
    return _returned(uow, whole, request, reason, {item_id: reason})


def _returned(uow: Uow, whole: WholeJob, request: Request, reason: str, items: Mapping[UUID, str]) -> Request:
    _require_live(whole)  # nobody is asked, and reminded, for a job that is none any more
    for item_id, item_reason in items.items():
        item = _item(request, item_id)
        if item.status not in (*rules.ANSWERED, "returned"):
            raise Conflict("item_not_answered", f"“{item.label}” has no answer to return.")
        item.status, item.return_reason = "returned", item_reason
    was_with_client = request.status in rules.WITH_CLIENT
    request.status, request.return_reason, request.decided_at = "returned", reason, None
    if not was_with_client:
        hand_over(uow, request)
    return _done(uow, whole, request, "returned", reason=reason)


def waive_request(uow: Uow, request_id: UUID, reason: str) -> Request:
    """We do without it. Errors: `request_not_found`, `request_<status>`, `version_conflict`."""
    return _end(uow, request_id, "waive", "waived", reason)


def cancel_request(uow: Uow, request_id: UUID, reason: str) -> Request:
    """Withdrawn. Errors: `request_not_found`, `request_<status>`, `version_conflict`."""
    return _end(uow, request_id, "cancel", "cancelled", reason)


def _end(uow: Uow, request_id: UUID, act: str, status: str, reason: str) -> Request:
    whole, request = _for_act(uow, request_id, act)
    request.status, request.decided_at = status, uow.now
    take_back(uow, request)
    return _done(uow, whole, request, status, reason=reason)


def reschedule_request(uow: Uow, request_id: UUID, body: Mapping[str, Any]) -> Request:
    """Sets the date by hand and pins it. Errors: `request_not_found`, `date_out_of_range`, `version_conflict`."""
    whole, request = load_by_request(uow, request_id)
    old, new = request.due_on, date_of(body, "due_on")
    request.due_pinned = True
    if old != new:
        move_due_date(uow, request, new, body["reason"])
    _settle(uow, whole, request)
    uow.audit(
        "request.due_moved", "request", request_id, before={"due_on": old}, after={"due_on": new}, reason=body["reason"]
    )
    return request


# --- by itself -------------------------------------------------------------------------------------------------------


def remind(uow: Uow, request_id: str, number: int) -> None:
    """A reminder is due: announced once, unless the client has answered meanwhile, and the next one planned."""
    whole, request = load_by_request(uow, UUID(request_id))
    if request.status not in rules.WITH_CLIENT or request.reminders_sent != number - 1:
        return
    uow.announce(
        RequestReminderDue(request_id=request_id, client_id=str(request.client_id), number=number),
        subject=request.id,
        version=number,
    )
    request.reminders_sent = number
    plan_reminder(uow, request)
    this_time = number - request.reminders_before
    if request.escalated_at is None and rules.escalates(this_time, request.reminders):
        request.escalated_at = uow.now
        tell_responsible(
            uow, whole.job, request, "request_unanswered", f"was reminded of {this_time} times and is not answered"
        )
        uow.audit("request.escalated", "request", request.id, after={"reminders": this_time})
    settle(uow, whole, changed=False)


# --- what they share -------------------------------------------------------------------------------------------------


def _for_act(uow: Uow, request_id: UUID, act: str) -> tuple[WholeJob, Request]:
    whole, request = load_by_request(uow, request_id)
    with _refusals_told(Conflict):
        rules.check_act(act, request.status)
    return whole, request


def _done(
    uow: Uow,
    whole: WholeJob,
    request: Request,
    what: str,
    *,
    reason: str | None = None,
    after: dict[str, Any] | None = None,
) -> Request:
    _settle(uow, whole, request)
    uow.audit(f"request.{what}", "request", request.id, after=after or {"status": request.status}, reason=reason)
    return request


def _settle(uow: Uow, whole: WholeJob, request: Request) -> None:
    request.changed_at = uow.now
    settle(uow, whole, today=today_of(uow), why=f"“{request.title}” is {request.status.replace('_', ' ')}")


def _item(request: Request, item_id: UUID) -> RequestItem:
    for item in request.items:
        if item.id == item_id:
            return item
    raise NotFound("item_not_found", "The request has no such item.")


def _states(request: Request) -> list[rules.ItemState]:
    return [rules.ItemState(item.label, item.required, item.status) for item in request.items]


@contextmanager
def _refusals_told(kind: type[Conflict] | type[Invalid]) -> Iterator[None]:
    try:
        yield
    except rules.Refusal as error:
        raise kind(error.code, error.message) from error
