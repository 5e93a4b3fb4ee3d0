"""What a contact sees and answers, without JavaScript and with it."""

from decimal import Decimal
from uuid import uuid4

import pytest

from chassis.db import new_id
from chassis.errors import Conflict, Invalid, NotFound
from portal.requests.usecases import FORM_MAX
from praxis.common.v1.types_pb2 import Money
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.timebilling.v1.events_pb2 import InvoiceChanged
from praxis.timebilling.v1.timebilling_pb2 import GetInvoiceResponse, InvoiceLine, TaxTotal
from praxis.workflow.v1.events_pb2 import JobChanged, RequestChanged, RequestItem

from .conftest import FILES, Browser, Documents, Firm


def item(kind: str, label: str, **more: object) -> RequestItem:
    facts = {"item_id": str(new_id()), "required": True, "status": "open", **more}
    return RequestItem(kind=kind, label=label, **facts)


KINDS = ("text", "number", "date", "yes_no", "choice", "approval")


def all_kinds() -> list[RequestItem]:
    return [item(kind, f"The {kind}", choices=["small", "large"] if kind == "choice" else []) for kind in KINDS]


ANSWERS = {
    "text": "As last year",
    "number": "1234.5",
    "date": "2026-09-30",
    "yes_no": "yes",
    "choice": "large",
    "approval": "approved",
}


def test_the_first_page_shows_what_is_asked_with_the_next_due_first(firm: Firm) -> None:
    second = firm.add_client("Lovelace Trust")
    firm.add_contact("Ada Lovelace", firm.email, [firm.client, second], id=firm.contact, version=2)
    firm.add_request([item("text", "A")], title="Later", due_on="2027-02-01")
    firm.add_request([item("text", "A")], title="Undated")
    firm.add_request([item("text", "A"), item("text", "B")], title="Sooner", due_on="2027-01-01", client=second)
    firm.add_request([item("text", "A")], title="Not sent yet", status="draft")
    firm.add_request([item("text", "A")], title="Sent back to us", status="submitted")
    firm.add_request([item("text", "A")], title="Somebody else’s", client=firm.add_client("Grace Hopper"))
    page = firm.signed_in().get("/portal").text
    places = [page.index(title) for title in ("Sooner", "Later", "Undated", "Sent back to us")]
    assert places == sorted(places)
    assert "2 questions left" in page
    assert "Lovelace Trust" in page
    assert "Not sent yet" not in page
    assert "Somebody else" not in page


def test_every_kind_of_item_is_answered_saved_and_handed_in(firm: Firm) -> None:
    items = all_kinds()
    workflow = firm.add_request(items, message="Please be quick,\nthanks.", due_on="2027-01-01")
    browser = firm.signed_in()
    path = f"/portal/requests/{workflow.request.request_id}"
    page = browser.get(path)
    assert workflow.request.status == "viewed"
    assert "Please be quick" in page.text

    some = {f"answer-{items[0].item_id}": ANSWERS["text"], f"outcome-{items[1].item_id}": "not_available", "do": "save"}
    page = browser.follow(browser.post(path, some))
    assert "Saved" in page.text
    assert "As last year" in page.text
    assert [i.status for i in workflow.request.items][:3] == ["answered", "not_available", "open"]

    refused = browser.post(
        path,
        {"do": "submit", f"answer-{items[0].item_id}": "As last year", f"outcome-{items[1].item_id}": "not_available"},
    )
    assert refused.status_code == 409
    assert "Still to answer: The date" in refused.text

    rest = {f"answer-{i.item_id}": ANSWERS[i.kind] for i in items} | {"do": "submit"}
    home = browser.follow(browser.post(path, rest))
    assert "Thank you" in home.text
    assert workflow.request.status == "submitted"
    assert {i.kind: i.answer for i in workflow.request.items} == ANSWERS
    assert "You have sent this to us" in browser.get(path).text
    assert [a.action for a in firm.world.audit(firm.id)][-1] == "request.submitted"


def test_what_was_typed_survives_a_refusal_and_the_rest_is_saved(firm: Firm) -> None:
    number, text_ = item("number", "How much"), item("text", "Why")
    workflow = firm.add_request([number, text_])
    browser = firm.signed_in()
    path = f"/portal/requests/{workflow.request.request_id}"
    browser.get(path)
    page = browser.post(
        path, {f"answer-{number.item_id}": "<b>a lot</b>", f"answer-{text_.item_id}": "because", "do": "submit"}
    )
    assert page.status_code == 422
    assert "Give a number" in page.text
    assert "&lt;b&gt;a lot" in page.text
    assert "<b>a lot" not in page.text
    assert workflow.request.items[1].answer == "because"
    assert workflow.request.status == "partly_answered"


def test_an_answer_to_an_accepted_item_is_not_given(firm: Firm) -> None:
    accepted = item("text", "Done before", status="accepted", answer="kept")
    workflow = firm.add_request(
        [accepted, item("text", "Open")], status="returned", return_reason="One thing is missing"
    )
    browser = firm.signed_in()
    path = f"/portal/requests/{workflow.request.request_id}"
    assert "One thing is missing" in browser.get(path).text
    browser.post(path, {f"answer-{accepted.item_id}": "changed", "do": "save"})
    assert workflow.request.items[0].answer == "kept"


def test_an_item_accepted_meanwhile_is_refused_by_workflow_and_said_so(firm: Firm) -> None:
    only = item("text", "Open")
    workflow = firm.add_request([only])
    browser = firm.signed_in()
    path = f"/portal/requests/{workflow.request.request_id}"
    browser.get(path)
    workflow.request.items[0].status = "accepted"  # the portal has not heard of it yet
    page = browser.post(path, {f"answer-{only.item_id}": "late", "do": "save"})
    assert page.status_code == 422
    assert "was accepted" in page.text


def test_another_clients_request_is_not_found(firm: Firm) -> None:
    foreign = firm.add_request([item("file", "A")], client=firm.add_client("Grace Hopper"))
    request = foreign.request
    browser = firm.signed_in()
    path = f"/portal/requests/{request.request_id}"
    assert browser.get(path).status_code == 404
    assert browser.get(f"{path}/items/{request.items[0].item_id}/file").status_code == 404
    browser.get("/portal")
    assert browser.post(path, {"do": "submit"}).status_code == 404
    assert browser.get(f"/portal/requests/{uuid4()}").status_code == 404
    assert browser.get("/portal/nowhere").status_code == 404
    assert request.status == "sent"


def test_a_request_can_be_read_while_workflow_is_away(firm: Firm) -> None:
    workflow = firm.add_request([item("text", "A")])

    def away(_: object) -> None:
        raise Conflict("request_submitted", "…")

    firm.world.answers("workflow", {"MarkRequestViewed": away})
    assert firm.signed_in().get(f"/portal/requests/{workflow.request.request_id}").status_code == 200


# Files


def test_a_file_goes_to_the_store_by_a_plain_form_and_into_the_answer(firm: Firm) -> None:
    files = Documents(firm)
    wanted, note = item("file", "Bank statement"), item("text", "Anything else")
    workflow = firm.add_request([wanted, note])
    browser = firm.signed_in()
    path = f"/portal/requests/{workflow.request.request_id}"
    browser.get(path)
    # The button keeps what was typed elsewhere on the page.
    page = browser.follow(browser.post(path, {"do": f"add:{wanted.item_id}", f"answer-{note.item_id}": "soon"}))
    assert workflow.request.items[1].answer == "soon"
    assert f'action="{FILES}/b"' in page.text
    assert 'name="policy" value="p"' in page.text
    started = files.started[0]
    assert (started.name, started.size, started.sha256, started.client_id) == (
        "Bank statement",
        FORM_MAX,
        "",
        str(firm.client),
    )
    assert started.redirect_url.startswith("http://praxis.test/portal/files/")
    assert "?" not in started.redirect_url

    back = started.redirect_url.removeprefix("http://praxis.test") + "?bucket=b&key=k"
    page = browser.follow(browser.get(back))
    assert "2 KB" in page.text
    (document,) = workflow.request.items[0].document_ids
    version = workflow.request.version
    browser.follow(browser.get(back))  # pressed again: nothing twice
    assert workflow.request.version == version

    browser.get(path)
    browser.follow(browser.post(path, {"do": f"remove:{wanted.item_id}:{document}"}))
    assert (workflow.request.items[0].status, list(workflow.request.items[0].document_ids)) == ("not_available", [])


def test_a_script_sends_files_with_their_hash(firm: Firm) -> None:
    files = Documents(firm)
    wanted = item("file", "Receipts")
    workflow = firm.add_request([wanted])
    browser = firm.signed_in()
    browser.get(f"/portal/requests/{workflow.request.request_id}")
    start = f"/portal/requests/{workflow.request.request_id}/items/{wanted.item_id}/files"
    for name in ("a.jpg", "b.jpg"):
        answer = browser.post(start, json={"name": name, "size": 2048, "sha256": "0" * 64})
        assert answer.status_code == 201
        target = answer.json()
        assert (target["method"], target["headers"]) == ("PUT", {"x-amz-checksum-sha256": "…"})
        assert browser.post(target["complete"], json={}).status_code == 200
    assert len(workflow.request.items[0].document_ids) == 2
    assert [s.name for s in files.started] == ["a.jpg", "b.jpg"]
    again = browser.post(target["complete"], json={})
    assert again.status_code == 200
    assert len(workflow.request.items[0].document_ids) == 2


@pytest.mark.parametrize(
    "body", [{}, {"name": "a"}, {"name": "a", "size": 0}, {"name": "a", "size": True}, {"name": 1, "size": 1}, [], "x"]
)
def test_a_malformed_start_is_refused(firm: Firm, body: object) -> None:
    Documents(firm)
    wanted = item("file", "Receipts")
    workflow = firm.add_request([wanted])
    browser = firm.signed_in()
    browser.get(f"/portal/requests/{workflow.request.request_id}")
    answer = browser.post(f"/portal/requests/{workflow.request.request_id}/items/{wanted.item_id}/files", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")


def test_an_oversize_file_and_one_that_differs_are_refused_and_answer_nothing(firm: Firm) -> None:
    Documents(firm, refuse=Invalid("hash_differs", "What arrived is not the file that was announced."))
    wanted, written = item("file", "Receipts"), item("text", "Written")
    workflow = firm.add_request([wanted, written])
    browser = firm.signed_in()
    browser.get(f"/portal/requests/{workflow.request.request_id}")
    items = f"/portal/requests/{workflow.request.request_id}/items"
    large = browser.post(f"{items}/{wanted.item_id}/files", json={"name": "a", "size": FORM_MAX + 1, "sha256": ""})
    assert (large.status_code, large.json()["code"]) == (422, "too_large")
    text_ = browser.post(f"{items}/{written.item_id}/files", json={"name": "a", "size": 1, "sha256": ""})
    assert (text_.status_code, text_.json()["code"]) == (409, "item_takes_no_file")
    target = browser.post(f"{items}/{wanted.item_id}/files", json={"name": "a", "size": 1, "sha256": "0" * 64}).json()
    differs = browser.post(target["complete"], json={})
    assert (differs.status_code, differs.json()["code"]) == (422, "hash_differs")
    assert workflow.request.items[0].status == "open"


def test_somebody_elses_upload_is_not_found(firm: Firm) -> None:
    Documents(firm)
    wanted = item("file", "Receipts")
    workflow = firm.add_request([wanted])
    browser = firm.signed_in()
    browser.get(f"/portal/requests/{workflow.request.request_id}")
    start = f"/portal/requests/{workflow.request.request_id}/items/{wanted.item_id}/files"
    target = browser.post(start, json={"name": "a", "size": 1, "sha256": "0" * 64}).json()
    other = Firm(firm.world, firm.mailbox)
    colleague = other.signed_in()
    colleague.get("/portal")
    assert colleague.post(target["complete"], json={}).status_code == 404
    assert browser.get(f"/portal/files/{uuid4()}/sent").status_code == 404


# Looking


def test_jobs_are_told_in_plain_words(firm: Firm) -> None:
    def job(title: str, **more: object) -> None:
        facts = {"job_id": str(new_id()), "client_id": str(firm.client), "title": title, "version": 1, **more}
        firm.world.deliver(firm.id, JobChanged(**facts))

    job("VAT return Q3", status="overdue", tasks_total=3, tasks_done=1, due_on="2026-11-07")
    job("Accounts 2025", status="done", closed=True, tasks_total=3, tasks_done=3)
    job("Payroll", status="cancelled", closed=True)
    page = firm.signed_in().get("/portal/work").text
    assert "We are working on it" in page
    assert "1 of 3 steps done" in page
    assert "Finished" in page
    assert "verdue" not in page
    assert "Payroll" not in page


def test_shared_documents_are_listed_and_fetched(firm: Firm) -> None:
    def document(name: str, **more: object) -> str:
        facts = {
            "document_id": str(new_id()),
            "client_id": str(firm.client),
            "name": name,
            "status": "stored",
            "visibility": "client_view",
            "size": 2048,
            "version": 1,
            **more,
        }
        firm.world.deliver(firm.id, DocumentChanged(**facts))
        return str(facts["document_id"])

    shared = document("Accounts <2025>.pdf")
    document("Working paper.xlsx", visibility="firm")
    document("Gone.pdf", status="deleted")
    document("Theirs.pdf", client_id=str(firm.add_client("Grace Hopper")))
    Documents(firm)
    browser = firm.signed_in()
    page = browser.get("/portal/documents").text
    assert "Accounts &lt;2025&gt;.pdf" in page
    for hidden in ("Working paper", "Gone", "Theirs"):
        assert hidden not in page
    answer = browser.get(f"/portal/documents/{shared}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{FILES}/b/{shared}?signed")


def money(amount: str) -> Money:
    return Money(amount=amount, currency="GBP")


def test_invoices_are_listed_and_read(firm: Firm) -> None:
    def invoice(number: str, **more: object) -> str:
        facts = {"invoice_id": str(new_id()), "client_id": str(firm.client), "number": number, "status": "open", "issued_on": "2026-11-01",
                 "due_on": "2026-12-01", "total": money("1200.00"), "balance": money("1200.00"), "version": 1, **more}  # fmt: skip
        firm.world.deliver(firm.id, InvoiceChanged(**facts))
        return str(facts["invoice_id"])

    issued = invoice("INV-000001")
    invoice("", status="draft")
    invoice("INV-000009", client_id=str(firm.add_client("Grace Hopper")))
    pdf = str(new_id())

    def get_invoice(asked: object) -> GetInvoiceResponse:
        if asked.invoice_id != issued:
            raise NotFound("invoice_not_found", "There is no such invoice.")
        return GetInvoiceResponse(
            invoice_id=issued,
            number="INV-000001",
            status="part_paid",
            issued_on="2026-11-01",
            due_on="2026-12-01",
            lines=[InvoiceLine(description="VAT return", quantity="1", net=money("1000.00"))],
            taxes=[TaxTotal(label="VAT 20 %", taxable=money("1000.00"), tax=money("200.00"))],
            net=money("1000.00"),
            total=money("1200.00"),
            paid=money("500.00"),
            balance=money("700.00"),
            document_id=pdf,
        )

    firm.world.answers("timebilling", {"GetInvoice": get_invoice})
    browser = firm.signed_in()
    page = browser.get("/portal/invoices").text
    assert "INV-000001" in page
    assert "£1,200.00" in page
    assert "INV-000009" not in page
    page = browser.get(f"/portal/invoices/{issued}").text
    for shown in ("VAT return", "VAT 20 %", "£700.00", "Part paid", f"/portal/documents/{pdf}"):
        assert shown in page
    assert browser.get(f"/portal/invoices/{uuid4()}").status_code == 404
    with firm.world.uow(firm.id) as uow:
        from portal.copies.tables import InvoiceCopy

        assert uow.get(InvoiceCopy, issued).balance == Decimal("1200.00")


def test_copies_keep_the_newest_state_in_any_order(firm: Firm) -> None:
    facts = {"request_id": str(new_id()), "client_id": str(firm.client), "status": "sent"}
    firm.world.deliver(firm.id, RequestChanged(title="Newest", version=7, **facts))
    firm.world.deliver(firm.id, RequestChanged(title="Older", version=3, **facts))
    page = firm.signed_in().get("/portal").text
    assert "Newest" in page
    assert "Older" not in page


# The frame


def test_pages_bear_the_firms_name_and_colour(firm: Firm) -> None:
    branding = firm.api.get("/branding").expect(200)
    firm.api.patch(
        "/branding", {"display_name": "Moss & Partners", "accent": "#7A1F5C"}, if_match=branding.etag
    ).expect(200)
    browser = firm.signed_in()
    page = browser.get("/portal").text
    assert "Moss &amp; Partners" in page
    assert "/portal/accent/7a1f5c.css" in page
    assert browser.get("/portal/accent/7a1f5c.css").text == ":root{--accent:#7a1f5c}"
    assert browser.get("/portal/accent/red;}.css").status_code == 404


def test_pages_carry_no_inline_script_or_style(firm: Firm) -> None:
    workflow = firm.add_request([*all_kinds(), item("file", "A file")])
    browser = firm.signed_in()
    for path in (
        "/portal",
        f"/portal/requests/{workflow.request.request_id}",
        "/portal/work",
        "/portal/documents",
        "/portal/invoices",
    ):
        page = browser.get(path)
        assert page.status_code == 200
        assert "style=" not in page.text
        assert "<style" not in page.text
        assert " onclick" not in page.text
        for script in page.text.split("<script")[1:]:
            assert script.startswith(' src="/portal/assets/')


def test_assets_are_served_and_nothing_else_is(firm: Firm) -> None:
    browser = Browser(firm.world)
    assert browser.get("/portal/assets/portal.css").status_code == 200
    assert "immutable" in browser.get("/portal/assets/portal.js").headers["cache-control"]
    for name in ("..%2Fapp.py", "app.py", "nothing.js"):
        assert browser.get(f"/portal/assets/{name}").status_code == 404
