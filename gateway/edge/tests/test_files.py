"""The file origin: signed links to one object, form uploads, and nothing else."""

import socket
import threading
from collections.abc import Iterator

import pytest

from gateway.edge.tests.support import Edge, StartEdge, problem

SIGNED = "/praxis-documents/019a/object?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=abc&x-id=GetObject"
FORM = {"content-type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_signed_link_reaches_the_store_unchanged(edge: Edge, method: str) -> None:
    answer = edge.files.request(method, SIGNED)
    assert answer.is_success
    if method != "HEAD":
        told = answer.json()
        assert told["path"] == SIGNED
        assert told["headers"]["host"] == edge.files_url.removeprefix("http://"), "signatures cover the host"


@pytest.mark.parametrize(
    "path",
    ["/", "/praxis-documents", "/praxis-documents/", "/praxis-documents?list-type=2", "/praxis-documents/?versions"],
)
def test_buckets_are_never_listed(edge: Edge, path: str) -> None:
    problem(edge.files.get(path), 404, "not_found")
    problem(edge.files.get(path, params={"X-Amz-Signature": "abc"}), 404, "not_found")


def test_object_without_a_signature_is_403(edge: Edge) -> None:
    problem(edge.files.get("/praxis-documents/019a/object"), 403, "forbidden")


@pytest.mark.parametrize("method", ["DELETE", "POST", "PATCH"])
def test_other_methods_on_objects_are_refused(edge: Edge, method: str) -> None:
    problem(edge.files.request(method, SIGNED), 403, "forbidden")


def test_form_upload_goes_to_the_bucket(edge: Edge) -> None:
    assert edge.files.post("/praxis-documents", headers=FORM, content=b"--b--").json()["method"] == "POST"


def test_other_posts_to_the_bucket_are_refused(edge: Edge) -> None:
    problem(edge.files.post("/praxis-documents?delete", content=b"<Delete/>"), 404, "not_found")


@pytest.fixture(scope="module")
def one_bucket(start_edge: StartEdge) -> Edge:
    return start_edge(s3_bucket="praxis-documents")


def test_with_a_bucket_named_no_other_is_reached(one_bucket: Edge) -> None:
    assert one_bucket.files.get(SIGNED).is_success
    problem(one_bucket.files.get(SIGNED.replace("praxis-documents", "backups")), 404, "not_found")


def test_cookies_and_tokens_are_not_shown_to_the_store(edge: Edge, bearer: dict[str, str]) -> None:
    headers = edge.files.get(SIGNED, headers=bearer | {"cookie": "__Host-praxis=secret"}).json()["headers"]
    assert "cookie" not in headers
    assert "authorization" not in headers


def test_the_app_may_upload_from_its_pages(edge: Edge) -> None:
    asked = {
        "origin": edge.url,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "x-amz-checksum-sha256",
    }
    preflight = edge.files.options(SIGNED, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == edge.url
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert "x-amz-checksum-sha256" in preflight.headers["access-control-allow-headers"]
    answer = edge.files.put(SIGNED, headers={"origin": edge.url}, content=b"x")
    assert answer.headers.get_list("access-control-allow-origin") == [edge.url]
    assert "etag" in answer.headers["access-control-expose-headers"]


def test_other_origins_may_not(edge: Edge) -> None:
    asked = {"origin": "http://evil.example", "access-control-request-method": "PUT"}
    assert "server" not in edge.files.options(SIGNED, headers=asked).text, "the store was asked"
    assert "access-control-allow-origin" not in edge.files.options(SIGNED, headers=asked).headers
    assert (
        "access-control-allow-origin" not in edge.files.get(SIGNED, headers={"origin": "http://evil.example"}).headers
    )


@pytest.mark.parametrize("path", [SIGNED, "/praxis-documents"])
def test_nothing_from_here_runs_as_a_page(edge: Edge, path: str) -> None:
    headers = edge.files.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert headers["content-disposition"] == "attachment"
    assert headers["referrer-policy"] == "no-referrer"
    assert "store" in headers["cache-control"]


def test_signed_links_are_never_logged(edge: Edge) -> None:
    edge.files.get(SIGNED.replace("object", "logged"))
    entry = edge.logged("/praxis-documents/019a/logged")
    assert entry["listener"] == "files"
    assert "X-Amz" not in edge.log_file.read_text()


def test_large_file_passes(edge: Edge) -> None:
    size = 20_000_000
    assert (
        edge.files.put(
            SIGNED, content=(b"x" * 100_000 for _ in range(200)), headers={"content-length": str(size)}
        ).json()["size"]
        == size
    )


@pytest.fixture
def counting_store(start_edge: StartEdge) -> Iterator[tuple[Edge, threading.Semaphore]]:
    """A store that says after each 100 kB that it has them, and answers after three."""
    arrived = threading.Semaphore(0)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                got = b""
                while piece := connection.recv(65536):
                    before, got = len(got) // 100_000, got + piece
                    for _ in range(len(got) // 100_000 - before):
                        arrived.release()
                    if len(got) > 300_000:
                        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                        break

    threading.Thread(target=serve, daemon=True).start()
    yield start_edge(upstream_s3=f"127.0.0.1:{listener.getsockname()[1]}"), arrived
    listener.close()


def test_upload_is_passed_on_while_it_is_sent(counting_store: tuple[Edge, threading.Semaphore]) -> None:
    edge, arrived = counting_store

    def file() -> Iterator[bytes]:
        for _ in range(3):
            yield b"x" * 100_100
            assert arrived.acquire(timeout=60), "the edge holds the upload back"

    assert edge.files.put(SIGNED, content=file(), headers={"content-length": "300300"}).status_code == 200
