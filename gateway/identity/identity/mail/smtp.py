"""Mail to staff leaves from here, and only from here."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol
from urllib.parse import unquote, urlsplit

from chassis.errors import Unavailable

TIMEOUT = 15.0  # seconds for each step of the conversation


class Mailer(Protocol):
    """The port mail leaves by."""

    def send(self, message: EmailMessage) -> None:
        """Hands a message over. Errors: `mail_unavailable`: not handed over, try again later."""


class Smtp:
    """An SMTP server by URL: `smtp://host:port` (STARTTLS if it offers that), `smtps://…`, with `user:password@` to sign in."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must look like smtp://host:port")
        self._parts = parts

    def send(self, message: EmailMessage) -> None:
        try:
            with self._connected() as server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable("mail_unavailable", f"The mail server did not take the message: {error}") from error

    def _connected(self) -> smtplib.SMTP:
        host, user, password = self._parts.hostname or "", self._parts.username, self._parts.password
        if self._parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, self._parts.port or 465, timeout=TIMEOUT, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, self._parts.port or 25, timeout=TIMEOUT)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
        if user:
            server.login(unquote(user), unquote(password or ""))
        return server


def compose(*, sender: str, to: str, subject: str, text: str, message_id: str) -> EmailMessage:
    """A plain-text message. The same `message_id` again is the same mail: servers and readers may drop the second."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, " ".join(subject.split())
    message["Message-ID"], message["Date"] = message_id, formatdate(usegmt=True)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    message.set_content(text)
    return message
