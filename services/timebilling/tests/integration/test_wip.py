"""WIP before it is billed: written up and down, carried, written off within limits; approvals taken back."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.db import new_id
from praxis.identity.v1.events_pb2 import StaffChanged


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


@pytest.fixture
def rated(firm: Any) -> Any:
    firm.rate("100.00")
    return firm


def adjust(firm: Any, ids: list[str], amount: str, *, api: Any = None, **more: Any) -> Any:
    body = {"ids": ids, "amount": money(amount), "reason": "agreed price", **more}
    return (api or firm.partner).post("/wip/adjust", body)


def job(firm: Any) -> dict[str, str]:
    found = firm.partner.get(f"/wip/jobs/{firm.job}").expect(200).json
    names = ("standard", "billed", "written_down", "written_up", "written_off", "remaining")
    return {n: found[n]["amount"] for n in names}


def figures(**more: str) -> dict[str, str]:
    names = ("standard", "billed", "written_down", "written_up", "written_off", "remaining")
    return dict.fromkeys(names, "0.00") | more


def test_a_fixed_amount_is_allocated_over_entries_to_the_cent(rated: Any, world: Any) -> None:
    ids = rated.approved(3600, 3600, 3600)
    seen = adjust(rated, ids, "100.00", preview=True).expect(200).json
    assert job(rated) == figures(standard="300.00", remaining="300.00")
    done = adjust(rated, ids, "100.00").expect(200).json
    assert done == seen
    assert [i["remaining"]["amount"] for i in done["items"]] == ["33.34", "33.33", "33.33"]
    assert done["written_down"] == money("200.00")
    assert job(rated) == figures(standard="300.00", written_down="200.00", remaining="100.00")
    rows = [a for a in world.audit(rated.id) if a.action == "wip.adjusted"]
    assert next((a.before, a.after, a.reason) for a in rows) == (
        {"remaining": "100.00"},
        {"remaining": "33.34"},
        "agreed price",
    )
    adjust(rated, ids, "330.00").expect(200)
    assert job(rated) == figures(standard="300.00", written_up="30.00", remaining="330.00")
    adjust(rated, ids, "300.00").expect(200)
    assert job(rated) == figures(standard="300.00", remaining="300.00")
    rated.holds()


def test_what_an_item_is_worth_says_who_made_it_so_and_why(rated: Any, new_firm: Any) -> None:
    (item,) = rated.approved(3600)
    path = f"/wip/items/{item}/movements"
    adjust(rated, [item], "80.00").expect(200)
    draft = rated.draft()
    priced = {"net": money("70.00"), "reason": "too slow"}
    rated.partner.patch(f"/invoices/{draft['id']}", priced, if_match=draft["version"]).expect(200)
    issued = rated.partner.post(f"/invoices/{draft['id']}/issue", {}).expect(200).json
    rated.partner.post(f"/invoices/{issued['id']}/void", {"reason": "wrong client"}).expect(200)
    rated.partner.post("/wip/write-off", {"ids": [item], "reason": "bankrupt"}).expect(200)
    told = rated.partner.get(path).expect(200).json["items"]
    steps = [(m["kind"], m["amount"]["amount"], m["reason"], m["number"]) for m in told]
    assert steps[:2] == [("standard", "100.00", None, None), ("written_down", "20.00", "agreed price", None)]
    # An act moves two figures at once.
    assert sorted(steps[2:4]) == [
        ("billed", "70.00", "too slow", issued["number"]),
        ("written_down", "10.00", "too slow", issued["number"]),
    ]
    assert sorted(steps[4:6]) == [
        ("billed", "-70.00", "wrong client", issued["number"]),
        ("written_down", "-10.00", "wrong client", issued["number"]),
    ]
    assert steps[6:] == [("written_off", "80.00", "bankrupt", None)]
    assert {m["actor_name"] for m in told} == {"Pat Brook"}
    first = rated.partner.get(f"{path}?limit=4").json
    assert first["items"] + rated.partner.get(f"{path}?cursor={first['next_cursor']}").json["items"] == told
    new_firm().partner.get(path).problem(404, "wip_item_not_found")
    rated.add_client(rated.client, only=[rated.ada], version=2)
    rated.partner.get(path).problem(404, "wip_item_not_found")


def test_entries_without_value_share_a_fixed_amount_evenly(firm: Any) -> None:
    firm.rate("0.00")
    ids = firm.approved(60, 7200)
    done = adjust(firm, ids, "50.01").expect(200).json
    assert sorted(i["remaining"]["amount"] for i in done["items"]) == ["25.00", "25.01"]
    firm.holds()


def test_written_down_work_is_drafted_at_what_it_is_carried_at(rated: Any) -> None:
    ids = rated.approved(3600, 3600)
    adjust(rated, ids, "150.00").expect(200)
    draft = rated.draft()
    assert draft["net"] == money("150.00")
    issued = rated.partner.post(f"/invoices/{draft['id']}/issue", {}).expect(200).json
    assert job(rated) == figures(standard="200.00", billed="150.00", written_down="50.00")
    rated.partner.post(f"/invoices/{issued['id']}/void", {"reason": "mistake"}).expect(200)
    assert job(rated) == figures(standard="200.00", written_down="50.00", remaining="150.00")
    rated.holds()
    again = rated.draft()
    change = {"net": money("210.00"), "reason": "more after all"}
    rated.partner.patch(f"/invoices/{again['id']}", change, if_match=again["version"]).expect(200)
    rated.partner.post(f"/invoices/{again['id']}/issue", {}).expect(200)
    assert job(rated) == figures(standard="200.00", billed="210.00", written_up="10.00")
    rated.holds()


def test_a_write_off_gives_up_what_remains(rated: Any) -> None:
    ids = rated.approved(3600)
    adjust(rated, ids, "60.00").expect(200)
    assert rated.partner.post("/wip/write-off", {"ids": ids, "reason": "insolvent"}).json["done"] == 1
    assert job(rated) == figures(standard="100.00", written_down="40.00", written_off="60.00")
    adjust(rated, ids, "60.00").problem(409, "entry_written_off")
    rated.holds()


def test_adjusting_is_all_or_nothing(rated: Any) -> None:
    ids = rated.approved(3600, 3600)
    rated.draft(item_ids=ids[1:])
    problem = adjust(rated, ids, "10.00").problem(409, "entry_reserved")
    assert problem.json["pointer"] == "/ids/1"
    adjust(rated, [str(new_id())], "10.00").problem(404, "wip_item_not_found")
    adjust(rated, ids[:1], "10.001").problem(422, "amount_precision")
    adjust(rated, ids[:1], "-10.00").problem(422, "amount_negative")
    body = {"ids": ids[:1], "amount": money("10.00", "EUR"), "reason": "agreed"}
    rated.partner.post("/wip/adjust", body).problem(422, "currency_mismatch")
    rated.partner.post("/wip/adjust", {"ids": ids[:1], "amount": money("1.00")}).problem(400, "request_invalid")
    assert job(rated) == figures(standard="200.00", remaining="200.00")


# --- limits -----------------------------------------------------------------------------------------------------------


def as_role(firm: Any, *roles: str) -> Any:
    staff = new_id()
    firm.world.deliver(
        firm.id,
        StaffChanged(staff_id=str(staff), name="Max", grade="manager", roles=list(roles), active=True, version=1),
    )
    return firm.world.api(firm.id, staff=staff)


def test_each_role_adjusts_up_to_its_limit(rated: Any, world: Any) -> None:
    ids = rated.approved(3600, 3600)
    manager, partner, owner = as_role(rated, "manager"), as_role(rated, "partner"), as_role(rated, "owner")
    adjust(rated, ids, "199.99", api=manager).problem(403, "adjustment_over_limit")
    limits = {"limits": [{"role": "manager", "limit": money("50.00")}, {"role": "partner", "limit": money("150.00")}]}
    assert rated.partner.post("/settings/adjustment-limits", limits).expect(200).json == limits
    assert rated.partner.get("/settings/adjustment-limits").expect(200).json == limits
    problem = adjust(rated, ids, "149.99", api=manager).problem(403, "adjustment_over_limit")
    assert (problem.json["limit"], problem.json["amount"]) == (money("50.00"), money("50.01"))
    assert job(rated) == figures(standard="200.00", remaining="200.00")
    adjust(rated, ids, "150.00", api=manager).expect(200)
    gone = {"ids": ids, "reason": "insolvent"}
    manager.post("/wip/write-off", gone).problem(403, "adjustment_over_limit")
    assert job(rated)["written_off"] == "0.00"
    assert partner.post("/wip/write-off", {**gone, "ids": ids[:1]}).expect(200).json["done"] == 1
    assert owner.post("/wip/write-off", {**gone, "ids": ids[1:]}).expect(200).json["done"] == 1
    assert [a.action for a in world.audit(rated.id)].count("limits.set") == 1
    rated.holds()


def test_many_small_acts_on_a_job_count_together_within_a_month(rated: Any) -> None:
    ids = rated.approved(*[3600] * 4)
    manager, other = as_role(rated, "manager"), as_role(rated, "manager")
    limits = {"limits": [{"role": "manager", "limit": money("150.00")}]}
    rated.partner.post("/settings/adjustment-limits", limits).expect(200)
    gone = {"reason": "goodwill"}
    manager.post("/wip/write-off", {**gone, "ids": ids[:1]}).expect(200)
    problem = manager.post("/wip/write-off", {**gone, "ids": ids[1:2]}).problem(403, "adjustment_over_limit")
    assert problem.json["amount"] == money("200.00")
    # What is set back counts no more, whatever way it went.
    adjust(rated, ids[1:2], "60.00", api=manager).expect(200)
    adjust(rated, ids[2:3], "80.00", api=manager).problem(403, "adjustment_over_limit")
    adjust(rated, ids[1:2], "100.00", api=manager).expect(200)
    adjust(rated, ids[2:3], "80.00", api=manager).expect(200)
    # Each person has their own; another job, and another month, begin anew.
    adjust(rated, ids[3:], "20.00", api=other).expect(200)
    elsewhere = rated.approved(3600, job_id=str(rated.add_job()))
    manager.post("/wip/write-off", {**gone, "ids": elsewhere}).expect(200)
    rated.holds()


def test_the_limit_holds_on_a_draft_too(rated: Any) -> None:
    rated.approved(3600, 3600)
    manager = as_role(rated, "manager")
    limits = {"limits": [{"role": "manager", "limit": money("50.00")}]}
    rated.partner.post("/settings/adjustment-limits", limits).expect(200)
    draft = manager.post("/invoices", {"client_id": str(rated.client), "group_by": "entry"}).expect(201).json
    path = f"/invoices/{draft['id']}"
    # Of a line, of the whole, and a discount: all that is billed below standard counts together.
    first, second = (f"{path}/lines/{x['id']}" for x in draft["lines"])
    less = {"net": money("60.00"), "reason": "agreed"}
    version = manager.patch(first, less, if_match=draft["version"]).expect(200).json["version"]
    manager.patch(second, less, if_match=version).problem(403, "adjustment_over_limit")
    manager.patch(path, less, if_match=version).problem(403, "adjustment_over_limit")
    off = {"discount": {"percent": "10", "reason": "kept"}}
    manager.patch(path, off, if_match=version).problem(403, "adjustment_over_limit")
    back = {"net": money("100.00"), "reason": "agreed"}
    version = manager.patch(first, back, if_match=version).expect(200).json["version"]
    manager.patch(path, off, if_match=version).expect(200)
    rated.holds()


def test_limits_are_set_by_owners_and_partners_and_once_per_role(rated: Any) -> None:
    one = {"role": "manager", "limit": money("50.00")}
    rated.staff.post("/settings/adjustment-limits", {"limits": [one]}).problem(403, "permission_missing")
    rated.partner.post("/settings/adjustment-limits", {"limits": [one, one]}).problem(422, "limit_twice")
    rated.partner.post("/settings/adjustment-limits", {"limits": [{"role": "king", "limit": money("1.00")}]}).problem(
        400, "request_invalid"
    )
    assert rated.partner.get("/settings/adjustment-limits").json == {"limits": []}


# --- carry ------------------------------------------------------------------------------------------------------------


def test_carried_work_is_left_out_of_drafts_that_do_not_name_it(rated: Any, world: Any) -> None:
    ids = rated.approved(3600, 7200)
    until = str(rated.today + timedelta(days=30))
    body = {"ids": ids[:1], "until": until, "reason": "waits for the court"}
    assert rated.partner.post("/wip/carry", body).expect(200).json["done"] == 1
    item = rated.partner.get(f"/wip/items?client_id={rated.client}").json["items"][0]
    assert (item["carried_until"], item["carry_reason"]) == (until, "waits for the court")
    draft = rated.draft()
    assert draft["net"] == money("200.00")
    rated.partner.post("/invoices", {"client_id": str(rated.client)}).problem(409, "nothing_to_bill")
    assert rated.partner.post("/wip/carry", {"ids": ids[:1], "until": None}).json["done"] == 1
    assert rated.draft()["net"] == money("100.00")
    assert [a.reason for a in world.audit(rated.id) if a.action == "wip.carried"] == ["waits for the court", None]
    rated.holds()


def test_carrying_needs_a_day_to_come_and_a_reason(rated: Any) -> None:
    ids = rated.approved(3600)
    rated.partner.post("/wip/carry", {"ids": ids, "until": rated.day(3), "reason": "later"}).problem(
        422, "carry_day_past"
    )
    day = str(rated.today + timedelta(days=3))
    rated.partner.post("/wip/carry", {"ids": ids, "until": day}).problem(422, "carry_reason_missing")
    answer = rated.partner.post("/wip/carry", {"ids": [str(new_id())], "until": day, "reason": "later"}).json
    assert answer["items"][0]["code"] == "wip_item_not_found"


# --- by job and person ------------------------------------------------------------------------------------------------


def test_wip_per_job_and_person_with_ageing(rated: Any) -> None:
    other = rated.add_job(title="Payroll")
    rated.approved(3600, day=rated.day(10))
    rated.approved(7200, day=rated.day(45), job_id=str(other))
    rated.approved(10800, day=rated.day(100), job_id=str(other))
    jobs = rated.partner.get("/wip/by-job").expect(200).json
    assert [(j["job_title"], j["unbilled"]["amount"]) for j in jobs["items"]] == [
        ("Payroll", "500.00"),
        ("VAT return Q3", "100.00"),
    ]
    ageing = {k: v["amount"] for k, v in jobs["items"][0]["ageing"].items()}
    assert ageing == {"days_0_30": "0.00", "days_31_60": "200.00", "days_61_90": "0.00", "days_over_90": "300.00"}
    people = rated.partner.get("/wip/by-staff").expect(200).json
    assert [(p["staff_name"], p["unbilled"]["amount"]) for p in people["items"]] == [("Ada Moss", "600.00")]
    assert jobs["totals"] == people["totals"] == [money("600.00")]
    first = rated.partner.get("/wip/by-job?limit=1").json
    rest = rated.partner.get(f"/wip/by-job?limit=1&cursor={first['next_cursor']}").json
    assert [j["job_title"] for j in first["items"] + rest["items"]] == ["Payroll", "VAT return Q3"]


# --- taking an approval back ------------------------------------------------------------------------------------------


def take_back(firm: Any, ids: list[str], api: Any = None) -> Any:
    return (api or firm.partner).post("/time-entries/take-back", {"ids": ids, "reason": "wrong job"}).expect(200).json


def test_an_approval_is_taken_back_while_unbilled_and_given_again(rated: Any, world: Any) -> None:
    (id,) = rated.approved(3600)
    assert take_back(rated, [id])["done"] == 1
    shown = rated.partner.get(f"/time-entries/{id}").json
    assert (shown["status"], shown["wip"], shown["rate"], shown["value"]) == ("submitted", None, None, None)
    assert job(rated) == figures()
    assert rated.partner.get(f"/wip/items?client_id={rated.client}").json["items"] == []
    rated.holds()
    rated.partner.post("/invoices", {"client_id": str(rated.client), "item_ids": [id]}).problem(
        409, "entry_not_approved"
    )
    changed = rated.staff.patch(f"/time-entries/{id}", {"seconds": 7200}, if_match=shown["version"]).expect(200).json
    assert changed["status"] == "draft"
    rated.staff.post("/time-entries/submit", {"ids": [id]})
    assert rated.partner.post("/time-entries/approve", {"ids": [id]}).json["done"] == 1
    assert job(rated) == figures(standard="200.00", remaining="200.00")
    (row,) = [a for a in world.audit(rated.id) if a.action == "time.approval_taken_back"]
    assert row.reason == "wrong job"
    rated.holds()


def test_an_approval_stays_once_its_work_is_drafted_billed_adjusted_or_given_up(rated: Any) -> None:
    drafted, billed, adjusted, gone, not_billable = rated.approved(60, 60, 3600, 60), None, None, None, None
    drafted, billed, adjusted, gone = drafted
    rated.draft(item_ids=[drafted])
    rated.issued(item_ids=[billed])
    adjust(rated, [adjusted], "50.00").expect(200)
    rated.partner.post("/wip/write-off", {"ids": [gone], "reason": "insolvent"})
    (not_billable,) = rated.approved(60, billable=False)
    fresh = rated.log()["id"]
    before = rated.partner.get("/time-entries").json["items"]
    answer = take_back(rated, [drafted, billed, adjusted, gone, fresh, str(new_id())])
    assert [i["code"] for i in answer["items"]] == [
        "entry_reserved",
        "entry_billed",
        "entry_adjusted",
        "entry_written_off",
        "entry_not_approved",
        "time_entry_not_found",
    ]
    assert rated.partner.get("/time-entries").json["items"] == before
    assert take_back(rated, [not_billable])["done"] == 1
    rated.staff.post("/time-entries/take-back", {"ids": [fresh], "reason": "wrong job"}).problem(
        403, "permission_missing"
    )
    rated.holds()


def test_a_locked_period_keeps_its_approvals(rated: Any) -> None:
    (id,) = rated.approved(3600, day=rated.day(9))
    rated.partner.post("/settings/lock", {"locked_until": rated.day(5)}).expect(200)
    assert take_back(rated, [id])["items"][0]["code"] == "period_locked"
    body = {"ids": [id], "reason": "wrong job", "lock_override_reason": "auditor"}
    assert rated.partner.post("/time-entries/take-back", body).json["done"] == 1
    rated.holds()
