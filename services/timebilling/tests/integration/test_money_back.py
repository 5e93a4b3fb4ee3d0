"""Refunds, chargebacks, reversed payments, bad debts: what is refused changes nothing, what is done balances."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis.db import new_id
from chassis.errors import Conflict
from praxis.timebilling.v1.events_pb2 import InvoiceChanged, PaymentReturned

NOBODY = "018f0000-0000-7000-8000-000000000000"


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def part(invoice: Any, amount: str) -> dict[str, Any]:
    return {"invoice_id": invoice["id"], "amount": money(amount)}


@pytest.fixture
def paid(firm: Any) -> Any:
    """A firm with two invoices over 100.00 each and one payment of 170.00: the first is paid, 50.00 pay of the second, 20.00 are credit."""
    firm.rate("100.00")
    firm.invoices = [firm.issued(item_ids=[i]) for i in firm.approved(3600, 3600)]
    firm.payment = firm.pay("170.00", (firm.invoices[0]["id"], "100.00"), (firm.invoices[1]["id"], "50.00"))
    firm.path = f"/payments/{firm.payment['id']}"
    return firm


def balances(firm: Any) -> list[str]:
    return [firm.partner.get(f"/invoices/{i['id']}").json["balance"]["amount"] for i in firm.invoices]


def ledger(firm: Any) -> dict[str, str]:
    with firm.world.uow(firm.id) as uow:
        rows = uow.session.execute(text("SELECT account, sum(debit - credit) AS sum FROM ledger_entries GROUP BY 1"))
        return {r.account: str(r.sum) for r in rows if r.sum}


def test_what_a_payment_pays_can_be_taken_back_and_used_elsewhere(paid: Any) -> None:
    body = {"allocations": [part(paid.invoices[0], "60.00")], "reason": "wrong invoice"}
    answer = paid.partner.post(f"{paid.path}/take-back", body).expect(200).json
    assert (answer["unapplied"], answer["status"]) == (money("80.00"), "part_applied")
    assert {a["number"]: a["amount"]["amount"] for a in answer["allocations"]} == {
        "INV-000001": "40.00",
        "INV-000002": "50.00",
    }
    assert balances(paid) == ["60.00", "50.00"]
    paid.partner.post(f"{paid.path}/allocate", {"allocations": [part(paid.invoices[1], "50.00")]}).expect(200)
    assert balances(paid) == ["60.00", "0.00"]
    paid.holds()


def test_credit_is_refunded_and_no_more_than_there_is(paid: Any, world: Any) -> None:
    body = {"amount": money("20.01"), "returned_on": paid.day(0), "reason": "overpaid"}
    assert paid.partner.post(f"{paid.path}/refund", body).problem(409, "refund_over_credit").json["unapplied"] == money(
        "20.00"
    )
    paid.partner.post(f"{paid.path}/refund", body | {"amount": money("170.01")}).problem(409, "refund_over_payment")
    answer = (
        paid.partner.post(f"{paid.path}/refund", body | {"amount": money("20.00"), "reference": "TX9"}).expect(200).json
    )
    assert (answer["unapplied"], answer["refunded"], answer["status"]) == (money("0.00"), money("20.00"), "applied")
    assert [(r["kind"], r["amount"], r["reference"], r["reason"]) for r in answer["refunds"]] == [
        ("refund", money("20.00"), "TX9", "overpaid")
    ]
    paid.partner.post(f"{paid.path}/refund", body | {"amount": money("0.01")}).problem(409, "refund_over_credit")
    assert [(e.kind, e.amount.amount) for e in world.events(paid.id, PaymentReturned)] == [("refund", "20.00")]
    assert paid.partner.get("/overview").json["currencies"][0]["received_this_month"] == money("150.00")
    paid.holds()


def test_a_refund_names_the_invoices_it_takes_back_from(paid: Any) -> None:
    body = {"amount": money("60.00"), "returned_on": paid.day(0), "reason": "dispute settled"}
    first = part(paid.invoices[0], "40.00")
    answer = paid.partner.post(f"{paid.path}/refund", body | {"take_back": [first]}).expect(200).json
    assert (answer["unapplied"], answer["refunded"]) == (money("0.00"), money("60.00"))
    assert balances(paid) == ["40.00", "50.00"]
    assert ledger(paid) == {"bank": "110.00", "debtors": "90.00", "fees": "-200.00"}
    paid.holds()


def test_a_chargeback_takes_the_credit_then_what_was_paid_last(paid: Any, world: Any) -> None:
    body = {"amount": money("75.00"), "returned_on": paid.day(0), "reason": "disputed by the card's bank"}
    paid.partner.post(f"{paid.path}/chargeback", body).expect(200)
    assert balances(paid) == ["5.00", "100.00"]
    rest = {"returned_on": paid.day(0), "reason": "the rest as well"}
    answer = paid.partner.post(f"{paid.path}/chargeback", rest).expect(200).json
    assert (answer["status"], answer["allocations"], answer["refunded"]) == ("returned", [], money("170.00"))
    assert balances(paid) == ["100.00", "100.00"]
    paid.partner.post(f"{paid.path}/chargeback", rest).problem(422, "refund_not_positive")
    assert ledger(paid) == {"debtors": "200.00", "fees": "-200.00"}
    paid.holds()


def test_a_payment_entered_wrongly_is_reversed_as_if_it_had_not_been(paid: Any, world: Any) -> None:
    paid.partner.post(f"{paid.path}/take-back", {"allocations": [part(paid.invoices[0], "60.00")], "reason": "move"})
    paid.partner.post(f"{paid.path}/allocate", {"allocations": [part(paid.invoices[1], "10.00")]}).expect(200)
    answer = paid.partner.post(f"{paid.path}/reverse", {"reason": "another client's money"}).expect(200).json
    assert (answer["status"], answer["unapplied"], answer["allocations"], answer["reversal_reason"]) == (
        "reversed",
        money("0.00"),
        [],
        "another client's money",
    )
    assert balances(paid) == ["100.00", "100.00"]
    assert ledger(paid) == {"debtors": "200.00", "fees": "-200.00"}
    assert paid.partner.get("/overview").json["currencies"][0]["received_this_month"] == money("0.00")
    allocation = {"allocations": [part(paid.invoices[0], "1.00")]}
    for path, body in (
        ("reverse", {"reason": "again"}),
        ("allocate", allocation),
        ("take-back", allocation | {"reason": "why"}),
        ("refund", {"amount": money("1.00"), "returned_on": paid.day(0), "reason": "why"}),
        ("chargeback", {"returned_on": paid.day(0), "reason": "why"}),
    ):
        paid.partner.post(f"{paid.path}/{path}", body).problem(409, "payment_reversed")
    paid.holds()


def test_what_went_back_is_no_mistake_of_ours(paid: Any) -> None:
    paid.partner.post(
        f"{paid.path}/refund", {"amount": money("1.00"), "returned_on": paid.day(0), "reason": "goodwill"}
    ).expect(200)
    paid.partner.post(f"{paid.path}/reverse", {"reason": "mistake"}).problem(409, "payment_has_refunds")
    paid.holds()


def test_a_bad_debt_closes_the_invoice_and_can_be_taken_back(paid: Any, world: Any) -> None:
    path = f"/invoices/{paid.invoices[1]['id']}"
    paid.partner.post(f"{path}/bad-debt", {"reason": "bankrupt", "amount": money("50.01")}).problem(
        409, "bad_debt_over_balance"
    )
    paid.partner.post(f"{path}/bad-debt", {"reason": "bankrupt", "amount": money("0.00")}).problem(
        422, "bad_debt_not_positive"
    )
    paid.partner.post(f"{path}/bad-debt/take-back", {"reason": "nothing there"}).problem(409, "bad_debt_none")
    paid.partner.post(f"{path}/bad-debt", {"reason": "bankrupt", "amount": money("30.00")}).expect(200)
    given_up = paid.partner.post(f"{path}/bad-debt", {"reason": "bankrupt"}).expect(200).json
    assert (given_up["status"], given_up["balance"], given_up["bad_debt"]) == (
        "written_off",
        money("0.00"),
        money("50.00"),
    )
    assert ledger(paid)["bad_debts"] == "50.00"
    assert paid.partner.get("/overview").json["currencies"][0]["debtors"] == money("0.00")
    assert [i["number"] for i in paid.partner.get("/invoices?status=written_off").json["items"]] == ["INV-000002"]
    assert [i["number"] for i in paid.partner.get("/invoices?status=paid").json["items"]] == ["INV-000001"]
    paid.partner.post(f"{path}/bad-debt", {"reason": "again"}).problem(409, "invoice_not_open")
    paid.partner.post(f"{paid.path}/allocate", {"allocations": [part(paid.invoices[1], "1.00")]}).problem(
        409, "payment_over_balance"
    )
    paid.holds()
    again = paid.partner.post(f"{path}/bad-debt/take-back", {"reason": "the administrator pays"}).expect(200).json
    assert (again["status"], again["balance"]) == ("part_paid", money("50.00"))
    paid.partner.post(f"{path}/bad-debt", {"reason": "after all"}).expect(200)
    paid.partner.post(f"{path}/bad-debt/take-back", {"reason": "the administrator pays"}).expect(200)
    assert "bad_debts" not in ledger(paid)
    statuses = [e.status for e in world.events(paid.id, InvoiceChanged) if e.number == "INV-000002"]
    assert statuses == ["open", "part_paid", "part_paid", "written_off", "part_paid", "written_off", "part_paid"]
    paid.holds()


def test_an_invoice_given_up_is_not_voided(paid: Any) -> None:
    invoice = paid.issued(item_ids=paid.approved(3600))
    paid.partner.post(f"/invoices/{invoice['id']}/bad-debt", {"reason": "gone", "amount": money("1.00")}).expect(200)
    paid.partner.post(f"/invoices/{invoice['id']}/void", {"reason": "gone"}).problem(409, "invoice_has_bad_debt")
    paid.holds()


def test_bad_requests_have_their_code_and_change_nothing(paid: Any, new_firm: Any) -> None:
    before = (paid.partner.get("/payments").json, balances(paid), ledger(paid))
    tomorrow, long_ago = str(paid.today + timedelta(days=2)), paid.day(9)
    refund = {"amount": money("1.00"), "returned_on": paid.day(0), "reason": "why not"}
    stranger = new_firm()
    for path, body, status, code in (
        ("refund", refund | {"amount": money("1.00", "EUR")}, 422, "currency_mismatch"),
        ("refund", refund | {"amount": money("1.001")}, 422, "amount_precision"),
        ("refund", refund | {"amount": money("-1.00")}, 422, "amount_negative"),
        ("refund", refund | {"amount": money("0.00")}, 422, "refund_not_positive"),
        ("refund", refund | {"returned_on": tomorrow}, 422, "refund_date_impossible"),
        ("refund", refund | {"returned_on": long_ago}, 422, "refund_date_impossible"),
        ("refund", {"amount": money("1.00"), "returned_on": paid.day(0)}, 400, "request_invalid"),
        (
            "refund",
            refund | {"amount": money("60.00"), "take_back": [part(paid.invoices[0], "100.01")]},
            409,
            "take_back_over_allocation",
        ),
        (
            "refund",
            refund | {"take_back": [{"invoice_id": NOBODY, "amount": money("1.00")}]},
            404,
            "allocation_not_found",
        ),
        ("chargeback", refund | {"amount": money("170.01")}, 409, "refund_over_payment"),
        ("chargeback", {"returned_on": tomorrow, "reason": "why not"}, 422, "refund_date_impossible"),
        ("take-back", {"allocations": [part(paid.invoices[0], "1.00")] * 2, "reason": "why"}, 422, "allocation_twice"),
        (
            "take-back",
            {"allocations": [part(paid.invoices[0], "0.00")], "reason": "why"},
            422,
            "allocation_not_positive",
        ),
        ("take-back", {"allocations": [], "reason": "why"}, 400, "request_invalid"),
        ("reverse", {}, 400, "request_invalid"),
    ):
        paid.partner.post(f"{paid.path}/{path}", body).problem(status, code)
        if status != 400:
            stranger.partner.post(f"{paid.path}/{path}", body).problem(404, "payment_not_found")
    clerk = paid.world.api(paid.id, permissions=["timebilling:payments:read", "timebilling:payments:write"])
    clerk.post(f"{paid.path}/refund", refund).problem(403, "permission_missing")
    stranger.partner.post(f"/invoices/{paid.invoices[0]['id']}/bad-debt", {"reason": "why"}).problem(
        404, "invoice_not_found"
    )
    assert (paid.partner.get("/payments").json, balances(paid), ledger(paid)) == before


def test_a_private_clients_money_is_not_found_by_others(paid: Any, world: Any) -> None:
    paid.add_client(paid.client, only=[paid.pat], version=2)
    outsider = world.api(paid.id, staff=new_id())
    assert outsider.get("/payments").json["items"] == []
    refund = {"amount": money("1.00"), "returned_on": paid.day(0), "reason": "why not"}
    for path, body in (
        ("refund", refund),
        ("chargeback", refund),
        ("reverse", {"reason": "spite"}),
        ("take-back", {"allocations": [part(paid.invoices[0], "1.00")], "reason": "spite"}),
    ):
        outsider.post(f"{paid.path}/{path}", body).problem(404, "payment_not_found")
    outsider.post(f"/invoices/{paid.invoices[1]['id']}/bad-debt", {"reason": "spite"}).problem(404, "invoice_not_found")
    assert paid.partner.get(paid.path).json["unapplied"] == money("20.00")


def test_the_database_refuses_to_return_more_than_came(paid: Any, world: Any) -> None:
    for statement, code in (
        ("UPDATE payments SET refunded = 21", "refund_over_payment"),
        ("UPDATE invoices SET bad_debt = 51 WHERE number = 'INV-000002'", "payment_over_balance"),
    ):
        with pytest.raises(Conflict, match=code), world.uow(paid.id) as uow:
            uow.session.execute(text(statement))
    with pytest.raises(Exception, match="permission denied"), world.uow(paid.id) as uow:
        uow.session.execute(text("DELETE FROM refunds"))
    paid.holds()


def test_credit_left_is_listed(paid: Any) -> None:
    paid.pay("5.00", (paid.invoices[1]["id"], "5.00"))
    assert [p["id"] for p in paid.partner.get("/payments?unapplied=true").json["items"]] == [paid.payment["id"]]
