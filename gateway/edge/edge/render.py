"""`python -m edge.render --target local|compose|kubernetes --out FILE`: Envoy's configuration from the environment."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ValidationError

from edge import routes
from edge.settings import Settings, Target, load

# Tokens of services (audience `service`) have no business coming from outside.
AUDIENCES = ["staff", "portal", "partner"]
COOKIE = "__Host-praxis"
# Shorter than the 75 s for which the services keep an idle connection, see chassis.service.
UPSTREAM_IDLE = "30s"

COMPRESSIBLE = ["application/json", "application/problem+json", "application/javascript", "text/javascript", "text/css",
                "text/html", "text/plain", "text/csv", "image/svg+xml", "application/manifest+json"]  # fmt: skip
# What a stranger could put on a request to pass for somebody else, or to steer a proxy or a server behind it.
SPOOFABLE_PREFIXES = ["x-praxis-", "x-envoy-", "x-original-", "x-rewrite-", "x-client-"]
SPOOFABLE_NAMES = [
    "forwarded",
    "x-real-ip",
    "x-request-id",
    "x-http-method-override",
    "x-method-override",
    "baggage",
    "proxy",
]
# What of x-forwarded-* even a trusted proxy has no need to say.
FORWARDED_OTHERS = [f"x-forwarded-{what}" for what in ("host", "port", "prefix", "server", "user", "client-cert")]
# The store's own opinion on these would contradict the edge's.
STORE_HEADERS = [
    f"access-control-{what}"
    for what in ("allow-origin", "allow-methods", "allow-headers", "allow-credentials", "expose-headers", "max-age")
]


def app_csp(settings: Settings) -> str:
    """The app's Content-Security-Policy: itself, and the file origin for uploads, downloads and pictures."""
    files = settings.s3_public_url
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        # Mantine writes style attributes.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": f"'self' data: blob: {files}",
        "font-src": "'self' data:",
        "connect-src": f"'self' {files}",
        # Files go to their origin, and the portal's button to pay leads on to the card provider.
        "form-action": f"'self' {files} https://checkout.stripe.com",
        "manifest-src": "'self'",
        "worker-src": "'self' blob:",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    text = "; ".join(f"{name} {value}" for name, value in policy.items())
    return text + "; upgrade-insecure-requests" if settings.https else text


def app_headers(settings: Settings) -> dict[str, str]:
    """Security headers of every answer of the app's origin."""
    headers = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    }
    return headers | _hsts(settings)


def files_headers(settings: Settings) -> dict[str, str]:
    """Security headers of every answer of the files' origin: nothing there may ever run as a page."""
    headers = {
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "cache-control": "private, no-store",
    }
    return headers | _hsts(settings)


def _hsts(settings: Settings) -> dict[str, str]:
    # Over plain HTTP the header means nothing; over TLS it is a promise for a year.
    return {"strict-transport-security": "max-age=31536000; includeSubDomains"} if settings.https else {}


def _spoofable(settings: Settings) -> dict[str, list[str]]:
    if not settings.edge_trusted_proxies:
        return {"prefixes": [*SPOOFABLE_PREFIXES, "x-forwarded-"], "names": SPOOFABLE_NAMES}
    return {"prefixes": SPOOFABLE_PREFIXES, "names": [*SPOOFABLE_NAMES, *FORWARDED_OTHERS]}


def write(settings: Settings, out: Path) -> None:
    """Writes the configuration to `out` and, where the edge speaks TLS, its certificate's place to `tls.yaml` beside it."""
    tls_file = out.with_name("tls.yaml")
    out.write_text(render(settings, tls_file))
    if settings.tls_cert_file:
        tls_file.write_text(json.dumps(_certificate(settings), indent=2))


def _certificate(settings: Settings) -> dict[str, Any]:
    """Where the certificate is, as Envoy's secret discovery reads it."""
    cert, key = str(settings.tls_cert_file), str(settings.tls_key_file)
    certificate = {
        "certificate_chain": {"filename": cert},
        "private_key": {"filename": key},
        # Kubernetes renews a mounted Secret by renaming a link in this folder.
        "watched_directory": {"path": str(Path(cert).parent)},
    }
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    return {"resources": [{"@type": kind, "name": "edge", "tls_certificate": certificate}]}


def render(settings: Settings, tls_file: Path) -> str:
    """The complete configuration, YAML. `tls_file` is where the certificate's place will be written."""
    loader = PackageLoader("edge", ".")
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701  # no HTML
    # JSON is YAML too, so a value can't break out of its place. Jinja's own filter escapes for HTML.
    environment.filters["tojson"] = json.dumps
    return environment.get_template("envoy.yaml.j2").render(
        settings=settings,
        tls_file=str(tls_file.absolute()),
        services=routes.SERVICES,
        public_operations=routes.PUBLIC_OPERATIONS,
        guessed_at=routes.GUESSED_AT,
        audiences=AUDIENCES,
        cookie=COOKIE,
        app_csp=app_csp(settings),
        app_headers=app_headers(settings),
        files_headers=files_headers(settings),
        store_headers=STORE_HEADERS,
        spoofable=_spoofable(settings),
        compressible=COMPRESSIBLE,
        upstream_idle=UPSTREAM_IDLE,
        collector_uri=f"{(settings.otel_exporter_otlp_endpoint or 'http://collector').rstrip('/')}/v1/traces",
        bucket=re.escape(settings.s3_bucket) if settings.s3_bucket else "[a-z0-9][a-z0-9.-]+",
    )


def main() -> None:
    """Writes the file, or says on standard error which variable is missing or wrong (exit 2)."""
    parser = argparse.ArgumentParser(prog="python -m edge.render", description=__doc__)
    parser.add_argument("--target", choices=get_args(Target), required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    write(settings_or_exit(arguments.target), arguments.out)


def settings_or_exit(target: Target) -> Settings:
    """Settings, or an end with exit code 2 and one line per variable that is missing or wrong."""
    try:
        return load(target)
    except ValidationError as error:
        for problem in error.errors():
            name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
            variable = name if name.startswith("OTEL_") or not problem["loc"] else f"PRAXIS_{name}"
            print(f"edge: {variable}: {problem['msg']}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
