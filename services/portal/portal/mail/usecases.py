"""What is mailed to clients. Each runs in the worker, in the transaction that records it."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from sqlalchemy import select, text, update

from chassis.errors import Conflict, Invalid, NotFound, Unavailable
from chassis.uow import Uow
from portal import words
from portal.branding import usecases as brand
from portal.branding.pictures import Logo
from portal.branding.rules import DEFAULT_ACCENT
from portal.branding.tables import Branding
from portal.copies.tables import ClientCopy, ContactCopy, FirmCopy, InvoiceCopy, RequestCopy
from portal.mail import rules
from portal.mail.smtp import compose, send
from portal.mail.tables import Reminder
from portal.requests.rules import OPEN
from portal.sessions import addresses
from portal.sessions.rules import CODE_LIFETIME, code_for
from portal.sessions.tables import SignIn
from portal.settings import settings_of
from praxis.documents.v1.documents_pb2 import ReadContentRequest
from praxis.timebilling.v1.events_pb2 import InvoiceReminderDue, InvoiceSent, StatementSent
from praxis.workflow.v1.events_pb2 import RequestReminderDue

_templates = Environment(
    loader=PackageLoader("portal", "pages/templates/mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def mail_invitation(uow: Uow, contact_id: str, number: int) -> None:
    """Mails the way to the portal, unless access was taken away meanwhile."""
    contact = uow.session.get(ContactCopy, (uow.firm_id, UUID(contact_id)))
    if contact and contact.welcome:
        clients = _names(uow, contact.client_ids)
        _send(uow, contact, "invitation", f"invitation-{contact_id}-{number}", clients=clients)


def mail_code(uow: Uow, sign_in_id: str) -> None:
    """Mails the code of a sign-in, if the address is anybody's and there is still time to use it."""
    sign_in = uow.session.get(SignIn, UUID(sign_in_id))
    if sign_in is None or sign_in.used_at is not None or uow.now >= sign_in.expires_at:
        return
    homes = addresses.homes(uow.session.connection(), sign_in.address)
    mine = next((h for h in homes if h.firm_id == uow.firm_id), None)
    contact = uow.session.get(ContactCopy, (uow.firm_id, mine.contact_id)) if mine else None
    if contact is None or not contact.email:
        return
    code = code_for(settings_of(uow.runtime).key_for("codes"), sign_in.id)
    # A person of several firms proves their address, not a firm: the mail then speaks for none of them.
    several = len({h.firm_id for h in homes}) > 1
    minutes = int(CODE_LIFETIME.total_seconds() // 60)
    _send(uow, contact, "code", f"code-{sign_in.id}", code=f"{code[:3]} {code[3:]}", minutes=minutes, neutral=several)


# Reminders


def reminder_due(uow: Uow, event: RequestReminderDue) -> None:
    """Notes a reminder for everybody who acts for the client; it is told in each one's next digest.

    Errors: `request_unknown` while the request itself has not been heard of: the event is tried again.
    """
    if uow.session.get(RequestCopy, (uow.firm_id, UUID(event.request_id))) is None:
        raise Conflict("request_unknown", "The request of this reminder has not been heard of yet.")
    for contact in _acting_for(uow, UUID(event.client_id)):
        waiting = uow.session.execute(_WAITING, {"firm": uow.firm_id, "contact": contact.id}).first()
        uow.add(Reminder(contact_id=contact.id, request_id=UUID(event.request_id), number=event.number, due_at=uow.now))
        if waiting is None:  # else a digest is planned already and takes this one along
            uow.later("send_digest", contact.id, at=_next_send(uow, gathering=True), contact_id=str(contact.id))


_WAITING = text("SELECT 1 FROM reminders WHERE firm_id = :firm AND contact_id = :contact AND told_at IS NULL LIMIT 1")


def send_digest(uow: Uow, contact_id: str) -> None:
    """One mail about everything that still waits for the contact, however many clients and jobs."""
    if (allowed := _next_send(uow)) > uow.now:
        uow.later("send_digest", contact_id, at=allowed, contact_id=contact_id)
        return
    mine = (Reminder.firm_id == uow.firm_id) & (Reminder.contact_id == UUID(contact_id)) & Reminder.told_at.is_(None)
    reminders = uow.session.scalars(select(Reminder).where(mine).order_by(Reminder.id).with_for_update()).all()
    contact = uow.session.get(ContactCopy, (uow.firm_id, UUID(contact_id)))
    open_requests = _still_open(uow, [r.request_id for r in reminders], contact)
    if contact and contact.welcome and open_requests:
        # Named after its first reminder: sent again after an interruption, it is the same mail.
        _send(uow, contact, "reminder", f"reminder-{reminders[0].id}", requests=open_requests)
    uow.session.execute(
        update(Reminder).where(Reminder.id.in_([r.id for r in reminders]), mine).values(told_at=uow.now)
    )


def _still_open(uow: Uow, ids: list[UUID], contact: ContactCopy | None) -> list[dict[str, Any]]:
    """What is still the client's turn of these requests, next due first."""
    if contact is None or not ids:
        return []
    rows = uow.session.execute(
        select(RequestCopy, ClientCopy.name)
        .join(ClientCopy, (ClientCopy.firm_id == RequestCopy.firm_id) & (ClientCopy.id == RequestCopy.client_id))
        .where(
            RequestCopy.firm_id == uow.firm_id,
            RequestCopy.id.in_(ids),
            RequestCopy.client_id.in_(contact.client_ids),
            RequestCopy.status.in_(OPEN),
        )
        .order_by(RequestCopy.due_on.nulls_last(), RequestCopy.id)
    ).all()
    firm = uow.session.get(FirmCopy, (uow.firm_id, uow.firm_id))
    locale = words.locale_of(firm.language if firm else "")
    return [
        {
            "title": r.title,
            "job": r.job_title,
            "client": name,
            "due": words.full_date(r.due_on, locale),
            "link": f"requests/{r.id}",
        }
        for r, name in rows
    ]


def _next_send(uow: Uow, *, gathering: bool = False) -> Any:
    at = uow.now + (rules.GATHERING if gathering else rules.GATHERING * 0)
    firm = uow.session.get(FirmCopy, (uow.firm_id, uow.firm_id))
    return rules.next_send(at, firm.time_zone, firm.quiet_from, firm.quiet_until) if firm else at


# Unpaid invoices


def invoice_reminder_due(uow: Uow, event: InvoiceReminderDue) -> None:
    """Plans a mail to everybody who acts for the client, outside quiet hours."""
    facts = {
        "invoice_id": event.invoice_id,
        "number": event.number,
        "level": event.level,
        "due_on": event.due_on,
        "balance": event.balance.amount,
        "interest": event.interest.amount,
        "currency": event.balance.currency,
    }
    for contact in _acting_for(uow, UUID(event.client_id)):
        key = f"{event.reminder_id}:{contact.id}"
        uow.later(
            "mail_invoice_reminder", key, at=_next_send(uow), reminder=key, contact_id=str(contact.id), facts=facts
        )


def mail_invoice_reminder(uow: Uow, reminder: str, contact_id: str, facts: dict[str, Any]) -> None:
    """Reminds a contact of an invoice, unless it was paid or their access taken away meanwhile."""
    if (allowed := _next_send(uow)) > uow.now:
        uow.later("mail_invoice_reminder", reminder, at=allowed, reminder=reminder, contact_id=contact_id, facts=facts)
        return
    contact = uow.session.get(ContactCopy, (uow.firm_id, UUID(contact_id)))
    invoice = uow.session.get(InvoiceCopy, (uow.firm_id, UUID(facts["invoice_id"])))
    if contact is None or not contact.welcome or (invoice is not None and not invoice.balance):
        return
    firm = uow.session.get(FirmCopy, (uow.firm_id, uow.firm_id))
    locale, currency = words.locale_of(firm.language if firm else ""), facts["currency"]
    _send(
        uow,
        contact,
        "invoice_reminder",
        f"invoice-reminder-{reminder.replace(':', '-')}",
        number=facts["number"],
        level=facts["level"],
        due=words.full_date(words.day(facts["due_on"]), locale),
        balance=words.money(invoice.balance if invoice else facts["balance"], currency, locale),
        interest=words.money(facts["interest"], currency, locale) if Decimal(facts["interest"]) else "",
        link=f"invoices/{facts['invoice_id']}",
    )


# Invoices


def invoice_sent(uow: Uow, event: InvoiceSent) -> None:
    """Mails an invoice, or credit note, to everybody who acts for the client and has access to the portal."""
    for contact in _acting_for(uow, UUID(event.client_id)):
        uow.later(
            "mail_invoice",
            f"{event.invoice_id}:{contact.id}",
            invoice_id=event.invoice_id,
            contact_id=str(contact.id),
            what=event.kind,
            message=event.message,
            sent_at=uow.now.isoformat(),
        )


def mail_invoice(uow: Uow, invoice_id: str, contact_id: str, what: str, message: str, sent_at: str) -> None:
    """One mail with the PDF and the way to the portal's page. The PDF is waited for, but not for ever."""
    contact = uow.session.get(ContactCopy, (uow.firm_id, UUID(contact_id)))
    invoice = uow.session.get(InvoiceCopy, (uow.firm_id, UUID(invoice_id)))
    late = uow.now > datetime.fromisoformat(sent_at) + rules.PDF_PATIENCE
    if invoice is None or (invoice.document_id is None and not late):
        facts = {
            "invoice_id": invoice_id,
            "contact_id": contact_id,
            "what": what,
            "message": message,
            "sent_at": sent_at,
        }
        if not late:
            uow.later("mail_invoice", f"{invoice_id}:{contact_id}", at=uow.now + rules.PDF_WAIT, **facts)
        return
    if (
        contact is None
        or not contact.welcome
        or invoice.client_id not in contact.client_ids
        or invoice.status == "void"
    ):
        return
    firm = uow.session.get(FirmCopy, (uow.firm_id, uow.firm_id))
    locale = words.locale_of(firm.language if firm else "")
    _send(
        uow,
        contact,
        "invoice",
        f"invoice-{invoice_id}-{contact_id}-{datetime.fromisoformat(sent_at):%Y%m%d%H%M%S%f}",
        pdf=_pdf(uow, invoice.document_id),
        what="Credit note" if what == "credit_note" else "Invoice",
        number=invoice.number,
        clients=_names(uow, [invoice.client_id]),
        total=words.money(invoice.total, invoice.currency, locale),
        due=words.full_date(invoice.due_on, locale) if invoice.balance > 0 else "",
        message=message,
        link=f"invoices/{invoice_id}",
    )


def statement_sent(uow: Uow, event: StatementSent) -> None:
    """Mails a statement of account to everybody who acts for the client and has access to the portal."""
    for contact in _acting_for(uow, UUID(event.client_id)):
        uow.later(
            "mail_statement",
            f"{event.file_id}:{contact.id}",
            file_id=event.file_id,
            contact_id=str(contact.id),
            client_id=event.client_id,
            document_id=event.document_id,
            last=event.last,
            balance=[event.balance.amount, event.balance.currency],
            message=event.message,
        )


def mail_statement(
    uow: Uow,
    file_id: str,
    contact_id: str,
    client_id: str,
    document_id: str,
    last: str,
    balance: list[str],
    message: str,
) -> None:
    """One mail with the PDF, unless the contact no longer acts for the client."""
    contact = uow.session.get(ContactCopy, (uow.firm_id, UUID(contact_id)))
    if contact is None or not contact.welcome or UUID(client_id) not in contact.client_ids:
        return
    firm = uow.session.get(FirmCopy, (uow.firm_id, uow.firm_id))
    locale = words.locale_of(firm.language if firm else "")
    amount = Decimal(balance[0])
    _send(
        uow,
        contact,
        "statement",
        f"statement-{file_id}-{contact_id}",
        pdf=_pdf(uow, UUID(document_id)),
        clients=_names(uow, [UUID(client_id)]),
        last=words.full_date(date.fromisoformat(last), locale),
        owed=words.money(amount, balance[1], locale) if amount > 0 else "",
        message=message,
        link="documents",
    )


def _pdf(uow: Uow, document_id: UUID | None) -> tuple[str, bytes] | None:
    """A PDF to be mailed; without one (it is too large, or gone) the mail has its address alone."""
    if document_id is None:
        return None
    try:
        found = uow.ask("documents", "ReadContent", ReadContentRequest(document_id=str(document_id)), timeout=15.0)
    except (NotFound, Invalid, Conflict):
        return None
    return found.name, found.content


def _acting_for(uow: Uow, client_id: UUID) -> Sequence[ContactCopy]:
    """Who acts for a client, has access to the portal and an address."""
    return uow.session.scalars(
        select(ContactCopy).where(
            ContactCopy.firm_id == uow.firm_id,
            ContactCopy.client_ids.any(client_id),  # type: ignore[arg-type]
            ContactCopy.active,
            ContactCopy.portal_access,
            ContactCopy.email != "",
        )
    ).all()


# Sending


def _send(
    uow: Uow,
    contact: ContactCopy,
    template: str,
    id: str,
    *,
    neutral: bool = False,
    pdf: tuple[str, bytes] | None = None,
    **facts: Any,
) -> None:
    settings = settings_of(uow.runtime)
    branding = uow.session.get(Branding, (uow.firm_id, uow.firm_id))
    firm = branding.display_name if branding and not neutral else ""
    accent = branding.accent if branding and not neutral else DEFAULT_ACCENT
    # Without its logo a mail goes out all the same.
    logo = (f"logo-{branding.logo_id}@praxis", shown) if firm and branding and (shown := _logo(uow, branding)) else None
    known = {
        "firm": firm,
        "accent": accent,
        "logo": logo and logo[0],
        "name": contact.name,
        "portal": f"{settings.public_url}/portal",
        **facts,
    }
    subject, body = _templates.get_template(f"{template}.txt").render(known).split("\n", 1)
    message = compose(
        sender=settings.mail_from,
        firm=firm,
        to_name=contact.name,
        to=contact.email,
        subject=subject,
        text=body.strip() + "\n",
        html=_templates.get_template(f"{template}.html").render(known),
        pdf=pdf,
        logo=logo,
        message_id=f"<{id}@{urlsplit(settings.public_url).hostname or 'praxis'}>",
    )
    uow.audit(f"{template}.mailed", "contact", contact.id)
    send(settings.smtp_url, message)


def _logo(uow: Uow, branding: Branding) -> Logo | None:
    if branding.logo_id is None:
        return None
    try:
        return brand.logo(uow, branding)
    except (NotFound, Unavailable):
        return None


def _names(uow: Uow, client_ids: list[UUID]) -> list[str]:
    mine = (ClientCopy.firm_id == uow.firm_id) & ClientCopy.id.in_(client_ids)
    return list(uow.session.scalars(select(ClientCopy.name).where(mine).order_by(ClientCopy.name)))
