"""Counts tries before they are made, in the database: all processes slow down together, and a thousand guesses sent at once
count as a thousand."""

import hmac
import math
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Engine, text

from chassis.errors import TooMany
from identity.sessions.rules import Limit, Tries, wait

_SEEN = text("SELECT key, tries, last_at FROM attempts WHERE key = ANY(:keys) ORDER BY key FOR UPDATE")
_COUNT = text(
    "INSERT INTO attempts (key, tries, last_at) VALUES (:key, 1, :now) "
    "ON CONFLICT (key) DO UPDATE SET tries = CASE WHEN attempts.last_at < :forgotten THEN 1 ELSE attempts.tries + 1 END, last_at = :now"
)
_FORGET = text(
    "DELETE FROM attempts WHERE key IN (SELECT key FROM attempts WHERE last_at < now() - interval '2 hours' LIMIT 20 FOR UPDATE SKIP LOCKED)"
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def key(secret: bytes, kind: str, value: str) -> bytes:
    """What tries are counted under. Keyed, so that the table tells nobody who tried to sign in."""
    return hmac.digest(secret, f"{kind}:{value}".encode(), "sha256")


def take(engine: Engine, limits: Mapping[bytes, Limit]) -> None:
    """Counts one try under each key. Errors: `too_many_attempts` (429) with Retry-After, and then nothing is counted."""
    with engine.begin() as connection:
        for name in sorted(
            limits
        ):  # one try at a time per key, also while its row does not exist; sorted against deadlocks
            connection.execute(_LOCK, {"key": name.hex()})
        now = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        seen = {
            bytes(row.key): Tries(row.tries, row.last_at) for row in connection.execute(_SEEN, {"keys": list(limits)})
        }
        longest = max((wait(limits[k], tries, now) for k, tries in seen.items()), default=timedelta(0))
        if longest > timedelta(0):
            seconds = math.ceil(longest.total_seconds())
            raise TooMany(
                "too_many_attempts", f"Too many tries. Wait {seconds} seconds, then try again.", retry_after=seconds
            )
        for name, limit in sorted(limits.items()):
            connection.execute(_COUNT, {"key": name, "now": now, "forgotten": now - limit.forgotten})
        connection.execute(_FORGET)


def forgive(engine: Engine, *, entirely: bytes, one: bytes) -> None:
    """After a right password: the address starts afresh; the network address is given back this one try."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM attempts WHERE key = :key"), {"key": entirely})
        connection.execute(_GIVE_BACK, {"keys": [one]})


def give_back(engine: Engine, *keys: bytes) -> None:
    """After a try that was never judged."""
    with engine.begin() as connection:
        connection.execute(_GIVE_BACK, {"keys": list(keys)})


_GIVE_BACK = text("UPDATE attempts SET tries = greatest(tries - 1, 0) WHERE key = ANY(:keys)")
