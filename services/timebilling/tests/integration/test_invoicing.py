"""Discounts, prices with tax in them, cash rounding, foreign money, numbers, grouping, approval, sending: right to the cent."""

from typing import Any

import pytest
from sqlalchemy import text

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import EngagementChanged, FeeTerms
from praxis.timebilling.v1.events_pb2 import InvoiceSent


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def tax(firm: Any, code: str, percent: str, category: str = "S", **more: Any) -> str:
    body = {"code": code, "label": "VAT", "category": category, "percent": percent, "from": "2020-01-01", **more}
    return str(firm.partner.post("/tax-codes", body).expect(201).json["id"])


@pytest.fixture
def rated(firm: Any) -> Any:
    """A firm that charges 100.00 an hour and VAT at 20 %."""
    firm.rate("100.00")
    firm.partner.patch("/settings", {"default_tax_code_id": tax(firm, "VAT20", "20")}, if_match=0).expect(200)
    return firm


def change(firm: Any, draft: Any, line: int | None = None, status: int = 200, **body: Any) -> Any:
    path = f"/invoices/{draft['id']}" + (f"/lines/{draft['lines'][line]['id']}" if line is not None else "")
    return firm.partner.patch(path, body, if_match=draft["version"]).expect(status).json


def issue(firm: Any, draft: Any, status: int = 200, **body: Any) -> Any:
    return firm.partner.post(f"/invoices/{draft['id']}/issue", body).expect(status).json


def job(firm: Any) -> Any:
    return firm.partner.get(f"/wip/jobs/{firm.job}").json


# --- discounts, tax, rounding -----------------------------------------------------------------------------------------


def test_discounts_of_lines_and_of_the_whole_lower_what_is_taxed(rated: Any) -> None:
    exempt = tax(rated, "EXEMPT", "0", "E", legal_text="Exempt, Art. 135(1)(a) 2006/112/EC")
    rated.approved(3600, 7200)
    draft = rated.draft(group_by="entry")
    first = 0 if draft["lines"][0]["net"] == money("100.00") else 1
    draft = change(rated, draft, first, tax_code_id=exempt)
    draft = change(rated, draft, first, discount={"percent": "10", "reason": "new client"})
    draft = change(rated, draft, discount={"amount": money("29.00"), "reason": "goodwill"})
    # 90.00 exempt and 200.00 at 20 %: of 29.00 they take 9.00 and 20.00.
    assert (draft["lines_net"], draft["discount_amount"], draft["net"]) == (
        money("290.00"),
        money("29.00"),
        money("261.00"),
    )
    assert [(t["category"], t["taxable"], t["discount"], t["tax"]) for t in draft["taxes"]] == [
        ("S", money("180.00"), money("20.00"), money("36.00")),
        ("E", money("81.00"), money("9.00"), money("0.00")),
    ]
    assert draft["taxes"][1]["legal_text"].startswith("Exempt")
    assert draft["total"] == money("297.00")
    before = draft
    refused = change(rated, draft, discount={"amount": money("290.01"), "reason": "all of it"}, status=422)
    assert refused["code"] == "discount_over_amount"
    assert rated.partner.get(f"/invoices/{draft['id']}").json == before
    issued = issue(rated, draft)
    assert issued["discount"] == {"percent": None, "amount": money("29.00"), "reason": "goodwill"}
    assert (job(rated)["billed"], job(rated)["written_down"]) == (money("261.00"), money("39.00"))
    rated.holds()


def test_prices_with_tax_in_them_keep_their_gross_exact(rated: Any) -> None:
    rated.approved(3600, 3600, 3600)
    draft = rated.draft(group_by="entry")
    shown = change(rated, draft, tax_inclusive=True)
    assert (shown["net"], shown["tax"], shown["total"]) == (draft["net"], draft["tax"], draft["total"])
    assert change(rated, shown, net=money("300.00"), reason="agreed", status=422)["code"] == "prices_include_tax"
    assert change(rated, shown, gross=money("333.33"), status=422)["code"] == "adjustment_reason_missing"
    agreed = change(rated, shown, gross=money("333.33"), reason="agreed")
    assert (agreed["net"], agreed["tax"], agreed["total"]) == (money("277.77"), money("55.56"), money("333.33"))
    assert sorted(x["amount"]["amount"] for x in agreed["lines"]) == ["111.11"] * 3
    issued = issue(rated, agreed)
    assert issued["total"] == money("333.33")
    assert (job(rated)["billed"], job(rated)["written_down"]) == (money("277.77"), money("22.23"))
    rated.holds()


def test_a_client_whose_prices_include_tax_is_drafted_so(rated: Any) -> None:
    code = tax(rated, "VAT5", "5")
    path = f"/client-terms/{rated.client}"
    assert rated.partner.get(path).json["version"] == 0
    body = {"tax_inclusive": True, "tax_code_id": code, "payment_terms_days": 7, "vat_id": "GB123456789"}
    rated.partner.patch(path, {"tax_code_id": str(new_id())}, if_match=0).problem(404, "tax_code_not_found")
    rated.partner.patch(path, {"vat_id": "gb 1"}, if_match=0).problem(400, "request_invalid")
    rated.partner.patch(path, body, if_match=0).expect(200)
    rated.partner.patch(path, body, if_match=0).problem(412, "version_conflict")
    rated.approved(3600)
    draft = rated.draft()
    # Their hourly rates have tax in them: 100.00 is what they pay.
    assert (draft["tax_inclusive"], draft["total"], draft["tax"], draft["payment_terms_days"]) == (
        True,
        money("100.00"),
        money("4.76"),
        7,
    )
    issued = issue(rated, draft)
    with rated.world.uow(rated.id) as uow:
        frozen = uow.session.execute(text("SELECT frozen FROM invoices WHERE id = :id"), {"id": issued["id"]}).scalar()
    assert (frozen["buyer"]["vat_id"], frozen["document_type"], frozen["tax_inclusive"]) == ("GB123456789", "380", True)
    rated.holds()


def test_cash_rounding_is_a_line_of_its_own(rated: Any) -> None:
    settings = rated.partner.get("/settings").json
    steps = [money("0.05")]
    rated.partner.patch("/settings", {"cash_rounding": steps}, if_match=settings["version"]).expect(200)
    rated.approved(359)  # 9.97 → 11.96 with tax
    draft = rated.draft()
    assert (draft["net"], draft["tax"], draft["rounding"], draft["total"]) == tuple(
        money(x) for x in ("9.97", "1.99", "-0.01", "11.95")
    )
    issued = issue(rated, draft)
    rated.pay("11.95", (issued["id"], "11.95"))
    assert rated.partner.get(f"/invoices/{issued['id']}").json["status"] == "paid"
    rated.partner.post(f"/invoices/{issued['id']}/credit-notes", {"reason": "complaint"}).expect(201)
    assert rated.partner.get(f"/invoices/{issued['id']}").json["credited"] == money("11.95")
    rated.holds()


def test_reverse_charge_says_so(rated: Any) -> None:
    text_ = "Reverse charge: Article 196, Directive 2006/112/EC"
    code = tax(rated, "RC", "0", "AE", legal_text=text_)
    rated.approved(3600)
    issued = issue(rated, change(rated, rated.draft(), 0, tax_code_id=code))
    assert [(t["category"], t["tax"], t["legal_text"]) for t in issued["taxes"]] == [("AE", money("0.00"), text_)]


# --- why --------------------------------------------------------------------------------------------------------------


def why(firm: Any, invoice: Any) -> Any:
    return firm.partner.get(f"/invoices/{invoice['id']}/why").expect(200).json


def test_every_figure_of_an_invoice_says_why(rated: Any) -> None:
    settings = rated.partner.get("/settings").json
    rated.partner.patch("/settings", {"cash_rounding": [money("0.05")]}, if_match=settings["version"]).expect(200)
    exempt = tax(rated, "EXEMPT", "0", "E", legal_text="Exempt, Art. 135(1)(a) 2006/112/EC")
    rated.approved(3600, 3600, 3600)
    draft = rated.partner.post(
        f"/invoices/{rated.draft()['id']}/lines",
        {"description": "Filing", "net": money("10.00"), "tax_code_id": exempt},
    ).json
    draft = change(rated, draft, 0, net=money("100.00"), reason="agreed")
    draft = change(rated, draft, 0, discount={"percent": "10", "reason": "new client"})
    draft = change(rated, draft, discount={"amount": money("9.99"), "reason": "goodwill"})
    told = why(rated, draft)
    work, fee = told["lines"]
    assert (work["amount"]["says"], work["amount"]["rule"]) == (
        "GBP 300.00, written down by 200.00: agreed",
        "written_down",
    )
    assert (work["net"]["figure"], work["net"]["says"]) == ("90.00", "GBP 100.00 less 10 % (10.00): new client")
    # The items' parts are of what the line comes to after all discounts: 90.00 of 100.00 bear 8.99 of the 9.99.
    assert sorted(i["billed"]["amount"] for i in work["items"]) == ["27.00", "27.00", "27.01"]
    assert {i["standard"]["amount"] for i in work["items"]} == {"100.00"}
    assert (fee["amount"]["rule"], fee["items"]) == ("fee", [])
    assert told["discount"]["says"] == "9.99: goodwill, spread over the lines by their amounts"
    assert [(t["figure"], t["says"], t["version"]) for t in told["taxes"]] == [
        ("16.20", "GBP 81.01 × 20 %, rounded half up", "VAT20 of 2020-01-01"),
        ("0.00", "no tax on GBP 9.00: Exempt, Art. 135(1)(a) 2006/112/EC", "EXEMPT of 2020-01-01"),
    ]
    assert work["tax"]["says"].startswith("its part of the VAT of 20 %: GBP 81.01")
    assert told["rounding"]["says"] == "106.21 to what can be paid in cash: 106.20"
    assert (told["total"]["figure"], told["total"]["says"]) == (
        "106.20",
        "90.01 before tax and 16.20 tax, rounded by -0.01",
    )
    issued = issue(rated, draft)
    assert why(rated, issued) == told | {"exchange": None}
    for name, figure in (("discount", "discount_amount"), ("rounding", "rounding"), ("total", "total")):
        assert told[name]["figure"] == issued[figure]["amount"]
    note = rated.partner.post(f"/invoices/{issued['id']}/credit-notes", {"reason": "complaint"}).expect(201).json
    credited = why(rated, note)
    assert {x["amount"]["rule"] for x in credited["lines"]} == {t["rule"] for t in credited["taxes"]} == {"credit"}
    assert credited["rounding"]["figure"] == "-0.01"


def test_tax_in_a_price_and_the_exchange_rate_say_why(rated: Any, new_firm: Any) -> None:
    rated.approved(3600)
    draft = change(rated, change(rated, rated.draft(), tax_inclusive=True), gross=money("99.99"), reason="agreed")
    told = why(rated, draft)
    assert told["taxes"][0]["says"] == "GBP 99.99 with tax in it × 20 ÷ 120, rounded half up"
    assert told["lines"][0]["net"]["says"] == "GBP 99.99 less 16.67 tax in it"
    foreign = new_firm()
    foreign.add_client(foreign.client, currency="EUR", version=2)
    foreign.rate("100.00", currency="EUR")
    foreign.approved(3600)
    for day, rate in (("2026-01-01", "0.80"), ("2026-02-01", "0.85")):
        foreign.partner.post("/exchange-rates", {"currency": "EUR", "day": day, "rate": rate}).expect(201)
    issued = issue(foreign, foreign.draft(), issued_on="2026-01-20")
    exchange = why(foreign, issued)["exchange"]
    assert (exchange["figure"], exchange["says"]) == ("0.8", "EUR 1 costs GBP 0.8: the rate of 2026-01-01")
    foreign.partner.get(f"/invoices/{draft['id']}/why").problem(404, "invoice_not_found")


def test_why_is_not_told_of_a_hidden_clients_invoice(rated: Any) -> None:
    rated.approved(3600)
    draft = rated.draft()
    rated.add_client(rated.client, only=[rated.ada], version=2)
    rated.partner.get(f"/invoices/{draft['id']}/why").problem(404, "invoice_not_found")


# --- foreign money ----------------------------------------------------------------------------------------------------


def ledger(firm: Any) -> dict[tuple[str, str], str]:
    with firm.world.uow(firm.id) as uow:
        rows = uow.session.execute(
            text(
                "SELECT p.currency, e.account, sum(e.debit - e.credit) AS balance FROM ledger_postings p "
                "JOIN ledger_entries e ON e.posting_id = p.id GROUP BY 1, 2 HAVING sum(e.debit - e.credit) <> 0"
            )
        ).all()
    return {(r.currency, r.account): str(r.balance) for r in rows}


def test_the_rate_of_the_day_is_kept_and_what_its_way_gains_is_posted(firm: Any) -> None:
    firm.add_client(firm.client, currency="EUR", version=2)
    firm.rate("100.00", currency="EUR")
    firm.approved(3600)
    draft = firm.draft()
    assert issue(firm, draft, status=422)["code"] == "exchange_rate_missing"
    for currency, code in (("GBP", "exchange_rate_of_own_currency"), ("XYZ", "currency_unknown")):
        body = {"currency": currency, "day": "2026-01-01", "rate": "1"}
        firm.partner.post("/exchange-rates", body).problem(422, code)
    free = {"currency": "EUR", "day": "2026-01-01", "rate": "0"}
    firm.partner.post("/exchange-rates", free).problem(422, "exchange_rate_not_positive")
    for day, rate in (("2026-01-01", "0.80"), ("2026-02-01", "0.85")):
        firm.partner.post("/exchange-rates", {"currency": "EUR", "day": day, "rate": rate}).expect(201)
    issued = issue(firm, draft, issued_on="2026-01-20")
    assert issued["exchange"] == {"currency": "GBP", "rate": "0.8", "net": "80.00", "tax": "0.00", "total": "80.00"}
    payment = firm.pay("60.00", (issued["id"], "60.00"), currency="EUR")
    assert (ledger(firm)["GBP", "exchange_gains"], ledger(firm)["GBP", "revaluation"]) == ("-3.00", "3.00")
    firm.pay("40.00", (issued["id"], "40.00"), currency="EUR")
    assert ledger(firm)["GBP", "exchange_gains"] == "-5.00"
    # Taken back in two parts, all of the first payment's gain is taken back too.
    for part in ("33.33", "26.67"):
        body = {"allocations": [{"invoice_id": issued["id"], "amount": money(part, "EUR")}], "reason": "wrong invoice"}
        firm.partner.post(f"/payments/{payment['id']}/take-back", body).expect(200)
    balance = ledger(firm)
    assert float(balance["GBP", "exchange_gains"]) + float(balance.get(("GBP", "exchange_losses"), 0)) == -2.0
    firm.partner.post(f"/payments/{payment['id']}/reverse", {"reason": "never came"}).expect(200)
    assert [r["rate"] for r in firm.partner.get("/exchange-rates?currency=EUR").json["items"]] == ["0.85", "0.8"]
    firm.holds()


def test_a_reversed_foreign_payment_leaves_no_gain_behind(firm: Any) -> None:
    firm.add_client(firm.client, currency="EUR", version=2)
    firm.rate("100.00", currency="EUR")
    firm.approved(3600)
    for day, rate in (("2026-01-01", "0.80"), ("2026-02-01", "0.75")):
        firm.partner.post("/exchange-rates", {"currency": "EUR", "day": day, "rate": rate}).expect(201)
    issued = issue(firm, firm.draft(), issued_on="2026-01-20")
    payment = firm.pay("100.00", (issued["id"], "100.00"), currency="EUR")
    assert ledger(firm)["GBP", "exchange_losses"] == "5.00"
    firm.partner.post(f"/payments/{payment['id']}/reverse", {"reason": "never came"}).expect(200)
    assert [k for k in ledger(firm) if k[0] == "GBP"] == []
    firm.holds()


# --- numbers ----------------------------------------------------------------------------------------------------------


def number_by(firm: Any, pattern: str, type: str = "invoice", status: int = 200, **more: Any) -> Any:
    version = next(n["version"] for n in firm.partner.get("/numbering").json["items"] if n["document_type"] == type)
    return firm.partner.put(f"/numbering/{type}", {"pattern": pattern, **more}, if_match=version).expect(status).json


def test_numbers_follow_the_firms_pattern_and_begin_again_each_year(rated: Any) -> None:
    ids = rated.approved(*[60] * 6)
    assert [n["next"] for n in rated.partner.get("/numbering").json["items"]] == ["INV-000001", "CN-000001"]
    assert issue(rated, rated.draft(item_ids=ids[:1]))["number"] == "INV-000001"
    shown = number_by(rated, "R{yy}/{number:03}")
    assert shown["next"] == f"R{rated.today:%y}/001"
    days = ("2025-12-31", "2026-01-02", "2025-12-30")
    given = [
        issue(rated, rated.draft(item_ids=[i]), issued_on=d)["number"] for i, d in zip(ids[1:4], days, strict=True)
    ]
    assert given == ["R25/001", "R26/001", "R25/002"]
    # Another width goes on counting; the first pattern goes on where it was.
    number_by(rated, "R{yy}/{number:05}")
    assert issue(rated, rated.draft(item_ids=ids[4:5]), issued_on="2025-12-31")["number"] == "R25/00003"
    number_by(rated, "INV-{number:06}")
    assert issue(rated, rated.draft(item_ids=ids[5:]))["number"] == "INV-000002"
    rated.holds()


def test_numbers_go_on_from_another_systems(rated: Any) -> None:
    number_by(rated, "A-{number}", start_at=1042)
    rated.approved(60)
    first = rated.issued()
    assert first["number"] == "A-1042"
    assert number_by(rated, "A-{number}", start_at=7, status=409)["code"] == "number_series_begun"
    rated.partner.post(f"/invoices/{first['id']}/void", {"reason": "mistake"}).expect(200)
    assert rated.issued()["number"] == "A-1043"
    rated.holds()


def test_a_number_that_a_document_of_another_series_has_is_not_given_again(rated: Any) -> None:
    number_by(rated, "{number}", start_at=11)
    rated.approved(60)
    assert rated.issued()["number"] == "11"
    number_by(rated, "1{number}")  # a series of its own, whose first number reads 11 too
    rated.approved(60)
    draft = rated.draft()
    assert issue(rated, draft, status=409)["code"] == "number_taken"
    assert rated.partner.get(f"/invoices/{draft['id']}").json == draft
    number_by(rated, "B{number}")
    assert issue(rated, draft)["number"] == "B1"
    rated.holds()


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("INV-{year}", "number_pattern_invalid"),
        ("{number}{number}", "number_pattern_invalid"),
        ("INV-{month}-{number}", "number_pattern_invalid"),
        ("INV-{number}-{x}", "number_pattern_invalid"),
        ("CN-{number:04}", "number_series_shared"),
    ],
)
def test_impossible_number_patterns_are_refused(rated: Any, pattern: str, code: str) -> None:
    before = rated.partner.get("/numbering").json
    assert number_by(rated, pattern, status=422)["code"] == code
    assert rated.partner.get("/numbering").json == before


# --- rounding per task ------------------------------------------------------------------------------------------------

PER_TASK = {"increment_seconds": 360, "direction": "up", "minimum_seconds": 0, "per": "task"}


@pytest.fixture
def per_task(rated: Any) -> Any:
    """A firm that rounds what an invoice bills of a task up to six minutes."""
    version = rated.partner.get("/settings").json["version"]
    rated.partner.patch("/settings", {"rounding": PER_TASK}, if_match=version).expect(200)
    return rated


def shown(draft: Any) -> list[tuple[str, str, str]]:
    return [(x["quantity"], x["standard"]["amount"], x["net"]["amount"]) for x in draft["lines"]]


def test_rounding_per_task_leaves_entries_as_they_are_and_rounds_their_task_on_the_invoice(per_task: Any) -> None:
    first, second = per_task.approved(120, 121, task_id=str(per_task.task))
    (alone,) = per_task.approved(361)
    entry = per_task.partner.get(f"/time-entries/{first}").json
    assert (entry["billable_seconds"], entry["value"]) == (120, money("3.33"))
    why = per_task.partner.get(f"/time-entries/{first}/why").json["billable_seconds"]
    assert why["says"] == "120 s, up to 6 min, per task on an invoice (the firm's policy): 120 s"
    # 241 s of the task are 360 s, shared by length; 361 s on no task are 720 s.
    draft = per_task.draft(group_by="entry")
    by_item = {x["item_ids"][0]: place for place, x in enumerate(draft["lines"])}
    figures = shown(draft)
    assert [figures[by_item[i]] for i in (first, second, alone)] == [
        ("0.05", "3.33", "4.97"),
        ("0.05", "3.36", "5.03"),
        ("0.20", "10.03", "20.00"),
    ]
    assert {x["reason"] for x in draft["lines"]} == {"Rounded up to 6 min, per task on an invoice"}
    path = f"/invoices/{draft['id']}/regroup"
    by_task = per_task.partner.post(path, {"group_by": "task"}).expect(200).json
    assert [(x["description"], x["quantity"], x["net"]["amount"]) for x in by_task["lines"]] == [
        ("VAT return Q3: Check the ledgers", "0.10", "10.00"),
        ("VAT return Q3", "0.20", "20.00"),
    ]
    together = per_task.partner.post(path, {"group_by": "job"}).expect(200).json
    assert shown(together) == [("0.30", "16.72", "30.00")]
    per_task.holds()
    issued = issue(per_task, draft)
    assert (job(per_task)["billed"], job(per_task)["written_up"]) == (money("30.00"), money("13.28"))
    per_task.holds()
    per_task.partner.post(f"/invoices/{issued['id']}/void", {"reason": "mistake"}).expect(200)
    assert (job(per_task)["remaining"], job(per_task)["written_up"]) == (money("16.72"), money("0.00"))
    per_task.holds()


def test_what_is_left_of_a_task_on_a_draft_is_rounded_anew(per_task: Any) -> None:
    per_task.approved(120, 120, task_id=str(per_task.task))
    draft = per_task.draft(group_by="entry")
    assert shown(draft) == [("0.05", "3.33", "5.00")] * 2
    priced = change(per_task, draft, 0, net=money("9.00"), reason="agreed")
    gone = draft["lines"][1]["id"]
    per_task.partner.delete(f"/invoices/{draft['id']}/lines/{gone}", if_match=priced["version"]).expect(204)
    kept = per_task.partner.get(f"/invoices/{draft['id']}").json
    assert (shown(kept), kept["lines"][0]["reason"]) == ([("0.10", "3.33", "9.00")], "agreed")
    per_task.partner.delete(f"/invoices/{draft['id']}", if_match=kept["version"]).expect(204)
    draft = per_task.draft(group_by="entry")
    gone = draft["lines"][0]["id"]
    per_task.partner.delete(f"/invoices/{draft['id']}/lines/{gone}", if_match=draft["version"]).expect(204)
    assert shown(per_task.partner.get(f"/invoices/{draft['id']}").json) == [("0.10", "3.33", "10.00")]
    per_task.holds()


def test_who_says_not_per_what_time_is_rounded_leaves_that_as_it_is(per_task: Any) -> None:
    settings = per_task.partner.get("/settings").json
    less = {n: v for n, v in PER_TASK.items() if n != "per"} | {"increment_seconds": 900}
    changed = per_task.partner.patch("/settings", {"rounding": less}, if_match=settings["version"]).expect(200).json
    assert changed["rounding"] == PER_TASK | {"increment_seconds": 900}
    per_task.partner.patch("/settings", {"rounding": PER_TASK | {"per": "day"}}, if_match=changed["version"]).problem(
        400, "request_invalid"
    )
    assert per_task.partner.get("/settings").json == changed
    # A client's policy goes before: per entry.
    policy = {"scope": "client", "rounding": less}
    made = per_task.partner.put(f"/rounding-policies/{per_task.client}", policy, if_match=0).expect(200).json
    assert (made["rounding"]["per"], made["says"]) == ("entry", "up to 15 min")
    assert per_task.log(61)["billable_seconds"] == 900


# --- lines, approval, sending -----------------------------------------------------------------------------------------


def test_work_is_regrouped_without_changing_what_it_is_billed_at(rated: Any) -> None:
    rated.approved(3600, 1800, 900)
    draft = rated.draft(group_by="entry")
    draft = change(rated, draft, 0, net=money("77.00"), reason="too slow")
    path = f"/invoices/{draft['id']}/regroup"
    together = rated.partner.post(path, {"group_by": "job"}).expect(200).json
    assert [(len(x["item_ids"]), x["reason"]) for x in together["lines"]] == [(3, "too slow")]
    assert together["net"] == draft["net"]
    apart = rated.partner.post(path, {"group_by": "entry"}).expect(200).json
    assert (len(apart["lines"]), apart["net"]) == (3, draft["net"])
    chosen = [x["id"] for x in apart["lines"][:2]]
    told = rated.partner.post(path, {"line_ids": chosen, "description": "Advice in March"}).expect(200).json
    assert told["lines"][0]["description"] == "Advice in March"
    assert (len(told["lines"]), told["net"]) == (2, draft["net"])
    rated.partner.post(path, {"line_ids": [chosen[0], str(new_id())], "description": "x"}).problem(
        404, "invoice_line_not_found"
    )
    rated.holds()
    issue(rated, told)
    rated.holds()


def test_what_can_not_be_one_line_is_refused_and_changes_nothing(rated: Any) -> None:
    other = rated.add_job(title="Payroll")  # of no engagement, while the first job's is one by the hour
    rated.world.deliver(rated.id, engagement := _hourly(rated))
    rated.approved(3600)
    rated.approved(3600, job_id=str(other))
    draft = rated.partner.post(
        f"/invoices/{rated.draft()['id']}/lines", {"description": "Filing", "net": money("5.00")}
    ).json
    path, (first, second, fee) = f"/invoices/{draft['id']}", (x["id"] for x in draft["lines"])
    together = {"line_ids": [first, second], "description": "All of it"}
    rated.partner.post(f"{path}/regroup", together).problem(422, "lines_differ_in_terms")
    rated.partner.post(f"{path}/regroup", together | {"line_ids": [first, fee]}).problem(409, "line_has_no_work")
    rated.approved(1800, 1800)
    untaxed = rated.draft(group_by="entry")
    untaxed = change(rated, untaxed, 0, tax_code_id=None)
    both = {"line_ids": [x["id"] for x in untaxed["lines"]], "description": "All of it"}
    rated.partner.post(f"/invoices/{untaxed['id']}/regroup", both).problem(422, "lines_differ_in_tax")
    assert rated.partner.get(path).json == draft
    assert rated.partner.get(f"/invoices/{untaxed['id']}").json == untaxed
    assert engagement.fee.kind == "hourly"


def _hourly(firm: Any) -> EngagementChanged:
    facts = {"title": "VAT", "service": "vat", "status": "open", "version": 2}
    ids = {"engagement_id": str(firm.engagement), "client_id": str(firm.client)}
    return EngagementChanged(fee=FeeTerms(kind="hourly"), **facts, **ids)


def test_what_prices_mean_is_not_changed_under_a_discount(rated: Any) -> None:
    rated.approved(3600)
    draft = change(rated, rated.draft(), discount={"percent": "10", "reason": "new client"})
    assert change(rated, draft, tax_inclusive=True, status=422)["code"] == "discount_in_the_way"
    assert rated.partner.get(f"/invoices/{draft['id']}").json == draft


def test_a_fixed_charge_stands_beside_the_work(rated: Any) -> None:
    rated.approved(3600)
    draft = rated.draft()
    path = f"/invoices/{draft['id']}/lines"
    rated.partner.post(path, {"description": "Filing", "gross": money("12.00")}).problem(422, "prices_exclude_tax")
    charged = rated.partner.post(path, {"description": "Filing", "net": money("12.50")}).expect(200).json
    assert (charged["net"], charged["lines"][1]["kind"], charged["lines"][1]["unit"]) == (money("112.50"), "fee", "C62")
    agreed = change(rated, charged, net=money("100.00"), reason="agreed")
    assert [x["net"]["amount"] for x in agreed["lines"]] == ["87.50", "12.50"]
    assert change(rated, agreed, net=money("12.00"), reason="agreed", status=422)["code"] == "net_below_fees"
    issue(rated, agreed)
    assert (job(rated)["billed"], job(rated)["written_down"]) == (money("87.50"), money("12.50"))
    rated.holds()


def test_a_firm_may_issue_approved_drafts_only(rated: Any) -> None:
    settings = rated.partner.get("/settings").json
    rated.partner.patch("/settings", {"approve_before_issue": True}, if_match=settings["version"]).expect(200)
    rated.approved(3600)
    draft = rated.draft()
    assert issue(rated, draft, status=409)["code"] == "invoice_not_approved"
    approved = rated.partner.post(f"/invoices/{draft['id']}/approve").expect(200).json
    assert approved["approved_at"] is not None
    changed = change(rated, approved, note="thank you")
    assert changed["approved_at"] is None
    assert issue(rated, draft, status=409)["code"] == "invoice_not_approved"
    rated.partner.post(f"/invoices/{draft['id']}/approve").expect(200)
    assert issue(rated, draft)["number"] == "INV-000001"
    rated.partner.post(f"/invoices/{draft['id']}/approve").problem(409, "invoice_issued")


def test_sending_is_announced(rated: Any, world: Any) -> None:
    rated.approved(3600)
    draft = rated.draft()
    path = f"/invoices/{draft['id']}/send"
    rated.partner.post(path, {}).problem(409, "invoice_not_issued")
    issued = issue(rated, draft)
    sent = rated.partner.post(path, {"message": "With thanks"}).expect(200).json
    assert sent["sent_at"] is not None
    (event,) = world.events(rated.id, InvoiceSent)
    assert (event.invoice_id, event.number, event.kind, event.message) == (
        issued["id"],
        "INV-000001",
        "invoice",
        "With thanks",
    )
    rated.partner.post(f"/invoices/{draft['id']}/void", {"reason": "mistake"}).expect(200)
    rated.partner.post(path, {}).problem(409, "invoice_void")


def test_who_bills_is_frozen_at_issue(rated: Any) -> None:
    seller = {
        "legal_name": "Brook & Partners LLP",
        "vat_id": "GB999999973",
        "iban": "GB33BUKB20201555555555",
        "city": "Bristol",
    }
    version = rated.partner.get("/settings").json["version"]
    rated.partner.patch("/settings", {"seller": seller | {"iban": "GB33 BUKB"}}, if_match=version).problem(
        400, "request_invalid"
    )
    rated.partner.patch("/settings", {"seller": seller}, if_match=version).expect(200)
    rated.approved(3600)
    issued = issue(rated, change(rated, rated.draft(), order_reference="PO-7"))
    rated.partner.patch("/settings", {"seller": {}}, if_match=version + 1).expect(200)
    with rated.world.uow(rated.id) as uow:
        frozen = uow.session.execute(text("SELECT frozen FROM invoices WHERE id = :id"), {"id": issued["id"]}).scalar()
    assert {k: frozen["seller"][k] for k in seller} == seller
    assert (frozen["seller"]["bic"], frozen["order_reference"], frozen["version"]) == ("", "PO-7", 2)
    assert frozen["period"] == {"from": rated.day(), "to": rated.day()}
