"""The edge's list of public operations against what the services' contracts say of themselves."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge.routes import PUBLIC_OPERATIONS, SERVICES

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = sorted([*ROOT.glob("services/*/openapi.yaml"), ROOT / "gateway/identity/openapi.yaml"])
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


def operations(contract: Path) -> Iterator[tuple[str, str, bool]]:
    """(METHOD, path with something for every parameter, whether anybody may call it)."""
    spec: dict[str, Any] = yaml.safe_load(contract.read_text())
    for path, item in spec["paths"].items():
        for method in METHODS & item.keys():
            public = item[method].get("security", spec.get("security")) == []
            yield method.upper(), re.sub(r"\{[^}]+\}", "019a", spec["servers"][0]["url"] + path), public


def let_through(method: str, path: str) -> bool:
    return any(re.fullmatch(o.methods, method) and re.fullmatch(o.path, path) for o in PUBLIC_OPERATIONS)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda path: path.parent.name)
def test_exactly_the_public_operations_need_no_token(contract: Path) -> None:
    wrong = [f"{method} {path}" for method, path, public in operations(contract) if let_through(method, path) != public]
    assert not wrong


def test_every_rule_for_public_operations_is_used() -> None:
    every = [(method, path) for contract in CONTRACTS for method, path, _ in operations(contract)]
    every.append(("GET", "/api/clients/v1/openapi.json"))  # served by chassis for each service
    unused = [o for o in PUBLIC_OPERATIONS if not any(re.fullmatch(o.path, path) for _, path in every)]
    assert not unused


def test_every_service_has_a_contract() -> None:
    assert {contract.parent.name for contract in CONTRACTS} == set(SERVICES)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda path: path.parent.name)
def test_every_contract_is_served_where_the_edge_sends_it(contract: Path) -> None:
    assert yaml.safe_load(contract.read_text())["servers"][0]["url"] == f"/api/{contract.parent.name}/v1"
