"""What protects people's browsers: whose pages may change things, and what the answers say."""

import gzip

import pytest

from gateway.edge.tests.support import Edge, Signer, StartEdge, problem

PATH = "/api/clients/v1/clients"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_change_with_a_cookie_from_another_origin_is_403(edge: Edge, signer: Signer, method: str) -> None:
    headers = {"cookie": f"__Host-praxis={signer.token()}", "origin": "http://evil.example"}
    problem(edge.app.request(method, PATH, headers=headers), 403, "origin_refused")


@pytest.mark.parametrize("origin", [None, "null", "http://127.0.0.1:1"])
def test_change_with_a_cookie_must_name_our_origin(edge: Edge, signer: Signer, origin: str | None) -> None:
    headers = {"cookie": f"__Host-praxis={signer.token()}"} | ({"origin": origin} if origin else {})
    problem(edge.app.post(PATH, headers=headers), 403, "origin_refused")


def test_change_with_a_cookie_from_our_own_page_passes(edge: Edge, signer: Signer) -> None:
    headers = {"cookie": f"__Host-praxis={signer.token()}", "origin": edge.url}
    assert edge.app.post(PATH, headers=headers).json()["method"] == "POST"


def test_portal_forms_are_protected_alike(edge: Edge) -> None:
    cookie = {"cookie": "__Host-praxis-portal=whatever"}
    problem(
        edge.app.post("/portal/requests/1/answer", headers=cookie | {"origin": "http://evil.example"}),
        403,
        "origin_refused",
    )
    assert edge.app.post("/portal/requests/1/answer", headers=cookie | {"origin": edge.url}).is_success


def test_sign_in_from_another_origin_is_403(edge: Edge) -> None:
    problem(
        edge.app.post("/api/identity/v1/sessions", headers={"origin": "http://evil.example"}), 403, "origin_refused"
    )


def test_reading_with_a_cookie_needs_no_origin(edge: Edge, signer: Signer) -> None:
    assert edge.app.get(PATH, headers={"cookie": f"__Host-praxis={signer.token()}"}).is_success


def test_programs_with_a_bearer_need_no_origin(edge: Edge, bearer: dict[str, str]) -> None:
    assert edge.app.post(PATH, headers=bearer).json()["method"] == "POST"


def test_other_origins_may_not_read_answers(edge: Edge, bearer: dict[str, str]) -> None:
    answer = edge.app.get(PATH, headers=bearer | {"origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["/", "/portal/", PATH, "/api/nowhere", "/healthz"])
def test_every_answer_carries_the_security_headers(edge: Edge, path: str) -> None:
    headers = edge.app.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["server"] == "praxis"
    assert "strict-transport-security" not in headers


def test_content_policy_allows_the_app_and_the_file_origin_only(edge: Edge) -> None:
    policy = dict(part.split(" ", 1) for part in edge.app.get("/").headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["connect-src"] == f"'self' {edge.files_url}"
    # Without JavaScript the portal's pay button is a form that is sent on to the card provider's page.
    assert policy["form-action"] == f"'self' {edge.files_url} https://checkout.stripe.com"


def test_a_page_may_be_stricter_than_the_edge(edge: Edge) -> None:
    headers = edge.app.get("/portal/strict").headers
    assert headers.get_list("content-security-policy") == ["default-src 'none'"]


def test_what_runs_behind_is_not_told(edge: Edge) -> None:
    headers = edge.app.get("/portal/strict").headers
    assert headers.get_list("server") == ["praxis"]
    assert not [name for name in headers if name.startswith("x-envoy-")]


def test_api_answers_are_not_kept_by_caches(edge: Edge, bearer: dict[str, str]) -> None:
    assert edge.app.get(PATH, headers=bearer).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("accepts", "coding"), [("br, gzip", "br"), ("gzip", "gzip")])
def test_long_answers_are_compressed_and_keep_their_tag(
    edge: Edge, bearer: dict[str, str], accepts: str, coding: str
) -> None:
    with edge.app.stream("GET", "/api/clients/v1/long", headers=bearer | {"accept-encoding": accepts}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == coding
    assert answer.headers["etag"] == 'W/"7"'
    assert len(body) < 2000
    if coding == "gzip":
        assert b"praxis praxis" in gzip.decompress(body)


def test_short_answers_keep_their_strong_tag(edge: Edge, bearer: dict[str, str]) -> None:
    answer = edge.app.get("/api/clients/v1/long", headers=bearer | {"accept-encoding": "identity"})
    assert answer.headers["etag"] == '"7"'


def test_behind_tls_browsers_are_told_to_stay(start_edge: StartEdge) -> None:
    edge = start_edge(public_url="https://praxis.test", s3_public_url="https://files.test", edge_hosts="127.0.0.1")
    headers = edge.app.get("/").headers
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert "upgrade-insecure-requests" in headers["content-security-policy"]
    assert "strict-transport-security" in edge.files.get("/healthz").headers
