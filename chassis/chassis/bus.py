"""The bus: what the worker publishes from the outbox, and the broker's side of it."""

import logging
import threading
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from kombu import Connection, Exchange, Queue, binding
from sqlalchemy import text

from chassis import events, telemetry

if TYPE_CHECKING:
    from chassis.service import Runtime

log = logging.getLogger(__name__)

EXCHANGE = Exchange(events.EXCHANGE, type="topic", durable=True)
BATCH = 200
GATHER = 0.01  # seconds in which what commits after something left waits to leave together
CONFIRM_TIMEOUT = 10.0
DELIVERY_LIMIT = 20  # crashes of the process on one message before the broker sets it aside


def connect(url: str) -> Connection:
    return Connection(url, heartbeat=30, connect_timeout=5, transport_options={"confirm_publish": False})


def queue_of(service: str, types: Sequence[str]) -> Queue:
    """The quorum queue of a consuming service, bound to the types it listens to."""
    return Queue(
        f"{service}.events",
        exchange=EXCHANGE,
        bindings=[binding(EXCHANGE, routing_key=t) for t in types],
        durable=True,
        queue_arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": f"{service}.crashed",
        },
    )


def declare(url: str, service: str, types: Sequence[str]) -> None:
    """Declares the exchange, the service's queue and its queue for crashing messages; unbinds nothing. Run at deployment."""
    with closing(connect(url)) as connection, closing(connection.channel()) as channel:
        EXCHANGE(channel).declare()
        Queue(f"{service}.crashed", durable=True, queue_arguments={"x-queue-type": "quorum"})(channel).declare()
        queue_of(service, types)(channel).declare()


class Confirms:
    """Which messages of a channel the broker has yet to confirm. Confirms come in any order, alone or for all up to a tag."""

    def __init__(self) -> None:
        self._last = 0
        self.open: set[int] = set()
        self.refused: set[int] = set()

    def sent(self) -> None:
        self._last += 1
        self.open.add(self._last)

    def on_ack(self, tag: int, multiple: bool) -> None:
        self.open -= self._meant(tag, multiple)

    def on_nack(self, tag: int, multiple: bool) -> None:
        meant = self._meant(tag, multiple)
        self.refused |= meant
        self.open -= meant

    def _meant(self, tag: int, multiple: bool) -> set[int]:
        return {t for t in self.open if t <= tag} if multiple else {tag}


class Publisher:
    """Publishes with pipelined confirms. One per thread."""

    def __init__(self, url: str) -> None:
        self._connection = connect(url)
        self._channel: Any = None
        self._confirms = Confirms()
        self._returned: set[str] = set()

    def publish(self, messages: Sequence[tuple[str, str, bytes]], *, exchange: str = events.EXCHANGE) -> set[str]:
        """Publishes (event id, routing key, body) and waits until the broker has them all.

        Returns the ids that no queue takes. Errors: ConnectionError and the transport's own if the broker is away or refuses.
        """
        channel = self._open()
        self._returned.clear()
        for event_id, routing_key, body in messages:
            message = channel.prepare_message(
                body,
                content_type="application/cloudevents+json",
                content_encoding="utf-8",
                properties={"delivery_mode": 2, "message_id": event_id},
            )
            self._confirms.sent()
            channel.basic_publish(message, exchange=exchange, routing_key=routing_key, mandatory=True)
        while self._confirms.open:
            self._connection.drain_events(timeout=CONFIRM_TIMEOUT)
        if self._confirms.refused:
            raise ConnectionError(f"the broker refused {len(self._confirms.refused)} messages")
        return set(self._returned)

    def _open(self) -> Any:
        if self._channel is None:
            self._connection.ensure_connection(max_retries=1)
            channel = self._connection.channel()
            channel.confirm_select()
            self._confirms = Confirms()
            channel.events["basic_ack"].add(self._confirms.on_ack)
            channel.events["basic_nack"].add(self._confirms.on_nack)
            channel.events["basic_return"].add(self._on_return)
            self._channel = channel
        return self._channel

    def _on_return(self, _error: Any, _exchange: str, _routing_key: str, message: Any) -> None:
        self._returned.add(message.properties["message_id"])

    @property
    def transport_errors(self) -> tuple[type[Exception], ...]:
        return (*self._connection.connection_errors, *self._connection.channel_errors, ConnectionError, OSError)

    def close(self) -> None:
        self._channel = None
        self._connection.close()


_PENDING = text(
    "SELECT seq, event_id, type, body FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_PUBLISHED = text("UPDATE outbox SET published_at = now() WHERE seq = ANY(:seqs)")


class Relay:
    """Moves committed events from the outbox to the broker. Several may run at once: each takes rows no other holds.

    Rows are found by "not yet published", never by "after the last one": sequence numbers commit out of order.
    A row is marked after the broker confirmed it; a kill in between publishes it twice, and consumers absorb that.
    """

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._publisher = Publisher(runtime.settings.amqp_url)
        self._warned: set[str] = set()

    def run(self, stop: threading.Event, wake: threading.Event) -> None:
        pause = 0.2
        while not stop.is_set():
            try:
                wake.clear()
                moved = self.move()
                pause = 0.2
                if moved == 0:
                    wake.wait(timeout=1.0)
                elif moved < BATCH:
                    stop.wait(GATHER)
            except self._publisher.transport_errors as error:
                log.warning("broker_unreachable", extra={"error": str(error), "retry_in": pause})
                self._publisher.close()
                stop.wait(pause)
                pause = min(pause * 2, 5.0)
            except Exception:
                log.exception("relay_failed")
                stop.wait(1.0)
        self._publisher.close()

    def move(self) -> int:
        """Publishes up to a batch; returns how many rows were taken."""
        with self._runtime.engine.begin() as connection:
            rows = connection.execute(_PENDING, {"limit": BATCH}).all()
            if rows:
                unheard = self._publisher.publish([(str(r.event_id), r.type, bytes(r.body)) for r in rows])
                self._report(rows, unheard)
                connection.execute(_PUBLISHED, {"seqs": [r.seq for r in rows]})
        telemetry.events_published.add(len(rows))
        return len(rows)

    def _report(self, rows: Sequence[Any], unheard: set[str]) -> None:
        """Events that no queue takes are kept in the outbox for a week like all others, and said once per type.

        Which types nobody needs is part of the catalogue, and a test compares it with who listens; queues are declared at
        deployment before anything is published. So this is a deployment's mistake, mended by `republish`.
        """
        for row in rows:
            if str(row.event_id) in unheard and row.type not in self._warned:
                self._warned.add(row.type)
                log.warning("event_unheard", extra={"type": row.type})
