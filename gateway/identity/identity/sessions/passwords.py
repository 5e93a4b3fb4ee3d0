"""Passwords at rest: argon2id (RFC 9106, second recommended option), a few at a time."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from chassis.errors import Unavailable


class Hashing:
    """Makes and checks hashes, no more than `at_once` in this process: each takes 64 MiB and a core for a tenth of a second.

    A short line forms behind them; whoever doesn't fit gets 503 at once, so that sign-ins can't take every thread.
    """

    def __init__(self, at_once: int, in_line: int | None = None) -> None:
        self._hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._slots = threading.BoundedSemaphore(at_once)
        self._line = threading.BoundedSemaphore(at_once + (2 * at_once if in_line is None else in_line))
        self._nobodys = self._hasher.hash(secrets.token_hex(32))

    def make(self, password: str) -> str:
        with self._slot():
            return self._hasher.hash(password)

    def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one. With no hash it takes just as long and says no: nobody learns who has an account."""
        with self._slot():
            try:
                return self._hasher.verify(password_hash or self._nobodys, password) and password_hash is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise Unavailable("busy", "Many people are signing in just now. Try again in a moment.", retry_after=1)
        try:
            with self._slots:
                yield
        finally:
            self._line.release()


@cache
def hashing(at_once: int) -> Hashing:
    """This process's one."""
    return Hashing(at_once)
