"""Who answers what, and what of a request reaches him."""

from ipaddress import ip_address

import httpx
import pytest

from edge.routes import SERVICES
from gateway.edge.tests.support import Edge, problem


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_serves_its_own_api(edge: Edge, bearer: dict[str, str], service: str) -> None:
    told = edge.app.get(f"/api/{service}/v1/things?limit=3", headers=bearer).json()
    assert told["server"] == service
    assert told["path"] == f"/api/{service}/v1/things?limit=3"


@pytest.mark.parametrize(
    ("path", "server"),
    [
        ("/portal", "portal"),
        ("/portal/sign-in", "portal"),
        ("/", "web"),
        ("/jobs/17", "web"),
        ("/api/docs", "web"),
        ("/portals", "web"),
    ],
)
def test_pages_come_from_portal_and_web(edge: Edge, path: str, server: str) -> None:
    assert edge.app.get(path).json()["server"] == server


def test_live_is_a_process_of_its_own(edge: Edge, bearer: dict[str, str]) -> None:
    with edge.app.stream("GET", "/api/identity/v1/live", headers=bearer) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
    assert edge.upstreams["live"].seen["/api/identity/v1/live"]


@pytest.mark.parametrize(
    "path", ["/api/payroll/v1/things", "/api/clients/v2/things", "/api/clients", "/api/clientsx/v1"]
)
def test_unknown_api_is_a_problem_not_the_web_app(edge: Edge, bearer: dict[str, str], path: str) -> None:
    problem(edge.app.get(path, headers=bearer), 404, "not_found")


def test_another_host_name_is_refused(edge: Edge) -> None:
    problem(edge.app.get("/", headers={"host": "evil.example"}), 421, "misdirected")


def test_own_names_are_served(edge: Edge) -> None:
    port = edge.url.rpartition(":")[2]
    assert edge.app.get("/", headers={"host": f"localhost:{port}"}).json()["server"] == "web"


@pytest.mark.parametrize("path", ["/api/clients%2fv1/things", "/portal/%2e%2e%2fapi"])
def test_escaped_slashes_are_refused(edge: Edge, path: str) -> None:
    problem(edge.app.get(path), 400, "bad_request")


def test_dot_segments_are_resolved_before_the_check(edge: Edge) -> None:
    port = int(edge.url.rpartition(":")[2])
    problem(raw(port, "/portal/../api/clients/v1/clients"), 401, "token_missing")


def raw(port: int, path: str) -> httpx.Response:
    """A request whose path no client library has tidied up."""
    with httpx.Client() as client:
        return client.get(f"http://127.0.0.1:{port}/", extensions={"target": path.encode()})


SPOOFS = {
    "x-forwarded-for": "10.1.1.1",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-client-cert": "By=me",
    "x-forwarded-user": "owner",
    "x-praxis-source": "10.1.1.1",
    "x-praxis-firm": "019a0000-0000-7000-8000-000000000009",
    "x-envoy-original-path": "/admin",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-original-url": "/admin",
    "x-real-ip": "10.1.1.1",
    "x-request-id": "mine",
    "x-http-method-override": "DELETE",
    "forwarded": "for=10.1.1.1",
    "baggage": "firm=other",
    "proxy": "http://evil.example",
}


def test_spoofed_headers_never_arrive(edge: Edge, bearer: dict[str, str]) -> None:
    headers = edge.app.get("/api/clients/v1/things", headers=bearer | SPOOFS).json()["headers"]
    kept = {name: headers.get(name) for name, value in SPOOFS.items() if headers.get(name) == value}
    assert not kept
    # Of a peer on the loopback Envoy names the machine's own address.
    assert ip_address(headers["x-forwarded-for"]) != ip_address(SPOOFS["x-forwarded-for"])
    assert headers.pop("x-praxis-source") == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert not [
        name for name in headers if name.startswith(("x-praxis-", "x-envoy-original", "x-forwarded-h", "x-forwarded-u"))
    ]


def test_look_alike_headers_with_underscores_are_refused(edge: Edge, bearer: dict[str, str]) -> None:
    assert edge.app.get("/api/clients/v1/things", headers=bearer | {"x_praxis_firm": "other"}).status_code == 400


def test_every_request_gets_an_id_and_a_trace(edge: Edge, bearer: dict[str, str]) -> None:
    answer = edge.app.get("/api/clients/v1/things", headers=bearer)
    headers = answer.json()["headers"]
    assert headers["x-request-id"] == answer.headers["x-request-id"]
    assert len(headers["traceparent"].split("-")[1]) == 32


def test_a_trace_begun_outside_goes_on(edge: Edge, bearer: dict[str, str]) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    told = edge.app.get(
        "/api/clients/v1/things", headers=bearer | {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    ).json()
    assert told["headers"]["traceparent"].split("-")[1] == trace


def test_behind_a_trusted_proxy_its_word_on_the_client_counts(start_edge, bearer: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    edge = start_edge(edge_trusted_proxies=1)
    spoofs = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example"}
    headers = edge.app.get("/api/clients/v1/things", headers=bearer | spoofs).json()["headers"]
    assert headers["x-forwarded-for"].split(",")[0] == "203.0.113.9"
    assert headers["x-praxis-source"] == "203.0.113.9"
    assert headers["x-forwarded-proto"] == "https"
    assert "x-forwarded-host" not in headers
    assert edge.logged("/api/clients/v1/things")["client"] == "203.0.113.9"


def test_access_log_is_json_without_queries(edge: Edge) -> None:
    edge.app.get("/logged/here?code=483921")
    entry = edge.logged("/logged/here")
    assert entry["event"] == "request"
    assert entry["status"] == 200
    assert entry["upstream"] == "web"
    assert entry["trace_id"]
    assert "483921" not in edge.log_file.read_text()
