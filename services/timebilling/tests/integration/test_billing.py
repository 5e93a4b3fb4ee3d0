"""WIP, drafts, issue, void, payments: what is refused changes nothing; every entry is in one place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis.db import new_id
from chassis.errors import Conflict, DomainError
from chassis.testing import eventually
from praxis.portal.v1.events_pb2 import BrandingChanged
from praxis.portal.v1.portal_pb2 import GetBrandingResponse
from praxis.timebilling.v1.events_pb2 import InvoiceChanged, TimeEntryChanged
from praxis.timebilling.v1.timebilling_pb2 import GetInvoiceRequest
from timebilling.app import service


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


NOBODY = "018f0000-0000-7000-8000-000000000000"


def state(firm: Any, item: str) -> str:
    items = firm.partner.get(f"/wip/items?client_id={firm.client}").expect(200).json["items"]
    return next(i["state"] for i in items if i["id"] == item)


@pytest.fixture
def rated(firm: Any) -> Any:
    firm.rate("100.00")
    return firm


# --- WIP --------------------------------------------------------------------------------------------------------------


def test_wip_ages_by_the_day_worked(rated: Any) -> None:
    for ago in (0, 30, 31, 60, 61, 90, 91, 200):
        rated.approved(3600, day=rated.day(ago))
    wip = rated.partner.get(f"/wip/clients/{rated.client}").expect(200).json
    assert wip["ageing"] == {b: money("200.00") for b in ("days_0_30", "days_31_60", "days_61_90", "days_over_90")}
    assert (wip["unbilled"], wip["jobs"][0]["items"], wip["jobs"][0]["oldest_day"]) == (
        money("800.00"),
        8,
        rated.day(200),
    )
    assert rated.partner.get("/wip").json["items"][0]["ageing"] == wip["ageing"]
    overview = rated.partner.get("/overview").json["currencies"][0]
    assert (overview["wip"], overview["wip_ageing"]) == (money("800.00"), wip["ageing"])


def test_wip_lists_page_largest_first(rated: Any) -> None:
    for amount, name in ((3600, "A"), (7200, "B"), (1800, "C")):
        client = rated.add_client(name=name)
        rated.approved(amount, job_id=str(rated.add_job(client=client)))
    first = rated.partner.get("/wip?limit=2").json
    rest = rated.partner.get(f"/wip?limit=2&cursor={first['next_cursor']}").json
    assert [c["client_name"] for c in first["items"] + rest["items"]] == ["B", "A", "C"]
    assert first["totals"] == rest["totals"] == [money("350.00")]


def test_written_off_wip_is_gone_for_good(rated: Any) -> None:
    lost, kept = rated.approved(3600, 7200)
    rated.partner.post("/wip/write-off", {"ids": [lost]}).problem(400, "request_invalid")
    answer = (
        rated.partner.post("/wip/write-off", {"ids": [lost, NOBODY], "reason": "client is bankrupt"}).expect(200).json
    )
    assert [i["code"] for i in answer["items"]] == [None, "wip_item_not_found"]
    assert (
        rated.partner.post("/wip/write-off", {"ids": [lost], "reason": "again"}).json["items"][0]["code"]
        == "entry_written_off"
    )
    job = rated.partner.get(f"/wip/jobs/{rated.job}").json
    assert (job["standard"], job["written_off"], job["remaining"]) == (
        money("300.00"),
        money("100.00"),
        money("200.00"),
    )
    assert rated.partner.get(f"/time-entries/{lost}").json["status"] == "written_off"
    assert [x["item_ids"] for x in rated.draft()["lines"]] == [[kept]]
    rated.holds()


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_a_draft_takes_named_items_jobs_or_everything_up_to_a_day(rated: Any) -> None:
    other = str(rated.add_job(title="Payroll"))
    old, new, payroll = rated.approved(60, day=rated.day(20)) + rated.approved(60) + rated.approved(60, job_id=other)
    named = rated.draft(item_ids=[new], group_by="entry")
    assert [x["item_ids"] for x in named["lines"]] == [[new]]
    by_job = rated.draft(job_ids=[other], group_by="job")
    assert [(x["job_title"], x["item_ids"]) for x in by_job["lines"]] == [("Payroll", [payroll])]
    assert [x["item_ids"] for x in rated.draft(until=rated.day(20))["lines"]] == [[old]]
    rated.partner.post("/invoices", {"client_id": str(rated.client)}).problem(409, "nothing_to_bill")
    rated.holds()


def test_lines_group_by_job_and_activity(rated: Any) -> None:
    review = rated.partner.post("/activities", {"name": "Review"}).json["id"]
    rated.approved(3600, 1800)
    rated.approved(900, activity_id=review)
    lines = rated.draft()["lines"]
    assert [(x["description"], x["quantity"], x["net"]["amount"]) for x in lines] == [
        ("VAT return Q3", "1.50", "150.00"),
        ("VAT return Q3: Review", "0.25", "25.00"),
    ]


def test_what_can_not_be_drafted_is_refused_and_nothing_is_reserved(rated: Any, new_firm: Any) -> None:
    ready, reserved, billed, lost = rated.approved(60, 60, 60, 60)
    draft_entry, unpaid = rated.log()["id"], rated.approved(60, billable=False)[0]
    rated.draft(item_ids=[reserved])
    rated.partner.post(f"/invoices/{rated.draft(item_ids=[billed])['id']}/issue", {}).expect(200)
    rated.partner.post("/wip/write-off", {"ids": [lost], "reason": "lost"})
    elsewhere = rated.approved(60, job_id=str(rated.add_job(client=rated.add_client(name="Other"))))[0]
    stranger = new_firm()
    stranger.rate()
    foreign = stranger.approved(60)[0]
    for item, status, code in (
        (draft_entry, 409, "entry_not_approved"),
        (unpaid, 409, "entry_not_billable"),
        (reserved, 409, "entry_reserved"),
        (billed, 409, "entry_billed"),
        (lost, 409, "entry_written_off"),
        (elsewhere, 422, "item_of_other_client"),
        (foreign, 404, "time_entry_not_found"),
        (NOBODY, 404, "time_entry_not_found"),
    ):
        body = {"client_id": str(rated.client), "item_ids": [ready, item]}
        assert rated.partner.post("/invoices", body).problem(status, code).json["pointer"] == "/item_ids/1"
    assert state(rated, ready) == "unbilled"
    rated.partner.post("/invoices", {"client_id": NOBODY}).expect(503)  # clients, who would know, is not there
    rated.partner.post("/invoices", {"client_id": str(rated.client), "job_ids": [NOBODY]}).problem(404, "job_not_found")
    rated.holds()


def test_a_draft_has_one_currency_with_its_own_decimals(rated: Any) -> None:
    rated.rate("10000", currency="JPY", level="client_grade", client_id=str(rated.client), grade="senior")
    pounds = rated.approved(3600)
    rated.add_client(rated.client, currency="JPY", version=2)
    yen = rated.approved(1000)
    assert rated.draft()["net"] == money("2778", "JPY")
    body = {"client_id": str(rated.client), "item_ids": pounds + rated.approved(60)}
    rated.partner.post("/invoices", body).problem(422, "mixed_currencies")
    assert yen
    rated.holds()


def test_dropping_a_draft_returns_its_work(rated: Any) -> None:
    (item,) = rated.approved(3600)
    draft = rated.draft()
    assert state(rated, item) == "reserved"
    rated.partner.delete(f"/invoices/{draft['id']}", if_match=9).problem(412, "version_conflict")
    rated.partner.delete(f"/invoices/{draft['id']}", if_match=draft["version"]).expect(204)
    assert state(rated, item) == "unbilled"
    rated.partner.get(f"/invoices/{draft['id']}").problem(404, "invoice_not_found")
    rated.holds()


def test_removing_a_line_returns_its_work(rated: Any) -> None:
    first, second = rated.approved(3600, 1800)
    draft = rated.draft(group_by="entry")
    line = next(x for x in draft["lines"] if x["item_ids"] == [first])
    path = f"/invoices/{draft['id']}/lines/{line['id']}"
    rated.partner.delete(path, if_match=draft["version"]).expect(204)
    rated.partner.delete(path, if_match=draft["version"]).problem(412, "version_conflict")
    rated.partner.delete(path, if_match=draft["version"] + 1).problem(404, "invoice_line_not_found")
    assert (state(rated, first), state(rated, second)) == ("unbilled", "reserved")
    assert rated.partner.get(f"/invoices/{draft['id']}").json["total"] == money("50.00")
    rated.holds()


def test_writing_down_the_whole_draft_spreads_to_the_cent(rated: Any) -> None:
    rated.approved(3600, 3600, 3600)
    draft = rated.draft(group_by="entry")
    change = {"net": money("100.00"), "reason": "fixed price agreed"}
    path = f"/invoices/{draft['id']}"
    rated.partner.patch(path, {"net": money("100.00")}, if_match=draft["version"]).problem(
        422, "adjustment_reason_missing"
    )
    rated.partner.patch(path, {"net": money("100.001"), "reason": "why not"}, if_match=draft["version"]).problem(
        422, "amount_precision"
    )
    rated.partner.patch(path, {"net": money("-1.00"), "reason": "why not"}, if_match=draft["version"]).problem(
        422, "amount_negative"
    )
    rated.partner.patch(path, {"net": money("1.00", "EUR"), "reason": "why not"}, if_match=draft["version"]).problem(
        422, "currency_mismatch"
    )
    assert rated.partner.get(path).json == draft
    changed = rated.partner.patch(path, change, if_match=draft["version"]).expect(200).json
    assert sorted(x["net"]["amount"] for x in changed["lines"]) == ["33.33", "33.33", "33.34"]
    rated.partner.patch(path, change, if_match=draft["version"]).problem(412, "version_conflict")
    rated.partner.post(f"{path}/issue", {}).expect(200)
    job = rated.partner.get(f"/wip/jobs/{rated.job}").json
    assert (job["billed"], job["written_down"], job["written_up"]) == (money("100.00"), money("200.00"), money("0.00"))
    rated.holds()


def test_a_write_up_is_billed_above_standard(rated: Any) -> None:
    rated.approved(3600)
    draft = rated.draft()
    line = draft["lines"][0]["id"]
    change = {"net": money("150.00"), "reason": "urgent", "description": "Urgent VAT return"}
    rated.partner.patch(f"/invoices/{draft['id']}/lines/{line}", change, if_match=draft["version"]).expect(200)
    issued = rated.partner.post(f"/invoices/{draft['id']}/issue", {}).expect(200).json
    assert (issued["lines"][0]["description"], issued["lines"][0]["reason"]) == ("Urgent VAT return", "urgent")
    job = rated.partner.get(f"/wip/jobs/{rated.job}").json
    assert (job["standard"], job["billed"], job["written_up"]) == (money("100.00"), money("150.00"), money("50.00"))
    rated.holds()


def test_of_much_work_at_once_the_worker_tells(rated: Any, world: Any) -> None:
    ids = rated.approved(*[60] * 101)
    issued = rated.issued()
    assert [e.status for e in world.events(rated.id, TimeEntryChanged) if e.time_entry_id == ids[0]][-1] == "approved"
    world.run_due(rated.id)
    last = {e.time_entry_id: (e.status, e.version) for e in world.events(rated.id, TimeEntryChanged)}
    assert {last[i][0] for i in ids} == {"billed"}
    rated.partner.post(f"/invoices/{issued['id']}/void", {"reason": "mistake"}).expect(200)
    world.run_due(rated.id)
    again = {e.time_entry_id: (e.status, e.version) for e in world.events(rated.id, TimeEntryChanged)}
    assert all(again[i] == ("approved", last[i][1] + 1) for i in ids)
    rated.holds()


def test_items_join_no_issued_invoice(rated: Any, world: Any) -> None:
    rated.approved(60)
    issued = rated.issued()
    (other,) = rated.approved(60)
    with pytest.raises(Conflict, match="invoice_issued"), world.uow(rated.id) as uow:
        uow.session.execute(
            text(
                "INSERT INTO invoice_items (firm_id, id, invoice_id, line_id, item_id, standard, billed, live) "
                "SELECT :firm, uuidv7(), :invoice, :line, :item, 0, 0, true"
            ),
            {"firm": rated.id, "invoice": issued["id"], "line": issued["lines"][0]["id"], "item": other},
        )


# --- issue and void ---------------------------------------------------------------------------------------------------


def test_an_invoice_is_issued_once_and_does_not_change(rated: Any, world: Any) -> None:
    rated.approved(3600)
    issued = rated.issued()
    path = f"/invoices/{issued['id']}"
    rated.partner.post(f"{path}/issue", {}).problem(409, "invoice_already_issued")
    rated.partner.patch(path, {"note": "later"}, if_match=issued["version"]).problem(409, "invoice_issued")
    rated.partner.delete(path, if_match=issued["version"]).problem(409, "invoice_issued")
    line = f"{path}/lines/{issued['lines'][0]['id']}"
    rated.partner.patch(line, {"description": "else"}, if_match=issued["version"]).problem(409, "invoice_issued")
    rated.partner.delete(line, if_match=issued["version"]).problem(409, "invoice_issued")
    for statement in (
        "UPDATE invoices SET note = 'x' WHERE id = :id",
        "UPDATE invoices SET total = total + 1, net = net + 1 WHERE id = :id",
        "UPDATE invoice_lines SET description = 'x' WHERE invoice_id = :id",
        "DELETE FROM invoice_items WHERE invoice_id = :id",
        "UPDATE invoices SET state = 'draft' WHERE id = :id",
    ):
        with pytest.raises(Conflict, match="invoice_issued"), world.uow(rated.id) as uow:
            uow.session.execute(text(statement), {"id": issued["id"]})
    assert rated.partner.get(path).json == issued


def test_an_empty_draft_is_not_issued(rated: Any) -> None:
    rated.approved(3600)
    draft = rated.draft()
    rated.partner.delete(f"/invoices/{draft['id']}/lines/{draft['lines'][0]['id']}", if_match=draft["version"]).expect(
        204
    )
    rated.partner.post(f"/invoices/{draft['id']}/issue", {}).problem(409, "invoice_empty")
    assert rated.partner.get(f"/invoices/{draft['id']}").json["number"] is None
    rated.approved(60)
    assert rated.issued()["number"] == "INV-000001"


def test_issue_dates_and_terms(rated: Any) -> None:
    rated.partner.patch("/settings", {"payment_terms_days": 30}, if_match=0).expect(200)
    rated.approved(3600, 3600)
    draft = rated.draft()
    rated.partner.post(f"/invoices/{draft['id']}/issue", {"issued_on": str(rated.today + timedelta(days=2))}).problem(
        422, "issue_date_in_future"
    )
    rated.partner.post(f"/invoices/{draft['id']}/issue", {"issued_on": "2026-02-30"}).problem(400, "request_invalid")
    rated.partner.post(f"/invoices/{draft['id']}/issue", {"issued_on": "1899-12-31"}).problem(
        422, "issue_date_out_of_range"
    )
    issued = rated.partner.post(f"/invoices/{draft['id']}/issue", {"issued_on": "2026-01-31"}).expect(200).json
    assert (issued["issued_on"], issued["due_on"], issued["status"]) == ("2026-01-31", "2026-03-02", "overdue")


def test_tax_is_that_of_the_day_of_issue(rated: Any) -> None:
    code = rated.partner.post(
        "/tax-codes", {"code": "VAT", "label": "VAT", "category": "S", "percent": "17.5", "from": "2020-01-01"}
    ).json["id"]
    rated.partner.post(f"/tax-codes/{code}/rates", {"percent": "20", "from": "2026-02-01"}).expect(201)
    rated.approved(3600)
    draft = rated.draft()
    line = f"/invoices/{draft['id']}/lines/{draft['lines'][0]['id']}"
    rated.partner.patch(line, {"tax_code_id": NOBODY}, if_match=draft["version"]).problem(404, "tax_code_not_found")
    taxed = rated.partner.patch(line, {"tax_code_id": code}, if_match=draft["version"]).expect(200).json
    assert taxed["total"] == money("120.00")
    rated.partner.post(f"/invoices/{draft['id']}/issue", {"issued_on": "2019-12-31"}).problem(422, "tax_rate_missing")
    assert rated.partner.get(f"/invoices/{draft['id']}").json == taxed
    issued = rated.partner.post(f"/invoices/{draft['id']}/issue", {"issued_on": "2026-01-31"}).expect(200).json
    assert (issued["total"], issued["taxes"][0]["label"], issued["lines"][0]["tax_percent"]) == (
        money("117.50"),
        "VAT 17.5 %",
        "17.5",
    )
    rated.holds()


def test_void_returns_the_work_and_the_number_stays_used(rated: Any, world: Any) -> None:
    (item,) = rated.approved(3600)
    first = rated.issued()
    rated.partner.post(f"/invoices/{first['id']}/void", {}).problem(400, "request_invalid")
    void = rated.partner.post(f"/invoices/{first['id']}/void", {"reason": "wrong client"}).expect(200).json
    assert (void["status"], void["number"], void["balance"], void["void_reason"]) == (
        "void",
        "INV-000001",
        money("0.00"),
        "wrong client",
    )
    rated.partner.post(f"/invoices/{first['id']}/void", {"reason": "again"}).problem(409, "invoice_already_void")
    rated.partner.post(f"/invoices/{first['id']}/issue", {}).problem(409, "invoice_void")
    assert (state(rated, item), rated.partner.get(f"/time-entries/{item}").json["status"]) == ("unbilled", "approved")
    assert rated.issued()["number"] == "INV-000002"
    statuses = [e.status for e in world.events(rated.id, TimeEntryChanged)]
    assert statuses == ["draft", "submitted", "approved", "billed", "approved", "billed"]
    assert [(e.number, e.status) for e in world.events(rated.id, InvoiceChanged)] == [
        ("INV-000001", "open"),
        ("INV-000001", "void"),
        ("INV-000002", "open"),
    ]
    overview = rated.partner.get("/overview").json["currencies"][0]
    assert (overview["billed_this_month"], overview["debtors"]) == (money("100.00"), money("100.00"))
    rated.holds()


def test_a_draft_is_dropped_not_voided_and_a_paid_invoice_is_neither(rated: Any) -> None:
    rated.approved(3600, 3600)
    draft = rated.draft(item_ids=[rated.approved(60)[0]])
    rated.partner.post(f"/invoices/{draft['id']}/void", {"reason": "none"}).problem(409, "invoice_not_issued")
    issued = rated.issued()
    rated.pay("1.00", (issued["id"], "1.00"))
    rated.partner.post(f"/invoices/{issued['id']}/void", {"reason": "none"}).problem(409, "invoice_has_payments")


def test_issuing_with_the_same_key_gives_one_invoice(rated: Any, world: Any) -> None:
    rated.approved(3600)
    draft = rated.draft()
    answers = [rated.partner.post(f"/invoices/{draft['id']}/issue", {}, key="go").expect(200).json for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(world.events(rated.id, InvoiceChanged)) == 1


def test_an_unpaid_invoice_is_announced_overdue_the_day_after_it_was_due(rated: Any, world: Any) -> None:
    rated.approved(3600, 3600)
    late = rated.partner.post(f"/invoices/{rated.draft()['id']}/issue", {"issued_on": "2026-01-02"}).expect(200).json
    plan = next(d for d in world.due(rated.id) if d.kind == "announce_overdue")
    assert plan.run_at.astimezone(UTC) == datetime(2026, 1, 17, tzinfo=UTC)
    with world.uow(rated.id) as uow:
        service.timers["announce_overdue"](uow, invoice_id=late["id"])
    last = world.events(rated.id, InvoiceChanged)[-1]
    assert (last.status, last.version) == ("overdue", late["version"] + 1)


def test_branding_is_asked_for_once_and_falls_back_to_the_firms_name(new_firm: Any, world: Any) -> None:
    rated = new_firm(branded=False)
    rated.rate()

    def seller() -> Any:
        with world.uow(rated.id) as uow:
            return uow.session.execute(
                text("SELECT frozen->'seller' FROM invoices WHERE number IS NOT NULL ORDER BY sequence DESC")
            ).scalar()

    object.__setattr__(world.runtime.settings, "portal_grpc", "127.0.0.1:1")
    world.runtime.channels.close()
    rated.approved(60)
    rated.issued()
    assert seller()["name"] == "Brook & Partners"
    asked = world.answers(
        "portal",
        {
            "GetBranding": lambda _: GetBrandingResponse(
                branding=BrandingChanged(firm_id=str(rated.id), display_name="Brook", accent="#123456", version=1)
            )
        },
    )

    def issued_in_its_name() -> bool:
        rated.approved(60)
        rated.issued()
        return bool(seller()["name"] == "Brook")

    eventually(issued_in_its_name)
    times = len(asked)
    assert issued_in_its_name()
    assert (seller()["accent"], len(asked)) == ("#123456", times)
    world.deliver(rated.id, BrandingChanged(firm_id=str(rated.id), display_name="Brook & Sons", version=2))
    rated.approved(60)
    rated.issued()
    assert seller()["name"] == "Brook & Sons"


# --- payments ---------------------------------------------------------------------------------------------------------


def test_a_payment_over_the_balance_is_refused_and_changes_nothing(rated: Any) -> None:
    rated.approved(3600)
    invoice = rated.issued()
    rated.pay("60.00", (invoice["id"], "60.00"))
    problem = rated.pay("50.00", (invoice["id"], "40.01"), status=409)
    assert (problem["code"], problem["balance"], problem["pointer"]) == (
        "payment_over_balance",
        money("40.00"),
        "/allocations/0",
    )
    assert rated.partner.get(f"/invoices/{invoice['id']}").json["balance"] == money("40.00")
    assert len(rated.partner.get("/payments").json["items"]) == 1
    rated.pay("40.00", (invoice["id"], "40.00"))
    assert rated.pay("0.01", (invoice["id"], "0.01"), status=409)["code"] == "payment_over_balance"
    rated.holds()


def test_bad_payments_are_refused_and_change_nothing(rated: Any, new_firm: Any) -> None:
    rated.approved(3600, 3600)
    invoice, draft = rated.issued(item_ids=[rated.approved(3600)[0]]), rated.draft()
    void = rated.issued(item_ids=[rated.approved(60)[0]])
    rated.partner.post(f"/invoices/{void['id']}/void", {"reason": "none"}).expect(200)
    stranger = new_firm()
    stranger.rate()
    stranger.approved(3600)
    foreign, other = stranger.issued(), rated.add_client(name="Other")
    id = invoice["id"]
    for arguments, more, code in (
        (("0.00",), {"status": 422}, "payment_not_positive"),
        (("-5.00",), {"status": 422}, "amount_negative"),
        (("5.00",), {"status": 422, "currency": "XYZ"}, "currency_unknown"),
        (("5.00", (id, "6.00")), {"status": 422}, "allocations_over_payment"),
        (("5.00", (id, "0.00")), {"status": 422}, "allocation_not_positive"),
        (("5.00", (id, "1.00"), (id, "1.00")), {"status": 422}, "allocation_twice"),
        (("5.00", (id, "5.00")), {"status": 422, "currency": "EUR"}, "allocation_currency"),
        (("5.00", (id, "5.00")), {"status": 422, "client": other}, "allocation_other_client"),
        (("5.00", (draft["id"], "5.00")), {"status": 409}, "invoice_not_open"),
        (("1.00", (void["id"], "1.00")), {"status": 409}, "invoice_not_open"),
        (("5.00", (foreign["id"], "5.00")), {"status": 404}, "invoice_not_found"),
    ):
        assert rated.pay(*arguments, **more)["code"] == code
    body = {
        "client_id": str(rated.client),
        "amount": money("5.00"),
        "received_on": str(rated.today + timedelta(days=2)),
    }
    rated.partner.post("/payments", body).problem(422, "payment_date_in_future")
    rated.partner.post("/payments", body | {"received_on": "1899-12-31"}).problem(422, "payment_date_out_of_range")
    assert rated.partner.get("/payments").json["items"] == []
    assert rated.partner.get(f"/invoices/{id}").json == invoice
    rated.holds()


def test_unapplied_credit_pays_later_invoices_and_no_more_than_there_is(rated: Any) -> None:
    payment = rated.pay("150.00")
    assert payment["unapplied"] == money("150.00")
    invoices = []
    for _ in range(2):
        rated.approved(3600)
        invoices.append(rated.issued()["id"])
    path = f"/payments/{payment['id']}/allocate"
    both = [{"invoice_id": i, "amount": money("100.00")} for i in invoices]
    rated.partner.post(path, {"allocations": both}).problem(422, "allocations_over_payment")
    both[1]["amount"] = money("50.00")
    used = rated.partner.post(path, {"allocations": both}).expect(200).json
    assert (used["unapplied"], [a["number"] for a in used["allocations"]]) == (
        money("0.00"),
        ["INV-000001", "INV-000002"],
    )
    rated.partner.post(path, {"allocations": [{"invoice_id": invoices[1], "amount": money("0.01")}]}).problem(
        422, "allocations_over_payment"
    )
    rated.partner.post(f"/payments/{NOBODY}/allocate", {"allocations": both}).problem(404, "payment_not_found")
    listed = rated.partner.get("/invoices?status=paid").json["items"]
    assert [i["number"] for i in listed] == ["INV-000001"]
    assert [i["number"] for i in rated.partner.get("/invoices?status=part_paid").json["items"]] == ["INV-000002"]
    rated.holds()


def test_debtors_age_by_their_due_date(rated: Any) -> None:
    rated.partner.patch("/settings", {"payment_terms_days": 0}, if_match=0).expect(200)
    for ago in (0, 1, 30, 31, 60, 61, 90, 91):
        rated.approved(3600, day=rated.day(100))
        rated.partner.post(f"/invoices/{rated.draft()['id']}/issue", {"issued_on": rated.day(ago)}).expect(200)
    ageing = rated.partner.get("/overview").json["currencies"][0]["debtors_ageing"]
    assert ageing == {
        "not_due": money("100.00"),
        "days_1_30": money("200.00"),
        "days_31_60": money("200.00"),
        "days_61_90": money("200.00"),
        "days_over_90": money("100.00"),
    }
    assert len(rated.partner.get("/invoices?status=overdue").json["items"]) == 7


def test_the_database_refuses_a_posting_out_of_balance(rated: Any, world: Any) -> None:
    from sqlalchemy.exc import IntegrityError

    def post(uow: Any, *legs: tuple[str, int, int]) -> None:
        posting = new_id()
        uow.session.execute(
            text(
                "INSERT INTO ledger_postings VALUES (:f, :p, 'test', '2026-01-01', 'GBP', :c, NULL, NULL, NULL, now())"
            ),
            {"f": rated.id, "p": posting, "c": rated.client},
        )
        for account, debit, credit in legs:
            uow.session.execute(
                text("INSERT INTO ledger_entries VALUES (:f, :i, :p, :a, :d, :c)"),
                {"f": rated.id, "i": new_id(), "p": posting, "a": account, "d": debit, "c": credit},
            )

    for legs in (
        [("debtors", 5, 0), ("fees", 0, 4)],
        [("debtors", 5, 0)],
        [],
        [("fees", 5, 5), ("bank", 5, 0), ("fees", 0, 5)],
    ):
        with pytest.raises(IntegrityError, match=r"out of balance|ck_ledger"), world.uow(rated.id) as uow:
            post(uow, *legs)
    with world.uow(rated.id) as uow:
        post(uow, ("debtors", 5, 0), ("fees", 0, 5))
        uow.session.rollback()


def test_what_the_ledger_says_stays_said(rated: Any, world: Any) -> None:
    from sqlalchemy.exc import ProgrammingError

    rated.approved(3600)
    invoice = rated.issued()
    rated.pay("1.00", (invoice["id"], "1.00"))
    for table in ("ledger_postings", "ledger_entries", "wip_movements", "payment_allocations"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
            with pytest.raises(ProgrammingError, match="permission denied"), world.uow(rated.id) as uow:
                uow.session.execute(text(statement))


# --- others -----------------------------------------------------------------------------------------------------------


def test_another_firms_money_is_not_found(rated: Any, new_firm: Any) -> None:
    rated.approved(3600)
    invoice, stranger = rated.issued(), new_firm()
    payment = rated.pay("1.00", (invoice["id"], "1.00"))
    path = f"/invoices/{invoice['id']}"
    stranger.partner.get(path).problem(404, "invoice_not_found")
    stranger.partner.patch(path, {"note": "x"}, if_match=1).problem(404, "invoice_not_found")
    stranger.partner.delete(path, if_match=1).problem(404, "invoice_not_found")
    stranger.partner.post(f"{path}/issue", {}).problem(404, "invoice_not_found")
    stranger.partner.post(f"{path}/void", {"reason": "mine"}).problem(404, "invoice_not_found")
    stranger.partner.get(f"/payments/{payment['id']}").problem(404, "payment_not_found")
    stranger.partner.get(f"/wip/jobs/{rated.job}").problem(404, "job_not_found")
    for path in ("/invoices", "/payments", "/wip", "/search?q=INV", f"/wip/items?client_id={stranger.client}"):
        assert stranger.partner.get(path).expect(200).json["items"] == []


def test_the_portal_sees_issued_invoices_of_its_own_clients_only(rated: Any, world: Any) -> None:
    rated.approved(3600, 3600)
    issued = rated.issued()
    draft = rated.draft(item_ids=rated.approved(60))
    own = world.grpc(rated.id, caller="portal", user=world.portal_token(rated.id, [rated.client]))
    other = world.grpc(rated.id, caller="portal", user=world.portal_token(rated.id, [new_id()]))
    elsewhere = world.firm()
    stranger = world.grpc(elsewhere, caller="portal", user=world.portal_token(elsewhere, [rated.client]))
    assert own.call("GetInvoice", GetInvoiceRequest(invoice_id=issued["id"])).number == "INV-000001"
    for asks, id in (
        (own, draft["id"]),
        (other, issued["id"]),
        (stranger, issued["id"]),
        (own, "nonsense"),
        (own, str(new_id())),
    ):
        with pytest.raises(DomainError) as refused:
            asks.call("GetInvoice", GetInvoiceRequest(invoice_id=id))
        assert refused.value.code == "invoice_not_found"
    with pytest.raises(DomainError) as refused:
        world.grpc(rated.id, caller="clients", user=world.portal_token(rated.id, [rated.client])).call(
            "GetInvoice", GetInvoiceRequest(invoice_id=issued["id"])
        )
    assert refused.value.code == "caller_not_allowed"


def test_a_private_client_is_hidden_in_lists_sums_and_searches(rated: Any, world: Any) -> None:
    secret = rated.add_client(name="Secret Ltd", only=[rated.pat])
    job = rated.add_job(client=secret, title="Secret job")
    body = {"job_id": str(job), "day": rated.day(), "seconds": 3600}
    entry = rated.partner.post("/time-entries", body).expect(201).json
    ids = {"ids": [entry["id"]]}
    rated.partner.post("/time-entries/submit", ids)
    rated.partner.post("/time-entries/approve", ids)
    rated.rate("77.00", level="client_staff", client_id=str(secret), staff_id=str(rated.pat))
    world.answers("clients", {"GetClient": _nobody})
    invoice = rated.partner.post(f"/invoices/{rated.draft(secret)['id']}/issue", {}).expect(200).json
    payment = rated.pay("150.00", (invoice["id"], "40.00"), client=secret)
    more = rated.partner.post("/time-entries", body).expect(201).json
    rated.partner.post("/time-entries/submit", {"ids": [more["id"]]})
    rated.partner.post("/time-entries/approve", {"ids": [more["id"]]})

    for outsider in (world.api(rated.id, staff=new_id()), world.api(rated.id, staff=new_id(), audience="partner")):
        for path in ("/time-entries", "/invoices", "/payments", "/search?q=secret", "/search?q=000001"):
            assert outsider.get(path).expect(200).json["items"] == []
        for path in ("/wip", "/wip/by-job", "/wip/by-staff", "/debtors"):
            seen = outsider.get(path).expect(200).json
            assert (seen["items"], seen["totals"]) == ([], [])
        for path in (f"/client-terms/{secret}", f"/clients/{secret}/statement?first={rated.day(9)}&last={rated.day()}"):
            outsider.get(path).problem(404, "client_not_found")
        assert [r["level"] for r in outsider.get("/rates").json["items"]] == ["firm"]
        currency = outsider.get("/overview").expect(200).json["currencies"][0]
        assert {v["amount"] for k, v in currency.items() if k not in ("currency", "wip_ageing", "debtors_ageing")} == {
            "0.00"
        }
        for path, code in (
            (f"/time-entries/{entry['id']}", "time_entry_not_found"),
            (f"/time-entries/{entry['id']}/why", "time_entry_not_found"),
            (f"/invoices/{invoice['id']}", "invoice_not_found"),
            (f"/payments/{payment['id']}", "payment_not_found"),
        ):
            outsider.get(path).problem(404, code)
        outsider.post(f"/invoices/{invoice['id']}/void", {"reason": "spite"}).problem(404, "invoice_not_found")
        answer = outsider.post("/wip/write-off", {"ids": [more["id"]], "reason": "spite"}).json
        assert answer["items"][0]["code"] == "wip_item_not_found"
    hidden = {"GetClient": _nobody, "GetJob": _nobody}
    world.answers("clients", {"GetClient": hidden["GetClient"]})
    outsider = world.api(rated.id, staff=new_id())
    outsider.post("/time-entries", body).problem(404, "job_not_found")
    outsider.get(f"/wip/clients/{secret}").problem(404, "client_not_found")
    outsider.get(f"/wip/jobs/{job}").problem(404, "job_not_found")
    outsider.get(f"/wip/items?client_id={secret}").problem(404, "client_not_found")
    outsider.post("/invoices", {"client_id": str(secret)}).problem(404, "client_not_found")
    assert rated.partner.get("/wip").json["totals"] == [money("77.00")]
    rated.holds()


def _nobody(_: Any) -> Any:
    from chassis.errors import NotFound

    raise NotFound("client_not_found", "There is no such client.")


def test_state_can_be_sent_again(rated: Any, world: Any) -> None:
    rated.approved(3600, 3600)
    rated.issued(item_ids=[rated.approved(60)[0]])
    rated.draft()
    latest = {}
    for event in world.events(rated.id, TimeEntryChanged):
        latest[event.time_entry_id] = event
    with world.uow(rated.id) as uow:
        sent = {str(id): (version, event) for id, version, event in service.republish[TimeEntryChanged](uow)}
        invoices = [event for _, _, event in service.republish[InvoiceChanged](uow)]
    assert {id: event for id, (_, event) in sent.items()} == latest
    assert [i.number for i in invoices] == ["INV-000001"]
