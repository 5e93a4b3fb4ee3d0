"""Opaque tokens: a firm, an id and a secret in one string that means nothing to whoever carries it.

The firm in it only says whose rows to look among; without the secret it opens nothing. So sessions, invitations and API
clients stay behind row-level security although their tokens arrive before anybody is known.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

_SECRET = 32


@dataclass(frozen=True, slots=True)
class Opaque:
    """The parts of a token."""

    firm_id: UUID
    id: UUID
    secret: bytes

    def encode(self) -> str:
        return _text(self.firm_id.bytes + self.id.bytes + self.secret)

    def digest(self) -> bytes:
        """What is stored of the secret: 256 random bits need no slow hash."""
        return hashlib.sha256(self.secret).digest()


def new(firm_id: UUID, id: UUID) -> Opaque:
    """A token with a fresh random secret."""
    return Opaque(firm_id, id, secrets.token_bytes(_SECRET))


def derived(key: bytes, firm_id: UUID, id: UUID) -> Opaque:
    """A token whose secret follows from the key: a mail interrupted half-way is sent again with the same link, and nothing
    that opens anything has to be stored meanwhile."""
    return Opaque(firm_id, id, hmac.digest(key, firm_id.bytes + id.bytes, "sha256"))


def decode(text: str) -> Opaque | None:
    """The parts of a token, or None for anything that is none."""
    raw = _bytes(text)
    if raw is None or len(raw) != 32 + _SECRET:
        return None
    return Opaque(UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), raw[32:])


def decode_derived(text: str, key: bytes) -> Opaque | None:
    """The parts of a token made by `derived` with this key, or None."""
    token = decode(text)
    if token is None or not hmac.compare_digest(token.secret, derived(key, token.firm_id, token.id).secret):
        return None
    return token


def encode_reference(firm_id: UUID, id: UUID) -> str:
    """A public name of a firm's thing that says which firm's it is: what an API client calls itself."""
    return _text(firm_id.bytes + id.bytes)


def decode_reference(text: str) -> tuple[UUID, UUID] | None:
    """Firm and id of a reference, or None."""
    raw = _bytes(text)
    return (UUID(bytes=raw[:16]), UUID(bytes=raw[16:])) if raw is not None and len(raw) == 32 else None


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:  # UnicodeEncodeError and binascii.Error are ValueErrors
        return None
