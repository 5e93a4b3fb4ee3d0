import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from chassis.testing import Answer, Api, TestKeys, World, drop_database, make_world
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from identity.app import service
from identity.firms.usecases import Owner, found_firm
from identity.sessions.cookies import REFRESH
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
def world(tmp_path_factory) -> Iterator[World]:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file: Path = tmp_path_factory.mktemp("keys") / "active.pem"
    file.write_bytes(pem)
    made = make_world(
        service,
        signing_key_file=file,
        field_key=base64.b64encode(os.urandom(32)).decode(),
        service_secrets={"clients": "secret-of-clients", "portal": "secret-of-portal"},
        setup_token="the-installations-own-token",
    )
    made.runtime.keys = BothKeys(keys_of(made.runtime.settings), made.keys)
    yield made
    made.close()
    drop_database(made.runtime.settings.database_url)


_count = iter(range(10**9))


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
def practice(world, door):
    """Makes firms, each with an owner of a new address."""

    def make(email: str | None = None, password: str = PASSWORD) -> Practice:
        number = next(_count)
        email, name = email or f"owner{number}@harbour.example", f"Harbour & Finch {number}"
        settings = {"name": name, "time_zone": "Europe/London", "currency": "GBP", "country": "GB"}
        firm = found_firm(world.runtime, Caller("test"), settings, Owner("Grace Harbour", email, password))
        signed_in = door.sign_in(email, password, firm_id=str(firm.id)).expect(200).json
        return Practice(world, firm.id, name, email, world.anonymous(signed_in["access_token"]), signed_in["me"]["id"])

    return make


@pytest.fixture
def firm(practice) -> Practice:
    return practice()
