from datetime import date
from decimal import Decimal

import pytest

from chassis.errors import Conflict, Invalid
from clients.engagements import rules

AMOUNT = {"amount": "1200", "currency": "GBP"}
WHOLE = {"amount": AMOUNT, "interval": "monthly", "description": "as agreed"}

# What each kind of fee needs and may not have, written out beside the rule that holds it.
NEEDS = {
    "hourly": ([], ["amount", "interval"]),
    "capped": (["amount"], ["interval"]),
    "fixed": (["amount"], ["interval"]),
    "recurring": (["amount", "interval"], []),
    "milestone": (["amount", "description"], ["interval"]),
    "retainer": (["amount"], ["interval"]),
    "contingent": (["description"], ["interval"]),
}


def refusal(function, *arguments):
    with pytest.raises((Invalid, Conflict)) as raised:
        function(*arguments)
    return raised.value.code, raised.value.pointer


def terms(kind, *, without=(), extra=()):
    needed = [part for part in NEEDS[kind][0] if part not in without]
    return {"kind": kind, **{part: WHOLE[part] for part in (*needed, *extra)}}


def test_every_kind_of_fee_is_known():
    assert set(rules.FEE_KINDS) == set(NEEDS)


@pytest.mark.parametrize("kind", NEEDS)
def test_fee_terms_with_what_their_kind_needs_are_kept(kind):
    assert rules.fee(terms(kind)).kind == kind


@pytest.mark.parametrize(("kind", "part"), [(k, part) for k, (needed, _) in NEEDS.items() for part in needed])
def test_fee_terms_that_lack_a_part_are_refused(kind, part):
    assert refusal(rules.fee, terms(kind, without=[part])) == (f"fee_{part}_required", f"/fee/{part}")


@pytest.mark.parametrize(("kind", "part"), [(k, part) for k, (_, unheard) in NEEDS.items() for part in unheard])
def test_fee_terms_with_a_part_their_kind_has_not_are_refused(kind, part):
    assert refusal(rules.fee, terms(kind, extra=[part])) == (f"fee_{part}_unexpected", f"/fee/{part}")


def test_a_fee_keeps_its_amount_exactly():
    fee = rules.fee({"kind": "recurring", "amount": {"amount": "99.5", "currency": "GBP"}, "interval": "quarterly"})
    assert fee == rules.Fee("recurring", Decimal("99.50"), "GBP", "quarterly")


def test_a_fee_in_no_currency_is_refused():
    fee = {"kind": "fixed", "amount": {"amount": "5", "currency": "ABC"}}
    assert refusal(rules.fee, fee) == ("unknown_currency", "/fee/amount/currency")


def test_an_engagement_does_not_end_before_it_starts():
    rules.period(date(2026, 1, 1), None)
    rules.period(date(2026, 1, 1), date(2026, 1, 1))
    assert refusal(rules.period, date(2026, 1, 2), date(2026, 1, 1)) == ("ends_before_start", "/ends_on")


def test_a_job_role_is_held_by_one_person():
    ada, ben = {"job_role": "preparer", "staff_id": "a"}, {"job_role": "reviewer", "staff_id": "b"}
    assert rules.people([ada, ben]) == {"preparer": "a", "reviewer": "b"}
    assert refusal(rules.people, [ada, ben, {"job_role": "preparer", "staff_id": "c"}]) == (
        "job_role_twice",
        "/people/2/job_role",
    )


def test_a_closed_engagement_stays_as_it_is():
    rules.require_open("open")
    assert refusal(rules.require_open, "closed")[0] == "engagement_closed"


def test_nothing_is_agreed_with_a_former_client():
    rules.require_engageable("active")
    rules.require_engageable("prospect")
    assert refusal(rules.require_engageable, "former")[0] == "client_former"


STAGES = [{"title": "Start", "amount": {"amount": "400", "currency": "GBP"}}]
STAGES += [{"title": " Hand  over", "amount": {"amount": "800", "currency": "GBP"}, "due_on": "2026-12-31"}]
MILESTONES = {"kind": "milestone", "amount": AMOUNT, "description": "x"}


def test_the_stages_of_a_milestone_fee_come_to_the_fee():
    fee = rules.fee(MILESTONES | {"milestones": STAGES})
    assert [(stage.title, stage.amount, stage.due_on) for stage in fee.milestones] == [
        ("Start", Decimal("400.00"), None),
        ("Hand over", Decimal("800.00"), "2026-12-31"),
    ]
    short = MILESTONES | {"milestones": STAGES[:1]}
    assert refusal(rules.fee, short) == ("fee_milestones_sum", "/fee/milestones")
    mixed = [STAGES[0], STAGES[1] | {"amount": {"amount": "800", "currency": "EUR"}}]
    assert refusal(rules.fee, MILESTONES | {"milestones": mixed}) == (
        "fee_currency_mixed",
        "/fee/milestones/1/amount",
    )
    assert (
        refusal(rules.fee, {"kind": "fixed", "amount": AMOUNT, "milestones": STAGES})[0] == "fee_milestones_unexpected"
    )


@pytest.mark.parametrize(("percent", "kept"), [("12.5", "12.50"), ("100", "100.00"), ("0", None), ("100.01", None)])
def test_a_contingent_share_is_at_most_all(percent, kept):
    terms = {"kind": "contingent", "description": "if won", "percent": percent}
    if kept:
        assert str(rules.fee(terms).percent) == kept
    else:
        assert refusal(rules.fee, terms) == ("fee_percent_invalid", "/fee/percent")
    assert refusal(rules.fee, {"kind": "hourly", "percent": "5"})[0] == "fee_percent_unexpected"
