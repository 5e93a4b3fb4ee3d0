"""Fee arrangements: each billed as it was agreed, once, with the work written up or down when it is over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from dateutil.relativedelta import relativedelta
from sqlalchemy import text

from chassis.db import new_id
from chassis.testing import eventually
from praxis.clients.v1.events_pb2 import EngagementChanged, FeeTerms
from praxis.common.v1.types_pb2 import Money
from praxis.timebilling.v1.events_pb2 import InvoiceSent
from timebilling.app import service


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


@pytest.fixture
def rated(firm: Any) -> Any:
    firm.rate("100.00")
    return firm


def engage(firm: Any, kind: str, amount: str = "", every: str = "", starts_on: str = "", **more: Any) -> str:
    """The firm's engagement, whose job is firm.job, with these fee terms."""
    fee = FeeTerms(kind=kind, interval=every, amount=Money(amount=amount, currency="GBP") if amount else None)
    facts = {"title": "Restructuring", "service": "advisory", "status": "open", "version": 2, **more}
    firm.world.deliver(
        firm.id,
        EngagementChanged(
            engagement_id=str(firm.engagement), client_id=str(firm.client), starts_on=starts_on, fee=fee, **facts
        ),
    )
    return str(firm.engagement)


def bill(firm: Any, id: str, status: int = 201, **body: Any) -> Any:
    return firm.partner.post(f"/arrangements/{id}/bill", body).expect(status).json


def issue(firm: Any, draft: Any, status: int = 200) -> Any:
    return firm.partner.post(f"/invoices/{draft['id']}/issue", {}).expect(status).json


def look(firm: Any, id: str) -> Any:
    return firm.partner.get(f"/arrangements/{id}").expect(200).json


def job(firm: Any) -> dict[str, str]:
    shown = firm.partner.get(f"/wip/jobs/{firm.job}").json
    return {n: shown[n]["amount"] for n in ("standard", "billed", "written_down", "written_up", "remaining")}


# --- fixed ------------------------------------------------------------------------------------------------------------


def test_progress_bills_draw_down_and_the_final_bill_writes_the_work_up_or_down(rated: Any) -> None:
    id = engage(rated, "fixed", "1000.00")
    rated.approved(*[3600] * 8)
    assert look(rated, id)["unbilled_work"] == money("800.00")
    progress = bill(rated, id, amount=money("400.00"))
    assert [(x["kind"], x["item_ids"], x["net"]["amount"]) for x in progress["lines"]] == [("fee", [], "400.00")]
    assert bill(rated, id, final=True, status=409)["code"] == "progress_not_issued"
    issue(rated, progress)
    assert job(rated)["remaining"] == "800.00"  # nothing is written up or down before the end
    assert bill(rated, id, amount=money("600.01"), status=409)["code"] == "fee_exceeded"
    assert bill(rated, id, status=422)["code"] == "amount_missing"
    assert bill(rated, id, amount=money("0.00"), status=422)["code"] == "bill_not_positive"
    stage = {"title": "Plan", "amount": money("1.00")}
    rated.partner.post(f"/arrangements/{id}/milestones", stage).problem(409, "arrangement_has_no_milestones")
    final = bill(rated, id, final=True)
    assert final["net"] == money("600.00")
    (line,) = rated.partner.get(f"/invoices/{final['id']}/why").expect(200).json["lines"]
    assert (line["amount"]["rule"], line["amount"]["says"]) == (
        "arrangement",
        "GBP 1000.00 less 400.00 billed in advance",
    )
    assert {(i["standard"]["amount"], i["billed"]["amount"]) for i in line["items"]} == {("100.00", "125.00")}
    issue(rated, final)
    assert job(rated) == {
        "standard": "800.00",
        "billed": "1000.00",
        "written_down": "0.00",
        "written_up": "200.00",
        "remaining": "0.00",
    }
    shown = look(rated, id)
    assert (shown["status"], shown["billed"], shown["left"]) == ("completed", money("1000.00"), money("0.00"))
    assert [(b["kind"], b["number"]) for b in shown["bills"]] == [("progress", "INV-000001"), ("final", "INV-000002")]
    assert bill(rated, id, amount=money("1.00"), status=409)["code"] == "arrangement_completed"
    rated.holds()


def test_rounding_per_task_changes_no_agreed_fee(rated: Any) -> None:
    rounding = {"increment_seconds": 360, "direction": "up", "minimum_seconds": 0, "per": "task"}
    rated.partner.patch("/settings", {"rounding": rounding}, if_match=0).expect(200)
    id = engage(rated, "fixed", "100.00")
    rated.approved(61, 61)
    (line,) = bill(rated, id, final=True)["lines"]
    assert (line["net"], line["quantity"], line["reason"]) == (money("100.00"), "1", None)
    rated.holds()


def test_work_of_a_fee_goes_on_no_draft_of_time(rated: Any) -> None:
    engage(rated, "fixed", "1000.00")
    (covered,) = rated.approved(3600)
    rated.partner.post("/invoices", {"client_id": str(rated.client)}).problem(409, "nothing_to_bill")
    named = {"client_id": str(rated.client), "item_ids": [covered]}
    assert (
        rated.partner.post("/invoices", named).problem(409, "item_under_arrangement").json["pointer"] == "/item_ids/0"
    )
    (free,) = rated.approved(3600, job_id=str(rated.add_job(title="Something else")))
    assert [x["item_ids"] for x in rated.draft()["lines"]] == [[free]]
    rated.holds()


def test_what_a_final_bill_counts_on_is_not_taken_away(rated: Any) -> None:
    id = engage(rated, "fixed", "1000.00")
    rated.approved(3600)
    progress = issue(rated, bill(rated, id, amount=money("400.00")))
    final = bill(rated, id, final=True)
    rated.partner.post(f"/invoices/{progress['id']}/void", {"reason": "wrong"}).problem(409, "progress_drawn")
    rated.partner.post(f"/invoices/{progress['id']}/credit-notes", {"reason": "wrong"}).problem(409, "progress_drawn")
    line = f"/invoices/{final['id']}/lines/{final['lines'][0]['id']}"
    change = {"net": money("1.00"), "reason": "less"}
    rated.partner.patch(line, change, if_match=final["version"]).problem(409, "arrangement_line_fixed")
    rated.holds()
    rated.partner.delete(f"/invoices/{final['id']}", if_match=final["version"]).expect(204)
    assert (look(rated, id)["status"], job(rated)["remaining"]) == ("open", "100.00")
    rated.partner.post(f"/invoices/{progress['id']}/void", {"reason": "wrong"}).expect(200)
    assert look(rated, id)["left"] == money("1000.00")
    issued = issue(rated, bill(rated, id, final=True))
    assert issued["net"] == money("1000.00")
    rated.partner.post(f"/invoices/{issued['id']}/void", {"reason": "wrong"}).expect(200)
    assert (look(rated, id)["status"], job(rated)["remaining"]) == ("open", "100.00")
    rated.holds()


def test_a_fee_credited_in_full_can_be_billed_again(rated: Any) -> None:
    id = engage(rated, "fixed", "1000.00")
    rated.approved(3600)
    final = issue(rated, bill(rated, id, final=True))
    rated.partner.post(f"/invoices/{final['id']}/credit-notes", {"reason": "wrong", "rebill": True}).expect(201)
    assert job(rated)["remaining"] == "100.00"
    assert issue(rated, bill(rated, id, final=True))["net"] == money("1000.00")
    rated.holds()


# --- milestone, contingent, capped ------------------------------------------------------------------------------------


def test_milestones_are_billed_when_they_are_reached_and_the_last_one_is_final(rated: Any) -> None:
    id = engage(rated, "milestone", "900.00")
    rated.approved(3600, 3600)
    path = f"/arrangements/{id}/milestones"
    for title, amount in (("Plan", "300.00"), ("Filing", "600.00")):
        shown = rated.partner.post(path, {"title": title, "amount": money(amount)}).expect(201).json
    rated.partner.post(path, {"title": "More", "amount": money("0.01")}).problem(409, "milestones_over_fee")
    rated.partner.post(path, {"title": "Gift", "amount": money("0.00")}).problem(422, "bill_not_positive")
    plan, filing = (m["id"] for m in shown["milestones"])
    assert bill(rated, id, milestone_id=plan, status=409)["code"] == "milestone_not_reached"
    later = {"reached_on": str(rated.today + timedelta(days=2))}
    rated.partner.post(f"{path}/{plan}/reach", later).problem(422, "day_in_future")
    rated.partner.post(f"{path}/{new_id()}/reach", {}).problem(404, "milestone_not_found")
    for milestone in (plan, filing):
        rated.partner.post(f"{path}/{milestone}/reach", {}).expect(200)
    first = issue(rated, bill(rated, id, milestone_id=plan))
    assert (first["net"], first["lines"][0]["description"]) == (money("300.00"), "Restructuring: Plan")
    assert bill(rated, id, milestone_id=plan, status=409)["code"] == "milestone_billed"
    issue(rated, bill(rated, id, milestone_id=filing))
    assert (job(rated)["billed"], job(rated)["written_up"]) == ("900.00", "700.00")
    assert look(rated, id)["status"] == "completed"
    rated.holds()


def test_a_contingent_fee_is_billed_when_its_condition_has_come(rated: Any) -> None:
    id = engage(rated, "contingent")
    rated.approved(3600)
    assert bill(rated, id, status=422)["code"] == "amount_missing"
    won = issue(rated, bill(rated, id, amount=money("5000.00")))
    assert (won["net"], job(rated)["written_up"], look(rated, id)["status"]) == (
        money("5000.00"),
        "4900.00",
        "completed",
    )
    rated.holds()


def test_time_under_a_cap_is_billed_up_to_it(rated: Any) -> None:
    id = engage(rated, "capped", "250.00")
    assert bill(rated, id, amount=money("1.00"), status=409)["code"] == "arrangement_billed_by_time"
    rated.approved(3600, 3600)
    first = rated.draft()
    assert first["net"] == money("200.00")
    rated.approved(3600)
    second = rated.draft()  # the draft before counts
    assert (second["net"], second["lines"][0]["reason"]) == (money("50.00"), "Fee cap of GBP 250.00")
    line = f"/invoices/{second['id']}/lines/{second['lines'][0]['id']}"
    over = {"net": money("50.01"), "reason": "a cent more"}
    second = rated.partner.patch(line, over, if_match=second["version"]).expect(200).json
    issue(rated, first)
    assert issue(rated, second, status=409)["code"] == "fee_cap_exceeded"
    rated.partner.patch(line, {"net": money("50.00"), "reason": "the cap"}, if_match=second["version"]).expect(200)
    issue(rated, second)
    assert (job(rated)["billed"], job(rated)["written_down"]) == ("250.00", "50.00")
    assert look(rated, id)["left"] == money("0.00")
    rated.holds()


# --- recurring --------------------------------------------------------------------------------------------------------


def monthly(firm: Any, months: int) -> tuple[str, date]:
    """A monthly fee that began some whole months ago, billed from its beginning on."""
    begun = firm.today - relativedelta(months=months)
    id = engage(firm, "recurring", "150.00", "monthly", str(begun))
    version = look(firm, id)["version"]
    firm.partner.patch(f"/arrangements/{id}", {"bill_from": str(begun)}, if_match=version).expect(200)
    return id, begun


def test_every_period_of_a_recurring_fee_is_drafted_once(rated: Any, world: Any) -> None:
    rated.approved(3600, day=rated.day(40))
    id, begun = monthly(rated, 3)
    world.run_due(rated.id)
    shown = look(rated, id)
    firsts = [str(begun + relativedelta(months=n)) for n in range(3)]
    assert [(b["kind"], b["period"], b["amount"]) for b in shown["bills"]] == [
        ("recurring", first, money("150.00")) for first in firsts
    ]
    for _ in range(2):  # the worker again, and the same plan come round once more
        with world.uow(rated.id) as uow:
            service.timers["bill_recurring"](uow, arrangement_id=id)
    assert look(rated, id)["bills"] == shown["bills"]
    following = [d for d in world.due(rated.id) if d.kind == "bill_recurring" and d.done_at is None]
    assert [d.run_at.date() for d in following] == [begun + relativedelta(months=4)]
    assert bill(rated, id, period=firsts[0], status=409)["code"] == "period_billed"
    assert bill(rated, id, period=str(begun + timedelta(days=1)), status=422)["code"] == "period_unknown"
    # The work of a period is covered by its fee.
    assert (
        sum(
            len(x["item_ids"])
            for b in shown["bills"]
            for x in rated.partner.get(f"/invoices/{b['invoice_id']}").json["lines"]
        )
        == 1
    )
    rated.holds()


def test_two_workers_bill_a_period_once(rated: Any, world: Any) -> None:
    id, _ = monthly(rated, 2)

    def work(_: int) -> str:
        try:
            with world.uow(rated.id) as uow:
                service.timers["bill_recurring"](uow, arrangement_id=id)
            return "ok"
        except Exception as error:
            return repr(error)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(4))) == {"ok"}
    assert len(look(rated, id)["bills"]) == 2
    with world.uow(rated.id) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM invoices")).scalar() == 2
    rated.holds()


def test_a_dropped_period_is_billed_again_and_a_closed_engagement_is_not(rated: Any, world: Any) -> None:
    id, begun = monthly(rated, 1)
    world.run_due(rated.id)
    (only,) = look(rated, id)["bills"]
    draft = rated.partner.get(f"/invoices/{only['invoice_id']}").json
    rated.partner.delete(f"/invoices/{draft['id']}", if_match=draft["version"]).expect(204)
    assert bill(rated, id, period=str(begun))["net"] == money("150.00")
    engage(rated, "recurring", "150.00", "monthly", str(begun), status="closed", version=3)
    with world.uow(rated.id) as uow:
        service.timers["bill_recurring"](uow, arrangement_id=id)
    assert (look(rated, id)["status"], len(look(rated, id)["bills"])) == ("closed", 1)
    rated.holds()


# --- issued by themselves ---------------------------------------------------------------------------------------------


def automatic(firm: Any, months: int, **more: Any) -> str:
    begun = firm.today - relativedelta(months=months)
    id = engage(firm, "recurring", "150.00", "monthly", str(begun))
    body = {"bill_from": str(begun), "issue": True, **more}
    firm.partner.patch(f"/arrangements/{id}", body, if_match=look(firm, id)["version"]).expect(200)
    return id


def test_bills_of_a_recurring_fee_are_issued_and_sent_by_themselves_once_per_period(rated: Any, world: Any) -> None:
    id = automatic(rated, 3, send=True)
    world.run_due(rated.id)
    for _ in range(2):
        with world.uow(rated.id) as uow:
            service.timers["bill_recurring"](uow, arrangement_id=id)
    shown = look(rated, id)
    assert (shown["issue"], shown["send"], shown["problem"]) == (True, True, None)
    assert [(b["state"], b["number"]) for b in shown["bills"]] == [("issued", f"INV-00000{n}") for n in (1, 2, 3)]
    sent = [e.number for e in world.events(rated.id, InvoiceSent)]
    assert sent == ["INV-000001", "INV-000002", "INV-000003"]
    rated.holds()


def test_bills_that_are_only_issued_are_not_sent(rated: Any, world: Any) -> None:
    id = automatic(rated, 1)
    world.run_due(rated.id)
    assert [b["state"] for b in look(rated, id)["bills"]] == ["issued"]
    assert world.events(rated.id, InvoiceSent) == []


def test_a_bill_that_can_not_be_issued_stays_a_draft_and_says_why(rated: Any, world: Any) -> None:
    id = automatic(rated, 2, send=True)
    settings = rated.partner.get("/settings").json
    rated.partner.patch("/settings", {"approve_before_issue": True}, if_match=settings["version"]).expect(200)
    world.run_due(rated.id)
    shown = look(rated, id)
    assert [b["state"] for b in shown["bills"]] == ["draft", "draft"]
    assert shown["problem"]["code"] == "invoice_not_approved"
    assert shown["problem"]["invoice_id"] == shown["bills"][-1]["invoice_id"]
    assert world.events(rated.id, InvoiceSent) == []
    off = rated.partner.patch(f"/arrangements/{id}", {"issue": False}, if_match=shown["version"]).expect(200).json
    assert (off["issue"], off["send"], off["problem"]) == (False, False, None)
    rated.holds()


def again(firm: Any, world: Any, id: str) -> None:
    """The next morning: what was planned for it, done now."""
    with world.uow(firm.id) as uow:
        planned = "SELECT run_at FROM due WHERE kind = 'bill_recurring' AND key = :id AND done_at IS NULL"
        assert uow.session.execute(text(planned), {"id": id}).scalar_one().date() <= firm.today + timedelta(days=1)
    with world.uow(firm.id) as uow:
        service.timers["bill_recurring"](uow, arrangement_id=id)


def approvals(firm: Any, needed: bool) -> None:
    version = firm.partner.get("/settings").json["version"]
    firm.partner.patch("/settings", {"approve_before_issue": needed}, if_match=version).expect(200)


def test_a_bill_that_could_not_be_issued_is_tried_again_each_morning_and_goes_out_once(rated: Any, world: Any) -> None:
    id = automatic(rated, 2, send=True)
    approvals(rated, True)
    world.run_due(rated.id)
    (held,) = rated.partner.get("/arrangements?problem=true").expect(200).json["items"]
    assert (held["id"], held["problem"]["code"]) == (id, "invoice_not_approved")
    assert rated.partner.get("/overview").json["bills_held"] == 1
    again(rated, world, id)
    assert [b["state"] for b in look(rated, id)["bills"]] == ["draft", "draft"]
    approvals(rated, False)
    again(rated, world, id)
    with world.uow(rated.id) as uow:
        service.timers["bill_recurring"](uow, arrangement_id=id)
    shown = look(rated, id)
    assert [(b["state"], b["number"]) for b in shown["bills"]] == [("issued", "INV-000001"), ("issued", "INV-000002")]
    assert shown["problem"] is None
    assert [e.number for e in world.events(rated.id, InvoiceSent)] == ["INV-000001", "INV-000002"]
    assert rated.partner.get("/arrangements?problem=true").json["items"] == []
    assert rated.partner.get("/overview").json["bills_held"] == 0
    rated.holds()


def test_what_somebody_issues_by_hand_is_no_problem_any_more_and_a_draft_of_before_is_left_alone(
    rated: Any, world: Any
) -> None:
    begun = rated.today - relativedelta(months=2)
    id = engage(rated, "recurring", "150.00", "monthly", str(begun))
    bill(rated, id, period=str(begun))  # somebody's own, before anything went out by itself
    body = {"bill_from": str(begun), "issue": True}
    rated.partner.patch(f"/arrangements/{id}", body, if_match=look(rated, id)["version"]).expect(200)
    approvals(rated, True)
    world.run_due(rated.id)
    held = look(rated, id)["problem"]["invoice_id"]
    rated.partner.post(f"/invoices/{held}/approve", {}, if_match=rated.partner.get(f"/invoices/{held}").json["version"])
    rated.partner.post(f"/invoices/{held}/issue", {}).expect(200)
    assert look(rated, id)["problem"] is None
    approvals(rated, False)
    again(rated, world, id)
    assert sorted(b["state"] for b in look(rated, id)["bills"]) == ["draft", "issued"]
    rated.holds()


def test_a_bill_that_can_not_even_be_drafted_says_why_and_is_made_when_it_can(rated: Any, world: Any) -> None:
    begun = rated.today - relativedelta(months=1)
    id = engage(rated, "recurring", "", "monthly", str(begun))
    rated.partner.patch(f"/arrangements/{id}", {"bill_from": str(begun)}, if_match=look(rated, id)["version"]).expect(
        200
    )
    world.run_due(rated.id)
    shown = look(rated, id)
    assert (shown["bills"], shown["problem"]["code"], shown["problem"]["invoice_id"]) == ([], "amount_missing", None)
    engage(rated, "recurring", "150.00", "monthly", str(begun), version=3)
    world.run_due(rated.id)
    assert ([b["state"] for b in look(rated, id)["bills"]], look(rated, id)["problem"]) == (["draft"], None)
    rated.holds()


def test_held_bills_of_hidden_clients_are_in_nobody_elses_list_or_count(rated: Any, world: Any) -> None:
    automatic(rated, 1)
    approvals(rated, True)
    world.run_due(rated.id)
    rated.add_client(rated.client, only=[rated.ada], version=2)
    assert rated.partner.get("/arrangements?problem=true").json["items"] == []
    assert rated.partner.get("/overview").json["bills_held"] == 0


def test_who_may_not_issue_has_nothing_issued_and_only_recurring_fees_are(rated: Any, world: Any) -> None:
    fixed = engage(rated, "fixed", "1000.00")
    rated.partner.patch(f"/arrangements/{fixed}", {"issue": True}, if_match=look(rated, fixed)["version"]).problem(
        409, "not_recurring"
    )
    id = engage(rated, "recurring", "150.00", "monthly", str(rated.today), version=3)
    drafter = world.api(rated.id, permissions=["timebilling:invoices:read", "timebilling:invoices:write"])
    version = look(rated, id)["version"]
    drafter.patch(f"/arrangements/{id}", {"send": True}, if_match=version).problem(403, "issue_forbidden")
    drafter.patch(f"/arrangements/{id}", {"in_advance": False}, if_match=version).expect(200)
    settings = rated.partner.get("/settings").json
    rated.partner.patch("/settings", {"approve_before_issue": True}, if_match=settings["version"]).expect(200)
    rated.partner.patch(f"/arrangements/{id}", {"issue": True}, if_match=look(rated, id)["version"]).problem(
        409, "approval_needed"
    )
    assert look(rated, id)["issue"] is False


def test_two_workers_one_of_them_killed_issue_every_period_once(rated: Any, world: Any, worker: Any) -> None:
    """The workers as they are deployed, on the database alone; what the killed one had claimed is taken up when the claim has run out."""
    begun = rated.today - relativedelta(months=2)
    ids = []
    for n in range(10):
        id, fee = (
            new_id(),
            FeeTerms(kind="recurring", interval="monthly", amount=Money(amount="150.00", currency="GBP")),
        )
        world.deliver(
            rated.id,
            EngagementChanged(engagement_id=str(id), client_id=str(rated.client), title=f"Books {n}", status="open", starts_on=str(begun), fee=fee, version=1),
        )  # fmt: skip
        body = {"bill_from": str(begun), "issue": True, "send": True}
        rated.partner.patch(f"/arrangements/{id}", body, if_match=look(rated, str(id))["version"]).expect(200)
        ids.append(str(id))

    def issued() -> int:
        with world.uow(rated.id) as uow:
            return int(uow.session.execute(text("SELECT count(*) FROM invoices WHERE state = 'issued'")).scalar_one())

    with worker() as first, worker():
        eventually(lambda: issued() >= 4)
        first.kill()
        eventually(lambda: issued() >= 18)
    with world.uow(rated.id) as uow:  # their PDFs are not this test's
        uow.session.execute(text("UPDATE due SET done_at = now() WHERE kind = 'render_invoice'"))
    world.run_due(rated.id, at=datetime.now(UTC) + timedelta(minutes=5))
    assert issued() == 20
    bills = [b for id in ids for b in look(rated, id)["bills"]]
    assert sorted(b["number"] for b in bills) == [f"INV-{n:06}" for n in range(1, 21)]
    assert sorted(e.number for e in world.events(rated.id, InvoiceSent)) == sorted(b["number"] for b in bills)
    rated.holds()


def test_older_news_of_an_engagement_changes_no_terms(rated: Any) -> None:
    id = engage(rated, "fixed", "1000.00", version=5)
    engage(rated, "hourly", version=4)
    assert (look(rated, id)["kind"], look(rated, id)["amount"]) == ("fixed", money("1000.00"))


def test_arrangements_of_strangers_and_of_hidden_clients_are_not_found(rated: Any, new_firm: Any) -> None:
    other = new_firm()
    foreign = engage(other, "fixed", "1000.00")
    id = engage(rated, "fixed", "1000.00")
    rated.add_client(rated.client, only=[rated.ada], version=2)
    for unseen in (foreign, id):
        rated.partner.get(f"/arrangements/{unseen}").problem(404, "arrangement_not_found")
        rated.partner.post(f"/arrangements/{unseen}/bill", {"final": True}).problem(404, "arrangement_not_found")
    assert rated.partner.get("/arrangements").json["items"] == []
    assert UUID(id)


def test_an_engagement_that_was_a_mistake_leaves_no_arrangement(firm: Any) -> None:
    id = engage(firm, "fixed", "1000.00")
    engage(firm, "fixed", "1000.00", status="closed", removed=True, version=3)
    firm.partner.get(f"/arrangements/{id}").problem(404, "arrangement_not_found")
    engage(firm, "fixed", "1000.00")  # of before, and late
    firm.partner.get(f"/arrangements/{id}").problem(404, "arrangement_not_found")


def test_an_engagement_taken_back_although_it_was_billed_keeps_its_arrangement(rated: Any) -> None:
    id = engage(rated, "fixed", "1000.00")
    bill(rated, id, amount=money("400.00"))
    engage(rated, "fixed", "1000.00", status="closed", removed=True, version=3)
    assert len(look(rated, id)["bills"]) == 1
