"""What a new state of something says of a client."""

import pytest

from clients.timeline import rules


@pytest.mark.parametrize(
    ("kind", "states", "told"),
    [
        ("job", ["open", "open", "done", "open", "cancelled"], ["created", None, "done", "reopened", "cancelled"]),
        ("job", ["done"], ["done"]),
        (
            "request",
            ["draft", "sent", "viewed", "partly_answered", "submitted", "returned", "submitted", "accepted"],
            [None, "sent", None, None, "submitted", "returned", "submitted", "accepted"],
        ),
        (
            "invoice",
            ["draft", "open", "part_paid", "paid", "paid", "open", "void"],
            [None, "issued", "part_paid", "paid", None, "unpaid_again", "void"],
        ),
        (
            "document",
            ["pending", "stored 1", "stored 1", "stored 2", "deleted", "stored 2"],
            [None, "stored", None, "new_version", "deleted", "restored"],
        ),
    ],
)
def test_each_change_that_matters_is_told_once(kind, states, told):
    before = [None, *states]
    assert [rules.what(kind, a, b) for a, b in zip(before, states, strict=False)] == told


def test_a_jobs_status_of_the_day_is_not_told():
    assert {rules.job_state(s, closed=False) for s in ("on_track", "overdue", "blocked")} == {"open"}
    assert rules.job_state("cancelled", closed=True) == "cancelled"
