"""Reminders of unpaid invoices, as timebilling announces them, mailed once to whoever acts for the client."""

from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.db import new_id
from praxis.common.v1.types_pb2 import Money
from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.timebilling.v1.events_pb2 import InvoiceChanged, InvoiceReminderDue

from .conftest import Firm


def money(amount: str) -> Money:
    return Money(amount=amount, currency="GBP")


def remind(firm: Firm, *, level: int = 1, interest: str = "0.00", id: Any = None, invoice: str | None = None) -> str:
    invoice = invoice or str(new_id())
    event = InvoiceReminderDue(
        reminder_id=str(new_id()),
        invoice_id=invoice,
        client_id=str(firm.client),
        number="INV-000007",
        level=level,
        levels=2,
        due_on="2026-11-01",
        days_overdue=8,
        balance=money("120.00"),
        interest=money(interest),
    )
    firm.world.deliver(firm.id, event, id=id)
    return invoice


def owed(firm: Firm, invoice: str, balance: str, version: int = 1) -> None:
    facts = {
        "invoice_id": invoice,
        "client_id": str(firm.client),
        "number": "INV-000007",
        "status": "overdue",
        "issued_on": "2026-10-18",
    }
    firm.world.deliver(firm.id, InvoiceChanged(total=money("120.00"), balance=money(balance), version=version, **facts))


def test_everybody_who_acts_for_the_client_is_reminded_once(firm: Firm) -> None:
    firm.add_contact("Bob", f"bob-{firm.email}", [firm.client])
    firm.add_contact("Eve", f"eve-{firm.email}", [firm.add_client("Another")])
    firm.add_contact("Old", f"old-{firm.email}", [firm.client], portal_access=False)
    invoice, id = str(new_id()), new_id()
    owed(firm, invoice, "70.00")
    remind(firm, interest="1.25", invoice=invoice, id=id)
    remind(firm, interest="1.25", invoice=invoice, id=id)  # the same event again
    firm.world.run_due(firm.id)
    firm.world.run_due(firm.id)
    sent = {m["To"].split("<")[-1].strip(">"): m for m in firm.mailbox.messages if firm.email in m["To"]}
    assert set(sent) == {firm.email, f"bob-{firm.email}"}
    plain = sent[firm.email].get_body(("plain",)).get_content()
    assert sent[firm.email]["Subject"] == "A reminder: invoice INV-000007"
    assert "£70.00" in plain  # what is open now, not what was
    assert "£1.25" in plain
    assert "1 November 2026" in plain
    assert f"/portal/invoices/{invoice}" in plain


def test_a_later_level_speaks_more_plainly_and_asks_for_no_interest_that_is_not_set(firm: Firm) -> None:
    remind(firm, level=2)
    firm.world.run_due(firm.id)
    (message,) = firm.mailbox.to(firm.email)
    assert message["Subject"] == "Reminder 2: invoice INV-000007 is still open"
    assert "Interest" not in message.get_body(("plain",)).get_content()


def test_interest_is_told_as_what_it_is_not_charged_and_not_part_of_what_is_to_be_paid(firm: Firm) -> None:
    remind(firm, interest="1.25")
    firm.world.run_due(firm.id)
    (message,) = firm.mailbox.to(firm.email)
    plain, html = (" ".join(message.get_body((kind,)).get_content().split()) for kind in ("plain", "html"))
    for text in (plain, html):
        assert "Still to pay: £120.00" in text
        assert "Interest for late payment, not charged so far: £1.25" in text
        assert "It is not part of the amount above. If we charge it, you get an invoice for it." in text


def test_nobody_is_reminded_of_what_was_paid_meanwhile(firm: Firm) -> None:
    invoice = remind(firm)
    owed(firm, invoice, "0.00")
    firm.world.run_due(firm.id)
    assert firm.mailbox.to(firm.email) == []


def test_quiet_hours_hold_reminders_of_invoices_back(firm: Firm) -> None:
    now = datetime.now(UTC)
    until = (now + timedelta(hours=2)).strftime("%H:%M")
    quiet = {"quiet_from": (now - timedelta(hours=1)).strftime("%H:%M"), "quiet_until": until}
    firm.world.deliver(firm.id, FirmUpdated(firm_id=str(firm.id), name="H&M", time_zone="UTC", version=2, **quiet))
    remind(firm)
    firm.world.run_due(firm.id, at=now + timedelta(hours=1))
    assert firm.mailbox.to(firm.email) == []
    (planned,) = [d for d in firm.world.due(firm.id) if d.kind == "mail_invoice_reminder"]
    assert planned.run_at.strftime("%H:%M") == until
