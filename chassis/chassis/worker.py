"""The worker: relay, consumer, retries, timers and housekeeping, each in a thread of its own."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import text

from chassis import sealing, telemetry
from chassis.bus import Relay
from chassis.consumer import Consumer, Handler
from chassis.due import Timers
from chassis.waking import CHANNEL

if TYPE_CHECKING:
    from chassis.service import Runtime

log = logging.getLogger(__name__)

KEEP_DAYS = 7  # outbox, inbox, done work; idempotency keys live for a day


def run(runtime: "Runtime", stop: threading.Event) -> None:
    """Works until `stop` is set, then lets what is under way end."""
    wakes = {"events": threading.Event(), "due": threading.Event()}
    jobs: dict[str, Callable[[], None]] = {
        "relay": lambda: Relay(runtime).run(stop, wakes["events"]),
        "timers": lambda: Timers(runtime).run(stop, wakes["due"]),
        "listen": lambda: _listen(runtime, stop, wakes),
        "retry": lambda: _every(stop, 1.0, Handler(runtime).retry_due),
        "housekeeping": lambda: _every(stop, 5.0, lambda: keep_house(runtime)),
    }
    if runtime.service.listens:
        jobs["consumer"] = lambda: Consumer(runtime).run(stop)
    threads = [threading.Thread(target=job, name=name, daemon=True) for name, job in jobs.items()]
    for thread in threads:
        thread.start()
    log.info("working", extra={"threads": sorted(jobs)})
    stop.wait()
    for wake in wakes.values():
        wake.set()
    for thread in threads:
        thread.join(timeout=20)


def _listen(runtime: "Runtime", stop: threading.Event, wakes: Mapping[str, threading.Event]) -> None:
    """Wakes relay or timers as soon as there is something for them; without it they look once a second."""
    while not stop.is_set():
        try:
            with psycopg.connect(runtime.settings.database_url, autocommit=True, connect_timeout=5) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                while not stop.is_set():
                    for told in connection.notifies(timeout=1.0, stop_after=1):
                        # A release may run beside one that tells other things: then everybody looks.
                        for wake in [wakes[told.payload]] if told.payload in wakes else wakes.values():
                            wake.set()
        except psycopg.Error as error:
            log.warning("listen_lost", extra={"error": str(error).splitlines()[0] if str(error) else repr(error)})
            stop.wait(1.0)


def _every(stop: threading.Event, seconds: float, work: Callable[[], object]) -> None:
    while not stop.wait(seconds):
        try:
            work()
        except Exception as error:
            log.warning("upkeep_failed", extra={"error": repr(error)})


def keep_house(runtime: "Runtime") -> None:
    """Seals the audit, measures the outbox, and clears away what is past its keeping."""
    with runtime.engine.begin() as connection:
        telemetry.outbox_depth.set(
            connection.execute(text("SELECT count(*) FROM outbox WHERE published_at IS NULL")).scalar_one()
        )
        for statement in _CLEAR:
            connection.execute(text(statement), {"days": KEEP_DAYS})
    for firm in runtime.known_firms():
        while sealing.seal(runtime, firm) == sealing.BATCH:
            pass


_CLEAR = (
    "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE published_at < now() - make_interval(days => :days) LIMIT 5000)",
    "DELETE FROM inbox WHERE event_id IN (SELECT event_id FROM inbox WHERE at < now() - make_interval(days => :days) LIMIT 5000)",
    "DELETE FROM idempotency WHERE (firm_id, caller, key) IN "
    "(SELECT firm_id, caller, key FROM idempotency WHERE at < now() - interval '1 day' LIMIT 5000)",
    "DELETE FROM due WHERE id IN (SELECT id FROM due WHERE done_at < now() - make_interval(days => :days) LIMIT 5000)",
)


def dead_letters(runtime: "Runtime") -> Sequence[Any]:
    """What could not be handled and was not replayed, oldest first."""
    with runtime.engine.connect() as connection:
        return connection.execute(
            text("SELECT id, source, type, error, at FROM dead_letter WHERE replayed_at IS NULL ORDER BY id")
        ).all()


def replay(runtime: "Runtime", id: UUID | None = None) -> int:
    """Hands one dead letter, or all, to the worker again; returns how many."""
    with runtime.engine.begin() as connection:
        letters = connection.execute(
            text(
                "UPDATE dead_letter SET replayed_at = now() WHERE replayed_at IS NULL AND type <> 'unreadable' "
                "AND (CAST(:id AS uuid) IS NULL OR id = :id) RETURNING *"
            ),
            {"id": id},
        ).all()
        for letter in letters:
            if letter.source == "event":
                body = orjson.loads(bytes(letter.body))
                connection.execute(
                    text(
                        "INSERT INTO retry (event_id, type, body, attempts, next_at, error, at) "
                        "VALUES (:id, :type, :body, 0, now(), '', now()) ON CONFLICT (event_id) DO UPDATE SET next_at = now(), attempts = 0"
                    ),
                    {"id": body["id"], "type": letter.type, "body": bytes(letter.body)},
                )
            else:
                plan = orjson.loads(bytes(letter.body))
                connection.execute(
                    text(
                        "UPDATE due SET done_at = NULL, attempts = 0, run_at = now() WHERE firm_id = :firm_id AND kind = :kind AND key = :key"
                    ),
                    plan,
                )
    return len(letters)
