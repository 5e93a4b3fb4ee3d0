"""Listens to everything on the bus, with a queue of this process's own that vanishes with it."""

import logging
import threading
from collections.abc import Callable

from kombu import Consumer, Message, Queue

from chassis.bus import EXCHANGE, connect
from chassis.events import Envelope

log = logging.getLogger(__name__)

_LIMIT = 50_000  # messages the broker holds for a process that has stopped reading


class Listener:
    """A thread that hands on every event. After each interruption it says so before it goes on."""

    def __init__(
        self, url: str, *, on_event: Callable[[Envelope], object], on_interruption: Callable[[], object]
    ) -> None:
        self._url, self._on_event, self._on_interruption = url, on_event, on_interruption
        self._stop = threading.Event()
        self.connected = threading.Event()  # has been, at least once
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        pause = 0.2
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception as error:  # the broker is away, in one of the many ways its client says so
                log.warning("broker_unreachable", extra={"error": repr(error), "retry_in": pause})
                self._stop.wait(pause)
                pause = min(pause * 2, 5.0)
            else:
                pause = 0.2

    def _listen(self) -> None:
        with connect(self._url) as connection:
            connection.ensure_connection(max_retries=1)
            channel = connection.channel()
            queue = Queue(
                "",
                exchange=EXCHANGE,
                routing_key="#",
                exclusive=True,
                auto_delete=True,
                durable=False,
                max_length=_LIMIT,
            )
            with Consumer(channel, [queue], callbacks=[self._handle], no_ack=True):
                if self.connected.is_set():
                    self._on_interruption()
                self.connected.set()
                while not self._stop.is_set():
                    connection.heartbeat_check()
                    try:
                        connection.drain_events(timeout=1)
                    except TimeoutError:
                        continue

    def _handle(self, body: object, message: Message) -> None:
        try:
            raw = message.body if isinstance(message.body, bytes) else str(message.body).encode()
            event = Envelope.decode(raw)
        except ValueError:
            log.warning("event_unreadable", extra={"routing_key": message.delivery_info.get("routing_key")})
            return
        self._on_event(event)
