"""The live process as it is deployed, on a real broker: a process of its own, spoken to over HTTP."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from google.protobuf.message import Message

from chassis import bus, events
from chassis.db import new_id
from chassis.testing import World, eventually, private_virtual_host
from identity.staff.permissions import permissions_of
from identity.tokens.source import mint_of
from praxis.clients.v1.events_pb2 import ClientChanged
from praxis.common.v1.types_pb2 import Audience
from praxis.identity.v1.events_pb2 import FirmUpdated, NoticeChanged
from praxis.workflow.v1 import events_pb2 as workflow

PATH = "/api/identity/v1/live"
TYPE = "praxis.identity.firm.updated.v1"


@dataclass
class Live:
    """A running live process and the broker it listens to."""

    world: World
    url: str
    amqp: str
    process: subprocess.Popen

    def token(
        self,
        firm: UUID,
        *,
        staff: UUID | None = None,
        lifetime: int | None = None,
        audience: str = "staff",
        permissions: list[str] | None = None,
    ) -> str:
        now = datetime.now(UTC)
        mint = mint_of(self.world.runtime.settings)
        claims: dict[str, Any] = {
            "firm": str(firm),
            "permissions": permissions_of(["staff"]) if permissions is None else permissions,
        }
        if lifetime is not None:
            claims["exp"] = int(now.timestamp()) + lifetime
        return mint._sign(audience, str(staff or new_id()), now, **claims)

    def say(self, firm: UUID, event: Message, subject: str) -> None:
        """Any event, as its service would announce it."""
        version = getattr(event, "version", 1)
        envelope = events.wrap(
            event, source="test", subject=subject, firm_id=firm, version=version, at=datetime.now(UTC)
        )
        publisher = bus.Publisher(self.amqp)
        publisher.publish([(str(envelope.id), envelope.type, envelope.encode())])
        publisher.close()

    def publish(self, firm: UUID, *versions: int, subject: str = "thing") -> None:
        publisher = bus.Publisher(self.amqp)
        for version in versions:
            event = FirmUpdated(firm_id=str(firm), name="secret name", version=version)
            envelope = events.wrap(
                event, source="test", subject=subject, firm_id=firm, version=version, at=datetime.now(UTC)
            )
            publisher.publish([(str(envelope.id), envelope.type, envelope.encode())])
        publisher.close()

    @contextmanager
    def stream(self, token: str, last: str | None = None) -> Iterator["Stream"]:
        headers = {"authorization": f"Bearer {token}", **({"last-event-id": last} if last else {})}
        with httpx.stream("GET", self.url + PATH, headers=headers, timeout=60) as response:
            assert response.status_code == 200, response.read()
            assert response.headers["content-type"].startswith("text/event-stream")
            yield Stream(response.iter_lines())


@dataclass
class Stream:
    """What a browser makes of the lines."""

    lines: Iterator[str]
    last_id: str = ""
    comments: int = 0
    seen: list[tuple[str, Any]] = field(default_factory=list)

    def next(self) -> tuple[str, Any]:
        """The next event: its name and data."""
        event, data = "message", None
        for line in self.lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "event":
                event = value
            elif name == "data":
                data = json.loads(value)
            elif line.startswith(":"):
                self.comments += 1
            elif line == "" and data is not None:
                self.seen.append((event, data))
                return event, data
        raise EOFError


@pytest.fixture(scope="module")
def amqp() -> Iterator[str]:
    with private_virtual_host() as url:
        bus.declare(url, "anybody", ["#"])
        yield url


@contextmanager
def running(world: World, amqp: str) -> Iterator[Live]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = world.runtime.settings
    environment = os.environ | {
        "PRAXIS_AMQP_URL": amqp,
        "PRAXIS_DATABASE_URL": settings.database_url,
        "PRAXIS_ISSUER": settings.issuer,
        "PRAXIS_SIGNING_KEY_FILE": str(settings.signing_key_file),
        "PRAXIS_HTTP_BIND": bind,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "identity", "live"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        eventually(lambda: httpx.get(f"http://{bind}/readyz").status_code == 200)
        yield Live(world, f"http://{bind}", amqp, process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def live(world, amqp) -> Iterator[Live]:
    with running(world, amqp) as live:
        yield live


def test_a_change_reaches_the_open_screen_as_a_hint_and_nothing_more(live):
    firm = new_id()
    with live.stream(live.token(firm)) as stream:
        assert stream.next()[0] == "ready"
        live.publish(firm, 7, subject="thing")
        assert stream.next() == ("message", {"type": TYPE, "id": "thing", "version": 7})


def test_the_cookie_opens_the_stream_too(live):
    headers = {"cookie": f"__Host-praxis={live.token(new_id())}"}
    with httpx.stream("GET", live.url + PATH, headers=headers, timeout=60) as response:
        assert response.status_code == 200


def test_another_firms_change_is_not_heard(live):
    ours, theirs = new_id(), new_id()
    with live.stream(live.token(ours)) as stream:
        stream.next()
        live.publish(theirs, 1)
        live.publish(ours, 2)
        assert stream.next()[1]["version"] == 2


def private(client: UUID, *staff: UUID, version: int) -> ClientChanged:
    audience = Audience(private=bool(staff), staff_ids=[str(s) for s in staff])
    return ClientChanged(client_id=str(client), name="Secret", audience=audience, version=version)


def test_every_event_of_workflow_is_a_hint_and_a_private_client_s_go_to_those_named_only(live, world):
    """The client was private before anybody listened: the process reads that when the firm's first screen opens."""
    firm, ada, ben, client = new_id(), new_id(), new_id(), new_id()
    world.deliver(firm, private(client, ada, version=1))
    said = [
        events.message_class(d)
        for d in workflow.DESCRIPTOR.message_types_by_name.values()
        if events.event_option(d) and "client_id" in d.fields_by_name and d.name != "NoticeDue"
    ]
    assert {"JobChanged", "TaskChanged", "RequestChanged"} <= {kind.DESCRIPTOR.name for kind in said}
    with (
        live.stream(live.token(firm, staff=ada)) as named,
        live.stream(live.token(firm, staff=ben)) as stranger,
    ):
        assert named.next()[0] == stranger.next()[0] == "ready"
        for number, kind in enumerate(said):
            live.say(firm, kind(client_id=str(client)), f"hidden {number}")
            live.say(firm, kind(client_id=str(new_id())), f"open {number}")
        live.publish(firm, 99, subject="end")
        heard: dict[str, list[str]] = {"named": [], "stranger": []}
        for name, stream in (("named", named), ("stranger", stranger)):
            while (hint := stream.next()[1])["id"] != "end":
                heard[name].append(hint["id"])
        numbers = range(len(said))
        assert heard["named"] == [f"{what} {n}" for n in numbers for what in ("hidden", "open")]
        assert heard["stranger"] == [f"open {n}" for n in numbers]
    with live.stream(live.token(firm, staff=ben), last=_before(stranger)) as again:
        assert all(not str(again.next()[1].get("id", "")).startswith("hidden") for _ in range(2))


def test_that_somebodys_notices_changed_is_told_to_their_own_screens_only_and_once_they_are_there(live):
    firm, ada, ben = new_id(), new_id(), new_id()
    with (
        live.stream(live.token(firm, staff=ada)) as told,
        live.stream(live.token(firm, staff=ben)) as other,
    ):
        told.next(), other.next()
        live.say(firm, workflow.NoticeDue(staff_ids=[str(ada)], says="Secret"), "due")
        live.say(firm, NoticeChanged(staff_ids=[str(ada)]), "kept")
        live.publish(firm, 1, subject="end")
        assert told.next()[1] == {"type": "praxis.identity.notice.changed.v1", "id": "kept", "version": 1}
        assert told.next()[1]["id"] == other.next()[1]["id"] == "end"


def _before(stream: "Stream") -> str:
    """The place in the stream some hints ago."""
    epoch, _, number = stream.last_id.rpartition(".")
    return f"{epoch}.{int(number) - 4}"


def test_who_loses_sight_of_a_client_hears_that_once_and_then_nothing(live):
    firm, ada, ben, client = new_id(), new_id(), new_id(), new_id()
    job = workflow.JobChanged(job_id=str(new_id()), client_id=str(client), version=1)
    with live.stream(live.token(firm, staff=ben)) as stream:
        stream.next()
        live.say(firm, job, "before")
        live.say(firm, private(client, ada, version=2), "client")
        live.say(firm, job, "hidden")
        live.say(firm, private(client, version=3), "client")
        live.say(firm, job, "after")
        assert [stream.next()[1]["id"] for _ in range(4)] == ["before", "client", "client", "after"]


def test_a_client_that_was_private_from_its_first_day_is_unheard_of(live):
    firm, ada, ben, client = new_id(), new_id(), new_id(), new_id()
    with live.stream(live.token(firm, staff=ben)) as stream:
        stream.next()
        live.say(firm, private(client, ada, version=1), "client")
        live.publish(firm, 1, subject="end")
        assert stream.next()[1]["id"] == "end"


def test_whoever_comes_back_hears_what_they_missed(live):
    ours, theirs = new_id(), new_id()
    with live.stream(live.token(ours)) as stream:
        stream.next()
        live.publish(ours, 1)
        stream.next()
    with live.stream(live.token(ours)) as witness:
        witness.next()
        live.publish(theirs, 9)
        live.publish(ours, 2, 3)
        while witness.next()[1]["version"] != 3:
            pass
    with live.stream(live.token(ours), last=stream.last_id) as again:
        assert [again.next()[1].get("version") for _ in range(2)] == [2, 3]
        assert again.next()[0] == "ready"


def test_a_resume_that_cannot_be_served_says_refetch(live):
    with live.stream(live.token(new_id()), last="another-process.12") as stream:
        assert stream.next() == ("refetch", {})


def test_the_stream_ends_when_the_token_does(live):
    started = time.monotonic()
    with live.stream(live.token(new_id(), lifetime=2)) as stream:
        stream.next()
        with pytest.raises(EOFError):
            stream.next()
    assert time.monotonic() - started < 30


def test_who_may_not_listen_is_told_why(live):
    firm = new_id()

    def refused(**more: Any) -> tuple[int, str]:
        answer = httpx.get(live.url + PATH, headers={"authorization": f"Bearer {live.token(firm, **more)}"}, timeout=10)
        return answer.status_code, answer.json()["code"]

    assert refused(audience="portal") == (403, "audience_not_allowed")
    assert refused(audience="partner") == (403, "audience_not_allowed")
    assert refused(permissions=[]) == (403, "permission_missing")
    assert refused(lifetime=-60) == (401, "token_expired")
    assert httpx.get(live.url + PATH).json()["code"] == "token_missing"
    assert httpx.get(live.url + PATH, headers={"authorization": "Bearer x.y.z"}).status_code == 401


def test_a_lost_broker_connection_ends_in_refetch(live, world):
    firm = new_id()
    with live.stream(live.token(firm)) as stream:
        stream.next()
        _cut_connections(live.amqp)
        assert stream.next() == ("refetch", {})
        live.publish(firm, 5)
        assert stream.next()[1]["version"] == 5


def _cut_connections(amqp: str) -> None:
    """Closes every connection of the virtual host, as a broker that goes away would."""
    from chassis.testing import backing

    vhost = httpx.URL(amqp).path.strip("/")
    api = httpx.URL(backing("PRAXIS_TEST_AMQP_API"))
    with httpx.Client(base_url=str(api.copy_with(userinfo=b"")), auth=(api.username, api.password)) as management:
        names = eventually(lambda: [c["name"] for c in management.get(f"/api/vhosts/{vhost}/connections").json()])
        for name in names:
            management.delete(f"/api/connections/{name.replace(' ', '%20').replace('>', '%3E')}")


def test_a_thousand_screens_hear_within_seconds(live):
    """Each in a connection of its own, all at once, and the process stays small."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1200:
        pytest.fail("a thousand connections need as many open files: ulimit -Hn is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    try:
        asyncio.run(_thousand(live))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _thousand(live: Live) -> None:
    firm = new_id()
    host, port = live.url.removeprefix("http://").split(":")
    token = live.token(firm)
    opened = 0
    all_open = asyncio.Event()

    async def screen() -> None:
        nonlocal opened
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {PATH} HTTP/1.1\r\nHost: live\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        await reader.readuntil(b"event: ready")
        opened += 1
        if opened == 1000:
            all_open.set()
        await reader.readuntil(b'"version":77')
        writer.close()

    screens = [asyncio.create_task(screen()) for _ in range(1000)]
    await asyncio.wait_for(all_open.wait(), 60)
    await asyncio.to_thread(live.publish, firm, 77)
    await asyncio.wait_for(asyncio.gather(*screens), 30)


def test_sigterm_ends_the_streams_and_then_the_process(world, amqp):
    with running(world, amqp) as live, live.stream(live.token(new_id())) as stream:
        stream.next()
        live.process.send_signal(signal.SIGTERM)
        with pytest.raises(EOFError):
            stream.next()
        assert live.process.wait(timeout=30) in (0, -signal.SIGTERM)
