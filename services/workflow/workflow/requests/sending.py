"""A request goes to the client and comes back: whose time runs, and when they are reminded."""

from datetime import timedelta

from chassis.uow import Uow
from workflow.requests import rules
from workflow.requests.tables import Request


def send(uow: Uow, request: Request) -> None:
    """The request lies with the client from now on."""
    request.status = "sent"
    request.sent_at = request.sent_at or uow.now
    hand_over(uow, request)


def hand_over(uow: Uow, request: Request, *, after_return: bool = False) -> None:
    """The client's time begins to run, and so does the wait for the next reminder."""
    request.waiting_since = uow.now
    request.changed_at = uow.now
    plan_reminder(uow, request, after_return=after_return)


def take_back(uow: Uow, request: Request) -> None:
    """The client's time stops; there is nothing left to remind of."""
    if request.waiting_since:
        request.waited_seconds += int((uow.now - request.waiting_since).total_seconds())
    request.waiting_since = None
    request.next_reminder_at = None
    request.changed_at = uow.now
    uow.cancel("request_reminder", request.id)


def plan_reminder(uow: Uow, request: Request, *, after_return: bool = False) -> None:
    """Plans the next reminder, if there is one left. It carries its number, so that each is announced once."""
    days = rules.next_reminder(request.reminders_sent, request.reminders, after_return)
    request.next_reminder_at = uow.now + timedelta(days=days) if days else None
    if request.next_reminder_at:
        number = request.reminders_sent + 1
        uow.later(
            "request_reminder", request.id, at=request.next_reminder_at, request_id=str(request.id), number=number
        )
