"""What happened with a client, in every service; paged, each thing once, hidden with a private client."""

import pytest

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import ClientRemoved
from praxis.common.v1.types_pb2 import Money
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.portal.v1.events_pb2 import ContactInvited
from praxis.timebilling.v1.events_pb2 import (
    InvoiceChanged,
    InvoiceReminderDue,
    InvoiceSent,
    PaymentRecorded,
    PaymentReturned,
    StatementSent,
)
from praxis.workflow.v1.events_pb2 import CommentWritten, JobChanged, RequestChanged


def entries(api, client, **more):
    params = {"limit": 200, **more}
    return api.get(f"/clients/{client['id']}/timeline", params=params).expect(200).json["items"]


def told(api, client, **more):
    return [(e["kind"], e["what"], e["title"]) for e in reversed(entries(api, client, **more))]


def test_what_is_done_with_a_client_here_is_told(office):
    client = office.client("Smith Ltd")
    jo = office.contact("Jo Smith", client)
    engagement = office.engagement(client)
    office.api.patch(f"/clients/{client['id']}", {"name": "Smith & Co", "tags": ["VIP"]}, if_match=1).expect(200)
    office.api.post(f"/clients/{client['id']}/notes", {"text": "Prefers\n calls"}).expect(201)
    closing = {"ends_on": "2026-06-30", "reason": "done"}
    office.api.post(f"/engagements/{engagement['id']}/close", closing).expect(200)
    office.api.delete(f"/contacts/{jo['id']}/clients/{client['id']}", if_match=1).expect(204)
    office.api.post(f"/clients/{client['id']}/archive", {"reason": "left"}).expect(200)
    assert told(office.api, client) == [
        ("client", "created", "Smith Ltd"),
        ("contact", "linked", "Jo Smith"),
        ("engagement", "opened", "Accounts 2026"),
        ("client", "changed", "Smith & Co"),
        ("note", "added", "Prefers calls"),
        ("engagement", "closed", "Accounts 2026"),
        ("contact", "unlinked", "Jo Smith"),
        ("client", "archived", "Smith & Co"),
    ]
    latest, changed = entries(office.api, client)[0], entries(office.api, client)[4]
    assert (latest["details"], latest["by"]) == ({"reason": "left"}, "Test")
    assert changed["details"] == {"fields": ["name", "tags"], "formerly": "Smith Ltd"}
    assert told(office.api, client, kind="note") == [("note", "added", "Prefers calls")]


def test_the_timeline_is_paged_without_gaps_or_doubles(office):
    client = office.client()
    for n in range(6):
        office.api.post(f"/clients/{client['id']}/notes", {"text": f"note {n}"}).expect(201)
    seen, cursor = [], ""
    while cursor is not None:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = office.api.get(f"/clients/{client['id']}/timeline", params=params).expect(200).json
        seen += [e["title"] for e in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [*(f"note {n}" for n in reversed(range(6))), "Smith Ltd"]


def test_the_timeline_of_a_private_client_is_hidden_like_it(office, stranger):
    secret = office.client("Secret Ltd", visible_to=[str(office.ada)])
    office.bens.get(f"/clients/{secret['id']}/timeline").problem(404, "client_not_found")
    stranger.api.get(f"/clients/{secret['id']}/timeline").problem(404, "client_not_found")
    assert len(entries(office.api, secret)) == 1


@pytest.fixture
def hears(office):
    """Delivers events of other services about one client."""
    client = office.client("Smith Ltd")
    office.told = lambda event: office.world.deliver(office.firm, event)
    return client


def gbp(amount):
    return Money(amount=amount, currency="GBP")


def test_what_other_services_do_for_a_client_is_told_once(office, hears):
    job, request, invoice, document = (str(new_id()) for _ in range(4))
    of = {"client_id": hears["id"]}
    jobs = [("on_track", False), ("overdue", False), ("done", True), ("on_track", False)]
    for version, (status, closed) in enumerate(jobs, 1):
        office.told(JobChanged(job_id=job, title="VAT Q3", status=status, closed=closed, version=version, **of))
    for version, status in enumerate(["draft", "sent", "viewed", "submitted", "returned", "accepted"], 1):
        office.told(RequestChanged(request_id=request, title="Papers", status=status, version=version, **of))
    for version, status in enumerate(["draft", "open", "part_paid", "paid"], 1):
        number = "INV-1" if version > 1 else ""
        office.told(
            InvoiceChanged(invoice_id=invoice, number=number, status=status, total=gbp("120.00"), version=version, **of)
        )
    by = f"staff:{office.ben}"
    for version, status in enumerate(["pending", "stored", "stored", "deleted"], 1):
        file = {"name": "a.pdf", "kind": "upload", "current_version": max(version - 1, 0), "uploaded_by": by}
        office.told(DocumentChanged(document_id=document, status=status, version=version, **file, **of))
    assert told(office.api, hears)[1:] == [
        ("job", "created", "VAT Q3"),
        ("job", "done", "VAT Q3"),
        ("job", "reopened", "VAT Q3"),
        ("request", "sent", "Papers"),
        ("request", "submitted", "Papers"),
        ("request", "returned", "Papers"),
        ("request", "accepted", "Papers"),
        ("invoice", "issued", "INV-1"),
        ("invoice", "part_paid", "INV-1"),
        ("invoice", "paid", "INV-1"),
        ("document", "stored", "a.pdf"),
        ("document", "new_version", "a.pdf"),
        ("document", "deleted", "a.pdf"),
    ]
    stored = entries(office.api, hears, kind="document")[-1]
    assert stored["by"] == "Ben Okri"
    assert entries(office.api, hears, kind="invoice")[0]["details"] == {"total": "120.00 GBP"}


def test_facts_of_other_services_are_told(office, hears):
    job, invoice = str(new_id()), str(new_id())
    of = {"client_id": hears["id"]}
    jo = office.contact("Jo Smith", hears, email="jo@example.com")
    office.told(JobChanged(job_id=job, title="VAT Q3", status="on_track", version=1, **of))
    office.told(InvoiceChanged(invoice_id=invoice, number="INV-1", status="open", total=gbp("9.00"), version=1, **of))
    for _ in range(2):  # the client had lost it
        office.told(InvoiceSent(invoice_id=invoice, number="INV-1", kind="invoice", **of))
    days = {"first": "2026-07-01", "last": "2026-09-30"}
    office.told(StatementSent(file_id=str(new_id()), document_id=str(new_id()), balance=gbp("9.00"), **days, **of))
    payment = str(new_id())
    office.told(PaymentRecorded(payment_id=payment, amount=gbp("9.00"), received_on="2026-11-02", **of))
    office.told(PaymentReturned(payment_id=payment, kind="refund", amount=gbp("4.00"), **of))
    office.told(InvoiceReminderDue(invoice_id=invoice, level=2, balance=gbp("9.00"), **of))
    office.told(CommentWritten(comment_id=str(new_id()), job_id=job, what="added", author_id=str(office.ben), **of))
    office.told(CommentWritten(comment_id=str(new_id()), job_id=job, what="deleted", **of))
    office.told(ContactInvited(contact_id=jo["id"], email="jo@example.com"))
    assert told(office.api, hears)[4:] == [
        ("invoice", "sent", "INV-1"),
        ("invoice", "sent", "INV-1"),
        ("statement", "sent", "2026-07-01 – 2026-09-30"),
        ("payment", "recorded", "9.00 GBP"),
        ("payment", "refund", "4.00 GBP"),
        ("invoice", "reminded", "INV-1"),
        ("comment", "added", "VAT Q3"),
        ("contact", "invited", "Jo Smith"),
    ]
    (statement,) = entries(office.api, hears, kind="statement")
    assert (statement["details"], statement["by"]) == ({"balance": "9.00 GBP"}, "")


def test_events_twice_or_out_of_order_tell_nothing_twice(office, hears):
    job, id = str(new_id()), new_id()
    of = {"client_id": hears["id"], "job_id": job, "title": "VAT Q3"}
    done = JobChanged(status="done", closed=True, version=2, **of)
    assert office.world.deliver(office.firm, done, id=id) is True
    assert office.world.deliver(office.firm, done, id=id) is False
    office.told(JobChanged(status="on_track", version=1, **of))
    office.told(done)  # sent again to a copy that was thought lost: another event of the same version
    assert told(office.api, hears, kind="job") == [("job", "done", "VAT Q3")]


def test_what_others_do_for_a_private_client_is_hidden_with_it(office):
    secret = office.client("Secret Ltd", visible_to=[str(office.ada)])
    office.world.deliver(
        office.firm, JobChanged(job_id=str(new_id()), client_id=secret["id"], title="T", status="on_track", version=1)
    )
    assert len(entries(office.api, secret)) == 2
    office.bens.get(f"/clients/{secret['id']}/timeline").problem(404, "client_not_found")


def test_a_client_something_was_done_for_is_archived_not_deleted(office, hears):
    path = f"/clients/{hears['id']}"
    of = {"client_id": hears["id"]}
    office.told(JobChanged(job_id=str(new_id()), title="T", status="on_track", version=1, **of))
    office.told(InvoiceChanged(invoice_id=str(new_id()), status="draft", total=gbp("1.00"), version=1, **of))
    office.contact("Jo Smith", hears)
    before = office.traces()
    refused = office.api.delete(path, if_match=1)
    office.unchanged_by(refused, 409, "client_in_use", before)
    assert refused.json["holds"] == ["contacts", "invoices", "jobs"]
    assert "Archive the client instead" in refused.json["title"]


def test_a_client_entered_by_mistake_is_taken_back(office):
    client = office.client("Smith Ltd", tax_numbers={"vat": "GB200049136"})
    office.api.post(f"/clients/{client['id']}/notes", {"text": "typo"}).expect(201)
    path = f"/clients/{client['id']}"
    office.api.delete(path, if_match=9).problem(412, "version_conflict")
    office.api.delete(path, if_match=1).expect(204)
    office.api.get(path).problem(404, "client_not_found")
    (gone,) = office.world.events(office.firm, ClientRemoved)
    assert gone.client_id == client["id"]
    assert office.world.audit(office.firm)[-1].action == "client.removed"
    assert office.client("Smith Ltd", number=client["number"])["number"] == client["number"]


def test_an_event_about_a_client_that_is_gone_does_no_harm(office, hears):
    office.api.delete(f"/clients/{hears['id']}", if_match=1).expect(204)
    of = {"client_id": hears["id"]}
    assert office.told(JobChanged(job_id=str(new_id()), title="T", status="on_track", version=1, **of)) is True
    assert office.told(PaymentRecorded(payment_id=str(new_id()), amount=gbp("9.00"), **of)) is True
    office.api.get(f"/clients/{hears['id']}/timeline").problem(404, "client_not_found")
