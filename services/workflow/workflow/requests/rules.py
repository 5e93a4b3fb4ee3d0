"""Requests: the lifecycle of what is asked of a client, item by item."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from workflow.dates.rules import DateOutOfRange, in_range

STATUSES = (
    "draft",
    "scheduled",
    "sent",
    "viewed",
    "partly_answered",
    "submitted",
    "accepted",
    "returned",
    "waived",
    "cancelled",
    "expired",
)
UNSENT = ("draft", "scheduled")
WITH_CLIENT = ("sent", "viewed", "partly_answered", "returned")
# What waits for a request goes on when the client has handed it in; a return blocks it again.
COMPLETE = ("submitted", "accepted", "waived", "cancelled", "expired")
SETTLED = ("accepted", "waived", "cancelled", "expired")
# A contact sees a request from the moment it is sent.
VISIBLE_TO_CLIENT = (*WITH_CLIENT, "submitted", "accepted")

OUTCOMES = ("answered", "not_applicable", "not_available")
ANSWERED = (*OUTCOMES, "accepted")

ACTS: Mapping[str, Collection[str]] = {
    "send": (*UNSENT, "expired"),
    "view": (*WITH_CLIENT, "submitted", "accepted"),
    "answer": WITH_CLIENT,
    "submit": (*WITH_CLIENT, "submitted"),
    "accept": ("submitted",),
    "accept_item": (*WITH_CLIENT, "submitted"),
    "return": ("submitted", "accepted"),
    "return_item": ("viewed", "partly_answered", "returned", "submitted", "accepted"),
    "waive": (*UNSENT, *WITH_CLIENT, "submitted"),
    "cancel": (*UNSENT, *WITH_CLIENT, "submitted"),
}

_MAX_ANSWER = 20_000


class Refusal(Exception):
    """An act or answer that is not possible, as the API says it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class ItemState:
    label: str
    required: bool
    status: str


def check_act(act: str, status: str) -> None:
    """Errors: Refusal `request_<status>` when the act is not possible in that status."""
    if status not in ACTS[act]:
        words = status.replace("_", " ")
        raise Refusal(f"request_{status}", f"This request is {words}: it can't be {_PARTICIPLE[act]}.")


_PARTICIPLE = {
    "send": "sent",
    "view": "viewed",
    "answer": "answered",
    "submit": "handed in",
    "accept": "accepted",
    "accept_item": "accepted",
    "return": "returned",
    "return_item": "returned",
    "waive": "waived",
    "cancel": "cancelled",
}


def check_answer(kind: str, choices: Sequence[str], outcome: str, answer: str, documents: Collection[object]) -> str:
    """The answer as it is kept. Errors: Refusal `outcome_unknown`, `answer_invalid`."""
    if outcome not in OUTCOMES:
        raise Refusal("outcome_unknown", "An item is answered, not applicable, or not available.")
    if outcome != "answered":
        return answer.strip()[:_MAX_ANSWER]
    if kind != "file" and documents:
        raise Refusal("answer_invalid", "Files can only answer an item that asks for files.")
    problem = _problem_with(kind, choices, answer.strip(), documents)
    if problem:
        raise Refusal("answer_invalid", problem)
    return answer.strip()


def _problem_with(kind: str, choices: Sequence[str], answer: str, documents: Collection[object]) -> str | None:
    if len(answer) > _MAX_ANSWER:
        return f"An answer may have {_MAX_ANSWER} characters at most."
    match kind:
        case "file":
            return None if documents else "Add at least one file."
        case "text":
            return None if answer else "Write an answer."
        case "choice":
            return None if answer in choices else "Choose one of the choices."
        case "number":
            return None if _is_number(answer) else "Give a number, such as 1234.56."
        case "date":
            return None if _is_date(answer) else "Give a date as YYYY-MM-DD, not before 1900."
        case "yes_no":
            return None if answer in ("yes", "no") else "Answer yes or no."
        case _:
            return None if answer in ("approved", "declined") else "Approve or decline."


def _is_number(answer: str) -> bool:
    try:
        return Decimal(answer).is_finite()
    except InvalidOperation:
        return False


def _is_date(answer: str) -> bool:
    try:
        in_range(date.fromisoformat(answer))
    except (ValueError, DateOutOfRange):
        return False
    return len(answer) == 10


def missing(items: Collection[ItemState]) -> list[str]:
    """Labels of required items that have no answer, or whose answer came back."""
    return [item.label for item in items if item.required and item.status not in ANSWERED]


def all_accepted(items: Collection[ItemState]) -> bool:
    """Every item that was asked is accepted; optional ones left open don't count."""
    return all(item.status == "accepted" or (not item.required and item.status == "open") for item in items)


def escalates(sent: int, reminders: Mapping[str, int]) -> bool:
    """Whether the job's owner is to know, with `sent` reminders gone out this time, that the client doesn't answer."""
    after = reminders.get("escalate_after", 3)
    return 0 < after <= sent


def expired(status: str, expires_on: date | None, today: date) -> bool:
    """Whether the last day for an answer has passed."""
    return status in WITH_CLIENT and expires_on is not None and expires_on < today


def next_reminder(sent: int, reminders: Mapping[str, int]) -> int | None:
    """Days until the next reminder once `sent` have gone out since it lies with the client this time; None when there are no more."""
    if sent >= reminders["at_most"]:
        return None
    return reminders["first_after_days"] if sent == 0 else reminders["every_days"]
