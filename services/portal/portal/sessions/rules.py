"""Decisions about signing in: codes, tries, how long a device stays signed in. Pure."""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

CODE_LIFETIME = timedelta(minutes=10)
CODE_TRIES = 5
DEVICE_LIFETIME = timedelta(days=30)  # since the device was last used
DEVICE_GRACE = timedelta(seconds=60)  # two tabs may renew at the same moment


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries within a window; the next is refused until the oldest is out of it."""

    most: int
    window: timedelta


# Mails to one address: few at a time, and few enough a day that five guesses each stay hopeless against a million codes.
CODES_PER_ADDRESS = (Limit(5, timedelta(minutes=15)), Limit(20, timedelta(days=1)))
CODES_PER_NETWORK = (Limit(30, timedelta(minutes=15)),)
TRIES_PER_NETWORK = (Limit(60, timedelta(minutes=15)),)


def address_of(email: str) -> str:
    """An address as it is compared: without outer spaces and case."""
    return email.strip().casefold()


def wait(times: list[datetime], limits: tuple[Limit, ...], now: datetime) -> timedelta:
    """How long until another try is allowed, given the times of the earlier ones; zero if it is now."""
    longest = timedelta(0)
    for limit in limits:
        within = sorted(t for t in times if t > now - limit.window)
        if len(within) >= limit.most:
            longest = max(longest, within[-limit.most] + limit.window - now)
    return longest


def code_for(key: bytes, sign_in_id: UUID) -> str:
    """The six digits of a sign-in. They are derived, so that they are stored nowhere, not even hashed."""
    number = int.from_bytes(hmac.digest(key, sign_in_id.bytes, "sha256")[:8])
    return f"{number % 1_000_000:06d}"


def digits(typed: str) -> str:
    """A code as people type it: "123 456" is 123456."""
    return "".join(c for c in typed if c.isdecimal() and c.isascii())


def code_fits(key: bytes, sign_in_id: UUID, typed: str) -> bool:
    return hmac.compare_digest(code_for(key, sign_in_id), digits(typed))


def digest(secret: bytes) -> bytes:
    """How a random secret is kept: it has 256 bits, so a plain hash tells nothing."""
    return hashlib.sha256(secret).digest()


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """What a device shows to stay signed in: where its row is, and a secret that is renewed with each use."""

    firm_id: UUID
    id: UUID
    secret: bytes

    @classmethod
    def new(cls, firm_id: UUID, id: UUID) -> "DeviceToken":
        return cls(firm_id, id, secrets.token_bytes(32))

    def encode(self) -> str:
        return base64.urlsafe_b64encode(self.firm_id.bytes + self.id.bytes + self.secret).decode()

    @classmethod
    def decode(cls, shown: str) -> "DeviceToken | None":
        """The token, or None for anything that is none."""
        try:
            raw = base64.b64decode(shown, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        return cls(UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), raw[32:]) if len(raw) == 64 else None


class Verdict(Enum):
    """What is done with a device that asks to stay signed in."""

    ROTATE = "rotate"
    KEEP = "keep"  # its twin has just renewed it: go on with the session, leave the secret
    ENDED = "ended"
    REUSED = "reused"  # a secret of two renewals ago turned up: somebody has copied it


def judge_device(
    *,
    shown: bytes,
    current: bytes,
    previous: bytes | None,
    rotated_at: datetime,
    revoked_at: datetime | None,
    now: datetime,
) -> Verdict:
    """`shown`, `current` and `previous` are digests.

    The secret before the current one is good while the current one has never been shown: the answer that carried it may
    have been lost on the way to a phone. If it was not lost but copied, one of the two will show a secret that is too old.
    """
    if revoked_at is not None or now >= rotated_at + DEVICE_LIFETIME:
        return Verdict.ENDED
    if hmac.compare_digest(shown, current):
        return Verdict.ROTATE
    if previous is not None and hmac.compare_digest(shown, previous):
        return Verdict.KEEP if now < rotated_at + DEVICE_GRACE else Verdict.ROTATE
    return Verdict.REUSED
