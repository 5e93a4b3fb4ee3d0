"""Rates change from a day on; unbilled time is rated anew by an act of its own; gaps are named."""

from typing import Any

import pytest
from sqlalchemy import text

from chassis.db import new_id
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def rates(firm: Any) -> list[tuple[str, str, str, str | None]]:
    items = firm.partner.get("/rates").expect(200).json["items"]
    return sorted((r["level"], r["rate"]["amount"], r["from"], r["until"]) for r in items)


def re_rate(firm: Any, *, api: Any = None, **more: Any) -> Any:
    return (api or firm.partner).post("/time-entries/re-rate", {"reason": "new card", **more})


def set_firm_rate(firm: Any, amount: str, first: str = "2020-01-01") -> None:
    body = {"from": first, "rates": [{"kind": "bill", "level": "firm", "rate": money(amount)}]}
    firm.partner.post("/rates/set", body).expect(200)


# --- a percentage from a day on ---------------------------------------------------------------------------------------


def test_all_rates_are_raised_by_a_percentage_from_a_day_on(firm: Any, world: Any) -> None:
    firm.rate("100.00", first="2026-01-01")
    firm.rate("151.00", level="staff", staff_id=str(firm.ada), first="2026-01-01")
    firm.rate("60.00", kind="cost", first="2026-01-01")
    before = rates(firm)
    body = {"from": "2027-01-01", "percent": "5", "kind": "bill"}
    seen = firm.partner.post("/rates/raise", body | {"preview": True}).expect(200).json
    assert rates(firm) == before
    assert [(i["names"], i["before"]["amount"], i["after"]["amount"]) for i in seen["items"]] == [
        ("Ada Moss", "151.00", "158.55"),
        ("everyone", "100.00", "105.00"),
    ]
    assert firm.partner.post("/rates/raise", body).expect(200).json == seen
    assert rates(firm) == [
        ("firm", "100.00", "2026-01-01", "2026-12-31"),
        ("firm", "105.00", "2027-01-01", None),
        ("firm", "60.00", "2026-01-01", None),
        ("staff", "151.00", "2026-01-01", "2026-12-31"),
        ("staff", "158.55", "2027-01-01", None),
    ]
    again = {"from": "2027-01-01", "percent": "10", "level": "firm", "kind": "bill", "round_to": "5"}
    firm.partner.post("/rates/raise", again).expect(200)
    assert ("firm", "115.00", "2027-01-01", None) in rates(firm)
    assert [a.action for a in world.audit(firm.id)].count("rate.set") == 2


def test_a_rate_that_begins_later_stays_as_it_was_set(firm: Any) -> None:
    firm.rate("100.00", first="2026-01-01", until="2027-05-31")
    firm.rate("200.00", first="2027-06-01")
    firm.partner.post("/rates/raise", {"from": "2027-01-01", "percent": "5"}).expect(200)
    assert rates(firm) == [
        ("firm", "100.00", "2026-01-01", "2026-12-31"),
        ("firm", "105.00", "2027-01-01", "2027-05-31"),
        ("firm", "200.00", "2027-06-01", None),
    ]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"percent": "0"}, 422, "percent_out_of_range"),
        ({"percent": "-100"}, 422, "percent_out_of_range"),
        ({"percent": "five"}, 400, "request_invalid"),
        ({"round_to": "0"}, 422, "step_impossible"),
        ({"from": "2019-01-01"}, 409, "rates_unchanged"),
        ({"from": "2027-02-30"}, 400, "request_invalid"),
        ({"level": "grade"}, 409, "rates_unchanged"),
    ],
)
def test_a_bad_raise_changes_nothing(firm: Any, change: dict[str, Any], status: int, code: str) -> None:
    firm.rate("100.00")
    before = rates(firm)
    firm.partner.post("/rates/raise", {"from": "2027-01-01", "percent": "5"} | change).problem(status, code)
    assert rates(firm) == before


def test_more_rates_than_can_be_looked_through_are_not_raised_at_once(firm: Any) -> None:
    with firm.world.uow(firm.id) as uow:
        uow.session.execute(
            text(
                "INSERT INTO rates (firm_id, id, kind, level, key, staff_id, amount, currency, valid, version) "
                "SELECT :firm, s.id, 'bill', 'staff', 'staff|' || s.id, s.id, 100, 'GBP', '[2020-01-01,)', 1 "
                "FROM (SELECT uuidv7() AS id FROM generate_series(1, 1001)) s"
            ),
            {"firm": firm.id},
        )
    firm.partner.post("/rates/raise", {"from": "2027-01-01", "percent": "5"}).problem(422, "too_many_rates")
    with firm.world.uow(firm.id) as uow:
        assert uow.session.scalar(text("SELECT count(*) FROM rates WHERE amount <> 100")) == 0


def test_rates_of_private_clients_one_may_not_see_are_left_alone(firm: Any, world: Any) -> None:
    secret = firm.add_client(name="Secret Ltd", only=[firm.pat])
    firm.rate("77.00", level="client_grade", client_id=str(secret), grade="senior")
    firm.rate("100.00")
    outsider = world.api(firm.id, staff=new_id())
    seen = outsider.post("/rates/raise", {"from": "2027-01-01", "percent": "5"}).expect(200).json
    assert [i["names"] for i in seen["items"]] == ["everyone"]
    assert ("client_grade", "77.00", "2020-01-01", None) in rates(firm)


# --- rated anew -------------------------------------------------------------------------------------------------------


def test_unbilled_time_is_rated_anew_with_a_preview_and_a_reason(firm: Any, world: Any) -> None:
    firm.rate("100.00")
    one, other = firm.approved(3600, 1800)
    set_firm_rate(firm, "120.00")
    assert firm.partner.get(f"/time-entries/{one}").json["rate"] == money("100.00")
    seen = re_rate(firm, preview=True).expect(200).json
    assert firm.partner.get("/wip").json["totals"] == [money("150.00")]
    done = re_rate(firm).expect(200).json
    assert done == seen
    first = next(i for i in done["items"] if i["id"] == one)
    assert (first["rate_before"], first["rate_after"]) == (money("100.00"), money("120.00"))
    assert (first["value_before"], first["value_after"]) == (money("100.00"), money("120.00"))
    assert first["why"] == "GBP 120.00/h: firm default rate of 2020-01-01"
    assert firm.partner.get("/wip").json["totals"] == [money("180.00")]
    entry = firm.partner.get(f"/time-entries/{other}").json
    assert (entry["rate"], entry["value"], entry["status"]) == (money("120.00"), money("60.00"), "approved")
    assert firm.partner.get(f"/time-entries/{one}/why").json["rate"]["figure"] == "120.00"
    assert re_rate(firm).json == {"done": 0, "failed": 0, "unchanged": 2, "items": [], "next_cursor": None}
    rows = [a for a in world.audit(firm.id) if a.action == "time.re_rated"]
    assert [r.reason for r in rows] == ["new card"] * 2
    assert world.events(firm.id, TimeEntryChanged)[-1].status == "approved"
    firm.holds()


def test_what_is_on_a_draft_billed_adjusted_or_given_up_keeps_its_rate(firm: Any) -> None:
    firm.rate("100.00")
    drafted, billed, adjusted, gone, free = firm.approved(3600, 3600, 3600, 3600, 3600)
    firm.draft(item_ids=[drafted])
    firm.issued(item_ids=[billed])
    firm.partner.post("/wip/adjust", {"ids": [adjusted], "amount": money("50.00"), "reason": "agreed"}).expect(200)
    firm.partner.post("/wip/write-off", {"ids": [gone], "reason": "insolvent"}).expect(200)
    set_firm_rate(firm, "120.00")
    fresh = firm.log()["id"]
    answer = re_rate(firm, ids=[drafted, billed, adjusted, gone, fresh, free, str(new_id())]).expect(200).json
    assert [i["code"] for i in answer["items"]] == [
        "entry_reserved",
        "entry_billed",
        "entry_adjusted",
        "entry_written_off",
        "entry_not_approved",
        None,
        "time_entry_not_found",
    ]
    assert (answer["done"], answer["failed"]) == (1, 6)
    firm.holds()


def test_an_entry_keeps_its_own_override(firm: Any) -> None:
    firm.rate("100.00")
    entry = firm.log(3600, api=firm.partner, rate_override={"rate": money("50.00"), "reason": "goodwill"})
    firm.partner.post("/time-entries/submit", {"ids": [entry["id"]]})
    firm.partner.post("/time-entries/approve", {"ids": [entry["id"]]})
    set_firm_rate(firm, "120.00")
    assert re_rate(firm).json["unchanged"] == 1
    assert firm.partner.get("/wip").json["totals"] == [money("50.00")]


def test_rating_anew_is_of_what_one_names(firm: Any) -> None:
    firm.rate("100.00")
    other = firm.add_job(title="Payroll")
    firm.approved(3600, day=firm.day(20))
    firm.approved(3600, job_id=str(other))
    set_firm_rate(firm, "120.00")
    assert len(re_rate(firm, job_id=str(other), preview=True).json["items"]) == 1
    assert len(re_rate(firm, day_to=firm.day(10), preview=True).json["items"]) == 1
    assert len(re_rate(firm, client_id=str(firm.client), staff_id=str(firm.ada), preview=True).json["items"]) == 2
    assert re_rate(firm, client_id=str(new_id()), preview=True).json["items"] == []


def test_a_locked_period_keeps_its_rates(firm: Any) -> None:
    firm.rate("100.00")
    firm.approved(3600, day=firm.day(9))
    set_firm_rate(firm, "120.00")
    firm.partner.post("/settings/lock", {"locked_until": firm.day(5)}).expect(200)
    assert re_rate(firm).json["items"][0]["code"] == "period_locked"
    assert re_rate(firm, lock_override_reason="auditor").json["done"] == 1
    firm.holds()


def test_rating_anew_is_for_those_who_set_rates_and_hides_private_clients(firm: Any, world: Any) -> None:
    firm.rate("100.00")
    secret = firm.add_client(name="Secret Ltd", only=[firm.pat])
    entry = firm.log(3600, api=firm.partner, job_id=str(firm.add_job(client=secret)))
    firm.partner.post("/time-entries/submit", {"ids": [entry["id"]]})
    firm.partner.post("/time-entries/approve", {"ids": [entry["id"]]})
    set_firm_rate(firm, "120.00")
    re_rate(firm, api=firm.staff).problem(403, "permission_missing")
    outsider = world.api(firm.id, staff=new_id())
    assert re_rate(firm, api=outsider).json["items"] == []
    assert re_rate(firm, api=outsider, ids=[entry["id"]]).json["items"][0]["code"] == "time_entry_not_found"
    assert firm.partner.get("/wip").json["totals"] == [money("100.00")]


# --- gaps -------------------------------------------------------------------------------------------------------------


def test_a_rate_that_ended_is_named_as_a_gap_and_refuses_approval(firm: Any) -> None:
    firm.rate("100.00", first="2020-01-01", until=firm.day(20))
    firm.rate("120.00", first=firm.day(0))
    entry = firm.log(day=firm.day(10))
    ids = {"ids": [entry["id"]]}
    firm.staff.post("/time-entries/submit", ids)
    (item,) = firm.partner.post("/time-entries/approve", ids).expect(200).json["items"]
    assert item["code"] == "rate_gap"
    assert f"ended on {firm.day(20)}" in item["message"]
    assert firm.partner.get(f"/time-entries/{entry['id']}").json["status"] == "submitted"
    firm.rate("110.00", first=firm.day(19), until=firm.day(1))
    assert firm.partner.post("/time-entries/approve", ids).json["done"] == 1
    firm.holds()
