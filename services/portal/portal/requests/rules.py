"""How requests look to the client, in order and in words. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

OPEN = ("sent", "viewed", "partly_answered", "returned")  # the client's turn
SHOWN = (*OPEN, "submitted", "accepted")
_DONE = ("answered", "not_applicable", "not_available", "accepted")

IN_WORDS = {
    "sent": "New",
    "viewed": "To do",
    "partly_answered": "Begun",
    "returned": "Please look again",
    "submitted": "Sent to us",
    "accepted": "Done",
}
OUTCOMES = {"answered": "", "not_applicable": "Doesn’t apply to me", "not_available": "I don’t have it"}
YES_NO = {"yes": "Yes", "no": "No"}
APPROVAL = {"approved": "I approve", "declined": "I don’t approve"}


def choices(item: Mapping[str, Any]) -> dict[str, str]:
    """The values one can choose from, with their words; empty for what is typed or uploaded."""
    match item["kind"]:
        case "choice":
            return {c: c for c in item["choices"]}
        case "yes_no":
            return YES_NO
        case "approval":
            return APPROVAL
        case _:
            return {}


def is_done(item: Mapping[str, Any]) -> bool:
    """Whether the client has nothing left to do about an item."""
    return item["status"] in _DONE


def still_to_do(items: Sequence[Mapping[str, Any]]) -> int:
    """How many required items wait for an answer."""
    return sum(1 for item in items if item["required"] and not is_done(item))


def shown_answer(item: Mapping[str, Any]) -> str:
    """The answer in words."""
    if item["status"] in ("not_applicable", "not_available"):
        return OUTCOMES[item["status"]]
    return choices(item).get(item["answer"], item["answer"])


def outcome_of(item: Mapping[str, Any]) -> str:
    """Which of the three ways of answering is chosen now."""
    return item["status"] if item["status"] in ("not_applicable", "not_available") else "answered"


def has_changed(item: Mapping[str, Any], outcome: str, answer: str, *, insist: bool = False) -> bool:
    """Whether what is in the form is to be given as an answer: an untouched, unanswered item is not; files change by themselves.

    With `insist` (the request is handed in) an answer that came back is given again as it stands.
    """
    if item["status"] == "accepted":
        return False
    if outcome != "answered":
        return outcome_of(item) != outcome or (insist and item["status"] == "returned")
    if item["kind"] == "file":
        return insist and item["status"] == "returned" and bool(item["document_ids"])
    if answer != item["answer"] or outcome_of(item) != "answered":
        return True
    return insist and item["status"] == "returned"
