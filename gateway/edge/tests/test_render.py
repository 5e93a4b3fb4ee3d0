"""The renderer: every target gives a configuration that Envoy accepts, and wrong settings are named."""

import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml

from gateway.edge.tests.support import Edge, StartEdge, envoy, render, render_raw, until

ORIGINS = {"public_url": "https://praxis.example", "s3_public_url": "https://files.praxis.example"}
LOCAL = {
    f"upstream_{name}": "127.0.0.1:9"
    for name in ("clients", "workflow", "timebilling", "documents", "portal", "identity", "live", "web", "s3")
}
BINDS = {"edge_bind": "127.0.0.1:8080", "files_bind": "127.0.0.1:8081"}
TARGETS = {
    "local": ORIGINS | LOCAL | BINDS,
    "compose": ORIGINS,
    "kubernetes": ORIGINS | {"upstream_s3": "https://s3.example"},
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"edge_rate": 0, "edge_sign_in_rate": 0},
        {"edge_rate": 50, "edge_trusted_proxies": 2, "s3_bucket": "praxis-documents"},
    ],
)
def test_envoy_accepts_every_target(tmp_path: Path, target: str, more: dict[str, object]) -> None:
    out = tmp_path / "envoy.yaml"
    render(out, TARGETS[target] | more, target)
    checked = subprocess.run([envoy(), "--mode", "validate", "-c", str(out)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr[-2000:]
    assert "eprecated" not in checked.stderr


def test_every_upstream_but_the_store_is_asked_whether_it_is_ready(tmp_path: Path) -> None:
    render(tmp_path / "envoy.yaml", TARGETS["compose"], "compose")
    clusters = yaml.safe_load((tmp_path / "envoy.yaml").read_text())["static_resources"]["clusters"]
    asked = {
        c["name"]: c["health_checks"][0]
        for c in clusters
        if c.get("health_checks", [{}])[0].get("http_health_check", {}).get("path") == "/readyz"
    }
    assert set(asked) == {"clients", "workflow", "timebilling", "documents", "portal", "identity", "live", "web"}
    # Who was away is noticed within a second of being back.
    assert {(check["unhealthy_interval"], check["healthy_threshold"]) for check in asked.values()} == {("0.5s", 1)}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"public_url": None}, "PRAXIS_PUBLIC_URL"),
        ({"public_url": "praxis.example"}, "PRAXIS_PUBLIC_URL"),
        ({"public_url": "https://praxis.example/app"}, "PRAXIS_PUBLIC_URL"),
        ({"edge_bind": "8080"}, "PRAXIS_EDGE_BIND"),
        ({"upstream_clients": None}, "PRAXIS_UPSTREAM_CLIENTS"),
        ({"upstream_web": "web:eighty"}, "PRAXIS_UPSTREAM_WEB"),
        ({"edge_rate": "-1"}, "PRAXIS_EDGE_RATE"),
        ({"s3_bucket": "../x"}, "PRAXIS_S3_BUCKET"),
        ({"tls_cert_file": "/cert.pem"}, "PRAXIS_TLS_KEY_FILE"),
        ({"s3_public_url": ORIGINS["public_url"]}, "PRAXIS_S3_PUBLIC_URL"),
    ],
)
def test_wrong_setting_is_named_and_nothing_is_written(
    tmp_path: Path, change: dict[str, str | None], named: str
) -> None:
    settings = {name: value for name, value in (TARGETS["local"] | change).items() if value is not None}
    refused = render_raw(tmp_path / "envoy.yaml", settings, "local")
    assert refused.returncode == 2
    assert named in refused.stderr
    assert not (tmp_path / "envoy.yaml").exists()


def test_values_cannot_break_out_of_their_place(tmp_path: Path) -> None:
    render(tmp_path / "envoy.yaml", TARGETS["local"] | {"issuer": 'x"\n  admin: { address: 1 } #'}, "local")
    assert "admin" not in yaml.safe_load((tmp_path / "envoy.yaml").read_text())


@pytest.fixture
def tls_edge(start_edge: StartEdge, tmp_path: Path) -> Edge:
    make_certificate(tmp_path)
    files = {"tls_cert_file": tmp_path / "cert.pem", "tls_key_file": tmp_path / "key.pem"}
    return start_edge(**files, public_url="https://localhost", s3_public_url="https://files.test")


def ask_by_tls(edge: Edge, folder: Path) -> httpx.Response:
    """An answer of the edge, if it shows the certificate that lies in the folder."""
    context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    with httpx.Client(base_url=edge.url.replace("127.0.0.1", "localhost"), verify=context) as client:
        return client.get("/readyz")


def test_with_a_certificate_the_edge_speaks_tls(tls_edge: Edge, tmp_path: Path) -> None:
    answer = until(lambda: ask_by_tls(tls_edge, tmp_path), "the edge's start")
    assert answer.headers["strict-transport-security"]


def test_a_renewed_certificate_is_taken_up_while_it_runs(tls_edge: Edge, tmp_path: Path) -> None:
    until(lambda: ask_by_tls(tls_edge, tmp_path), "the edge's start")
    (tmp_path / "next").mkdir()
    make_certificate(tmp_path / "next")
    for name in ("key.pem", "cert.pem"):
        (tmp_path / "next" / name).rename(tmp_path / name)
    until(lambda: ask_by_tls(tls_edge, tmp_path).is_success, "the new certificate")


def make_certificate(folder: Path) -> None:
    """cert.pem and key.pem for localhost, signed by itself."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run(
        [*command, *subject, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
    )
