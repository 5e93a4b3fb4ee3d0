"""Every setting that a process reads is given to it, in compose and in Kubernetes, and nothing that it does not read."""

import pytest

from edge.settings import DEFAULTS
from tests.deploy.world import (
    SERVICES,
    Object,
    Process,
    compose_processes,
    kubernetes_processes,
    required_by_modes,
    settings_of,
)

# Read by the telemetry libraries themselves.
LIBRARIES = {"OTEL_EXPORTER_OTLP_ENDPOINT"}
# Where a process listens has a default for tests only; in a container it is always said.
LISTENS = {
    "http": {"PRAXIS_HTTP_BIND"},
    "live": {"PRAXIS_HTTP_BIND"},
    "grpc": {"PRAXIS_GRPC_BIND", "PRAXIS_HEALTH_BIND"},
    "worker": {"PRAXIS_HEALTH_BIND"},
    "migrate": set(),
}
# What chassis can't say about identity's own mode.
LIVE = {"PRAXIS_DATABASE_URL", "PRAXIS_AMQP_URL", "PRAXIS_ISSUER", "PRAXIS_SIGNING_KEY_FILE"}
OWNER = "PRAXIS_OWNER_DATABASE_URL"


@pytest.fixture(params=["compose", "dev", "production"])
def processes(request: pytest.FixtureRequest) -> list[Process]:
    if request.param == "compose":
        return compose_processes()
    objects: list[Object] = request.getfixturevalue(request.param)
    return kubernetes_processes(objects)


def read_by(service: str) -> set[str]:
    return set(settings_of(service)) | LIBRARIES


def test_no_process_is_told_what_it_does_not_read(processes: list[Process]) -> None:
    unread = {str(p): p.told.keys() - read_by(p.service) for p in processes}
    assert not {name: names for name, names in unread.items() if names}


@pytest.mark.parametrize("service", SERVICES)
def test_everything_a_service_reads_is_told_to_one_of_its_processes(processes: list[Process], service: str) -> None:
    told = {name for p in processes if p.service == service for name in p.told}
    # A default that works is a setting for tuning; an empty one means nothing works until it is said.
    needed = {name for name, default in settings_of(service).items() if default in ("", None, {})}
    assert not needed - told


def test_every_process_is_told_what_its_mode_does_not_start_without(processes: list[Process]) -> None:
    required = required_by_modes() | {"live": LIVE}
    for p in processes:
        if p.service in SERVICES:
            assert not (required[p.mode] | LISTENS[p.mode]) - p.told.keys(), p


def test_only_migrations_know_the_owner_of_the_database(processes: list[Process]) -> None:
    for p in processes:
        assert (OWNER in p.told) == (p.mode == "migrate"), p
        assert not ("PRAXIS_DATABASE_URL" in p.told and p.mode == "migrate"), p


def test_only_what_speaks_to_the_broker_knows_its_password(processes: list[Process]) -> None:
    for p in processes:
        assert ("PRAXIS_AMQP_URL" in p.told) == (p.mode in ("worker", "live", "migrate")), p


def test_only_identity_can_sign_tokens(processes: list[Process]) -> None:
    for p in processes:
        assert ("PRAXIS_SIGNING_KEY_FILE" in p.told) <= (p.service == "identity"), p


def test_the_edge_is_told_whatever_has_no_default(processes: list[Process]) -> None:
    (edge,) = (p for p in processes if p.service == "edge")
    target = {"compose": "compose", "kubernetes": "kubernetes"}[edge.where]
    needed = {name for name, default in settings_of("edge").items() if repr(default) == "PydanticUndefined"}
    known = {f"PRAXIS_{name.upper()}" for name in DEFAULTS[target]}  # type: ignore[index]
    assert not needed - known - edge.told.keys()


def test_one_bucket_and_one_origin_for_all(processes: list[Process]) -> None:
    for variable in ("PRAXIS_S3_BUCKET", "PRAXIS_PUBLIC_URL", "PRAXIS_S3_PUBLIC_URL"):
        assert len({p.told[variable] for p in processes if variable in p.told}) == 1
