"""Branding, invitations, reminders, and the service's own promises."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chassis.db import new_id
from chassis.testing import World
from portal.branding import usecases as branding
from praxis.common.v1.types_pb2 import Money
from praxis.documents.v1.documents_pb2 import ReadContentResponse
from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.portal.v1.events_pb2 import BrandingChanged, ContactInvited
from praxis.portal.v1.portal_pb2 import GetBrandingRequest
from praxis.timebilling.v1.events_pb2 import InvoiceChanged, InvoiceSent, StatementSent
from praxis.workflow.v1.events_pb2 import RequestChanged, RequestItem, RequestReminderDue

from .conftest import Firm, Mailbox

# Branding


def test_branding_begins_with_the_firms_name_and_follows_it_until_it_has_its_own(firm: Firm) -> None:
    before = firm.api.get("/branding").expect(200)
    assert before.json == {
        "display_name": "Hartley & Moss",
        "accent": "#0f766e",
        "address": "",
        "footer": "",
        "logo_id": None,
        "version": 1,
    }
    renamed = FirmUpdated(firm_id=str(firm.id), name="Hartley Moss LLP", time_zone="UTC", version=2)
    firm.world.deliver(firm.id, renamed)
    now = firm.api.get("/branding").expect(200)
    assert now.json["display_name"] == "Hartley Moss LLP"
    own = firm.api.patch("/branding", {"display_name": " H&M  Accountants "}, if_match=now.etag).expect(200)
    assert own.json["display_name"] == "H&M Accountants"
    firm.world.deliver(firm.id, FirmUpdated(firm_id=str(firm.id), name="Another", time_zone="UTC", version=3))
    assert firm.api.get("/branding").json["display_name"] == "H&M Accountants"
    told = [(e.display_name, e.version) for e in firm.world.events(firm.id, BrandingChanged)]
    assert told == [("Hartley & Moss", 1), ("Hartley Moss LLP", 2), ("H&M Accountants", 3)]


def test_bad_branding_is_refused_and_changes_nothing(firm: Firm) -> None:
    events = len(firm.world.events(firm.id))
    for body, status, code in [
        ({"accent": "#ffee00"}, 422, "accent_contrast_low"),
        ({"accent": "red"}, 400, "request_invalid"),
        ({"display_name": "  "}, 422, "name_empty"),
        ({"logo": "x"}, 400, "request_invalid"),
        ({}, 400, "request_invalid"),
    ]:
        firm.api.patch("/branding", body, if_match=1).problem(status, code)
    firm.api.patch("/branding", {"footer": "x"}).problem(428, "if_match_required")
    firm.api.patch("/branding", {"footer": "x"}, if_match=9).problem(412, "version_conflict")
    assert len(firm.world.events(firm.id)) == events


def test_a_firm_nobody_has_heard_of_has_no_branding_yet(world: World) -> None:
    world.api(world.firm()).get("/branding").problem(404, "branding_not_found")


def test_timebilling_asks_for_branding_and_others_may_not(firm: Firm) -> None:
    answer = firm.world.grpc(firm.id, caller="timebilling").call("GetBranding", GetBrandingRequest())
    assert answer.branding.display_name == "Hartley & Moss"
    with pytest.raises(Exception, match="caller_not_allowed"):
        firm.world.grpc(firm.id, caller="workflow").call("GetBranding", GetBrandingRequest())


def test_branding_can_be_told_again(firm: Firm) -> None:
    with firm.world.uow(firm.id) as uow:
        assert [(id, v, e.display_name) for id, v, e in branding.all_states(uow)] == [(firm.id, 1, "Hartley & Moss")]


# Invitations


def test_an_invited_contact_gets_a_mail_with_the_way_in(firm: Firm) -> None:
    invited = firm.api.post("/invitations", {"contact_id": str(firm.contact)}, key="i1").expect(201).json
    assert invited["email"] == firm.email
    assert firm.api.post("/invitations", {"contact_id": str(firm.contact)}, key="i1").expect(201).json == invited
    firm.world.run_due(firm.id)
    (message,) = firm.mailbox.to(firm.email)
    assert message["Subject"] == "Hartley & Moss invites you to their client portal"
    plain = message.get_body(("plain",)).get_content()
    assert "http://praxis.test/portal/sign-in" in plain
    assert "Ada Lovelace Ltd" in plain
    assert "Hartley &amp; Moss" in message.get_body(("html",)).get_content()
    assert [e.email for e in firm.world.events(firm.id, ContactInvited)] == [firm.email]

    firm.api.post("/invitations", {"contact_id": str(firm.contact)}).expect(201)
    firm.world.run_due(firm.id)
    ids = [m["Message-ID"] for m in firm.mailbox.to(firm.email)]
    assert len(set(ids)) == 2
    (user,) = firm.api.get("/users").json["items"]
    assert user["clients"] == [{"id": str(firm.client), "name": "Ada Lovelace Ltd"}]
    assert user["invited_at"] is not None
    assert user["last_seen_at"] is None


def test_only_contacts_with_access_and_an_address_are_invited(firm: Firm) -> None:
    for facts, code in [({"portal_access": False}, "portal_access_off"), ({"active": False}, "portal_access_off")]:
        contact = firm.add_contact("Bob", "bob@example.com", [firm.client], **facts)
        firm.api.post("/invitations", {"contact_id": str(contact)}).problem(409, code)
    firm.api.post("/invitations", {"contact_id": str(firm.add_contact("Eve", "", [firm.client]))}).problem(
        409, "contact_without_address"
    )
    firm.api.post("/invitations", {"contact_id": str(new_id())}).problem(404, "contact_not_found")
    firm.api.post("/invitations", {"contact_id": "x"}).problem(400, "request_invalid")
    stranger = firm.world.api(firm.world.firm())
    stranger.post("/invitations", {"contact_id": str(firm.contact)}).problem(404, "contact_not_found")
    assert stranger.get("/users").json["items"] == []
    assert firm.world.events(firm.id, ContactInvited) == []


def test_contacts_of_private_clients_are_hidden_from_everyone_not_named(firm: Firm) -> None:
    private = firm.add_client("Hush Ltd", visible_to=[firm.staff])
    contact = firm.add_contact("Secret Sue", "sue@example.com", [private])
    both = firm.add_contact("Bea Both", "bea@example.com", [firm.client, private])
    colleague = firm.world.api(firm.id)
    shown = {u["name"]: [c["name"] for c in u["clients"]] for u in colleague.get("/users").json["items"]}
    assert shown == {"Ada Lovelace": ["Ada Lovelace Ltd"], "Bea Both": ["Ada Lovelace Ltd"]}
    assert colleague.get(f"/users?client_id={private}").json["items"] == []
    colleague.post("/invitations", {"contact_id": str(contact)}).problem(404, "contact_not_found")
    mine = [u["contact_id"] for u in firm.api.get(f"/users?client_id={private}").json["items"]]
    assert mine == [str(both), str(contact)]


def test_users_page_by_keyset(firm: Firm) -> None:
    for name in ("Bob", "Cyd"):
        firm.add_contact(name, f"{name}@example.com", [firm.client])
    first = firm.api.get("/users?limit=2").json
    second = firm.api.get(f"/users?limit=2&cursor={first['next_cursor']}").json
    assert [u["name"] for u in first["items"] + second["items"]] == ["Ada Lovelace", "Bob", "Cyd"]
    assert second["next_cursor"] is None


def test_each_operation_needs_its_permission(firm: Firm) -> None:
    reader = firm.world.api(firm.id, permissions=["portal:branding:read", "portal:users:read"])
    reader.get("/branding").expect(200)
    reader.get("/users").expect(200)
    reader.patch("/branding", {"footer": "x"}, if_match=1).problem(403, "permission_missing")
    reader.post("/invitations", {"contact_id": str(firm.contact)}).problem(403, "permission_missing")
    contact = firm.world.api(firm.id, audience="portal", clients=[firm.client], permissions=["portal:users:read"])
    contact.get("/users").problem(403, "audience_not_allowed")


# Invoices


def invoice(firm: Firm, **more: object) -> InvoiceChanged:
    facts: dict[str, object] = {
        "invoice_id": str(new_id()),
        "client_id": str(firm.client),
        "number": "INV-000001",
        "status": "open",
        "issued_on": "2026-11-01",
        "due_on": "2026-12-01",
        "total": Money(amount="1200.00", currency="GBP"),
        "balance": Money(amount="1200.00", currency="GBP"),
        "document_id": str(new_id()),
        "version": 1,
    }
    made = InvoiceChanged(**(facts | more))
    firm.world.deliver(firm.id, made)
    return made


def sent(firm: Firm, of: InvoiceChanged, **more: str) -> None:
    facts = {"invoice_id": of.invoice_id, "client_id": of.client_id, "number": of.number, "kind": "invoice", **more}
    firm.world.deliver(firm.id, InvoiceSent(**facts))


def test_a_statement_is_mailed_with_its_pdf_once_to_whoever_acts_for_the_client(firm: Firm) -> None:
    firm.add_contact("Nobody Now", "gone@example.com", [firm.client], active=False)
    document = str(new_id())
    asked = firm.world.answers(
        "documents",
        {"ReadContent": lambda r: ReadContentResponse(name="statement-C-1.pdf", media_type="application/pdf", content=b"%PDF-1.7")},
    )  # fmt: skip
    event = StatementSent(
        file_id=str(new_id()),
        client_id=str(firm.client),
        document_id=document,
        first="2026-10-01",
        last="2026-10-31",
        balance=Money(amount="236.67", currency="GBP"),
        message="As agreed <monthly>.",
    )
    firm.world.deliver(firm.id, event)
    firm.world.run_due(firm.id)
    (message,) = firm.mailbox.to(firm.email)
    assert message["Subject"] == "Statement of account from Hartley & Moss"
    plain = message.get_body(("plain",)).get_content()
    for said in ("As agreed <monthly>.", "Ada Lovelace Ltd", "31 October 2026", "£236.67", "/portal/documents"):
        assert said in plain
    assert "As agreed &lt;monthly&gt;." in message.get_body(("html",)).get_content()
    (pdf,) = message.iter_attachments()
    assert (pdf.get_filename(), pdf.get_content()) == ("statement-C-1.pdf", b"%PDF-1.7")
    assert [r.document_id for _, r in asked] == [document]
    assert not firm.mailbox.to("gone@example.com")


def test_a_sent_invoice_is_mailed_with_its_pdf_to_whoever_acts_for_the_client(firm: Firm) -> None:
    firm.add_contact("Nobody Now", "gone@example.com", [firm.client], active=False)
    firm.add_contact("Else", "else@example.com", [firm.add_client("Grace Hopper")])
    made = invoice(firm)
    asked = firm.world.answers(
        "documents",
        {
            "ReadContent": lambda r: ReadContentResponse(
                name="INV-000001.pdf", media_type="application/pdf", content=b"%PDF-1.7"
            )
        },
    )
    sent(firm, made, message="Thank you <for> your trust.")
    firm.world.run_due(firm.id)
    (message,) = firm.mailbox.to(firm.email)
    assert message["Subject"] == "Invoice INV-000001 from Hartley & Moss"
    plain = message.get_body(("plain",)).get_content()
    for said in ("Thank you <for> your trust.", "£1,200.00", "1 December 2026", f"/portal/invoices/{made.invoice_id}"):
        assert said in plain
    assert "Thank you &lt;for&gt; your trust." in message.get_body(("html",)).get_content()
    (pdf,) = message.iter_attachments()
    assert (pdf.get_filename(), pdf.get_content_type(), pdf.get_content()) == (
        "INV-000001.pdf",
        "application/pdf",
        b"%PDF-1.7",
    )
    assert [r.document_id for _, r in asked] == [made.document_id]
    assert not firm.mailbox.to("gone@example.com") + firm.mailbox.to("else@example.com")
    sent(firm, made)
    firm.world.run_due(firm.id)
    assert len({m["Message-ID"] for m in firm.mailbox.to(firm.email)}) == 2  # sent again is another mail


def test_the_mail_of_an_invoice_waits_for_its_pdf_but_not_for_ever(firm: Firm) -> None:
    made = invoice(firm, document_id="")
    sent(firm, made)
    firm.world.run_due(firm.id)
    assert firm.mailbox.to(firm.email) == []
    assert [d.kind for d in firm.world.due(firm.id) if d.done_at is None] == ["mail_invoice"]
    made.version, made.document_id = 2, str(new_id())
    firm.world.deliver(firm.id, made)
    firm.world.answers("documents", {"ReadContent": lambda r: ReadContentResponse(name="a.pdf", content=b"%PDF")})
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(minutes=1))
    (message,) = firm.mailbox.to(firm.email)
    assert [a.get_filename() for a in message.iter_attachments()] == ["a.pdf"]


def test_a_void_invoice_is_not_mailed_and_a_credit_note_is_called_one(firm: Firm) -> None:
    sent(firm, invoice(firm, status="void"))
    firm.world.run_due(firm.id)
    assert firm.mailbox.to(firm.email) == []
    firm.world.answers("documents", {"ReadContent": lambda r: ReadContentResponse(name="CN-1.pdf", content=b"%PDF")})
    note = invoice(
        firm, number="CN-1", status="issued", kind="credit_note", balance=Money(amount="0.00", currency="GBP")
    )
    sent(firm, note, kind="credit_note")
    firm.world.run_due(firm.id)
    (message,) = firm.mailbox.to(firm.email)
    assert message["Subject"] == "Credit note CN-1 from Hartley & Moss"
    assert "due" not in message.get_body(("plain",)).get_content()


# Reminders


def request(firm: Firm, title: str, **more: object) -> RequestChanged:
    facts = {
        "request_id": str(new_id()),
        "client_id": str(firm.client),
        "job_title": "VAT return Q3",
        "status": "sent",
        "version": 1,
        **more,
    }
    made = RequestChanged(
        title=title, items=[RequestItem(item_id=str(new_id()), kind="text", label="A", status="open")], **facts
    )
    firm.world.deliver(firm.id, made)
    return made


def remind(firm: Firm, of: RequestChanged, number: int = 1) -> None:
    firm.world.deliver(firm.id, RequestReminderDue(request_id=of.request_id, client_id=of.client_id, number=number))


def later(minutes: int) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def test_reminders_of_all_clients_go_out_in_one_mail(firm: Firm) -> None:
    second = firm.add_client("Lovelace Trust")
    firm.add_contact("Ada Lovelace", firm.email, [firm.client, second], id=firm.contact, version=2)
    remind(firm, request(firm, "Bank statements", due_on="2026-12-04"))
    remind(firm, request(firm, "Trust deed", client_id=str(second), due_on="2026-12-01"))
    handed_in = request(firm, "Payslips")
    remind(firm, handed_in)
    firm.world.deliver(
        firm.id,
        RequestChanged(request_id=handed_in.request_id, client_id=handed_in.client_id, status="submitted", version=2),
    )
    firm.world.run_due(firm.id)
    assert firm.mailbox.to(firm.email) == [], "reminders are gathered for a few minutes"
    firm.world.run_due(firm.id, at=later(6))
    (message,) = firm.mailbox.to(firm.email)
    plain = message.get_body(("plain",)).get_content()
    assert message["Subject"] == "A reminder: 2 things we need from you"
    assert plain.index("Trust deed") < plain.index("Bank statements")
    assert "Lovelace Trust" in plain
    assert "Friday 4 December 2026" in plain.replace(",", "")
    assert "Payslips" not in plain

    remind(firm, request(firm, "Lease"))
    firm.world.run_due(firm.id, at=later(12))
    subjects = [m["Subject"] for m in firm.mailbox.to(firm.email)]
    assert subjects == ["A reminder: 2 things we need from you", "A reminder: Lease"]


def test_a_reminder_counts_once_however_often_it_is_delivered(firm: Firm) -> None:
    asked, id = request(firm, "Bank statements"), new_id()
    event = RequestReminderDue(request_id=asked.request_id, client_id=asked.client_id, number=1)
    assert firm.world.deliver(firm.id, event, id=id) is True
    assert firm.world.deliver(firm.id, event, id=id) is False
    firm.world.run_due(firm.id, at=later(6))
    firm.world.run_due(firm.id, at=later(12))
    assert len(firm.mailbox.to(firm.email)) == 1


def test_no_mail_goes_out_when_everything_was_answered_meanwhile(firm: Firm) -> None:
    asked = request(firm, "Bank statements")
    remind(firm, asked)
    firm.world.deliver(
        firm.id, RequestChanged(request_id=asked.request_id, client_id=asked.client_id, status="submitted", version=2)
    )
    firm.world.run_due(firm.id, at=later(6))
    assert firm.mailbox.to(firm.email) == []


def test_quiet_hours_hold_reminders_back(firm: Firm) -> None:
    now = datetime.now(UTC)
    quiet = {
        "quiet_from": (now - timedelta(hours=1)).strftime("%H:%M"),
        "quiet_until": (now + timedelta(hours=2)).strftime("%H:%M"),
    }
    firm.world.deliver(firm.id, FirmUpdated(firm_id=str(firm.id), name="H&M", time_zone="UTC", version=2, **quiet))
    remind(firm, request(firm, "Bank statements"))
    firm.world.run_due(firm.id, at=later(60))
    assert firm.mailbox.to(firm.email) == []
    (planned,) = [d for d in firm.world.due(firm.id) if d.kind == "send_digest"]
    assert planned.run_at.strftime("%H:%M") == quiet["quiet_until"]


def test_a_reminder_of_an_unknown_request_is_tried_again(firm: Firm) -> None:
    event = RequestReminderDue(request_id=str(new_id()), client_id=str(firm.client), number=1)
    with pytest.raises(Exception, match="request_unknown"):
        firm.world.deliver(firm.id, event)


def test_a_digest_sent_again_is_the_same_mail(firm: Firm) -> None:
    asked = request(firm, "Bank statements")
    remind(firm, asked)
    firm.world.run_due(firm.id, at=later(6))
    with firm.world.uow(firm.id) as uow:  # as if the worker had died before it could write down what was sent
        uow.session.execute(text("UPDATE reminders SET told_at = NULL"))
        uow.later("send_digest", firm.contact, contact_id=str(firm.contact))
    firm.world.run_due(firm.id)
    first, second = firm.mailbox.to(firm.email)
    assert first["Message-ID"] == second["Message-ID"]


# The service's own promises


def test_mail_is_kept_until_the_server_takes_it(firm: Firm, mailbox: Mailbox) -> None:
    settings = firm.world.runtime.settings
    url = settings.smtp_url
    object.__setattr__(settings, "smtp_url", "smtp://127.0.0.1:1")
    try:
        firm.api.post("/invitations", {"contact_id": str(firm.contact)}).expect(201)
        firm.world.run_due(firm.id)
        (planned,) = [d for d in firm.world.due(firm.id) if d.kind == "mail_invitation"]
        assert planned.done_at is None
        assert "mail_unavailable" in planned.error
    finally:
        object.__setattr__(settings, "smtp_url", url)
    firm.world.run_due(firm.id, at=later(1))
    assert len(mailbox.to(firm.email)) == 1
