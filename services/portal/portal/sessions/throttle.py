"""Counts tries before anything is done for them, in the database: all processes count together."""

import hmac
import math
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Engine, text

from chassis.db import new_id
from chassis.errors import TooMany
from portal.sessions.rules import Limit, wait

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_TIMES = text("SELECT at FROM attempts WHERE key = :key AND at > now() - interval '1 day'")
_COUNT = text("INSERT INTO attempts (id, key, at) VALUES (:id, :key, now())")
_FORGET = text(
    "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE at < now() - interval '1 day' LIMIT 50 FOR UPDATE SKIP LOCKED)"
)


def key(secret: bytes, kind: str, value: str) -> bytes:
    """What tries are counted under. Keyed, so that the table tells nobody who tried to sign in."""
    return hmac.digest(secret, f"{kind}:{value}".encode(), "sha256")


def take(engine: Engine, limits: Mapping[bytes, tuple[Limit, ...]]) -> None:
    """Counts one try under each key. Errors: `too_many_attempts` (429) with Retry-After, and then nothing is counted."""
    with engine.begin() as connection:
        longest = timedelta(0)
        now = connection.execute(text("SELECT now()")).scalar_one()
        for name in sorted(limits):  # one at a time per key, sorted against deadlocks
            connection.execute(_LOCK, {"key": name.hex()})
            times = list(connection.execute(_TIMES, {"key": name}).scalars())
            longest = max(longest, wait(times, limits[name], now))
        if longest > timedelta(0):
            seconds = math.ceil(longest.total_seconds())
            raise TooMany(
                "too_many_attempts", f"Too many tries. Wait {_spoken(seconds)}, then try again.", retry_after=seconds
            )
        for name in sorted(limits):
            connection.execute(_COUNT, {"id": new_id(), "key": name})
        connection.execute(_FORGET)


def _spoken(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes" if seconds < 7200 else f"{math.ceil(seconds / 3600)} hours"
