"""Fixtures for the tests of services: real PostgreSQL, real gRPC, the real ASGI application; tokens signed by a key of the test run.

A service's database is migrated once into a template and cloned for each test process; every test makes firms of its own, so
nothing needs to be emptied in between.
"""

import hashlib
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import UUID

import httpx
import jwt
import psutil
import psycopg
import pytest
from a2wsgi import ASGIMiddleware
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import Message
from psycopg import sql
from sqlalchemy import Engine, event, text

from chassis import auth, bus, events, migrate, wire
from chassis.bootstrap import bootstrap
from chassis.consumer import Handler
from chassis.db import new_id
from chassis.due import Timers
from chassis.service import Runtime, Service
from chassis.uow import Uow, unit_of_work

ISSUER = "http://praxis.test"
PASSWORD = "only-for-tests"


def backing(name: str) -> str:
    """A backing server's setting: from the environment, or from what `python -m tools.backing up` wrote."""
    if name in os.environ:
        return os.environ[name]
    file = Path(os.environ.get("PRAXIS_STATE_DIR", ".praxis")) / "test" / "env"
    if file.exists():
        for line in file.read_text().splitlines():
            key, _, value = line.partition("=")
            if key == name:
                return value
    pytest.fail(
        f"{name} is not set: run the tests by ./praxis test, or start the servers by python -m tools.backing up"
    )


@dataclass
class TestKeys:
    """Signs tokens as identity would, and is the key source that verifies them."""

    __test__ = False
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def key(self, kid: str) -> Any:
        return self.private.public_key() if kid == "test" else None

    def token(self, audience: str, sub: str, firm: UUID | None, **claims: Any) -> str:
        now = datetime.now(UTC)
        # Longer than identity's ten minutes: a test on a busy machine shall not end by its caller's session.
        body = {"iss": ISSUER, "aud": audience, "sub": sub, "iat": now, "exp": now + timedelta(hours=2), **claims}
        if firm:
            body["firm"] = str(firm)
        return jwt.encode(body, self.private, algorithm=auth.ALGORITHM, headers={"kid": "test"})


@dataclass(frozen=True)
class TestTokens:
    """The service's own tokens without identity."""

    __test__ = False
    keys: TestKeys
    service: str

    def get(self, firm_id: UUID | None) -> str:
        return self.keys.token("service", f"service:{self.service}", firm_id)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with what tests ask of it."""

    response: httpx.Response

    @property
    def json(self) -> Any:
        return self.response.json()

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    @property
    def etag(self) -> str:
        return self.response.headers["etag"]

    def expect(self, status: int) -> "Answer":
        assert self.status == status, f"{self.status} instead of {status}: {self.response.text[:2000]}"
        return self

    def problem(self, status: int, code: str) -> "Answer":
        """Expects a problem of that status and code."""
        self.expect(status)
        assert self.response.headers["content-type"].startswith("application/problem+json"), self.response.headers
        assert self.json["code"] == code, self.response.text
        return self


@dataclass(frozen=True)
class Api:
    """The service's API as one caller sees it. Paths are below the API's root, or absolute from `/api` or the pages."""

    client: httpx.Client
    root: str
    token: str | None

    def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        if_match: str | int | None = None,
        key: str | None = None,
        **more: Any,
    ) -> Answer:
        headers = dict(more.pop("headers", {}))
        if self.token:
            headers.setdefault("authorization", f"Bearer {self.token}")
        if if_match is not None:
            headers["if-match"] = if_match if isinstance(if_match, str) else f'"{if_match}"'
        if key is not None:
            headers["idempotency-key"] = key
        url = path if path.startswith(("/api/", "/portal")) else self.root + path
        if json is not None:
            more["json"] = json
        return Answer(self.client.request(method, url, headers=headers, **more))

    def get(self, path: str, **more: Any) -> Answer:
        return self.request("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Answer:
        return self.request("POST", path, json, **more)

    def patch(self, path: str, json: Any = None, **more: Any) -> Answer:
        return self.request("PATCH", path, json, **more)

    def put(self, path: str, json: Any = None, **more: Any) -> Answer:
        return self.request("PUT", path, json, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.request("DELETE", path, **more)


# Where the services that stand-ins stand for were before: a world is shared by the files of a run, in whatever order.
_stand_ins: dict[tuple[int, str], tuple["World", str]] = {}


def dismiss_stand_ins() -> None:
    """Every other service is again where it was; so no file of tests lives off what another one set up."""
    for (_, setting), (world, target) in _stand_ins.items():
        object.__setattr__(world.runtime.settings, setting, target)
        world.runtime.channels.close()
    _stand_ins.clear()


@dataclass
class World:
    """A service with a database of its own, as tests use it."""

    runtime: Runtime
    keys: TestKeys
    _client: httpx.Client | None = None
    _servers: list[Any] = field(default_factory=list)

    @property
    def service(self) -> Service:
        return self.runtime.service

    def firm(self) -> UUID:
        """A firm nobody has used before."""
        return new_id()

    def api(
        self,
        firm: UUID,
        *,
        staff: UUID | str | None = None,
        permissions: list[str] | None = None,
        audience: str = "staff",
        clients: list[UUID] | None = None,
        **claims: Any,
    ) -> Api:
        """The API as a staff member (or partner, or contact) sees it; by default with every permission the service knows."""
        if permissions is None:
            permissions = ["portal:self"] if audience == "portal" else sorted(self.all_permissions())
        claims = {"name": "Test", "permissions": permissions, **claims}
        if clients is not None:
            claims["clients"] = [str(c) for c in clients]
        return self.anonymous(self.keys.token(audience, str(staff or new_id()), firm, **claims))

    def anonymous(self, token: str | None = None) -> Api:
        """The API with that token, or none."""
        if self._client is None:
            self._client = self._start_http()
        return Api(self._client, f"/api/{self.service.name}/v1", token)

    def all_permissions(self) -> set[str]:
        """Every permission that an operation of the service needs."""
        return self._permissions

    @cached_property
    def _permissions(self) -> set[str]:
        from chassis import openapi

        spec = openapi.load(self.service.root / "openapi.yaml")
        return {s for o in openapi.operations(spec) for r in o.get("security", []) for s in r.get("token", [])}

    def _start_http(self) -> httpx.Client:
        from chassis.http import make_app

        # a2wsgi runs the ASGI application in a thread of its own; httpx calls it like any server, without a socket.
        return httpx.Client(
            transport=httpx.WSGITransport(ASGIMiddleware(make_app(self.runtime), wait_time=10)), base_url=ISSUER
        )

    @contextmanager
    def uow(
        self, firm: UUID, *, staff: UUID | str | None = None, principal: auth.Principal | None = None
    ) -> Iterator[Uow]:
        """A unit of work that commits at the end: as a staff member, or as the service itself."""
        if principal is None:
            principal = (
                auth.Principal("staff", str(staff), firm, name="Test")
                if staff
                else auth.system(self.service.name, firm)
            )
        with unit_of_work(self.runtime, principal, firm_id=firm) as uow:
            yield uow
            uow.commit()

    def events(self, firm: UUID, type: type[Message] | None = None) -> list[Any]:
        """What the firm's units of work have announced, in order."""
        with self.runtime.engine.connect() as connection:
            bodies = connection.execute(
                text("SELECT body FROM outbox WHERE firm_id = :firm ORDER BY seq"), {"firm": firm}
            ).scalars()
            envelopes = [events.Envelope.decode(bytes(b)) for b in bodies]
        classes = {events.type_of(c): c for c in _event_classes()}
        return [events.unwrap(e, classes[e.type]) for e in envelopes if type is None or e.type == events.type_of(type)]

    def deliver(
        self,
        firm: UUID,
        event: Message,
        *,
        subject: str = "subject",
        version: int | None = None,
        id: UUID | None = None,
    ) -> bool:
        """Hands an event to the consumer as the bus would; False if it had been handled before."""
        stated = getattr(event, "version", 1) if version is None else version
        envelope = events.wrap(
            event, source="test", subject=subject, firm_id=firm, version=stated, at=datetime.now(UTC)
        )
        if id is not None:
            envelope = events.Envelope(**{f: getattr(envelope, f) for f in envelope.__slots__} | {"id": id})
        return Handler(self.runtime).handle(envelope.encode())

    def run_due(self, firm: UUID, *, at: datetime | None = None) -> int:
        """Runs the firm's work that is due (by `at`) as the worker would."""
        return Timers(self.runtime).run_due(now=at, firm_id=firm)

    def due(self, firm: UUID) -> list[Any]:
        """The firm's planned work: kind, key, run_at, payload, done_at, error."""
        with self.runtime.engine.connect() as connection:
            return list(
                connection.execute(
                    text("SELECT * FROM due WHERE firm_id = :firm ORDER BY run_at"), {"firm": firm}
                ).all()
            )

    def audit(self, firm: UUID) -> list[Any]:
        """The firm's audit rows in order."""
        with self.uow(firm) as uow:
            return list(uow.session.execute(text("SELECT * FROM audit ORDER BY id")).all())

    def answers(self, service: str, methods: Mapping[str, Callable[[Any], Message]]) -> list[tuple[str, Any]]:
        """A real gRPC server at the port of another service, answering by these functions; returns the list of calls it will have had."""
        calls: list[tuple[str, Any]] = []
        self._ask_at(f"{service}_grpc", serve_methods(service, methods, calls, self._servers))
        return calls

    def _ask_at(self, setting: str, target: str) -> None:
        _stand_ins.setdefault((id(self), setting), (self, getattr(self.runtime.settings, setting)))
        object.__setattr__(self.runtime.settings, setting, target)
        self.runtime.channels.close()

    def grpc(self, firm: UUID, *, caller: str, user: str | None = None) -> SimpleNamespace:
        """The service's own gRPC server as another service sees it; `user` is the token of the person behind the call."""
        from chassis.rpc import Channels, make_server

        server, port = make_server(self.runtime)
        server.start()
        self._servers.append(server)
        contract = self.service.rpc[0][0].file.package.split(".")[1]
        asking = Runtime(
            Service(caller, self.service.root, self.service.settings),
            SimpleNamespace(**{f"{contract}_grpc": f"127.0.0.1:{port}"}),
        )
        asking.__dict__["tokens"] = TestTokens(self.keys, caller)
        principal = auth.TokenVerifier(self.keys, ISSUER).verify(user) if user else auth.system(caller, firm)
        channels = Channels(asking)

        def call(method: str, request: Any, *, key: str | None = None, timeout: float = 10) -> Any:
            return channels.ask(contract, method, request, principal=principal, firm_id=firm, timeout=timeout, key=key)

        return SimpleNamespace(call=call)

    def portal_token(self, firm: UUID, clients: list[UUID], contact: UUID | None = None) -> str:
        """A contact's token."""
        ids = [str(c) for c in clients]
        return self.keys.token(
            "portal", str(contact or new_id()), firm, name="Contact", permissions=["portal:self"], clients=ids
        )

    def staff_token(self, firm: UUID, staff: UUID | None = None, permissions: list[str] | None = None) -> str:
        """A staff member's token."""
        return self.keys.token(
            "staff",
            str(staff or new_id()),
            firm,
            name="Test",
            permissions=permissions or sorted(self.all_permissions()),
        )

    def close(self) -> None:
        for server in self._servers:
            server.stop(None)
        if self._client:
            self._client.close()
        self.runtime.engine.dispose()


def serve_methods(
    service: str, methods: Mapping[str, Callable[[Any], Message]], calls: list[tuple[str, Any]], servers: list[Any]
) -> str:
    """Serves some methods of a service's contract by plain functions; returns the target. Refusals are raised as `DomainError`."""
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    from chassis.errors import DomainError
    from chassis.rpc import _method, refuse

    def make(name: str, function: Callable[[Any], Message], streaming: bool) -> Any:
        def answer(request: Any, context: Any) -> bytes:
            received = list(request) if streaming else request
            calls.append((name, received))
            try:
                return function(received).SerializeToString()
            except DomainError as error:
                refuse(context, error)

        return answer

    handlers = {}
    descriptor = None
    for name, function in methods.items():
        method = _method(service, name)
        descriptor = method.containing_service
        streaming = bool(getattr(method, "client_streaming", False))
        kind = grpc.stream_unary_rpc_method_handler if streaming else grpc.unary_unary_rpc_method_handler
        handlers[name] = kind(
            make(name, function, streaming),
            request_deserializer=events.message_class(method.input_type).FromString,
            response_serializer=lambda body: body,
        )
    assert descriptor is not None
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(descriptor.full_name, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    servers.append(server)
    return f"127.0.0.1:{port}"


def _event_classes() -> list[type[Message]]:
    from praxis.clients.v1 import events_pb2 as clients
    from praxis.documents.v1 import events_pb2 as documents
    from praxis.identity.v1 import events_pb2 as identity
    from praxis.portal.v1 import events_pb2 as portal
    from praxis.timebilling.v1 import events_pb2 as timebilling
    from praxis.workflow.v1 import events_pb2 as workflow

    modules = (clients, documents, identity, portal, timebilling, workflow)
    descriptors = itertools.chain.from_iterable(m.DESCRIPTOR.message_types_by_name.values() for m in modules)
    return [events.message_class(d) for d in descriptors if events.event_option(d)]


_clone = itertools.count()
_template_lock = threading.Lock()


def clone_database(service: Service) -> tuple[str, str]:
    """A fresh, migrated database of the service: URLs of its app login and of its owner."""
    superuser = backing("PRAXIS_TEST_POSTGRES_URL")
    template = f"template_{service.name}_{_fingerprint(service)}"
    with _template_lock, psycopg.connect(superuser, autocommit=True) as connection:
        # One process makes the template, the others wait.
        connection.execute("SELECT pg_advisory_lock(hashtextextended('praxis test templates', 0))")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (template,)).fetchone():
            making = f"{template}_making"
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(making)))
            bootstrap(superuser, service.name, PASSWORD, PASSWORD, making)
            migrate.upgrade(service.root, _url(superuser, f"{service.name}_owner", making))
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(template))
            )
        name = f"test_{service.name}_{os.getpid()}_{next(_clone)}"
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(f"{service.name}_owner")
            )
        )
    return _url(superuser, f"{service.name}_app", name), _url(superuser, f"{service.name}_owner", name)


def drop_database(url: str) -> None:
    name = httpx.URL(url).path.strip("/")
    with psycopg.connect(backing("PRAXIS_TEST_POSTGRES_URL"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _url(superuser: str, role: str, database: str) -> str:
    url = httpx.URL(superuser)
    return f"postgresql://{role}:{PASSWORD}@{url.host}:{url.port}/{database}"


def _fingerprint(service: Service) -> str:
    files = [
        *sorted((service.root / "migrations").rglob("*.py")),
        Path(migrate.__file__),
        Path(__file__).with_name("bootstrap.py"),
    ]
    return hashlib.sha256(b"\0".join(f.read_bytes() for f in files)).hexdigest()[:12]


def make_world(service: Service, **settings: Any) -> World:
    """A world for a service; `settings` are those the service needs beyond the common ones."""
    database_url, owner_url = clone_database(service)
    keys = TestKeys()
    loaded = service.settings(
        database_url=database_url,
        owner_database_url=owner_url,
        issuer=ISSUER,
        public_url=ISSUER,
        **{"validate_responses": True, **settings},
    )
    runtime = Runtime(service, loaded, keys=keys)
    runtime.__dict__["tokens"] = TestTokens(keys, service.name)
    return World(runtime, keys)


def service_world(service: Service, **settings: Any) -> Any:
    """A session-wide pytest fixture with a world of the service."""

    @pytest.fixture(scope="session")
    def world() -> Iterator[World]:
        made = make_world(service, **settings)
        yield made
        made.close()
        drop_database(made.runtime.settings.database_url)

    return world


@contextmanager
def private_virtual_host() -> Iterator[str]:
    """A virtual host of the test broker for one run: its AMQP URL. Needs PRAXIS_TEST_AMQP_API (the management URL)."""
    api = httpx.URL(backing("PRAXIS_TEST_AMQP_API"))
    name = f"test_{os.getpid()}_{next(_clone)}"
    with httpx.Client(
        base_url=api.copy_with(username=None, password=None), auth=(api.username, api.password)
    ) as management:
        management.put(f"/api/vhosts/{name}").raise_for_status()
        management.put(
            f"/api/permissions/{name}/{api.username}", json={"configure": ".*", "write": ".*", "read": ".*"}
        ).raise_for_status()
        try:
            url = httpx.URL(backing("PRAXIS_TEST_AMQP_URL"))
            yield str(url.copy_with(path="/" + name))
        finally:
            management.delete(f"/api/vhosts/{name}")


@contextmanager
def worker_processes(
    world: World, **more: str
) -> Iterator[Callable[[], AbstractContextManager[subprocess.Popen[bytes]]]]:
    """What starts the world's worker as a process of its own, as it is deployed: `with start() as process`. It is killed at the end.

    `more`: settings of the service besides those that every worker has.
    """
    name, settings = world.service.name, world.runtime.settings

    @contextmanager
    def start() -> Iterator[subprocess.Popen[bytes]]:
        environment = (
            os.environ
            | more
            | {
                "PRAXIS_DATABASE_URL": settings.database_url,
                "PRAXIS_AMQP_URL": url,
                "PRAXIS_ISSUER": settings.issuer,
                "PRAXIS_JWKS_URL": "http://127.0.0.1:1/never-asked",
                "PRAXIS_TOKEN_URL": "http://127.0.0.1:1/never-asked",
                "PRAXIS_SERVICE_SECRET": "never-used",
            }
        )
        command, nothing = [sys.executable, "-m", name, "worker"], subprocess.DEVNULL
        process = subprocess.Popen(command, env=environment, stdout=nothing, stderr=nothing)
        try:
            yield process
        finally:
            _kill(process, world)

    with private_virtual_host() as url:
        bus.declare(url, "anybody", ["#"])
        bus.declare(url, name, [])
        yield start


def _kill(process: subprocess.Popen[bytes], world: World) -> None:
    """Kills it and waits until the database has noticed: what it was doing keeps its rows locked until then."""
    try:
        ports = [socket.laddr.port for socket in psutil.Process(process.pid).net_connections("tcp")]
    except psutil.NoSuchProcess:
        ports = []
    process.kill()
    process.wait()
    sessions = text("SELECT count(*) FROM pg_stat_activity WHERE client_port = ANY(:ports)")

    def gone() -> bool:
        with world.runtime.engine.connect() as connection:
            return connection.execute(sessions, {"ports": ports}).scalar_one() == 0

    eventually(gone)


def eventually(check: Callable[[], Any], *, within: float = 120.0) -> Any:
    """Asks until the answer is true and returns it; fails after `within` seconds, telling the last error.

    The deadline is for what never comes. How soon a thing comes is measured by benches, not by tests.
    """
    deadline, last = time.monotonic() + within, None
    while time.monotonic() < deadline:
        try:
            if answer := check():
                return answer
        except (AssertionError, KeyError, LookupError, httpx.HTTPError) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"not within {within} s: {last or 'never true'}")


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What this process asks of databases meanwhile, by the mapper or past it: each statement with its values, as the driver takes them."""
    seen: list[tuple[str, Any]] = []
    fetch = Uow._fetched

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, values))

    def fetched(uow: Uow, statement: str, values: Mapping[str, Any], shape: Any) -> list[Any]:
        seen.append((wire.driver_form(statement).decode(), dict(values)))
        return fetch(uow, statement, values, shape)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with mock.patch.object(Uow, "_fetched", fetched):
            yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def unmapped_differences(service: Service, metadata: Any, owner_url: str) -> list[Any]:
    """What the mappings say that the migrated database does not, and the other way round (for a service's own test)."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine

    from chassis.db import plumbing

    plumbed = set(plumbing.tables) | {"alembic_version", "merged_ids"}
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": lambda o, name, kind, *_: (
                    not (kind == "table" and name in plumbed) and kind in ("table", "column")
                )
            },
        )
        differences = compare_metadata(context, metadata)
    engine.dispose()
    return differences
