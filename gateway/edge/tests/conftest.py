"""A real Envoy in front of small real servers, and tokens as identity would sign them.

All of it ends with the tests of one file: every Envoy that lived on would ask the servers, threads of the process that
runs the tests, for their health several times a second.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.edge.tests.support import UPSTREAMS, Edge, Signer, StartEdge, start_edge_in
from gateway.edge.tests.upstream import Upstream


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer("key-1")


@pytest.fixture(scope="module")
def upstreams(signer: Signer) -> Iterator[dict[str, Upstream]]:
    servers = {name: Upstream(name) for name in UPSTREAMS}
    servers["identity"].jwks = {"keys": [signer.jwk()]}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture(scope="module")
def start_edge(upstreams: dict[str, Upstream], tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartEdge]:
    """Starts an Envoy of its own; keyword `edge_rate=5` sets PRAXIS_EDGE_RATE, and so on."""
    started: list[Edge] = []

    def start(**settings: Any) -> Edge:
        edge = start_edge_in(tmp_path_factory.mktemp("edge"), upstreams, settings)
        started.append(edge)
        return edge

    yield start
    for edge in started:
        edge.app.close()
        edge.files.close()
        edge.process.terminate()
        edge.process.wait(10)


@pytest.fixture(scope="module")
def edge(start_edge: StartEdge) -> Edge:
    """The edge that most tests share; limits as on a developer's machine."""
    return start_edge()


@pytest.fixture(scope="module")
def bearer(signer: Signer) -> dict[str, str]:
    return {"authorization": f"Bearer {signer.token()}"}
