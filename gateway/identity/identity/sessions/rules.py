"""Signing in, decided: how long to wait after wrong tries, which passwords will do, what a refresh token is worth."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from zxcvbn import zxcvbn

SESSION_LIFETIME = timedelta(days=30)  # absolute: then the password is asked for again
IDLE_LIFETIME = timedelta(days=7)  # a refresh token not used for this long is worth nothing
RACE = timedelta(seconds=10)  # two tabs may refresh at once; later use of a spent token is theft
RESET_LIFETIME = timedelta(hours=1)

PASSWORD_MIN = 12
_STRONG_ENOUGH = 3  # of 0…4: "safely unguessable", at least 10^8 guesses
_LOOKED_AT = 72  # zxcvbn's own limit; what is longer is strong by what it begins with, or weak


@dataclass(frozen=True, slots=True)
class Limit:
    """How many wrong tries are free, and how the pause after each further one grows."""

    free: int
    first: timedelta
    longest: timedelta
    forgotten: timedelta  # this long after the last try, all is forgotten


# An address is somebody's own; behind one network address a whole office signs in. The longest pause for an address is short
# enough that nobody can keep its owner out for long by guessing badly on purpose.
ADDRESS = Limit(free=5, first=timedelta(seconds=2), longest=timedelta(minutes=5), forgotten=timedelta(hours=1))
NETWORK = Limit(free=50, first=timedelta(seconds=2), longest=timedelta(minutes=15), forgotten=timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong (or unfinished) tries so far, and when the last was."""

    count: int
    last: datetime


def tries_now(limit: Limit, tries: Tries, now: datetime) -> int:
    """Tries that still count."""
    return 0 if now - tries.last > limit.forgotten else tries.count


def pause(limit: Limit, count: int) -> timedelta:
    """The pause after `count` wrong tries: none while they are free, then doubling."""
    if count < limit.free:
        return timedelta(0)
    doublings = min(count - limit.free, 30)
    return min(limit.first * 2**doublings, limit.longest)


def wait(limit: Limit, tries: Tries, now: datetime) -> timedelta:
    """How long until the next try is let through; zero: now."""
    return max(tries.last + pause(limit, tries_now(limit, tries, now)) - now, timedelta(0))


class Refresh(Enum):
    """What becomes of a refresh token that is shown."""

    ROTATE = "rotate"
    RACED = "raced"  # spent a moment ago: another tab was quicker
    REUSED = "reused"  # spent before: somebody has a copy
    ENDED = "ended"  # its session is over


def judge_refresh(
    *,
    now: datetime,
    issued_at: datetime,
    spent_at: datetime | None,
    session_ends_at: datetime,
    revoked_at: datetime | None,
) -> Refresh:
    """What a known refresh token is worth now."""
    if revoked_at is not None or now >= session_ends_at:
        return Refresh.ENDED
    if spent_at is not None:
        return Refresh.RACED if now - spent_at <= RACE else Refresh.REUSED
    return Refresh.ENDED if now - issued_at > IDLE_LIFETIME else Refresh.ROTATE


def weak_because(password: str, about: Iterable[str]) -> str | None:
    """Why a password won't do, in words for the person who chose it, or None if it will.

    `about` is what anybody could know of them: name, address, firm. NIST SP 800-63B-4, 3.1.1.2: length and a list of what
    is guessed first; no rules about kinds of characters, no expiry.
    """
    if len(password) < PASSWORD_MIN:
        return f"Use at least {PASSWORD_MIN} characters; several words are easy to remember."
    known = [
        part for text in about for part in (text, *text.replace("@", " ").replace(".", " ").split()) if len(part) > 2
    ]
    verdict = zxcvbn(password[:_LOOKED_AT], user_inputs=known)
    if verdict["score"] >= _STRONG_ENOUGH:
        return None
    return "This password is too easy to guess. Several words that have nothing to do with each other do well."
