"""Bad days behind the edge: nobody there, dying mid-request, hanging; and what is worth a second try."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from gateway.edge.tests.support import Edge, Signer, StartEdge, free_port, problem, until
from gateway.edge.tests.upstream import Upstream

UPSTREAM = Path(__file__).with_name("upstream.py")


def start_upstream(port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, str(UPSTREAM), "workflow", str(port)])
    until(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz").is_success, "the upstream's start")
    return process


@pytest.fixture(scope="module")
def mortal(start_edge: StartEdge) -> tuple[Edge, int]:
    """An edge whose workflow stands at a port where tests start and kill it."""
    port = free_port()
    return start_edge(upstream_workflow=f"127.0.0.1:{port}"), port


def test_killed_upstream_is_503_and_its_restart_is_noticed(mortal: tuple[Edge, int], bearer: dict[str, str]) -> None:
    edge, port = mortal
    path = "/api/workflow/v1/jobs"
    process = start_upstream(port)
    until(lambda: edge.app.get(path, headers=bearer).is_success, "the upstream being noticed")
    process.kill()
    process.wait()
    answer = edge.app.get(path, headers=bearer)
    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "2"
    again = start_upstream(port)
    until(lambda: edge.app.get(path, headers=bearer).is_success, "the restarted upstream being noticed")
    again.kill()
    again.wait()


def test_upstream_killed_in_mid_request_is_503(mortal: tuple[Edge, int], bearer: dict[str, str]) -> None:
    edge, port = mortal
    process = start_upstream(port)
    until(lambda: edge.app.get("/api/workflow/v1/jobs", headers=bearer).is_success, "the upstream being noticed")
    problem(edge.app.post("/api/workflow/v1/suicide", headers=bearer), 503, "unavailable")
    assert process.wait(5) == -9


def test_the_others_go_on(mortal: tuple[Edge, int], bearer: dict[str, str]) -> None:
    edge, _ = mortal
    assert edge.app.get("/api/clients/v1/clients", headers=bearer).is_success


def test_read_that_broke_off_is_repeated(edge: Edge, bearer: dict[str, str]) -> None:
    assert edge.app.get("/api/clients/v1/read/dies-once", headers=bearer).json()["times"] == 2


def test_change_with_a_key_that_broke_off_is_repeated_whole(edge: Edge, bearer: dict[str, str]) -> None:
    headers = bearer | {"idempotency-key": "019a-1"}
    told = edge.app.post("/api/clients/v1/keyed/dies-once", headers=headers, content=b"x" * 50_000).json()
    assert told["times"] == 2
    assert told["size"] == 50_000


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_change_without_a_key_is_never_repeated(edge: Edge, bearer: dict[str, str], method: str) -> None:
    path = f"/api/clients/v1/{method}/dies"
    problem(edge.app.request(method, path, headers=bearer), 503, "unavailable")
    assert edge.upstreams["clients"].seen[path] == 1


def test_repeating_ends(edge: Edge, bearer: dict[str, str]) -> None:
    problem(edge.app.get("/api/clients/v1/reads/dies", headers=bearer), 503, "unavailable")
    assert edge.upstreams["clients"].seen["/api/clients/v1/reads/dies"] == 3


def test_identity_away_at_start_does_not_keep_the_edge_from_starting(start_edge: StartEdge, signer: Signer) -> None:
    port = free_port()
    edge = start_edge(upstream_identity=f"127.0.0.1:{port}")
    headers = {"authorization": f"Bearer {signer.token()}"}
    assert edge.app.get("/api/clients/v1/clients", headers=headers).status_code in (401, 503)
    identity = Upstream("identity", port)
    identity.jwks = {"keys": [signer.jwk()]}
    until(lambda: edge.app.get("/api/clients/v1/clients", headers=headers).is_success, "identity's keys")
    identity.close()
    assert edge.app.get("/api/clients/v1/clients", headers=headers).is_success, (
        "known keys serve on while identity is away"
    )


def test_events_arrive_as_they_are_sent(edge: Edge, bearer: dict[str, str]) -> None:
    with edge.app.stream("GET", "/api/identity/v1/live", headers=bearer | {"accept-encoding": "br, gzip"}) as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert next(lines) == "data: 1"  # an edge that held it back would wait for the second, and that for us
        edge.upstreams["live"].heard.set()
        assert next(lines) == "data: 2"
    assert "content-encoding" not in answer.headers
