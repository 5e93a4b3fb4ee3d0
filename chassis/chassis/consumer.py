"""Consuming events: once each, whatever happens in between."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from google.protobuf.message import Message
from kombu import Consumer as KombuConsumer
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from chassis import auth, bus, db, events, telemetry
from chassis.errors import Unavailable
from chassis.uow import Uow, unit_of_work

if TYPE_CHECKING:
    from chassis.service import Runtime

log = logging.getLogger(__name__)

TRIES = 8
PREFETCH = 50


@dataclass(frozen=True, slots=True)
class Listen:
    """An event and the use case it sets off."""

    event: type[Message]
    handler: Callable[[Uow, Any], object]

    @property
    def type(self) -> str:
        return events.type_of(self.event)


class InfrastructureDown(Exception):
    """The database or a service is away: the message is fine and waits."""


class Handler:
    """Runs the use case of an event, its inbox row in the same transaction."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._listens: dict[str, list[Listen]] = {}
        for listen in runtime.service.listens:
            self._listens.setdefault(listen.type, []).append(listen)

    def handle(self, body: bytes) -> bool:
        """Handles a message; False if it had been handled before. Errors: whatever the use case raises."""
        envelope = events.Envelope.decode(body)
        listens = self._listens.get(envelope.type)
        if not listens:
            return False
        with telemetry.continued(envelope.trace, f"consume {envelope.type}"):
            return self._once(envelope, listens)

    def _once(self, envelope: events.Envelope, listens: Sequence[Listen]) -> bool:
        principal = auth.system(self._runtime.service.name, envelope.firm_id)
        with unit_of_work(self._runtime, principal) as uow:
            if not uow.session.execute(_RECEIVED, {"id": envelope.id}).first():
                return False
            for listen in listens:
                listen.handler(uow, events.unwrap(envelope, listen.event))
            uow.commit()
        telemetry.event_lag_seconds.record((datetime.now(UTC) - envelope.time).total_seconds(), {"type": envelope.type})
        return True

    def handle_or_set_aside(self, body: bytes) -> None:
        """Handles a message; one that fails becomes a row of `retry`. Errors: InfrastructureDown."""
        try:
            outcome = "handled" if self.handle(body) else "known"
        except (Unavailable, OperationalError) as error:
            raise InfrastructureDown(str(error)) from error
        except Exception as error:
            outcome = "retry"
            self._set_aside(body, error)
        telemetry.events_consumed.add(1, {"outcome": outcome})

    def _set_aside(self, body: bytes, error: Exception) -> None:
        reason = "".join(traceback.format_exception(error))[-4000:]
        try:
            envelope = events.Envelope.decode(body)
        except ValueError:
            log.error("poison_message", extra={"error": str(error)})
            bury(self._runtime, "event", "unreadable", body, reason)
            return
        log.warning("event_failed", extra={"type": envelope.type, "event_id": str(envelope.id), "error": repr(error)})
        with self._runtime.engine.begin() as connection:
            connection.execute(
                _RETRY,
                {
                    "id": envelope.id,
                    "type": envelope.type,
                    "body": body,
                    "next": datetime.now(UTC) + backoff(1),
                    "error": reason,
                },
            )

    def retry_due(self) -> int:
        """Tries again what failed and is due; after the last try it becomes a dead letter. Returns how many were tried."""
        tried = 0
        while (row := self._take_due()) is not None:
            tried += 1
            self._retry(row)
        return tried

    def _take_due(self) -> Any:
        # Pushing next_at forward claims the row: another worker won't see it meanwhile, and a kill only delays it.
        with self._runtime.engine.begin() as connection:
            return connection.execute(_CLAIM).first()

    def _retry(self, row: Any) -> None:
        try:
            self.handle(bytes(row.body))
        except Exception as error:
            reason = "".join(traceback.format_exception(error))[-4000:]
            down = isinstance(error, (Unavailable, OperationalError))
            attempts = row.attempts + (0 if down else 1)
            if attempts >= TRIES:
                bury(self._runtime, "event", row.type, bytes(row.body), reason)
            else:
                with self._runtime.engine.begin() as connection:
                    connection.execute(
                        text("UPDATE retry SET attempts = :n, next_at = :next, error = :error WHERE event_id = :id"),
                        {
                            "id": row.event_id,
                            "n": attempts,
                            "next": datetime.now(UTC) + backoff(attempts),
                            "error": reason,
                        },
                    )
                return
        with self._runtime.engine.begin() as connection:
            connection.execute(text("DELETE FROM retry WHERE event_id = :id"), {"id": row.event_id})


_RECEIVED = text("INSERT INTO inbox (event_id, at) VALUES (:id, now()) ON CONFLICT DO NOTHING RETURNING event_id")
_RETRY = text(
    "INSERT INTO retry (event_id, type, body, attempts, next_at, error, at) VALUES (:id, :type, :body, 1, :next, :error, now()) "
    "ON CONFLICT (event_id) DO NOTHING"
)
_CLAIM = text(
    "UPDATE retry SET next_at = now() + interval '1 minute' WHERE event_id = "
    "(SELECT event_id FROM retry WHERE next_at <= now() ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *"
)


def backoff(attempt: int) -> timedelta:
    """1 s, 2 s, 4 s … up to 5 minutes."""
    return timedelta(seconds=min(2 ** max(attempt - 1, 0), 300))


def bury(runtime: "Runtime", source: str, type: str, body: bytes, error: str) -> UUID:
    """Makes a dead letter, which operators see and replay."""
    id = db.new_id()
    with runtime.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO dead_letter (id, source, type, body, error, at) VALUES (:id, :source, :type, :body, :error, now())"
            ),
            {"id": id, "source": source, "type": type, "body": body, "error": error},
        )
    log.error("dead_letter", extra={"dead_letter": str(id), "type": type})
    return id


class Consumer:
    """Reads the service's queue. A message is acknowledged after its effect, or its row of `retry`, has committed."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._handler = Handler(runtime)
        self._types = sorted({listen.type for listen in runtime.service.listens})

    def run(self, stop: threading.Event) -> None:
        pause = 0.5
        while not stop.is_set():
            started = time.monotonic()
            try:
                self._consume(stop)
            except InfrastructureDown as error:
                log.warning("consumer_paused", extra={"error": str(error)})
                self._wait_for_database(stop)
            except Exception as error:
                log.warning("consumer_disconnected", extra={"error": repr(error)})
                if time.monotonic() - started > 30:
                    pause = 0.5
                stop.wait(pause)
                pause = min(pause * 2, 5.0)

    def _consume(self, stop: threading.Event) -> None:
        with bus.connect(self._runtime.settings.amqp_url) as connection, connection.channel() as channel:
            channel.basic_qos(0, PREFETCH, False)
            queue = bus.queue_of(self._runtime.service.name, self._types)
            beat = time.monotonic()
            with KombuConsumer(channel, [queue], on_message=self._on_message, accept=None, auto_declare=False):
                while not stop.is_set():
                    try:
                        connection.drain_events(timeout=0.5)
                    except TimeoutError:
                        pass
                    if time.monotonic() - beat > 5:
                        beat = time.monotonic()
                        connection.heartbeat_check()

    def _on_message(self, message: Any) -> None:
        body = message.body if isinstance(message.body, bytes) else bytes(message.body, "utf-8")
        self._handler.handle_or_set_aside(body)  # InfrastructureDown leaves it unacknowledged: it comes again
        message.ack()

    def _wait_for_database(self, stop: threading.Event) -> None:
        while not stop.wait(1.0):
            try:
                with self._runtime.engine.connect() as connection:
                    connection.execute(text("SELECT 1"))
                return
            except Exception as error:
                log.warning("database_unreachable", extra={"error": str(error).splitlines()[0]})
                self._runtime.engine.dispose()
