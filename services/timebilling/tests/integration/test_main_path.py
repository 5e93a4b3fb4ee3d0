"""From time to payment, once through, with everything that leaves the house on the way."""

from typing import Any

from chassis.db import new_id
from praxis.documents.v1.documents_pb2 import StoreGeneratedResponse
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.timebilling.v1.events_pb2 import InvoiceChanged, PaymentRecorded, TimeEntryChanged
from praxis.timebilling.v1.timebilling_pb2 import GetInvoiceRequest


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def test_time_becomes_an_invoice_and_is_paid(firm: Any, world: Any) -> None:
    firm.rate("180.00")
    vat = firm.partner.post(
        "/tax-codes", {"code": "VAT20", "label": "VAT", "category": "S", "percent": "20", "from": "2011-01-04"}
    ).expect(201)
    settings = {
        "default_tax_code_id": vat.json["id"],
        "rounding": {"increment_seconds": 360, "direction": "up", "minimum_seconds": 0},
    }
    firm.partner.patch("/settings", settings, if_match=0).expect(200)

    ids = firm.approved(5400, 300)  # 1.5 h, and 5 min that are billed as 6
    entry = firm.partner.get(f"/time-entries/{ids[1]}").expect(200).json
    assert (entry["seconds"], entry["billable_seconds"], entry["value"]) == (300, 360, money("18.00"))
    assert entry["rate"] == money("180.00")
    assert firm.staff.get(f"/time-entries/{ids[1]}").expect(200).json["rate"] is None

    wip = firm.partner.get("/wip").expect(200).json
    assert wip["items"][0]["unbilled"] == money("288.00")
    assert wip["totals"] == [money("288.00")]

    draft = firm.draft()
    assert (draft["net"], draft["tax"], draft["total"]) == (money("288.00"), money("57.60"), money("345.60"))
    assert firm.partner.get("/wip").json["items"][0]["reserved"] == money("288.00")
    line = draft["lines"][0]
    adjusted = firm.partner.patch(
        f"/invoices/{draft['id']}/lines/{line['id']}",
        {"net": money("250.00"), "reason": "agreed on the phone"},
        if_match=draft["version"],
    ).expect(200)
    assert adjusted.json["net"] == money("250.00")

    issued = firm.partner.post(f"/invoices/{draft['id']}/issue", {}).expect(200).json
    assert (issued["number"], issued["status"]) == ("INV-000001", "open")
    assert issued["taxes"] == [
        {
            "label": "VAT 20 %",
            "category": "S",
            "percent": "20",
            "taxable": money("250.00"),
            "tax": money("50.00"),
            "discount": money("0.00"),
            "legal_text": None,
        }
    ]
    job = firm.partner.get(f"/wip/jobs/{firm.job}").expect(200).json
    assert (job["standard"], job["billed"], job["written_down"], job["remaining"]) == (
        money("288.00"),
        money("250.00"),
        money("38.00"),
        money("0.00"),
    )
    assert firm.partner.get(f"/time-entries/{ids[0]}").json["status"] == "billed"

    document = new_id()
    calls = world.answers(
        "documents",
        {"StoreGenerated": lambda _: StoreGeneratedResponse(document=DocumentChanged(document_id=str(document)))},
    )
    world.run_due(firm.id)
    parts = calls[0][1]
    assert parts[0].file.name == "INV-000001.pdf"
    assert b"".join(p.chunk for p in parts[1:]).startswith(b"%PDF-")
    assert firm.partner.get(f"/invoices/{issued['id']}").json["document_id"] == str(document)

    payment = firm.pay("200.00", (issued["id"], "100.00"))
    assert payment["unapplied"] == money("100.00")
    paid = firm.partner.get(f"/invoices/{issued['id']}").json
    assert (paid["status"], paid["balance"]) == ("part_paid", money("200.00"))
    firm.partner.post(
        f"/payments/{payment['id']}/allocate",
        {"allocations": [{"invoice_id": issued["id"], "amount": money("100.00")}]},
    ).expect(200)
    firm.pay("100.00", (issued["id"], "100.00"))
    assert firm.partner.get(f"/invoices/{issued['id']}").json["status"] == "paid"

    overview = firm.partner.get("/overview").expect(200).json["currencies"][0]
    assert overview["billed_this_month"] == money("250.00")
    assert overview["received_this_month"] == money("300.00")
    assert (overview["debtors"], overview["wip"]) == (money("0.00"), money("0.00"))

    seen = world.grpc(firm.id, caller="portal", user=world.portal_token(firm.id, [firm.client]))
    answer = seen.call("GetInvoice", GetInvoiceRequest(invoice_id=issued["id"]))
    assert (answer.number, answer.status, answer.total.amount, answer.taxes[0].label) == (
        "INV-000001",
        "paid",
        "300.00",
        "VAT 20 %",
    )

    last = world.events(firm.id, InvoiceChanged)[-1]
    assert (last.status, last.balance.amount, last.document_id) == ("paid", "0.00", str(document))
    assert [e.status for e in world.events(firm.id, TimeEntryChanged) if e.time_entry_id == ids[0]] == [
        "draft",
        "submitted",
        "approved",
        "billed",
    ]
    assert world.events(firm.id, PaymentRecorded)[0].allocations[0].amount.amount == "100.00"
    firm.holds()


def test_search_finds_invoices_by_number_and_client(firm: Any) -> None:
    firm.rate()
    firm.approved(3600)
    firm.issued()
    assert [i["number"] for i in firm.partner.get("/search?q=000001").expect(200).json["items"]] == ["INV-000001"]
    assert [i["number"] for i in firm.partner.get("/search?q=smi").expect(200).json["items"]] == ["INV-000001"]
    assert firm.partner.get("/search?q=%25%25").expect(200).json["items"] == []
