"""Mail to clients leaves from here, and only from here."""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from urllib.parse import unquote, urlsplit

from chassis.errors import Unavailable
from portal.branding.pictures import Logo

TIMEOUT = 15.0  # seconds for each step of the conversation


def send(url: str, message: EmailMessage) -> None:
    """Hands a message to the server at `url` (`smtp://host:port`, STARTTLS if offered; `smtps://`; with `user:password@`).

    Errors: `mail_unavailable`: not handed over, try again later.
    """
    try:
        with _connected(url) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable("mail_unavailable", f"The mail server did not take the message: {error}") from error


def _connected(url: str) -> smtplib.SMTP:
    place = urlsplit(url)
    if place.scheme == "smtps":
        return _signed_in(
            smtplib.SMTP_SSL(
                place.hostname or "", place.port or 465, timeout=TIMEOUT, context=ssl.create_default_context()
            ),
            url,
        )
    server = smtplib.SMTP(place.hostname or "", place.port or 25, timeout=TIMEOUT)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
    return _signed_in(server, url)


def _signed_in(server: smtplib.SMTP, url: str) -> smtplib.SMTP:
    place = urlsplit(url)
    if place.username:
        server.login(unquote(place.username), unquote(place.password or ""))
    return server


def compose(
    *,
    sender: str,
    firm: str,
    to_name: str,
    to: str,
    subject: str,
    text: str,
    html: str,
    message_id: str,
    pdf: tuple[str, bytes] | None = None,
    logo: tuple[str, Logo] | None = None,
) -> EmailMessage:
    """A message in plain text and HTML, in the firm's name, perhaps with a PDF (name, bytes) and a logo (content id, picture) that the HTML shows. The same `message_id` again is the same mail."""
    message = EmailMessage()
    _, address = parseaddr(sender)
    message["From"] = str(Address(firm, addr_spec=address)) if firm else sender
    message["To"] = str(Address(" ".join(to_name.split()), addr_spec=to))
    message["Subject"] = " ".join(subject.split())
    message["Message-ID"], message["Date"] = message_id, formatdate(usegmt=True)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    if logo is not None:
        *_, page = message.iter_parts()
        assert isinstance(page, EmailMessage)
        kind = logo[1].media_type.partition("/")[2]
        page.add_related(
            logo[1].content, "image", kind, cid=f"<{logo[0]}>", disposition="inline", filename=f"logo.{kind}"
        )
    if pdf is not None:
        message.add_attachment(pdf[1], maintype="application", subtype="pdf", filename=pdf[0])
    return message
