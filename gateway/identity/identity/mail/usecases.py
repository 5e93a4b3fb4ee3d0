"""What is mailed to staff. Each runs in the worker, in the transaction that records it."""

from email.headerregistry import Address
from urllib.parse import urlsplit
from uuid import UUID

from chassis.uow import Uow
from identity.firms.tables import Firm
from identity.mail.smtp import Mailer, Smtp, compose
from identity.sessions.queries import homes
from identity.sessions.tables import PasswordReset
from identity.sessions.usecases import reset_is_open
from identity.staff.tables import Invitation, Staff
from identity.staff.usecases import invitation_is_open, invitation_token
from identity.tokens import opaque
from identity.work import INSTALLATION, settings_of


def mail_invitation(uow: Uow, invitation_id: str) -> None:
    """Mails an invitation, unless it was withdrawn or accepted meanwhile."""
    invitation = uow.get(Invitation, invitation_id)
    staff = uow.get(Staff, invitation.staff_id)
    if not invitation_is_open(invitation, uow.now) or not staff.active:
        return
    firm = uow.get(Firm, uow.firm_id)
    link = f"{settings_of(uow.runtime).public_url}/accept-invitation#token={invitation_token(uow, invitation)}"
    text = (
        f"Hello {staff.name},\n\n{firm.name} invites you to work with them in Praxis. Choose a password and begin here:\n\n{link}\n\n"
        f"The link works once, until {invitation.expires_at:%d %B %Y}. If you didn't expect it, leave it unused.\n"
    )
    _send(uow, staff, f"{firm.name} invites you to Praxis", text, f"invitation-{invitation.id}")
    uow.audit("invitation.mailed", "staff", staff.id)


def mail_password_reset(uow: Uow, reset_id: str) -> None:
    """Mails the link to set a new password, if the address is anybody's who works here now."""
    reset = uow.session.get(PasswordReset, UUID(reset_id))
    if reset is None or not reset_is_open(reset, uow.now):
        return
    settings = settings_of(uow.runtime)
    home = next((h for h in homes(uow.runtime.engine, reset.address) if h.firm_id == uow.firm_id), None)
    staff = uow.session.get(Staff, (uow.firm_id, home.staff_id)) if home else None
    if staff is None:
        return
    token = opaque.derived(settings.key_for("password reset"), INSTALLATION, reset.id).encode()
    text = (
        f"Hello {staff.name},\n\nset a new password here:\n\n{settings.public_url}/new-password#token={token}\n\n"
        f"The link works once, for an hour. If you didn't ask for it, leave it unused: your password stays as it is.\n"
    )
    _send(uow, staff, "A new password for Praxis", text, f"password-reset-{reset.id}")
    uow.audit("password_reset.mailed", "staff", staff.id)


def _send(uow: Uow, staff: Staff, subject: str, text: str, id: str) -> None:
    settings = settings_of(uow.runtime)
    host = urlsplit(settings.public_url).hostname or "praxis"
    to = str(Address(staff.name, addr_spec=staff.email))
    mailer: Mailer = Smtp(settings.smtp_url)
    mailer.send(compose(sender=settings.mail_from, to=to, subject=subject, text=text, message_id=f"<{id}@{host}>"))
