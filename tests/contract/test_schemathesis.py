"""Every operation of every service, called with what its specification allows and with what it does not.

Requests are made from the specification. Ids in them are replaced by ones that exist wherever one is known (seeded by events, or
learnt from earlier answers), so that acts meet real things and not only 404. Nothing may answer 5xx, break its own schema, or
accept what its specification refuses.
"""

import asyncio
import base64
import importlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
import requests
import schemathesis
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from minio import Minio
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from chassis.db import new_id
from chassis.errors import NotFound
from chassis.http import make_app
from chassis.testing import ISSUER, World, backing, drop_database, make_world
from praxis.clients.v1.events_pb2 import ClientChanged, ContactChanged, ContactRole, EngagementChanged, FeeTerms
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from praxis.workflow.v1.events_pb2 import JobChanged
from tests.contract import specs
from tools import catalogue

EXAMPLES = 8  # of each operation, half of them wrong on purpose
BUCKET = f"test-contract-{os.getpid()}"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def _place(of: tuple[str, specs.Operation]) -> tuple[str, bool, bool]:
    """Things are made before they are read, and read before they are changed, archived or closed."""
    service, operation = of
    makes = operation["method"] == "post" and "{" not in operation["path"]
    return service, not makes, operation["method"] != "get"


each_operation = pytest.mark.parametrize(
    ("service", "operation"),
    [
        pytest.param(s, o, id=f"{s} {o['method'].upper()} {o['path']}")
        for s, o in sorted(specs.operations(), key=_place)
    ],
)


class Door:
    """The service's own ASGI application, called in a loop of its own; nothing between it and the request that was made."""

    def __init__(self, world: World) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        transport = httpx.ASGITransport(make_app(world.runtime), raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport)
        self._base = f"{ISSUER}/api/{world.service.name}/v1"

    def call(self, case: Any, token: str) -> httpx.Response:
        arguments = case.as_transport_kwargs(base_url=self._base)
        sent: Any = requests.Request(**{name: arguments[name] for name in _SENT if name in arguments}).prepare()
        headers = {**sent.headers, "authorization": f"Bearer {token}"}
        request = self._client.request(sent.method, sent.url, headers=headers, content=sent.body)
        response = asyncio.run_coroutine_threadsafe(request, self._loop).result(60)
        response.elapsed = timedelta()  # a transport without a socket doesn't measure it
        return response

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)


_SENT = {"method", "url", "headers", "params", "data", "json", "files", "cookies"}


@dataclass
class House:
    """One service with a firm in it that knows a few things, and the ids of those things by the names bodies and paths use."""

    service: str
    world: World
    door: Door
    firm: UUID = field(default_factory=new_id)
    staff: UUID = field(default_factory=new_id)
    ids: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    @cached_property
    def described(self) -> OpenApiSchema:
        return schemathesis.openapi.from_dict(specs.spec(self.service))

    def move_in(self) -> "House":
        """Tells the service, by the events it listens to, of a firm, a staff member, a client, a contact, an engagement and a job."""
        client, contact, engagement, job, staff = (
            str(id) for id in (new_id(), new_id(), new_id(), new_id(), self.staff)
        )
        firm = {"name": "Firm", "time_zone": "Europe/London", "currency": "GBP", "country": "GB", "language": "en-GB"}
        events = [
            FirmUpdated(firm_id=str(self.firm), **firm, week_start=1, quiet_from="20:00", quiet_until="07:00", version=1),
            StaffChanged(staff_id=staff, name="Ada", email="ada@firm.example", roles=["owner"], grade="partner", active=True, version=1),
            ClientChanged(client_id=client, number="C1", name="Smith", kind="person", status="active", currency="GBP", country="GB", language="en", version=1),
            ContactChanged(contact_id=contact, name="Jo", email="jo@example.com", portal_access=True, active=True, version=1,
                           roles=[ContactRole(client_id=client, role="self")]),
            EngagementChanged(engagement_id=engagement, client_id=client, title="VAT", service="vat", status="open", starts_on="2026-01-01",
                              fee=FeeTerms(kind="hourly"), version=1),
            JobChanged(job_id=job, client_id=client, engagement_id=engagement, version=1),
        ]  # fmt: skip
        heard = {listen.event for listen in self.world.service.listens}
        for event in events:
            if type(event) in heard:
                self.world.deliver(self.firm, event)
        known = {"client_id": client, "contact_id": contact, "engagement_id": engagement, "job_id": job}
        mine = {f"{thing}_id" for thing in self._things()}
        self.ids = {name: id for name, id in known.items() if name not in mine}
        self.ids |= dict.fromkeys(["staff_id", "partner_id", "manager_id", "owner_id", "assignee_id"], staff)
        return self

    def _things(self) -> set[str]:
        """What this service itself makes: "client" for `/clients/{client_id}`."""
        return {
            name.removesuffix("_id")
            for path in specs.spec(self.service)["paths"]
            for name in re.findall(r"{(\w+_id)}", path)
        }

    def token(self, operation: specs.Operation) -> str:
        audience = operation.get("x-audiences", ["staff"])[0]
        if audience not in self._tokens:
            self._tokens[audience] = (
                self.world.portal_token(self.firm, [UUID(self.ids["client_id"])])
                if audience == "portal"
                else self.world.staff_token(self.firm, self.staff)
            )
        return self._tokens[audience]

    def fill(self, case: Any) -> None:
        """Puts ids that exist in place of invented ones, and the version that stands in place of an invented ETag."""
        for part in (case.path_parameters, case.query, case.body):
            self._fill(part)
        if any(p.name == "If-Match" for p in case.operation.headers):
            target = next((v for v in reversed((case.path_parameters or {}).values()) if v in self.versions), "")
            case.headers["If-Match"] = f'"{self.versions.get(target, 1)}"'

    def _fill(self, value: Any) -> None:
        if isinstance(value, list):
            for inside in value:
                self._fill(inside)
        if isinstance(value, dict):
            for name, inside in value.items():
                if name in self.ids and _is_id(inside):
                    value[name] = self.ids[name]
                self._fill(inside)

    def learn(self, operation: specs.Operation, response: httpx.Response) -> None:
        """Remembers a thing that was made or answered, by the name its id has in paths."""
        if response.is_success and "json" in response.headers.get("content-type", ""):
            answer = response.json()
            if isinstance(answer, dict) and _is_id(answer.get("id")):
                self.versions[answer["id"]] = answer.get("version", 1)
                if response.status_code == 201 and (name := self._named(operation["path"])):
                    self.ids[name] = answer["id"]

    def _named(self, path: str) -> str | None:
        collection = path.rsplit("/", 1)[-1]
        for known in specs.spec(self.service)["paths"]:
            if found := re.search(rf"/{re.escape(collection)}/{{(\w+)}}", known):
                return found[1]
        return None


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


@pytest.fixture(scope="module")
def house_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], House]]:
    """The services' houses, each built when it is first asked for."""
    houses: dict[str, House] = {}

    def get(service: str) -> House:
        if service not in houses:
            houses[service] = _build(service, tmp_path_factory.mktemp(service))
        return houses[service]

    yield get
    for house in houses.values():
        house.door.close()
        house.world.close()
        drop_database(house.world.runtime.settings.database_url)
    _remove_bucket()


def _build(service: str, folder: Path) -> House:
    module = importlib.import_module(f"{service}.app")
    wanted = {name: value for name, value in _settings(folder).items() if name in module.service.settings.model_fields}
    world = make_world(module.service, **wanted)
    for step in module.service.on_migrate:
        step(world.runtime.settings)
    _let_neighbours_know_nothing(world)
    return House(service, world, Door(world)).move_in()


def _settings(folder: Path) -> dict[str, Any]:
    key = folder / "signing.pem"
    key.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return {
        "field_key": base64.b64encode(bytes(range(32))).decode(),
        "signing_key_file": key,
        "service_secrets": {"clients": "only-for-tests"},
        "setup_token": "only-for-tests-only-for-tests",
        "s3_url": backing("PRAXIS_TEST_S3_URL"),
        "s3_public_url": backing("PRAXIS_TEST_S3_URL"),
        "s3_access_key": backing("PRAXIS_TEST_S3_ACCESS_KEY"),
        "s3_secret_key": backing("PRAXIS_TEST_S3_SECRET_KEY"),
        "s3_bucket": BUCKET,
    }


def _remove_bucket() -> None:
    """What the run left in the object store: nothing was sent there, so only begun uploads, which go with the bucket."""
    url, keys = backing("PRAXIS_TEST_S3_URL"), [backing(f"PRAXIS_TEST_S3_{part}_KEY") for part in ("ACCESS", "SECRET")]
    store = Minio(urlsplit(url).netloc, access_key=keys[0], secret_key=keys[1], secure=False, region="us-east-1")
    if store.bucket_exists(bucket_name=BUCKET):
        store.remove_bucket(bucket_name=BUCKET)


def _let_neighbours_know_nothing(world: World) -> None:
    """Real gRPC servers for the services this one asks; what it asks about they have never heard of."""

    def unknown(_: Any) -> Any:
        raise NotFound("unknown_here", "There is no such thing.")

    asked: dict[str, dict[str, Callable[[Any], Any]]] = {}
    for question in catalogue.questions():
        if world.service.name in question.callers:
            asked.setdefault(question.service, {})[question.method.name] = unknown
    for service, methods in asked.items():
        if f"{service}_grpc" in type(world.runtime.settings).model_fields:
            world.answers(service, methods)


@each_operation
def test_an_operation_keeps_its_word(
    service: str, operation: specs.Operation, house_of: Callable[[str], House]
) -> None:
    house = house_of(service)
    token = house.token(operation)
    described = house.described[operation["path"]][operation["method"].upper()]
    right, wrong = (
        described.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(right, wrong))
    def call(case: Any) -> None:
        house.fill(case)
        response = house.door.call(case, token)
        house.learn(operation, response)
        case.validate_response(response, checks=CHECKS)

    call()
