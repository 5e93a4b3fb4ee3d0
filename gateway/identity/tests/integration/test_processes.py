"""The HTTP process as it is deployed, and what other services do with it: fetch its keys, and tokens of their own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from chassis.auth import JwksKeys, ServiceTokens, TokenVerifier
from chassis.errors import Unavailable
from chassis.service import main
from chassis.testing import eventually
from identity.app import service
from identity.settings import Settings

PASSWORD = "violet teapot under the stairs"
API = "/api/identity/v1"


@pytest.fixture(scope="module")
def served(world) -> Iterator[str]:
    """Where identity is served, by a process that has only its environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = world.runtime.settings
    environment = os.environ | {
        "PRAXIS_DATABASE_URL": settings.database_url,
        "PRAXIS_ISSUER": settings.issuer,
        "PRAXIS_JWKS_URL": "http://127.0.0.1:1/never-asked",  # identity knows its own keys
        "PRAXIS_SIGNING_KEY_FILE": str(settings.signing_key_file),
        "PRAXIS_FIELD_KEY": settings.field_key,
        "PRAXIS_SERVICE_SECRETS": '{"clients": "secret-of-clients"}',
        "PRAXIS_HTTP_BIND": bind,
    }
    process = subprocess.Popen([sys.executable, "-m", "identity", "http"], env=environment, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: httpx.get(f"http://{bind}/readyz").status_code == 200)
        yield f"http://{bind}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


@pytest.fixture
def verifier(served, world) -> TokenVerifier:
    return TokenVerifier(JwksKeys(served + API + "/jwks"), world.runtime.settings.issuer)


def test_a_person_signs_in_and_any_service_can_verify_their_token(served, verifier, firm):
    answer = httpx.post(served + API + "/sessions", json={"email": firm.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    principal = verifier.verify(answer.json()["access_token"])
    assert (principal.kind, principal.id, principal.firm_id) == ("staff", firm.owner_id, firm.id)
    cookies = "; ".join(c.partition(";")[0] for c in answer.headers.get_list("set-cookie"))
    assert httpx.get(served + API + "/me", headers={"cookie": cookies}).json() == answer.json()["me"]
    again = httpx.post(served + API + "/sessions/refresh", headers={"cookie": cookies})
    assert again.status_code == 200
    assert verifier.verify(again.json()["access_token"]).id == firm.owner_id


def test_a_service_gets_its_tokens_as_chassis_asks_for_them(served, verifier):
    firm = uuid4()
    tokens = ServiceTokens(served + API + "/oauth/token", "clients", "secret-of-clients")
    principal = verifier.verify(tokens.get(firm))
    assert (principal.kind, principal.id, principal.firm_id) == ("service", "clients", firm)
    assert tokens.get(firm) is tokens.get(firm)


def test_a_service_with_a_wrong_secret_gets_none(served):
    with pytest.raises(Unavailable):
        ServiceTokens(served + API + "/oauth/token", "clients", "wrong").get(uuid4())


@pytest.mark.parametrize(
    ("mode", "variable"),
    [
        ("http", "PRAXIS_SIGNING_KEY_FILE"),
        ("grpc", "PRAXIS_SIGNING_KEY_FILE"),
        ("worker", "PRAXIS_SMTP_URL"),
        ("live", "PRAXIS_AMQP_URL"),
        ("setup-token", "PRAXIS_DATABASE_URL"),
        ("create-firm", "PRAXIS_FIELD_KEY"),
    ],
)
def test_a_mode_without_its_settings_stops_and_names_them(monkeypatch, mode, variable):
    for name in [name for name in os.environ if name.startswith("PRAXIS_")]:
        monkeypatch.delenv(name)
    with pytest.raises(SystemExit, match=variable):
        main(service, [mode])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PRAXIS_FIELD_KEY", "c2hvcnQ="),
        ("PRAXIS_SERVICE_SECRETS", "{"),
        ("PRAXIS_SERVICE_SECRETS", '{"clients": 7}'),
        ("PRAXIS_SETUP_TOKEN", "short"),
        ("PRAXIS_SMTP_URL", "mailhost:25"),
        ("PRAXIS_SIGNING_KEY_FILE", "/nowhere/active.pem"),
    ],
)
def test_an_impossible_setting_stops_the_process_and_is_named_without_its_value(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=name) as stopped:
        Settings.load()
    assert value not in str(stopped.value) or len(value) < 3
