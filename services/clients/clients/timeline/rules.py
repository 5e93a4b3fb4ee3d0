"""What a new state of something says of a client. Pure."""

# Of each kind: what is told when something enters that state. States that aren't here say nothing.
_TOLD = {
    "job": {"open": "created", "done": "done", "cancelled": "cancelled"},
    "request": {
        state: state for state in ("sent", "submitted", "accepted", "returned", "waived", "cancelled", "expired")
    },
    "invoice": {
        "open": "issued",
        **{state: state for state in ("part_paid", "paid", "overdue", "credited", "written_off", "void")},
    },
    "document": {"deleted": "deleted"},
}
_AGAIN = {"created": "reopened", "issued": "unpaid_again", "sent": "sent_again"}
_BEGINNINGS = {None, "draft", "scheduled", "pending"}


def what(kind: str, before: str | None, now: str) -> str | None:
    """What is told when something of that kind goes from one state (None: it is new) to another; None: nothing.

    A document's state names its version ("stored 2"), since each version is news.
    """
    if before == now:
        return None
    if kind == "document" and now.startswith("stored "):
        return "stored" if before in _BEGINNINGS else "new_version" if before != "deleted" else "restored"
    told = _TOLD[kind].get(now)
    return told if before in _BEGINNINGS or told is None else _AGAIN.get(told, told)


def job_state(status: str, *, closed: bool) -> str:
    """Of a job only its end is told: its status is derived anew every day."""
    return status if closed else "open"
