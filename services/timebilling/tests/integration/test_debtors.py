"""Debtors, statements of account, reminders."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.db import new_id
from praxis.documents.v1.documents_pb2 import StoreGeneratedResponse
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.timebilling.v1.events_pb2 import InvoiceChanged, InvoiceReminderDue

NOBODY = "018f0000-0000-7000-8000-000000000000"


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


@pytest.fixture
def owed(firm: Any, world: Any) -> Any:
    stored = StoreGeneratedResponse(document=DocumentChanged(document_id=NOBODY))
    world.answers("documents", {"StoreGenerated": lambda _: stored})
    firm.rate("100.00")
    firm.partner.patch("/settings", {"payment_terms_days": 0}, if_match=0).expect(200)
    return firm


def issue(firm: Any, ago: int, hours: int = 1, client: Any = None) -> Any:
    client = client or firm.client
    job = str(firm.job if client == firm.client else firm.add_job(client=client))
    firm.approved(3600 * hours, day=firm.day(ago + 1), job_id=job)
    draft = firm.draft(client=client)
    return firm.partner.post(f"/invoices/{draft['id']}/issue", {"issued_on": firm.day(ago)}).expect(200).json


def levels(firm: Any, *days: int, percent: str | None = None, if_match: int = 0) -> Any:
    body = {"levels": [{"days_after_due": d, "interest_percent": percent} for d in days]}
    return firm.partner.put("/reminder-policy", body, if_match=if_match).expect(200).json


def reminded(firm: Any) -> list[tuple[str, int]]:
    return [(r["number"], r["level"]) for r in firm.partner.get("/reminders").expect(200).json["items"]][::-1]


# --- debtors ----------------------------------------------------------------------------------------------------------


def test_debtors_are_listed_largest_first_with_their_age(owed: Any) -> None:
    other = owed.add_client(name="Jones")
    for ago in (0, 1, 31, 61, 91):
        issue(owed, ago)
    issue(owed, 45, hours=9, client=other)
    owed.pay("30.00")
    first = owed.partner.get("/debtors?limit=1").expect(200).json
    rest = owed.partner.get(f"/debtors?limit=1&cursor={first['next_cursor']}").json
    jones, smith = first["items"] + rest["items"]
    assert (jones["client_name"], jones["owed"], jones["ageing"]["days_31_60"]) == (
        "Jones",
        money("900.00"),
        money("900.00"),
    )
    assert (smith["owed"], smith["invoices"], smith["oldest_due_on"], smith["credit"]) == (
        money("500.00"),
        5,
        owed.day(91),
        money("30.00"),
    )
    assert {b: m["amount"] for b, m in smith["ageing"].items()} == dict.fromkeys(smith["ageing"], "100.00")
    assert first["totals"] == rest["totals"]
    assert first["totals"][0]["owed"] == money("1400.00")
    assert owed.partner.get("/overview").json["currencies"][0]["debtors_ageing"] == first["totals"][0]["ageing"]


# --- statements -------------------------------------------------------------------------------------------------------


def test_a_statement_runs_from_what_was_owed_to_what_is_owed(owed: Any) -> None:
    first, second = issue(owed, 40), issue(owed, 5, hours=2)
    payment = owed.pay("120.00", (first["id"], "100.00"))
    owed.partner.post(
        f"/payments/{payment['id']}/allocate", {"allocations": [{"invoice_id": second["id"], "amount": money("20.00")}]}
    ).expect(200)
    owed.partner.post(f"/invoices/{second['id']}/bad-debt", {"amount": money("80.00"), "reason": "settled"}).expect(200)
    path = f"/clients/{owed.client}/statement?first={owed.day(10)}&last={owed.day(0)}"
    shown = owed.partner.get(path).expect(200).json
    assert (shown["opening"], shown["closing"]) == (money("100.00"), money("100.00"))
    assert [
        (x["day"], x["kind"], x["number"], x["amount"]["amount"], x["balance"]["amount"]) for x in shown["lines"]
    ] == [
        (owed.day(5), "invoice_issued", "INV-000002", "200.00", "300.00"),
        (owed.day(0), "payment_recorded", "", "-120.00", "180.00"),
        (owed.day(0), "bad_debt", "INV-000002", "-80.00", "100.00"),
    ]
    assert owed.partner.get("/debtors").json["items"][0]["owed"] == shown["closing"]
    empty = owed.partner.get(f"{path}&currency=EUR").expect(200).json
    assert (empty["opening"], empty["lines"]) == (money("0.00", "EUR"), [])


def test_impossible_statements_are_refused(owed: Any, new_firm: Any) -> None:
    path = f"/clients/{owed.client}/statement"
    for query, status, code in (
        (f"first={owed.day(0)}&last={owed.day(1)}", 422, "period_reversed"),
        ("first=2000-01-01&last=2026-01-01", 422, "period_too_long"),
        ("first=2026-02-30&last=2026-03-01", 400, "request_invalid"),
        ("first=2026-02-01", 400, "request_invalid"),
        ("first=2026-02-01&last=2026-02-02&currency=ABC", 422, "currency_unknown"),
    ):
        owed.partner.get(f"{path}?{query}").problem(status, code)


# --- reminders --------------------------------------------------------------------------------------------------------


def test_each_level_is_announced_once_on_its_day_and_stops_when_paid(owed: Any, world: Any) -> None:
    levels(owed, 7, 14, percent="36.5")
    invoice = issue(owed, 0)
    start = datetime.now(UTC)

    def pass_days(days: int) -> None:
        """Runs what is due on that day, twice, with the invoice as old as it is then."""
        for _ in range(2):
            world.run_due(owed.id, at=start + timedelta(days=days))

    pass_days(1)
    assert [d.kind for d in world.due(owed.id) if d.done_at is None and d.kind == "remind"] == ["remind"]
    plan = next(d for d in world.due(owed.id) if d.kind == "remind")
    assert plan.run_at.date() == owed.today + timedelta(days=7)
    assert reminded(owed) == []
    # An invoice that is 8 days overdue today has reached the first level.
    late = issue(owed, 8)
    world.run_due(owed.id)
    world.run_due(owed.id)
    assert reminded(owed) == [(late["number"], 1)]
    event = world.events(owed.id, InvoiceReminderDue)[0]
    assert (event.number, event.level, event.levels, event.days_overdue) == (late["number"], 1, 2, 8)
    assert (event.balance.amount, event.interest.amount) == ("100.00", "0.80")
    assert world.events(owed.id, InvoiceChanged)[-1].status == "overdue"
    owed.pay("100.00", (late["id"], "100.00"))
    world.run_due(owed.id, at=start + timedelta(days=10))
    assert reminded(owed) == [(late["number"], 1)]
    assert invoice["status"] == "open"


def test_a_new_policy_finds_what_is_overdue_already_and_skips_lower_levels(owed: Any, world: Any) -> None:
    old, older = issue(owed, 8), issue(owed, 40)
    world.run_due(owed.id)
    assert reminded(owed) == []
    levels(owed, 7, 14)
    world.run_due(owed.id)
    assert sorted(reminded(owed)) == [(old["number"], 1), (older["number"], 2)]
    levels(owed, 7, 14, percent="8", if_match=1)
    world.run_due(owed.id)
    assert len(reminded(owed)) == 2
    assert owed.partner.get("/debtors").json["items"][0]["reminder_level"] == 2


def interest_on(firm: Any, invoice: Any, status: int = 201, **body: Any) -> Any:
    return firm.partner.post(f"/invoices/{invoice['id']}/interest", body).expect(status).json


def standing(firm: Any) -> dict[str, str]:
    accounts = firm.partner.get(f"/ledger/balances?last={firm.day(0)}").expect(200).json["accounts"]
    return {x["account"]: x["debit"] if x["debit"] != "0.00" else f"-{x['credit']}" for x in accounts}


def test_interest_is_owed_once_an_invoice_charges_it_and_no_day_is_charged_twice(owed: Any, world: Any) -> None:
    late = issue(owed, 73, hours=10)  # 1,000.00; 73 days are a fifth of a year
    levels(owed, 30, percent="10")
    world.run_due(owed.id)
    assert standing(owed) == {"debtors": "1000.00", "fees": "-1000.00"}
    first = interest_on(owed, late, until=owed.day(36))
    (line,) = first["lines"]
    assert (line["amount"], line["kind"], first["tax"]) == (money("10.14"), "fee", money("0.00"))
    assert f"Interest on {late['number']}: 10 % a year on GBP 1000.00" in line["description"]
    rest = interest_on(owed, late, interest_percent="20")
    assert rest["net"] == money("19.73")  # 36 days at another percentage
    owed.partner.post(f"/invoices/{late['id']}/interest", {}).problem(409, "interest_nothing")
    for draft in (first, rest):
        owed.partner.post(f"/invoices/{draft['id']}/issue", {}).expect(200)
    assert standing(owed) == {"debtors": "1029.87", "fees": "-1000.00", "interest": "-29.87"}
    owed.holds()


def test_days_of_a_charge_that_was_dropped_voided_or_credited_are_free_again(owed: Any) -> None:
    late = issue(owed, 73, hours=10)

    def charged() -> Any:
        draft = interest_on(owed, late, interest_percent="10")
        assert draft["net"] == money("20.00")
        return draft

    draft = charged()
    owed.partner.delete(f"/invoices/{draft['id']}", if_match=draft["version"]).expect(204)
    for undo in ("void", "credit-notes"):
        issued = owed.partner.post(f"/invoices/{charged()['id']}/issue", {}).expect(200).json
        answer = owed.partner.post(f"/invoices/{issued['id']}/{undo}", {"reason": "Goodwill"})
        assert answer.response.status_code in (200, 201)
    assert standing(owed) == {"debtors": "1000.00", "fees": "-1000.00"}
    charged()
    owed.holds()


def test_what_bears_no_interest_is_refused_and_changes_nothing(owed: Any, world: Any) -> None:
    current, late = issue(owed, 0), issue(owed, 73, hours=10)
    path = f"/invoices/{late['id']}/interest"
    owed.partner.post(path, {}).problem(422, "interest_not_set")
    owed.partner.post(path, {"interest_percent": "8", "until": owed.day(-1)}).problem(422, "day_in_future")
    owed.partner.post(f"/invoices/{current['id']}/interest", {"interest_percent": "8"}).problem(
        409, "invoice_not_overdue"
    )
    owed.partner.post(f"/invoices/{NOBODY}/interest", {"interest_percent": "8"}).problem(404, "invoice_not_found")
    owed.staff.post(path, {"interest_percent": "8"}).problem(403, "permission_missing")
    draft = interest_on(owed, late, interest_percent="8", until=owed.day(20))
    again = {"issued_on": owed.day(10)}
    charge = owed.partner.post(f"/invoices/{draft['id']}/issue", again).expect(200).json
    assert charge["status"] == "overdue"
    owed.partner.post(f"/invoices/{charge['id']}/interest", {"interest_percent": "8"}).problem(
        409, "interest_on_interest"
    )
    # Reminders ask for what is not charged yet, and for none on interest.
    levels(owed, 5, percent="10")
    world.run_due(owed.id)
    asked = {r["number"]: r["interest"] for r in owed.partner.get("/reminders").json["items"]}
    assert asked == {late["number"]: money("5.48"), charge["number"]: money("0.00")}
    owed.add_client(owed.client, only=[owed.ada], version=2)
    owed.partner.post(path, {"interest_percent": "8"}).problem(404, "invoice_not_found")


def test_the_same_days_charged_by_many_at_once_are_charged_once(owed: Any) -> None:
    late = issue(owed, 73, hours=10)
    path = f"/invoices/{late['id']}/interest"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: owed.partner.post(path, {"interest_percent": "8"}), range(16)))
    assert sorted(a.response.status_code for a in answers) == [201] + [409] * 15
    owed.holds()


def test_a_client_left_in_peace_is_not_reminded_until_it_ends(owed: Any, world: Any) -> None:
    invoice = issue(owed, 8)
    pause = {"client_id": str(owed.client), "until": owed.day(-3), "reason": "instalments agreed"}
    assert (
        owed.partner.post("/reminder-policy/pause", pause).expect(200).json["pauses"][0]["client_name"] == "Smith Ltd"
    )
    levels(owed, 7)
    world.run_due(owed.id)
    assert reminded(owed) == []
    plan = next(d for d in world.due(owed.id) if d.kind == "remind" and d.done_at is None)
    assert plan.run_at.date() == owed.today + timedelta(days=4)
    owed.partner.post("/reminder-policy/resume", {"client_id": str(owed.client)}).expect(204)
    owed.partner.post("/reminder-policy/resume", {"client_id": str(owed.client)}).problem(
        404, "reminder_pause_not_found"
    )
    world.run_due(owed.id)
    assert reminded(owed) == [(invoice["number"], 1)]


def test_a_policy_is_changed_by_who_saw_it_and_in_order(owed: Any, world: Any) -> None:
    assert owed.partner.get("/reminder-policy").json == {"levels": [], "pauses": [], "version": 0}
    bad = {"levels": [{"days_after_due": 7}, {"days_after_due": 7}]}
    owed.partner.put("/reminder-policy", bad, if_match=0).problem(422, "reminder_levels_unordered")
    owed.partner.put("/reminder-policy", {"levels": []}).problem(428, "if_match_required")
    for level in (
        {"days_after_due": 0},
        {"days_after_due": 7, "interest_percent": "101"},
        {"days_after_due": 7, "interest_percent": "-1"},
    ):
        owed.partner.put("/reminder-policy", {"levels": [level]}, if_match=0).problem(400, "request_invalid")
    assert levels(owed, 5, 10)["version"] == 1
    owed.partner.put("/reminder-policy", {"levels": []}, if_match=0).problem(412, "version_conflict")
    assert levels(owed, if_match=1)["levels"] == []
    world.answers("clients", {"GetClient": _nobody})
    owed.partner.post("/reminder-policy/pause", {"client_id": NOBODY, "reason": "who"}).problem(404, "client_not_found")


def test_private_clients_are_in_nobody_elses_debtors_statements_and_reminders(owed: Any, world: Any) -> None:
    levels(owed, 7)
    issue(owed, 8)
    world.run_due(owed.id)
    owed.partner.post("/reminder-policy/pause", {"client_id": str(owed.client), "reason": "private"}).expect(200)
    owed.add_client(owed.client, only=[owed.pat], version=2)
    world.answers("clients", {"GetClient": _nobody})
    outsider = world.api(owed.id, staff=new_id())
    assert outsider.get("/debtors").json == {"items": [], "next_cursor": None, "totals": []}
    assert outsider.get("/reminders").json["items"] == []
    assert outsider.get("/reminder-policy").json["pauses"] == []
    outsider.get(f"/clients/{owed.client}/statement?first={owed.day(9)}&last={owed.day(0)}").problem(
        404, "client_not_found"
    )
    assert len(owed.partner.get("/reminders").json["items"]) == 1


def _nobody(_: Any) -> Any:
    from chassis.errors import NotFound

    raise NotFound("client_not_found", "There is no such client.")
