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
GATHER = 0.001  # seconds to look whether more has come


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


class WorkerLost(Exception):
    """What was taken never came back, time and again: it takes its worker down."""


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
            if not _received(uow, [envelope.id]):
                return False
            uow.heard_at = envelope.time
            for listen in listens:
                listen.handler(uow, events.unwrap(envelope, listen.event))
            uow.commit()
        _record_lag([envelope])
        return True

    def handle_or_set_aside_all(self, bodies: Sequence[bytes]) -> None:
        """Handles what came together, each firm's in one transaction; if that fails, one by one. Errors: InfrastructureDown."""
        firms: dict[UUID, list[tuple[bytes, events.Envelope]]] = {}
        for body in bodies:
            try:
                envelope = events.Envelope.decode(body)
            except ValueError as error:
                self._set_aside(body, error)
            else:
                firms.setdefault(envelope.firm_id, []).append((body, envelope))
        for firm_id, came in firms.items():
            if len(came) == 1 or not self._together(firm_id, [envelope for _, envelope in came]):
                for body, _ in came:
                    self.handle_or_set_aside(body)

    def _together(self, firm_id: UUID, envelopes: Sequence[events.Envelope]) -> bool:
        """Handles a firm's events in their order in one transaction. False: nothing was done, since one of them failed."""
        try:
            with unit_of_work(self._runtime, auth.system(self._runtime.service.name, firm_id)) as uow:
                new = _received(uow, [envelope.id for envelope in envelopes])
                for envelope in envelopes:
                    if envelope.id in new:
                        new.remove(envelope.id)  # the same message may have come twice
                        self._within(uow, envelope)
                uow.commit()
        except (Unavailable, OperationalError) as error:
            raise InfrastructureDown(str(error)) from error
        except Exception as error:
            log.info("batch_taken_apart", extra={"events": len(envelopes), "error": repr(error)})
            return False
        _record_lag(envelopes)
        telemetry.events_consumed.add(len(envelopes), {"outcome": "handled"})
        return True

    def _within(self, uow: Uow, envelope: events.Envelope) -> None:
        uow.heard_at = envelope.time
        with telemetry.continued(envelope.trace, f"consume {envelope.type}"):
            for listen in self._listens.get(envelope.type, ()):
                listen.handler(uow, events.unwrap(envelope, listen.event))
        # The next event's use case reads what this one wrote, as it would in a transaction of its own.
        uow.session.flush()
        uow.session.expunge_all()

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
        # Pushing next_at forward claims the row: another worker won't see it meanwhile, and a kill only delays it. The
        # attempt counts from here, so that what takes its worker down each time comes to its end as well.
        with self._runtime.engine.begin() as connection:
            return connection.execute(_CLAIM).first()

    def _retry(self, row: Any) -> None:
        attempts, reason = row.attempts, ""
        try:
            if attempts > TRIES:
                raise WorkerLost(
                    f"attempt {attempts - 1} did not come back; its worker ended (killed, or out of memory)"
                )
            self.handle(bytes(row.body))
        except Exception as error:
            reason = "".join(traceback.format_exception(error))[-4000:]
            if isinstance(error, (Unavailable, OperationalError)):
                attempts -= 1  # the message is fine: this one doesn't count
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


_RECEIVED = text(
    "INSERT INTO inbox (event_id, at) SELECT DISTINCT id, now() FROM unnest(CAST(:ids AS uuid[])) AS came (id) "
    "ORDER BY id ON CONFLICT DO NOTHING RETURNING event_id"
)
_RETRY = text(
    "INSERT INTO retry (event_id, type, body, attempts, next_at, error, at) VALUES (:id, :type, :body, 1, :next, :error, now()) "
    "ON CONFLICT (event_id) DO NOTHING"
)
_CLAIM = text(
    "UPDATE retry SET next_at = now() + interval '1 minute', attempts = attempts + 1 WHERE event_id = "
    "(SELECT event_id FROM retry WHERE next_at <= now() ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *"
)


def _received(uow: Uow, ids: Sequence[UUID]) -> set[UUID]:
    """Which of the events had not been handled before; from here on all of them are."""
    return set(uow.session.execute(_RECEIVED, {"ids": list(ids)}).scalars())


def _record_lag(envelopes: Sequence[events.Envelope]) -> None:
    now = datetime.now(UTC)
    for envelope in envelopes:
        telemetry.event_lag_seconds.record((now - envelope.time).total_seconds(), {"type": envelope.type})


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
    """Reads the service's queue. A message is acknowledged after its effect, or its row of `retry`, has committed.

    What has come meanwhile is handled together: a busy queue costs a transaction per batch, a quiet one waits for nothing.
    """

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._handler = Handler(runtime)
        self._came: list[Any] = []
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
            self._came.clear()
            with KombuConsumer(channel, [queue], on_message=self._came.append, accept=None, auto_declare=False):
                while not stop.is_set():
                    _drain(connection, 0.5)
                    while self._came and len(self._came) < PREFETCH and _drain(connection, GATHER):
                        pass
                    self._handle()
                    if time.monotonic() - beat > 5:
                        beat = time.monotonic()
                        connection.heartbeat_check()

    def _handle(self) -> None:
        """Handles and acknowledges what came. InfrastructureDown leaves it unacknowledged: it comes again."""
        fresh = [m for m in self._came if not m.delivery_info.get("redelivered")]
        # What was delivered before may have taken the process down: alone, it takes no other message with it.
        for message in self._came:
            if message not in fresh:
                self._handler.handle_or_set_aside(_body(message))
        if fresh:
            self._handler.handle_or_set_aside_all([_body(message) for message in fresh])
        if self._came:
            self._came[-1].ack(multiple=True)
            self._came.clear()

    def _wait_for_database(self, stop: threading.Event) -> None:
        while not stop.wait(1.0):
            try:
                with self._runtime.engine.connect() as connection:
                    connection.execute(text("SELECT 1"))
                return
            except Exception as error:
                log.warning("database_unreachable", extra={"error": str(error).splitlines()[0]})
                self._runtime.engine.dispose()


def _drain(connection: Any, timeout: float) -> bool:
    """Takes what comes next, if it comes in time."""
    try:
        connection.drain_events(timeout=timeout)
    except TimeoutError:
        return False
    return True


def _body(message: Any) -> bytes:
    return message.body if isinstance(message.body, bytes) else bytes(message.body, "utf-8")
