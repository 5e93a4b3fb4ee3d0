"""How much the edge lets through: size of a request, and how many from one address."""

import pytest

from edge.routes import GUESSED_AT
from gateway.edge.tests.support import Edge, StartEdge, problem, until

PATH = "/api/clients/v1/clients"


def test_request_at_the_limit_passes(edge: Edge, bearer: dict[str, str]) -> None:
    assert edge.app.post(PATH, headers=bearer, content=b"x" * 1_000_000).json()["size"] == 1_000_000


def test_larger_request_is_413_and_never_arrives(edge: Edge, bearer: dict[str, str]) -> None:
    path = "/api/clients/v1/too-large"
    problem(edge.app.post(path, headers=bearer, content=b"x" * 1_000_001), 413, "body_too_large")
    assert not edge.upstreams["clients"].seen[path]


def test_larger_request_without_a_length_is_413_too(edge: Edge, bearer: dict[str, str]) -> None:
    chunks = (b"x" * 100_000 for _ in range(11))
    problem(edge.app.post("/api/clients/v1/chunks", headers=bearer, content=chunks), 413, "body_too_large")


def test_oversized_headers_are_refused(edge: Edge) -> None:
    problem(edge.app.get("/", headers={"x-padding": "x" * 40_000}), 431, "headers_too_large")


def test_requests_of_one_address_are_limited_and_recover(start_edge: StartEdge) -> None:
    edge = start_edge(edge_rate=5)
    answers = [edge.app.get("/") for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    problem(refused[0], 429, "too_many_requests")
    assert int(refused[0].headers["retry-after"]) >= 1
    until(lambda: edge.app.get("/").is_success, "a new allowance")


def test_sign_in_is_limited_sooner_than_the_rest(start_edge: StartEdge, bearer: dict[str, str]) -> None:
    edge = start_edge(edge_sign_in_rate=3)
    statuses = [edge.app.post("/api/identity/v1/sessions").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert edge.app.post(PATH, headers=bearer).is_success


@pytest.mark.parametrize(
    "path", ["/api/identity/v1/oauth/token", "/portal/sign-in/019a", "/api/identity/v1/sessions?x=1"]
)
def test_all_guessable_places_share_one_allowance(start_edge: StartEdge, path: str) -> None:
    edge = start_edge(edge_sign_in_rate=2)
    edge.app.post("/api/identity/v1/sessions")
    edge.app.post("/api/identity/v1/oauth/token")
    problem(edge.app.post(path), 429, "too_many_requests")


def test_every_address_has_an_allowance_of_its_own(start_edge: StartEdge) -> None:
    edge = start_edge(edge_sign_in_rate=1, edge_trusted_proxies=1)

    def sign_in(client: str) -> int:
        return edge.app.post("/api/identity/v1/sessions", headers={"x-forwarded-for": client}).status_code

    assert [sign_in("203.0.113.1"), sign_in("203.0.113.1"), sign_in("203.0.113.2")] == [200, 429, 200]


def test_limits_can_be_lifted_for_benchmarks(start_edge: StartEdge) -> None:
    edge = start_edge(edge_rate=0, edge_sign_in_rate=0)
    assert {edge.app.post("/api/identity/v1/sessions").status_code for _ in range(60)} == {200}


def test_guessable_places_are_tried_by_post() -> None:
    assert {operation.methods for operation in GUESSED_AT} == {"POST"}
