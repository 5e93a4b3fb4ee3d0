"""Tells the worker that there is something for it, after the commit and for many commits at once.

A NOTIFY inside a transaction makes its commit hold a lock of the whole database while it waits for the disk, so that commits come one
after another instead of together (docs/decisions/0007). Told afterwards, nothing waits; what a dying process has not told any more,
the worker finds by itself within a second, as it looks that often without being told.
"""

import logging
import threading
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine

log = logging.getLogger(__name__)

CHANNEL = "praxis_work"
TOGETHER = 0.02  # seconds between two calls: what commits meanwhile is called for together

_TELL = f"SELECT pg_notify('{CHANNEL}', topic) FROM unnest(%s::text[]) AS topic"


class Waker:
    """Calls the worker for a process. Its thread starts with the first call, so after a server has forked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._topics: set[str] = set()
        self._called = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def call(self, topics: Iterable[str]) -> None:
        """`events`: the outbox has grown; `due`: work was planned."""
        with self._lock:
            self._topics.update(topics)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()
        self._called.set()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._called.wait()
            self._called.clear()
            with self._lock:
                topics, self._topics = sorted(self._topics), set()
            try:
                with self._engine.connect() as connection:
                    raw: Any = connection.connection.dbapi_connection
                    raw.execute(_TELL, (topics,))
            except Exception as error:
                log.debug("waking_failed", extra={"error": repr(error)})
            pause.wait(TOGETHER)
