"""What browsers get from the web server. A small build is made in a folder; no Node.js is needed."""

import asyncio
import gzip
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from web.app import create_app

PAGE = "<!doctype html><title>Praxis</title>"
SCRIPT = "console.log(1)"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "api" / "docs").mkdir(parents=True)
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "api" / "docs" / "index.html").write_text("<title>API reference</title>")
    (tmp_path / "assets" / "app-1a2b.js").write_text(SCRIPT)
    (tmp_path / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    return tmp_path


def ask(root: Path, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(root))
        async with httpx.AsyncClient(transport=transport, base_url="http://web") as client:
            return await client.request(method, path, headers={"accept-encoding": "identity", **headers})

    return asyncio.run(send())


@pytest.mark.parametrize("path", ["/", "/work", "/work/jobs/0197f0c2-6f1e-7c3a-9d2b-3f8e5a1c7b90", "/sign-in"])
def test_every_address_of_the_app_opens_its_page(root: Path, path: str) -> None:
    answer = ask(root, path)
    assert answer.status_code == 200
    assert answer.text == PAGE
    assert answer.headers["cache-control"] == "no-cache"


def test_hashed_assets_are_kept_for_ever(root: Path) -> None:
    answer = ask(root, "/assets/app-1a2b.js")
    assert answer.text == SCRIPT
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["content-type"]


def test_a_missing_asset_is_not_answered_with_the_page(root: Path) -> None:
    answer = ask(root, "/assets/old-9z.js")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_a_packed_file_keeps_the_type_of_the_plain_one(root: Path) -> None:
    answer = ask(root, "/assets/app-1a2b.js", **{"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "javascript" in answer.headers["content-type"]
    assert answer.text == SCRIPT  # httpx unpacks
    assert answer.headers["vary"] == "accept-encoding"


def test_an_encoding_that_is_refused_is_not_used(root: Path) -> None:
    answer = ask(root, "/assets/app-1a2b.js", **{"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in answer.headers


def test_a_page_that_is_still_fresh_is_not_sent_again(root: Path) -> None:
    etag = ask(root, "/").headers["etag"]
    assert ask(root, "/", **{"if-none-match": etag}).status_code == 304


def test_the_references_have_an_address_of_their_own(root: Path) -> None:
    assert ask(root, "/api/docs").headers["location"] == "/api/docs/"
    assert "API reference" in ask(root, "/api/docs/").text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_api_says_so_and_does_not_show_the_app(root: Path, method: str) -> None:
    answer = ask(root, "/api/nothing/v1/things", method)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_nothing_outside_the_build_is_served(root: Path) -> None:
    (root.parent / "secret.txt").write_text("secret")
    assert "secret" not in ask(root, "/%2e%2e/secret.txt").text


def test_it_is_ready_only_with_a_build(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert ask(root, "/readyz").status_code == 200
    empty = tmp_path_factory.mktemp("empty")
    assert ask(empty, "/readyz").status_code == 503
    assert ask(empty, "/healthz").status_code == 200


def test_a_missing_setting_stops_the_process_and_is_named() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PRAXIS_")}
    run = subprocess.run([sys.executable, "-m", "web"], capture_output=True, text=True, env=env, timeout=30)
    assert run.returncode != 0
    assert "PRAXIS_HTTP_BIND" in run.stderr
