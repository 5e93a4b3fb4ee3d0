"""deploy/k8s: both overlays build, every object is valid, the pods are as restricted as they can be."""

import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest

from tests.deploy.world import ROOT, SERVICES, Object, of_kind, pods

KUBERNETES = "1.37"
SERVERS = {"postgres", "rabbitmq", "minio", "mail"}


def test_every_object_is_valid_by_the_schemas_of_kubernetes(objects: list[Object]) -> None:
    for thing in objects:
        kubernetes_validate.validate(thing, KUBERNETES, strict=True)


def test_every_object_stands_once_in_our_namespace(objects: list[Object]) -> None:
    names = [(thing["kind"], thing["metadata"]["name"]) for thing in objects]
    assert len(names) == len(set(names))
    elsewhere = [thing for thing in objects if thing["metadata"].get("namespace") != "praxis"]
    assert [thing["kind"] for thing in elsewhere] == ["Namespace"]


def test_every_service_has_all_its_processes(objects: list[Object]) -> None:
    deployments = of_kind(objects, "Deployment").keys()
    expected = {f"{service}-{mode}" for service in SERVICES for mode in ("http", "grpc", "worker")}
    assert deployments == expected | {"identity-live", "edge", "web"}
    assert of_kind(objects, "Job").keys() - {"bootstrap"} == {f"{service}-migrate" for service in SERVICES}


def test_every_deployment_scales_and_survives_the_loss_of_a_node(production: list[Object]) -> None:
    scaled = {
        h["spec"]["scaleTargetRef"]["name"]: h["spec"] for h in of_kind(production, "HorizontalPodAutoscaler").values()
    }
    budgets = of_kind(production, "PodDisruptionBudget")
    for name, deployment in of_kind(production, "Deployment").items():
        assert scaled[name]["minReplicas"] >= 2
        assert "replicas" not in deployment["spec"], "the autoscaler's word, not ours"
        assert budgets[name]["spec"]["selector"]["matchLabels"].items() <= labels(deployment).items()


def labels(thing: Object) -> dict[str, str]:
    found: dict[str, str] = thing["spec"]["template"]["metadata"]["labels"]
    return found


def test_every_pod_is_restricted(objects: list[Object]) -> None:
    for thing, pod in pods(objects):
        name = thing["metadata"]["name"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            rights = container["securityContext"]
            assert rights["allowPrivilegeEscalation"] is False, name
            assert rights["readOnlyRootFilesystem"] is True, name
            assert rights["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"].keys() == {"requests", "limits"}, name


def test_the_namespace_accepts_nothing_less(objects: list[Object]) -> None:
    (namespace,) = of_kind(objects, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_every_deployment_is_probed_at_a_port_it_has(objects: list[Object]) -> None:
    for name, deployment in of_kind(objects, "Deployment").items():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        binds = {v["name"]: v["value"] for v in container["env"] if v["name"].endswith("_BIND")}
        probed = binds.get("PRAXIS_HEALTH_BIND") or binds["PRAXIS_HTTP_BIND"]
        for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            assert container[probe]["httpGet"] == {"path": path, "port": "probe"}, name
        assert ports["probe"] == int(probed.rpartition(":")[2]), name


def test_every_service_finds_pods_and_the_port_they_open(objects: list[Object]) -> None:
    for name, service in of_kind(objects, "Service").items():
        found = [pod for thing, pod in pods(objects) if service["spec"]["selector"].items() <= labels(thing).items()]
        assert len(found) == 1, name
        open_ports = {p for port in found[0]["containers"][0]["ports"] for p in (port["name"], port["containerPort"])}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= open_ports, name


def test_services_with_several_pods_to_choose_from_are_headless(objects: list[Object]) -> None:
    for name, service in of_kind(objects, "Service").items():
        if not name.startswith("edge"):
            assert service["spec"]["clusterIP"] == "None", name


def test_production_brings_no_servers_and_no_secrets(production: list[Object]) -> None:
    assert not of_kind(production, "StatefulSet")
    assert not of_kind(production, "Secret")
    assert "bootstrap" not in of_kind(production, "Job")


def test_development_brings_its_own(dev: list[Object]) -> None:
    assert of_kind(dev, "StatefulSet").keys() == SERVERS
    assert "bootstrap" in of_kind(dev, "Job")


def wanted(objects: list[Object]) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """((Secret, key), (ConfigMap, key)) that containers can't start without."""
    secrets, maps = set(), set()
    for _, pod in pods(objects):
        for variable in pod["containers"][0]["env"]:
            source = variable.get("valueFrom", {})
            for kind, found in (("secretKeyRef", secrets), ("configMapKeyRef", maps)):
                if kind in source and not source[kind].get("optional"):
                    found.add((source[kind]["name"], source[kind]["key"]))
    return secrets, maps


def test_what_is_referred_to_is_there(objects: list[Object]) -> None:
    secrets, maps = wanted(objects)
    there = {(name, key) for name, thing in of_kind(objects, "ConfigMap").items() for key in thing["data"]}
    assert maps <= there
    if of_kind(objects, "Secret"):
        kept = {(name, key) for name, thing in of_kind(objects, "Secret").items() for key in thing["data"]}
        assert secrets <= kept
        assert not [1 for thing in of_kind(objects, "Secret").values() if not all(thing["data"].values())]


def test_production_s_secrets_are_documented(production: list[Object]) -> None:
    secrets, _ = wanted(production)
    secrets |= {
        (volume["secret"]["secretName"], "")
        for _, pod in pods(production)
        for volume in pod["volumes"]
        if "secret" in volume
    }
    text = (ROOT / "deploy/k8s/README.md").read_text()
    rows = {row[0].strip(): row[1] for row in re.findall(r"^\| `([^`]+)` \|(.*)\|$", text, re.M)}
    documented = {
        (name.replace("<service>", service), key)
        for name, keys in rows.items()
        for service in SERVICES
        for key in [*re.findall(r"`([^`]+)`", keys), ""]
    }
    assert secrets <= documented


@pytest.mark.parametrize("name", [*SERVICES, "gateway"])
def test_every_base_builds_by_itself(name: str) -> None:
    folder = ROOT / "deploy/k8s/base" / ("gateway/identity" if name == "identity" else name)
    built = subprocess.run([Path(sys.executable).with_name("kubectl"), "kustomize", folder], capture_output=True)
    assert built.returncode == 0, built.stderr
