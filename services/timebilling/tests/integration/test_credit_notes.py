"""Credit notes: whole, part, per line; named, numbered, never more than the invoice; what they make of payments and of the work."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from praxis.timebilling.v1.events_pb2 import InvoiceChanged


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def credit(firm: Any, invoice: Any, status: int = 201, **body: Any) -> Any:
    path = f"/invoices/{invoice['id']}/credit-notes"
    return firm.partner.post(path, {"reason": "agreed with the client", **body}).expect(status).json


def look(firm: Any, invoice: Any) -> Any:
    return firm.partner.get(f"/invoices/{invoice['id']}").expect(200).json


@pytest.fixture
def billed(firm: Any) -> Any:
    """A firm with VAT at 20 %, whose client is billed by the entry."""
    firm.rate("100.00")
    code = firm.partner.post(
        "/tax-codes", {"code": "VAT", "label": "VAT", "category": "S", "percent": "20", "from": "2020-01-01"}
    ).json
    firm.partner.patch("/settings", {"default_tax_code_id": code["id"]}, if_match=0).expect(200)
    return firm


def test_a_whole_credit_note_takes_the_invoice_off(billed: Any, world: Any) -> None:
    billed.approved(3600, 1800)
    invoice = billed.issued(group_by="entry")
    note = credit(billed, invoice)
    assert (note["number"], note["kind"], note["status"], note["corrects_id"]) == (
        "CN-000001",
        "credit_note",
        "issued",
        invoice["id"],
    )
    assert [note[n] for n in ("net", "tax", "total", "balance")] == [
        money(x) for x in ("150.00", "30.00", "180.00", "0.00")
    ]
    assert [x["corrects_line_id"] for x in note["lines"]] == [x["id"] for x in invoice["lines"]]
    after = look(billed, invoice)
    assert (after["status"], after["credited"], after["balance"]) == ("credited", money("180.00"), money("0.00"))
    assert [i["number"] for i in billed.partner.get(f"/invoices?corrects_id={invoice['id']}").json["items"]] == [
        "CN-000001"
    ]
    job = billed.partner.get(f"/wip/jobs/{billed.job}").json
    assert (job["billed"], job["written_down"], job["remaining"]) == (money("0.00"), money("150.00"), money("0.00"))
    overview = billed.partner.get("/overview").json["currencies"][0]
    assert (overview["billed_this_month"], overview["debtors"]) == (money("0.00"), money("0.00"))
    last = world.events(billed.id, InvoiceChanged)[-2:]
    assert [(e.number, e.status, e.kind, e.corrects_id) for e in last] == [
        ("INV-000001", "credited", "invoice", ""),
        ("CN-000001", "issued", "credit_note", invoice["id"]),
    ]
    with world.uow(billed.id) as uow:
        frozen = uow.session.execute(text("SELECT frozen FROM invoices WHERE id = :id"), {"id": note["id"]}).scalar()
    assert (frozen["document_type"], frozen["corrects"]["number"]) == ("381", "INV-000001")
    credit_again = billed.partner.post(f"/invoices/{invoice['id']}/credit-notes", {"reason": "again"})
    credit_again.problem(409, "credit_over_invoice")
    billed.partner.post(f"/invoices/{invoice['id']}/void", {"reason": "again"}).problem(409, "invoice_has_credits")
    billed.partner.post(f"/invoices/{note['id']}/void", {"reason": "again"}).problem(409, "credit_note_final")
    billed.partner.post(f"/invoices/{note['id']}/credit-notes", {"reason": "again"}).problem(409, "credit_note_final")
    billed.holds()


def test_parts_of_a_credit_never_come_to_more_than_the_invoice(billed: Any) -> None:
    billed.approved(1188, 1188, 1188)  # 33.00 each
    invoice = billed.issued(group_by="entry")
    assert invoice["total"] == money("118.80")
    first = credit(billed, invoice, amount=money("33.33"))
    assert sum(Decimal(x["net"]["amount"]) for x in first["lines"]) == Decimal("33.33")
    credit(billed, invoice, lines=[{"line_id": invoice["lines"][0]["id"], "amount": money("0.01")}])
    over = [{"line_id": invoice["lines"][0]["id"], "amount": money("33.00")}]
    before = look(billed, invoice)
    assert credit(billed, invoice, lines=over, status=409)["code"] == "credit_over_invoice"
    assert credit(billed, invoice, amount=money("99.00"), status=409)["code"] == "credit_over_invoice"
    assert credit(billed, invoice, amount=money("0.00"), status=422)["code"] == "credit_not_positive"
    assert credit(billed, invoice, rebill=True, status=409)["code"] == "rebill_needs_whole"
    assert look(billed, invoice) == before
    last = credit(billed, invoice)
    assert last["number"] == "CN-000003"
    assert look(billed, invoice)["credited"] == money("118.80")
    billed.holds()


def test_what_was_paid_beyond_a_credit_is_the_clients_credit(billed: Any) -> None:
    billed.approved(3600)
    invoice = billed.issued()
    first, second = (billed.pay(a, (invoice["id"], a)) for a in ("70.00", "50.00"))
    credit(billed, invoice, amount=money("50.00"))
    after = look(billed, invoice)
    assert (after["paid"], after["credited"], after["balance"], after["status"]) == (
        money("60.00"),
        money("60.00"),
        money("0.00"),
        "paid",
    )
    unapplied = {p["id"]: p["unapplied"] for p in billed.partner.get("/payments").json["items"]}
    assert unapplied == {first["id"]: money("10.00"), second["id"]: money("50.00")}
    billed.holds()


def test_credited_work_can_be_billed_again(billed: Any) -> None:
    (item,) = billed.approved(3600)
    invoice = billed.issued()
    credit(billed, invoice, rebill=True, reason="wrong address")
    again = billed.issued()
    assert (again["number"], again["lines"][0]["item_ids"]) == ("INV-000002", [item])
    billed.holds()


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        ({}, "request_invalid", 400),
        ({"reason": "x"}, "request_invalid", 400),
        ({"reason": "agreed", "issued_on": "2019-01-01"}, "credit_before_invoice", 422),
        ({"reason": "agreed", "issued_on": "2999-01-01"}, "issue_date_in_future", 422),
        ({"reason": "agreed", "amount": money("1.001")}, "amount_precision", 422),
        ({"reason": "agreed", "amount": money("1.00", "EUR")}, "currency_mismatch", 422),
        (
            {"reason": "agreed", "lines": [{"line_id": "018f0000-0000-7000-8000-000000000000"}]},
            "invoice_line_not_found",
            404,
        ),
    ],
)
def test_bad_credit_notes_are_refused_and_change_nothing(billed: Any, body: Any, code: str, status: int) -> None:
    billed.approved(3600)
    draft = billed.draft()
    path = f"/invoices/{draft['id']}"
    billed.partner.post(f"{path}/credit-notes", {"reason": "agreed"}).problem(409, "invoice_not_issued")
    billed.partner.post(f"{path}/issue", {}).expect(200)
    before = look(billed, draft)
    billed.partner.post(f"{path}/credit-notes", body).problem(status, code)
    assert look(billed, draft) == before
    assert billed.partner.get("/invoices?kind=credit_note").json["items"] == []
    billed.holds()


def test_a_strangers_invoice_is_not_credited(billed: Any, new_firm: Any) -> None:
    stranger = new_firm()
    stranger.rate()
    stranger.approved(3600)
    invoice = stranger.issued()
    billed.partner.post(f"/invoices/{invoice['id']}/credit-notes", {"reason": "mine"}).problem(404, "invoice_not_found")
    private = billed.add_client(name="Hush", only=[billed.ada])
    with billed.world.uow(billed.id) as uow:  # billed before it became private
        uow.session.execute(text("UPDATE client_copy SET visible_to = NULL WHERE id = :id"), {"id": private})
    billed.approved(60, job_id=str(billed.add_job(client=private)))
    hidden = billed.partner.post(f"/invoices/{billed.draft(client=private)['id']}/issue", {}).json
    billed.add_client(private, name="Hush", only=[billed.ada], version=2)
    billed.partner.post(f"/invoices/{hidden['id']}/credit-notes", {"reason": "agreed"}).problem(
        404, "invoice_not_found"
    )


def test_a_bad_debt_is_taken_back_before_its_invoice_is_credited(billed: Any) -> None:
    billed.approved(3600)
    invoice = billed.issued()
    billed.partner.post(f"/invoices/{invoice['id']}/bad-debt", {"reason": "bankrupt"}).expect(200)
    assert credit(billed, invoice, status=409)["code"] == "invoice_has_bad_debt"
    billed.holds()
