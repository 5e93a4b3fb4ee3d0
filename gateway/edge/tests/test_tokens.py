"""Tokens at the edge: what is let through to a service, and what never is."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import jwt
import pytest

from gateway.edge.tests.support import Edge, Signer, problem

PATH = "/api/clients/v1/clients"


def get(edge: Edge, token: str) -> httpx.Response:
    return edge.app.get(PATH, headers={"authorization": f"Bearer {token}"})


def encode(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def claims() -> dict[str, Any]:
    return jwt.decode(Signer("any").token(), options={"verify_signature": False})


@pytest.mark.parametrize("audience", ["staff", "partner", "portal"])
def test_valid_token_reaches_the_service_whole(edge: Edge, signer: Signer, audience: str) -> None:
    token = signer.token(aud=audience)
    assert get(edge, token).json()["headers"]["authorization"] == f"Bearer {token}"


def test_token_in_the_staff_cookie_is_accepted(edge: Edge, signer: Signer) -> None:
    token = signer.token()
    answer = edge.app.get(PATH, headers={"cookie": f"theme=dark; __Host-praxis={token}"})
    assert f"__Host-praxis={token}" in answer.json()["headers"]["cookie"]


def test_no_token_is_401_with_a_challenge(edge: Edge) -> None:
    answer = edge.app.get(PATH)
    problem(answer, 401, "token_missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_token_in_the_query_does_not_count(edge: Edge, signer: Signer) -> None:
    problem(edge.app.get(PATH, params={"access_token": signer.token()}), 401, "token_missing")


def test_unsigned_token_is_401(edge: Edge) -> None:
    problem(get(edge, f"{encode({'alg': 'none', 'typ': 'JWT'})}.{encode(claims())}."), 401, "token_invalid")


def test_public_key_as_hmac_secret_is_401(edge: Edge, signer: Signer) -> None:
    head = f"{encode({'alg': 'HS256', 'typ': 'JWT', 'kid': signer.kid})}.{encode(claims())}"
    signature = hmac.new(signer.public_bytes, head.encode(), hashlib.sha256).digest()
    token = f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    problem(get(edge, token), 401, "token_invalid")


def test_foreign_key_is_401(edge: Edge, signer: Signer) -> None:
    problem(get(edge, Signer(signer.kid).token()), 401, "token_invalid")


def test_unknown_key_id_is_401(edge: Edge) -> None:
    problem(get(edge, Signer("key-9").token()), 401, "token_invalid")


def test_key_carried_by_the_token_itself_is_not_believed(edge: Edge) -> None:
    mine = Signer("mine")
    token = jwt.encode(
        claims(), mine.key, "EdDSA", headers={"kid": "mine", "jwk": mine.jwk(), "jku": "http://evil.example/jwks"}
    )
    problem(get(edge, token), 401, "token_invalid")


def test_changed_claims_are_401(edge: Edge, signer: Signer) -> None:
    head, _, signature = signer.token().split(".")
    problem(get(edge, f"{head}.{encode(claims() | {'sub': 'other'})}.{signature}"), 401, "token_invalid")


def test_other_issuer_is_401(edge: Edge, signer: Signer) -> None:
    problem(get(edge, signer.token(iss="http://evil.example")), 401, "token_invalid")


def test_expired_token_is_401_and_says_so(edge: Edge, signer: Signer) -> None:
    problem(get(edge, signer.token(exp=int(time.time()) - 300)), 401, "token_expired")


def test_token_without_end_is_401(edge: Edge, signer: Signer) -> None:
    problem(get(edge, signer.token(exp=None)), 401, "token_invalid")


@pytest.mark.parametrize("audience", ["service", "elsewhere"])
def test_foreign_audience_is_403(edge: Edge, signer: Signer, audience: str) -> None:
    problem(get(edge, signer.token(aud=audience)), 403, "audience_not_allowed")


def test_garbage_is_401(edge: Edge) -> None:
    problem(get(edge, "not-a-token"), 401, "token_invalid")


PUBLIC = [
    ("GET", "/api/workflow/v1/openapi.json"),
    ("GET", "/api/identity/v1/jwks"),
    ("GET", "/api/identity/v1/setup"),
    ("POST", "/api/identity/v1/setup"),
    ("POST", "/api/identity/v1/invitations/accept"),
    ("POST", "/api/identity/v1/password-resets"),
    ("POST", "/api/identity/v1/sessions"),
    ("POST", "/api/identity/v1/sessions/refresh"),
    ("DELETE", "/api/identity/v1/sessions/current"),
    ("POST", "/api/identity/v1/oauth/token"),
]


@pytest.mark.parametrize(("method", "path"), PUBLIC)
def test_public_operations_need_no_token(edge: Edge, method: str, path: str) -> None:
    assert edge.app.request(method, path).is_success


@pytest.mark.parametrize(("method", "path"), PUBLIC)
def test_public_operations_are_not_stopped_by_a_stale_cookie(
    edge: Edge, signer: Signer, method: str, path: str
) -> None:
    headers = {"cookie": f"__Host-praxis={signer.token(exp=int(time.time()) - 300)}", "origin": edge.url}
    assert edge.app.request(method, path, headers=headers).is_success


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/identity/v1/sessions"),
        ("DELETE", "/api/identity/v1/sessions/019a"),
        ("POST", "/api/identity/v1/sessions/refresh/x"),
        ("POST", "/api/identity/v1/jwks"),
        ("GET", "/api/identity/v1/live"),
        ("GET", "/api/clients/v1/x/openapi.json"),
        ("GET", "/api/identity/v1/setups"),
    ],
)
def test_neighbours_of_public_operations_need_one(edge: Edge, method: str, path: str) -> None:
    problem(edge.app.request(method, path), 401, "token_missing")


def test_pages_are_not_checked_here(edge: Edge) -> None:
    answer = edge.app.get("/portal/home", headers={"cookie": "__Host-praxis-portal=whatever"})
    assert answer.json()["headers"]["cookie"] == "__Host-praxis-portal=whatever"
