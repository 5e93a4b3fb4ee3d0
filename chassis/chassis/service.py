"""What a service is made of, and how it runs: `python -m <service> http | grpc | worker | migrate | republish | dead-letters | check`."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from sqlalchemy import Engine, text

from chassis import auth, migrate, telemetry
from chassis.auth import JwksKeys, KeySource, ServiceTokens, TokenVerifier
from chassis.consumer import Listen
from chassis.db import make_engine
from chassis.errors import DomainError
from chassis.settings import ServiceSettings, host_port
from chassis.uow import Uow, unit_of_work
from chassis.waking import Waker

log = logging.getLogger(__name__)

State = tuple[UUID, int, Message]  # subject, version, event


@dataclass(frozen=True)
class Service:
    """A service on one screen: its contract, what it listens to, what it does later, how it checks itself."""

    name: str
    root: Path
    settings: type[ServiceSettings]
    rpc: Sequence[tuple[ServiceDescriptor, ModuleType]] = ()
    listens: Sequence[Listen] = ()
    timers: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    merged: str = (
        ""  # the parameter with ids that may have been given up for another; lists follow it (`chassis.merged`)
    )
    republish: Mapping[type[Message], Callable[[Uow], Iterable[State]]] = field(default_factory=dict)
    checks: Mapping[str, Callable[[Uow], Iterable[str]]] = field(default_factory=dict)
    constraints: Mapping[str, DomainError] = field(default_factory=dict)
    pages: Mapping[str, Callable[["Runtime"], Any]] = field(default_factory=dict)  # prefix -> makes the WSGI app
    on_migrate: Sequence[Callable[[Any], object]] = ()  # after the database: buckets, say; takes the settings
    keys: Callable[[Any], KeySource] | None = None  # makes the key source from the settings; default: identity's JWKS
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict)  # mode -> settings of its own it can't do without
    modes: Mapping[str, Callable[["Runtime", list[str]], object]] = field(
        default_factory=dict
    )  # further modes and commands


@dataclass
class Runtime:
    """A service in a process: its settings and what it holds open."""

    service: Service
    settings: Any
    keys: KeySource | None = None
    tenants: set[UUID] = field(default_factory=set)
    _migrated: bool = False

    @cached_property
    def engine(self) -> Engine:
        # One connection for each request thread and one for who wakes the worker.
        return make_engine(self.settings.database_url, pool=self.settings.threads + 1, name=f"{self.service.name}")

    @cached_property
    def waker(self) -> Waker:
        return Waker(self.engine)

    @cached_property
    def verifier(self) -> TokenVerifier:
        own = self.service.keys(self.settings) if self.service.keys and not self.keys else None
        return TokenVerifier(self.keys or own or JwksKeys(self.settings.jwks_url), self.settings.issuer)

    @cached_property
    def tokens(self) -> ServiceTokens:
        return ServiceTokens(self.settings.token_url, self.service.name, self.settings.service_secret)

    @cached_property
    def channels(self) -> Any:
        from chassis.rpc import Channels

        return Channels(self)

    def why_not_ready(self) -> str:
        """Empty when requests can be served; else what is missing."""
        try:
            if not self._migrated:
                if not migrate.at_head(self.service.root, self.engine):
                    return "the database is not at this release's migration"
                self._migrated = True
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return ""
        except Exception as error:
            self.engine.dispose()
            return f"database: {str(error).splitlines()[0]}"

    def known_firms(self) -> list[UUID]:
        """Every firm this service has ever worked for."""
        with self.engine.connect() as connection:
            return list(connection.execute(text("SELECT firm_id FROM tenant ORDER BY firm_id")).scalars())


def main(service: Service, argv: list[str] | None = None) -> None:
    """Runs the mode named on the command line."""
    arguments = sys.argv[1:] if argv is None else argv
    modes: dict[str, Callable[[Runtime, list[str]], object]] = {
        "http": _http,
        "grpc": _grpc,
        "worker": _worker,
        "migrate": _migrate,
        "republish": _republish,
        "dead-letters": _dead_letters,
        "check": _check,
        **service.modes,
    }
    if not arguments or arguments[0] not in modes:
        sys.exit(f"usage: python -m {service.name} {' | '.join(modes)}")
    settings = service.settings.load()
    settings.require(*service.needs.get(arguments[0], ()))
    telemetry.set_up(service.name, arguments[0], settings.log_level)
    modes[arguments[0]](Runtime(service, settings), arguments[1:])


# --- processes --------------------------------------------------------------------------------------------------------


def _http(runtime: Runtime, _arguments: list[str]) -> None:
    runtime.settings.require("database_url", "issuer", "jwks_url")
    from gunicorn.app.base import BaseApplication

    class App(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": runtime.settings.http_bind,
                "workers": runtime.settings.http_workers,
                "worker_class": "uvicorn_worker.UvicornWorker",
                "graceful_timeout": 20,
                "timeout": 60,
                "keepalive": 75,
                "proc_name": f"praxis-{runtime.service.name}",
                # A heartbeat file on a disk can block; memory can't.
                "worker_tmp_dir": _MEMORY if os.access(_MEMORY, os.W_OK) else None,
                "logger_class": _quiet_logger(),
                "control_socket_disable": True,
            }.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            from chassis.http import make_app

            return make_app(runtime)

    App().run()


_MEMORY = "/dev/shm"  # noqa: S108 - gunicorn makes a file of its own in it


def _quiet_logger() -> Any:
    """gunicorn's own logger, writing through ours."""
    from gunicorn.glogging import Logger

    class Quiet(Logger):  # type: ignore[misc]
        def setup(self, cfg: Any) -> None:
            self.error_log.propagate = True
            self.access_log.propagate = True

    return Quiet


def _grpc(runtime: Runtime, _arguments: list[str]) -> None:
    runtime.settings.require("database_url", "issuer", "jwks_url")
    from chassis.rpc import make_server

    server, port = make_server(runtime)
    server.start()
    log.info("serving_grpc", extra={"port": port})
    stop = _stop_event()
    _serve_health(runtime, stop)
    stop.wait()
    server.stop(grace=20).wait()
    runtime.channels.close()


_BEHIND = 10  # where processors are short, whoever waits for an answer goes before what may follow


def _worker(runtime: Runtime, _arguments: list[str]) -> None:
    runtime.settings.require("database_url", "amqp_url")
    from chassis.worker import run

    os.nice(_BEHIND)
    stop = _stop_event()
    _serve_health(runtime, stop)
    run(runtime, stop)


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    return stop


def _serve_health(runtime: Runtime, stop: threading.Event) -> None:
    """/healthz and /readyz for processes that speak no HTTP otherwise."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            why_not = "" if self.path == "/healthz" else "stopping" if stop.is_set() else runtime.why_not_ready()
            body = (why_not or "ok").encode()
            self.send_response(503 if why_not else 200)
            self.send_header("content-type", "text/plain")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(host_port(runtime.settings.health_bind), Health)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()


# --- commands ---------------------------------------------------------------------------------------------------------


def _migrate(runtime: Runtime, _arguments: list[str]) -> None:
    runtime.settings.require("owner_database_url", "amqp_url")
    from chassis import bus

    migrate.upgrade(runtime.service.root, runtime.settings.owner_database_url)
    bus.declare(
        runtime.settings.amqp_url, runtime.service.name, sorted({listen.type for listen in runtime.service.listens})
    )
    for step in runtime.service.on_migrate:
        step(runtime.settings)
    log.info("migrated", extra={"service": runtime.service.name})


def _firms(runtime: Runtime, chosen: str | None) -> Iterator[Uow]:
    """A unit of work for each firm, as the service itself."""
    for firm in [UUID(chosen)] if chosen else runtime.known_firms():
        with unit_of_work(runtime, auth.system(runtime.service.name, firm)) as uow:
            yield uow


def _republish(runtime: Runtime, arguments: list[str]) -> None:
    """Sends current state again, to one queue only: for a copy that is new or was dropped."""
    parser = argparse.ArgumentParser(prog=f"python -m {runtime.service.name} republish")
    parser.add_argument("--type", required=True, help="e.g. praxis.clients.client.changed.v1")
    parser.add_argument("--to-queue", required=True, help="e.g. workflow.events")
    parser.add_argument("--firm", help="only this firm")
    options = parser.parse_args(arguments)
    print(f"{republish(runtime, options.type, options.to_queue, options.firm)} events sent to {options.to_queue}")


def republish(runtime: Runtime, type: str, to_queue: str, firm: str | None = None) -> int:
    """Sends the current state of everything of that type to a queue; returns how many events."""
    from chassis import bus, events

    states = {events.type_of(message): query for message, query in runtime.service.republish.items()}
    if type not in states:
        sys.exit(f"{runtime.service.name} republishes: {', '.join(sorted(states)) or 'nothing'}")
    publisher, sent = bus.Publisher(runtime.settings.amqp_url), 0
    try:
        for uow in _firms(runtime, firm):
            batch: list[tuple[str, str, bytes]] = []
            for subject, version, message in states[type](uow):
                envelope = events.wrap(
                    message,
                    source=runtime.service.name,
                    subject=str(subject),
                    firm_id=uow.firm_id,
                    version=version,
                    at=uow.now,
                )
                batch.append((str(envelope.id), to_queue, envelope.encode()))
                if len(batch) == bus.BATCH:
                    sent += _send(publisher, batch)
            sent += _send(publisher, batch)
    finally:
        publisher.close()
    return sent


def _send(publisher: Any, batch: list[tuple[str, str, bytes]]) -> int:
    unheard = publisher.publish(batch, exchange="") if batch else set()
    if unheard:
        sys.exit(f"there is no queue {batch[0][1]}")
    count = len(batch)
    batch.clear()
    return count


def _dead_letters(runtime: Runtime, arguments: list[str]) -> None:
    """Lists what could not be handled, or hands it to the worker again."""
    from chassis.worker import dead_letters, replay

    parser = argparse.ArgumentParser(prog=f"python -m {runtime.service.name} dead-letters")
    parser.add_argument("--replay", metavar="ID", help="an id, or `all`")
    options = parser.parse_args(arguments)
    if options.replay:
        print(
            f"{replay(runtime, None if options.replay == 'all' else UUID(options.replay))} handed to the worker again"
        )
        return
    for letter in dead_letters(runtime):
        print(
            f"{letter.id}  {letter.at:%Y-%m-%d %H:%M:%S}  {letter.source:5}  {letter.type}  {letter.error.strip().splitlines()[-1][:160]}"
        )


def _check(runtime: Runtime, _arguments: list[str]) -> None:
    """Runs the service's invariants over all firms; each violation is a line, and the exit code says whether there was any."""
    violations = list(check(runtime))
    for line in violations:
        print(line)
    print(f"{runtime.service.name}: {len(runtime.known_firms())} firms, {len(violations)} violations")
    sys.exit(1 if violations else os.EX_OK)


def check(runtime: Runtime) -> Iterator[str]:
    """Every violation of the service's invariants, as "firm: invariant: what"."""
    from chassis import sealing

    for uow in _firms(runtime, None):
        for name, query in {**runtime.service.checks, "audit chain whole": sealing.broken}.items():
            for violation in query(uow):
                yield f"{uow.firm_id}: {name}: {violation}"
