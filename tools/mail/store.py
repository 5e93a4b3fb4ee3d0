"""The messages kept, newest first, within bounded memory."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count


@dataclass(frozen=True)
class Message:
    """One received mail."""

    id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    """Of the envelope: who would have got it."""
    subject: str
    message_id: str
    text: str
    html: str
    size: int

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "received_at": self.received_at.isoformat(),
            "from": self.sender,
            "to": list(self.recipients),
            "subject": self.subject,
            "message_id": self.message_id,
            "text": self.text,
            "html": self.html,
        }


class Store:
    """Keeps the newest messages: at most `most` of them and `most_bytes` in all."""

    def __init__(self, most: int = 1000, most_bytes: int = 30_000_000) -> None:
        self._messages: deque[Message] = deque(maxlen=most)
        self._most_bytes = most_bytes
        self._ids = count(1)

    def add(self, sender: str, recipients: list[str], content: bytes) -> Message:
        parsed = message_from_bytes(content, policy=policy.default)
        message = Message(
            id=next(self._ids),
            received_at=datetime.now(UTC),
            sender=sender,
            recipients=tuple(recipients),
            subject=str(parsed.get("Subject", "")),
            message_id=str(parsed.get("Message-ID", "")),
            text=_body(parsed, "plain"),
            html=_body(parsed, "html"),
            size=len(content),
        )
        self._messages.appendleft(message)
        while len(self._messages) > 1 and sum(m.size for m in self._messages) > self._most_bytes:
            self._messages.pop()
        return message

    def list(self, to: str | None = None) -> list[Message]:
        """Newest first; `to` keeps those sent to that address."""
        wanted = to.casefold() if to else None
        return [m for m in self._messages if not wanted or wanted in (r.casefold() for r in m.recipients)]

    def get(self, message_id: int) -> Message | None:
        return next((m for m in self._messages if m.id == message_id), None)


def _body(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""
