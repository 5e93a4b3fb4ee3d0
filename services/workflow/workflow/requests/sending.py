"""A request goes to the client and comes back: whose time runs, and when they are reminded."""

from datetime import timedelta

from chassis.uow import Uow
from workflow.copies.tables import ClientCopy
from workflow.jobs.tables import Job
from workflow.requests import rules
from workflow.requests.tables import Request
from workflow.watching.usecases import Subject, may_see, tell


def send(uow: Uow, request: Request) -> None:
    """The request lies with the client from now on, for the first time or once more."""
    request.status, request.decided_at = "sent", None
    request.sent_at = request.sent_at or uow.now
    hand_over(uow, request)


def hand_over(uow: Uow, request: Request) -> None:
    """The client's time begins to run, and so do the reminders: those of an earlier time don't count any more."""
    request.waiting_since = uow.now
    request.changed_at = uow.now
    request.reminders_before = request.reminders_sent
    plan_reminder(uow, request)


def take_back(uow: Uow, request: Request) -> None:
    """The client's time stops; there is nothing left to remind of."""
    if request.waiting_since:
        request.waited_seconds += int((uow.now - request.waiting_since).total_seconds())
    request.waiting_since = None
    request.next_reminder_at = None
    request.escalated_at = None
    request.changed_at = uow.now
    uow.cancel("request_reminder", request.id)


def expire(uow: Uow, job: Job, request: Request) -> None:
    """The last day for an answer has passed: what waits for it goes on, and the job's owner knows."""
    request.status, request.decided_at = "expired", uow.now
    take_back(uow, request)
    tell_responsible(uow, job, request, "request_expired", "has expired without an answer")
    uow.audit("request.expired", "request", request.id, after={"expires_on": request.expires_on})


def tell_responsible(uow: Uow, job: Job, request: Request, reason: str, what: str) -> None:
    """Tells the job's owner; where there is none who may see the client, its manager or partner."""
    client = uow.session.get(ClientCopy, (uow.firm_id, job.client_id))
    candidates = [job.owner_id, client and client.manager_id, client and client.partner_id]
    seeing = may_see(uow, job.client_id, [staff_id for staff_id in candidates if staff_id])
    told = next((staff_id for staff_id in candidates if staff_id in seeing), None)
    if told:
        tell(uow, [told], reason, Subject("request", request.id, job.id, job.client_id), f"“{request.title}” {what}.")


def plan_reminder(uow: Uow, request: Request) -> None:
    """Plans the next reminder, if there is one left. It carries its number, so that each is announced once."""
    days = rules.next_reminder(request.reminders_sent - request.reminders_before, request.reminders)
    request.next_reminder_at = uow.now + timedelta(days=days) if days else None
    if request.next_reminder_at:
        number = request.reminders_sent + 1
        uow.later(
            "request_reminder", request.id, at=request.next_reminder_at, request_id=str(request.id), number=number
        )
