import base64
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import text

from chassis.testing import Answer, Api, TestKeys, World, drop_database, make_world
from identity.app import service
from identity.firms.usecases import Owner, found_firm
from identity.sessions import throttle
from identity.sessions.cookies import REFRESH
from identity.sessions.queries import Home
from identity.sessions.rules import ADDRESS
from identity.sessions.usecases import start_session
from identity.staff.tables import Staff
from identity.tokens.keys import SigningKeys
from identity.tokens.source import keys_of
from identity.work import Caller

PASSWORD = "violet teapot under the stairs"


@dataclass(frozen=True)
class BothKeys:
    """Trusts what identity signs, and what the fixtures sign for callers of no particular account."""

    own: SigningKeys
    test: TestKeys

    def key(self, kid: str) -> Any:
        return self.own.key(kid) or self.test.key(kid)


@pytest.fixture(scope="session")
def world(tmp_path_factory, mailbox) -> Iterator[World]:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file: Path = tmp_path_factory.mktemp("keys") / "active.pem"
    file.write_bytes(pem)
    made = make_world(
        service,
        signing_key_file=file,
        field_key=base64.b64encode(os.urandom(32)).decode(),
        service_secrets={"clients": "secret-of-clients", "portal": "secret-of-portal"},
        smtp_url=mailbox.url,
        setup_token="the-installations-own-token",
    )
    made.runtime.keys = BothKeys(keys_of(made.runtime.settings), made.keys)
    yield made
    made.close()
    drop_database(made.runtime.settings.database_url)


_count = iter(range(10**9))


class Mailbox:
    """A real SMTP server that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusing = False
        self._controller = Controller(self, hostname="127.0.0.1", port=_free_port())
        self._controller.start()
        self.url = f"smtp://127.0.0.1:{self._controller.port}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refusing:
            return "451 try again later"
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def to(self, email: str) -> list[EmailMessage]:
        """The messages to an address, in order."""
        return [m for m in self.messages if email in str(m["to"])]

    def token_for(self, email: str) -> str:
        """The token of the link in the last message to an address."""
        return re.search(r"#token=(\S+)", self.to(email)[-1].get_content())[1]

    def close(self) -> None:
        self._controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.close()


@dataclass(frozen=True)
class Door:
    """Signing in as a browser does it."""

    world: World

    def sign_in(self, email: str, password: str = PASSWORD, *, source: str | None = None, **more: Any) -> Answer:
        """Signs in from a network address of its own, so that tests don't slow each other down."""
        body = {"email": email, "password": password, **more}
        headers = {"x-praxis-source": source or f"198.51.100.{next(_count)}"}
        return self.world.anonymous().post("/sessions", body, headers=headers)

    def refresh(self, token: str) -> Answer:
        return self.world.anonymous().post("/sessions/refresh", headers={"cookie": f"{REFRESH}={token}"})

    def sign_out(self, token: str) -> Answer:
        return self.world.anonymous().delete("/sessions/current", headers={"cookie": f"{REFRESH}={token}"})

    @staticmethod
    def cookie(answer: Answer, name: str = REFRESH) -> str:
        """A cookie the answer sets. (HTTP clients refuse to keep Secure cookies of a plain address; browsers don't, on loopback.)"""
        for header in answer.headers.get_list("set-cookie"):
            if header.startswith(f"{name}="):
                return header.partition("=")[2].partition(";")[0]
        raise AssertionError(f"no cookie {name} in {answer.headers}")


@pytest.fixture
def many_tries(world):
    """Counts many more tries under a key that has been tried, so that its pause outlasts a slow machine's test."""

    def count(kind: str, value: str) -> None:
        key = throttle.key(world.runtime.settings.key_for("attempts"), kind, value)
        with world.runtime.engine.begin() as connection:
            more = text("UPDATE attempts SET tries = tries + 20 WHERE key = :key AND tries >= :free")
            assert connection.execute(more, {"key": key, "free": ADDRESS.free}).rowcount == 1

    return count


@pytest.fixture
def door(world) -> Door:
    return Door(world)


@dataclass(frozen=True)
class Practice:
    """A firm set up as an operator would, with its owner signed in."""

    world: World
    id: UUID
    name: str
    email: str
    owner: Api
    owner_id: str


@pytest.fixture
def practice(world):
    """Makes firms, each with an owner of a new address."""

    def make(email: str | None = None, password: str = PASSWORD) -> Practice:
        number = next(_count)
        email, name = email or f"owner{number}@harbour.example", f"Harbour & Finch {number}"
        settings = {"name": name, "time_zone": "Europe/London", "currency": "GBP", "country": "GB"}
        firm = found_firm(world.runtime, Caller("test"), settings, Owner("Grace Harbour", email, password))
        with world.uow(firm.id) as uow:
            owner_id = uow.session.query(Staff.id).scalar()
        session = start_session(world.runtime, Caller("test"), Home(firm.id, owner_id))
        return Practice(world, firm.id, name, email, world.anonymous(session.access_token), str(owner_id))

    return make


@pytest.fixture
def firm(practice) -> Practice:
    return practice()
