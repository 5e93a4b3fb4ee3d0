"""Who may speak to whom in the cluster is who asks whom by the contracts, and nobody else."""

import pytest

from tests.deploy.world import (
    SERVICES,
    Object,
    asked_by,
    callers,
    compose_processes,
    kubernetes_processes,
    of_kind,
    pods,
)

NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


def chooses(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector fits."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    expressions = selector.get("matchExpressions", [])
    assert all(expression["operator"] == "In" for expression in expressions)
    return all(labels.get(expression["key"]) in expression["values"] for expression in expressions)


def allows(rules: list[Object], side: str, labels: dict[str, str], port: int) -> bool:
    for rule in rules:
        open_port = "ports" not in rule or any(p["port"] == port for p in rule["ports"])
        peers = rule.get(side)
        if open_port and (peers is None or any(chooses(p["podSelector"], labels) for p in peers if "podSelector" in p)):
            return True
    return False


class Network:
    """Who reaches whom, by the policies as Kubernetes reads them: both sides must allow it."""

    def __init__(self, objects: list[Object]) -> None:
        self.policies = [p["spec"] for p in of_kind(objects, "NetworkPolicy").values()]
        self.pods = {t["metadata"]["name"]: t["spec"]["template"]["metadata"]["labels"] for t, _ in pods(objects)}

    def open(self, source: str, target: str, port: int) -> bool:
        return self._side("Egress", source, target, port) and self._side("Ingress", target, source, port)

    def _side(self, direction: str, pod: str, other: str, port: int) -> bool:
        rules = [
            rule
            for policy in self.policies
            if direction in policy["policyTypes"] and chooses(policy["podSelector"], self.pods[pod])
            for rule in policy.get(direction.lower(), [])
        ]
        return allows(rules, "from" if direction == "Ingress" else "to", self.pods[other], port)

    def who_reaches(self, target: str, port: int) -> set[str]:
        return {source for source in self.pods if source != target and self.open(source, target, port)}


@pytest.fixture(scope="module")
def network(dev: list[Object]) -> Network:
    return Network(dev)


def test_without_a_policy_nobody_speaks(objects: list[Object]) -> None:
    denies = of_kind(objects, "NetworkPolicy")["deny-all"]["spec"]
    assert denies == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("service", SERVICES)
def test_grpc_is_reached_by_exactly_the_callers_of_the_contract(network: Network, service: str) -> None:
    allowed = {network.pods[pod][NAME] for pod in network.who_reaches(f"{service}-grpc", 9000)}
    assert allowed == callers()[service]


@pytest.mark.parametrize("service", SERVICES)
def test_services_are_told_the_address_of_exactly_those_they_may_ask(dev: list[Object], service: str) -> None:
    for process in [*compose_processes(), *kubernetes_processes(dev)]:
        if process.service == service and process.mode != "migrate":
            told = {name.split("_")[1].lower() for name in process.told if name.endswith("_GRPC")}
            assert told == asked_by(service), process


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"identity"}))
def test_apis_are_reached_through_the_edge_only(network: Network, service: str) -> None:
    assert network.who_reaches(f"{service}-http", 8000) == {"edge"}


def test_identity_gives_keys_and_tokens_to_every_process(network: Network) -> None:
    asking = {p for p, labels in network.pods.items() if labels.get(COMPONENT) in ("http", "grpc", "worker", "live")}
    assert network.who_reaches("identity-http", 8000) == (asking - {"identity-http"}) | {"edge"}


def test_hints_and_the_web_app_are_reached_through_the_edge_only(network: Network) -> None:
    assert network.who_reaches("identity-live", 8000) == {"edge"}
    assert network.who_reaches("web", 8000) == {"edge"}


def test_servers_are_reached_by_those_who_have_their_password(network: Network, dev: list[Object]) -> None:
    told = {process.name: process.told for process in kubernetes_processes(dev)}

    def with_setting(*names: str) -> set[str]:
        return {name for name, settings in told.items() if settings.keys() & set(names)}

    databases = {"PRAXIS_DATABASE_URL", "PRAXIS_OWNER_DATABASE_URL"}
    assert network.who_reaches("postgres", 5432) == with_setting(*databases) | {"bootstrap"}
    assert network.who_reaches("rabbitmq", 5672) == with_setting("PRAXIS_AMQP_URL")
    assert network.who_reaches("minio", 9000) >= with_setting("PRAXIS_S3_SECRET_KEY") | {"edge"}
    assert network.who_reaches("mail", 1025) >= with_setting("PRAXIS_SMTP_URL")


def test_nobody_inside_reaches_the_mail_page(network: Network) -> None:
    assert not network.who_reaches("mail", 8025)
