"""Who may speak to whom in the cluster is who asks whom by the contracts, and nobody else."""

from ipaddress import ip_address, ip_network

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


# --- out of the cluster, in production -------------------------------------------------------------------------------


def let_out(production: list[Object], port: int, address: str) -> set[tuple[str, str]]:
    """Which processes (service, mode) reach an address outside at a port."""
    network, found = Network(production), set()
    for labels in network.pods.values():
        for policy in network.policies:
            if not chooses(policy["podSelector"], labels):
                continue
            for rule in policy.get("egress", []):
                blocks = [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]
                if any(p["port"] == port for p in rule["ports"]) and any(covers(b, address) for b in blocks):
                    found.add((labels[NAME], labels.get(COMPONENT, "")))
    return found


def covers(block: Object, address: str) -> bool:
    inside = [ip_address(address) in ip_network(net) for net in (block["cidr"], *block.get("except", []))]
    return inside[0] and not any(inside[1:])


PUBLIC, PRIVATE = "198.51.100.7", ["10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "100.64.0.1"]


def test_only_what_takes_card_payments_is_let_out_to_stripe_and_not_into_private_networks(
    production: list[Object],
) -> None:
    stores = {x for x in let_out(production, 443, PUBLIC) if x[0] in ("documents", "edge")}
    assert let_out(production, 443, PUBLIC) - stores == {("timebilling", "http"), ("timebilling", "grpc")}
    for address in PRIVATE:
        assert let_out(production, 443, address) == stores


def test_only_what_mails_is_let_out_to_the_mail_server(production: list[Object]) -> None:
    told = {p.service for p in kubernetes_processes(production) if "PRAXIS_SMTP_URL" in p.told}
    assert {name for name, _ in let_out(production, 587, PUBLIC)} == told == {"portal", "identity"}
    assert let_out(production, 25, PUBLIC) == set()


def test_who_is_let_out_to_stripe_is_who_knows_its_key(production: list[Object]) -> None:
    told = {p.service for p in kubernetes_processes(production) if "PRAXIS_STRIPE_API_KEY" in p.told}
    assert told == {"timebilling"}


def test_nobody_inside_reaches_the_mail_page(network: Network) -> None:
    assert not network.who_reaches("mail", 8025)
